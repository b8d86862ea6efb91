package fake

import (
	"slices"
	"sync"
	"time"

	"github.com/milvuswait/milvuswait"
)

// Call is one call to a Poller.
type Call struct {
	// Target is the target of the call. For UnflushedSegments it is the flush of the
	// collection with the zero mark.
	Target milvuswait.Target

	Poll int           // number of the poll of this target, from 1; 0 for CheckLoadState and UnflushedSegments
	Time time.Time     // start of the call
	Took time.Duration // duration of the call; 0 while it is in flight

	// Progress and Err are the result; one of them is nil. Both are nil while the call is
	// in flight, and after a CheckLoadState without an error. After an UnflushedSegments,
	// Progress is flushed if there were no such segments.
	Progress milvuswait.Progress
	Err      error
}

// Calls returns the calls of p so far, or only those for the given targets, in the order of
// their starts. They include checks of the load state, lists of segments and calls in
// flight. The rows expected by a target, and the flush mark of an index, make no difference.
// The caller owns the slice.
//
// A wait for an index polls once more when the index looks complete, after a list of the
// segments. The list is a call for the flush of the collection, not for the index.
//
// No call is ever dropped: each takes about 200 bytes for the life of the Poller.
func (p *Poller) Calls(targets ...milvuswait.Target) []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return filter(p.calls, targets, func(c Call) milvuswait.Target { return c.Target })
}

// record adds a call that starts now, and returns its index. The caller holds p.mu.
func (p *Poller) record(c Call) int {
	p.calls = append(p.calls, c)
	return len(p.calls) - 1
}

// end records the result of the call with the index record.
func (p *Poller) end(record int, progress milvuswait.Progress, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := &p.calls[record]
	c.Took, c.Err = time.Since(c.Time), err
	if err == nil {
		c.Progress = progress
	}
}

// Observer is a milvuswait.Observer that records every update. The zero Observer is ready
// for use. It is safe for concurrent use, so several waits can share one. It must not be
// copied after its first use.
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

// Updates returns the updates so far, or only those for the given targets, in the order of
// their arrival. The rows expected by a target, and the flush mark of an index, make no
// difference. The caller owns the slice. No update is ever dropped.
func (o *Observer) Updates(targets ...milvuswait.Target) []milvuswait.Update {
	o.mu.Lock()
	defer o.mu.Unlock()
	return filter(o.updates, targets, func(u milvuswait.Update) milvuswait.Target { return u.Target })
}

// Final returns the final update for the target, and reports whether there is one. After
// several waits for the target, it returns the latest.
func (o *Observer) Final(target milvuswait.Target) (milvuswait.Update, bool) {
	for _, u := range slices.Backward(o.Updates(target)) {
		if u.Final {
			return u, true
		}
	}
	return milvuswait.Update{}, false
}

// filter returns a copy of the elements for one of the targets, or of all elements if there
// are no targets.
func filter[E any](all []E, targets []milvuswait.Target, target func(E) milvuswait.Target) []E {
	if len(targets) == 0 {
		return slices.Clone(all)
	}

	var some []E
	for _, e := range all {
		if slices.ContainsFunc(targets, func(t milvuswait.Target) bool { return plain(t) == plain(target(e)) }) {
			some = append(some, e)
		}
	}
	return some
}
