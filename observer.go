package milvuswait

import (
	"slices"
	"sync"
	"time"

	"github.com/milvuswait/milvuswait/internal/typednil"
)

// Update is what a wait knows after one poll.
type Update struct {
	Target Target

	// Progress is the answer of this poll or, if it failed, of the last good one;
	// nil before the first.
	Progress Progress

	// Err is why this poll failed, although the wait goes on; in the final update
	// it is the error that the wait returns.
	Err error

	Polls   int           // made so far, this one included
	Elapsed time.Duration // since the wait began

	// Next is the time until the next poll, or until the deadline if there is none
	// before it; 0 in the final update.
	Next time.Duration

	// Fraction is the share of what this wait needs that is done, from 0 to 1:
	// unlike Progress.Fraction it knows of expected rows and of the criterion. It
	// may fall. It is 0 while unknown and 1 when the wait has succeeded.
	Fraction float64

	// ETA is the time that is left at the mean rate since progress first moved; 0
	// while unknown and in the final update.
	ETA time.Duration

	// Final marks the last update of a target: the wait is over, well if Err is
	// nil.
	Final bool
}

// An Observer is told of every poll of a wait.
//
// It is called on the goroutine that called the wait, one update at a time and
// in order: one for every poll, the tolerated failures included, exactly one of
// them final for every target, and none after the wait has returned. A wait that
// ends between two polls has a final update of its own. No lock is held: an
// observer may cancel the context or start another wait. The wait stands still
// while it runs, so that a slow one belongs into [Async]. A panic in it
// propagates to the caller of the wait.
//
// An observer that is given to several waits that run at once is called by all
// of them at once.
type Observer interface {
	Observe(Update)
}

// ObserverFunc is a function as an Observer.
type ObserverFunc func(Update)

// Observe calls f.
func (f ObserverFunc) Observe(u Update) { f(u) }

// Observers returns an observer that tells each of the others in turn. Nil ones
// are left out.
func Observers(others ...Observer) Observer {
	others = slices.DeleteFunc(slices.Clone(others), func(o Observer) bool { return typednil.Is(o) })
	return ObserverFunc(func(u Update) {
		for _, o := range others {
			o.Observe(u)
		}
	})
}

// OnChange returns an observer that passes on to o the updates that bring
// something new of their target: another progress, polls that begin to fail or to
// succeed again, and the final one. It panics if o is nil.
func OnChange(o Observer) Observer {
	if typednil.Is(o) {
		panic("milvuswait: OnChange: the observer is nil")
	}
	type seen struct {
		progress Progress
		failing  bool
	}
	var last perTarget[seen]
	return ObserverFunc(func(u Update) {
		now := seen{u.Progress, u.Err != nil}
		before, known := last.get(u.Target)
		last.put(u, now)
		if u.Final || !known || before != now {
			o.Observe(u)
		}
	})
}

// perTarget keeps something of every target that is being waited for. Waits that
// run at once may share an observer.
type perTarget[T any] struct {
	mu sync.Mutex
	m  map[Target]T
}

func (p *perTarget[T]) get(t Target) (value T, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	value, known = p.m[t]
	return value, known
}

// put keeps value for the target of u, until its final update.
func (p *perTarget[T]) put(u Update, value T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if u.Final {
		delete(p.m, u.Target)
		return
	}
	if p.m == nil {
		p.m = make(map[Target]T)
	}
	p.m[u.Target] = value
}
