// Package live keeps the state of running waits for observers: the progress of each, its
// start, and the number of polls behind an update.
//
// Metrics read from it on demand disappear with their wait.
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

// Waits is the set of running waits. The zero Waits is empty and ready to use. It is safe
// for concurrent use and must not be copied.
type Waits struct {
	mu  sync.Mutex
	all map[*wait]struct{}
}

// wait is one running wait. Waits.mu guards its fields.
type wait struct {
	target   milvuswait.Target
	start    time.Time
	fraction float64
	eta      time.Duration
	polls    int
}

// Call holds the waits of one call of a waiting function, WaitAll included. An update does
// not show the call it comes from, so each call has its own Call. This keeps two concurrent
// waits for the same target apart.
type Call struct {
	waits *Waits
	own   map[milvuswait.Target]*wait // guarded by waits.mu
}

// Call returns a new Call for a call that has not started yet.
func (w *Waits) Call() *Call { return &Call{waits: w, own: make(map[milvuswait.Target]*wait)} }

// Step is the difference between an update and the previous one. Polls without an update
// count as polls with this update's result: milvuswait.Async may drop updates, and failed
// lists cause none.
type Step struct {
	Start time.Time // start of the wait
	Polls int       // polls since the previous update
	Poll  Poll      // result of these polls; a poll interrupted by the end of the context counts as PollOK
}

// Take records an update and returns its Step.
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

// Unfinished returns a final update for every wait of the call without one. A panic in the
// Poller or in another observer ends a wait this way. The error of these updates wraps
// milvuswait.ErrAborted. Pass them to the observer when the call has ended.
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

// Reading is the progress of the waits for one thing: for one index, for the load or the flush
// of one collection, regardless of partitions, or for all jobs of a kind. With several waits,
// the slowest counts.
type Reading struct {
	Kind              milvuswait.Kind
	Collection, Index string
	Fraction          float64
	ETA               time.Duration // 0 means unknown
	Elapsed           time.Duration // since the start of the first of the waits
}

// Read returns at most limit readings, the longest waits first.
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

// behind merges two readings: the lower progress, the longer ETA and the longer time. An
// unknown ETA makes the result unknown.
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

// Count returns the number of running waits of each kind, including kinds without waits.
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
