package fake

import (
	"slices"
	"sync"
	"time"

	"github.com/milvuswait/milvuswait"
)

// Call is one call of a Poller.
type Call struct {
	Target milvuswait.Target // what was asked for
	Poll   int               // which poll of that target it is, from 1; 0 for CheckLoadState
	Time   time.Time         // when it began
	Took   time.Duration     // from then to its end; 0 while it is under way

	// Progress and Err are the answer, one of them nil. Both are nil while the
	// call is under way, and of a CheckLoadState that found nothing wrong.
	Progress milvuswait.Progress
	Err      error
}

// Calls returns all calls of p so far, or those for the targets that are named,
// in the order in which they began: polls and questions for the load state, and
// also a call that is under way. The slice is the caller's own. The number of
// rows that a target expects makes no difference.
//
// None is ever dropped: each takes some 200 bytes for as long as the Poller
// lives.
func (p *Poller) Calls(targets ...milvuswait.Target) []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return filter(p.calls, targets, func(c Call) milvuswait.Target { return c.Target })
}

func (p *Poller) end(record int, progress milvuswait.Progress, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &p.calls[record]
	c.Took, c.Err = time.Since(c.Time), err
	if err == nil {
		c.Progress = progress
	}
}

// Observer is a milvuswait.Observer that keeps every update. The zero Observer
// is ready for use. It is safe for concurrent use, so that several waits can
// share one, and must not be copied after its first use.
type Observer struct {
	mu      sync.Mutex
	updates []milvuswait.Update
}

var _ milvuswait.Observer = (*Observer)(nil)

// Observe implements milvuswait.Observer.
func (o *Observer) Observe(u milvuswait.Update) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.updates = append(o.updates, u)
}

// Updates returns all updates so far, or those for the targets that are named,
// in the order in which they came. The slice is the caller's own. The number of
// rows that a target expects makes no difference. None is ever dropped.
func (o *Observer) Updates(targets ...milvuswait.Target) []milvuswait.Update {
	o.mu.Lock()
	defer o.mu.Unlock()
	return filter(o.updates, targets, func(u milvuswait.Update) milvuswait.Target { return u.Target })
}

// Final returns the final update for the target and whether there was one. If
// several waits for it have ended it is that of the last.
func (o *Observer) Final(target milvuswait.Target) (milvuswait.Update, bool) {
	for _, u := range slices.Backward(o.Updates(target)) {
		if u.Final {
			return u, true
		}
	}
	return milvuswait.Update{}, false
}

// filter returns a copy of those elements that are for one of the targets, or of
// all if there are none.
func filter[E any](all []E, targets []milvuswait.Target, target func(E) milvuswait.Target) []E {
	if len(targets) == 0 {
		return slices.Clone(all)
	}
	var some []E
	for _, e := range all {
		if slices.ContainsFunc(targets, func(t milvuswait.Target) bool { return t.ExpectRows(0) == target(e).ExpectRows(0) }) {
			some = append(some, e)
		}
	}
	return some
}
