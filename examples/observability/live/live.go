// Package live keeps what observers know of the waits that are under way: how
// far each is, since when it waits, and how many polls an update stands for.
//
// Metrics that are read from it when somebody looks cannot outlive their wait.
package live

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/milvuswait/milvuswait"
)

// Waits are the waits that are under way. The zero Waits is empty and ready for
// use. It is safe for concurrent use and must not be copied.
type Waits struct {
	mu  sync.Mutex
	all map[*wait]struct{}
}

type wait struct {
	target   milvuswait.Target
	start    time.Time
	fraction float64
	eta      time.Duration
	polls    int
}

// Call is what one call of a waiting function, WaitAll included, adds to Waits.
// Two waits for one target at a time are told apart by their calls: an update
// does not say whose it is.
type Call struct {
	waits *Waits
	own   map[milvuswait.Target]*wait // guarded by waits.mu
}

// Call returns a Call that has not begun.
func (w *Waits) Call() *Call { return &Call{waits: w, own: make(map[milvuswait.Target]*wait)} }

// Step is what an update brought beside what it says. Polls of which no update
// told, since they were dropped by milvuswait.Async or were lists that failed,
// count as the one that it tells of.
type Step struct {
	Start time.Time // of the wait
	Polls int       // since the update before
	Poll  Poll      // what they brought; those that the end of the context cut off count as good
}

// Take notes an update.
func (c *Call) Take(u milvuswait.Update) Step {
	c.waits.mu.Lock()
	defer c.waits.mu.Unlock()
	known := c.own[u.Target]
	if known == nil {
		known = &wait{target: u.Target, start: time.Now().Add(-u.Elapsed)}
		c.own[u.Target] = known
		if c.waits.all == nil {
			c.waits.all = make(map[*wait]struct{})
		}
		c.waits.all[known] = struct{}{}
	}
	s := Step{Start: known.start, Polls: max(0, u.Polls-known.polls), Poll: pollOf(u)}
	known.fraction, known.eta, known.polls = u.Fraction, u.ETA, max(known.polls, u.Polls)
	if u.Final {
		delete(c.own, u.Target)
		delete(c.waits.all, known)
	}
	return s
}

// Unfinished returns a final update for every wait of the call that has had none:
// a wait that panics, in the Poller or in another observer, ends without. Its
// error wraps milvuswait.ErrAborted. Take them when the call is over.
func (c *Call) Unfinished() []milvuswait.Update {
	c.waits.mu.Lock()
	defer c.waits.mu.Unlock()
	var updates []milvuswait.Update
	for target, one := range c.own {
		updates = append(updates, milvuswait.Update{
			Target: target, Err: errUnfinished, Polls: one.polls, Elapsed: time.Since(one.start), Fraction: one.fraction, Final: true,
		})
	}
	return updates
}

var errUnfinished = fmt.Errorf("%w: the wait ended without a final update, by a panic perhaps", milvuswait.ErrAborted)

// Reading is how far the waits for one thing are: for one index, or for the load
// of one collection, whichever partitions. Of several, the furthest behind counts.
type Reading struct {
	Kind              milvuswait.Kind
	Collection, Index string
	Fraction          float64
	ETA               time.Duration // 0 while unknown
	Elapsed           time.Duration // since the first of the waits began
}

// Read returns at most limit readings, those that wait longest first.
func (w *Waits) Read(limit int) []Reading {
	type name struct {
		kind              milvuswait.Kind
		collection, index string
	}
	now := time.Now()
	merged := make(map[name]Reading)
	w.mu.Lock()
	for one := range w.all {
		n := name{one.target.Kind(), one.target.Collection(), one.target.Index()}
		r := Reading{n.kind, n.collection, n.index, one.fraction, one.eta, now.Sub(one.start)}
		if other, ok := merged[n]; ok {
			r = behind(r, other)
		}
		merged[n] = r
	}
	w.mu.Unlock()
	readings := make([]Reading, 0, len(merged))
	for _, r := range merged {
		readings = append(readings, r)
	}
	slices.SortFunc(readings, func(a, b Reading) int {
		return cmp.Or(cmp.Compare(b.Elapsed, a.Elapsed), strings.Compare(a.Collection, b.Collection),
			strings.Compare(a.Index, b.Index), cmp.Compare(a.Kind, b.Kind))
	})
	return readings[:min(len(readings), max(0, limit))]
}

func behind(a, b Reading) Reading {
	if b.Fraction < a.Fraction {
		a.Fraction = b.Fraction
	}
	if a.ETA == 0 || b.ETA == 0 {
		a.ETA = 0
	} else {
		a.ETA = max(a.ETA, b.ETA)
	}
	a.Elapsed = max(a.Elapsed, b.Elapsed)
	return a
}

// Count returns how many waits of each kind are under way.
func (w *Waits) Count() map[milvuswait.Kind]int {
	count := map[milvuswait.Kind]int{}
	for _, kind := range milvuswait.Kinds() {
		count[kind] = 0
	}

	w.mu.Lock()
	defer w.mu.Unlock()
	for one := range w.all {
		count[one.target.Kind()]++
	}
	return count
}
