package milvuswait

import (
	"slices"
	"sync"
	"time"

	"github.com/milvuswait/milvuswait/internal/typednil"
)

// Update is the state of a wait after one poll.
type Update struct {
	Target Target

	// Progress is the progress from this poll or, if it failed, from the last successful
	// poll. It is nil before the first successful one.
	Progress Progress

	// Err is the tolerated error of this poll. In the final update it is the error of the
	// wait.
	Err error

	Polls   int           // number of polls so far, this one included
	Elapsed time.Duration // time since the wait began

	// Next is the time until the next poll, or until the deadline if there is none
	// before it; 0 in the final update.
	Next time.Duration

	// Fraction is the completed share of this wait, from 0 to 1. Unlike Progress.Fraction
	// it takes expected rows and the criterion into account. It may fall. It is 0 while
	// unknown, and 1 when the wait has succeeded.
	Fraction float64

	// ETA is the remaining time at the mean rate since progress first moved. It is 0
	// while unknown, and in the final update.
	ETA time.Duration

	// Final marks the last update of a target. The wait has succeeded if Err is nil.
	Final bool
}

// An Observer is called after every poll of a wait.
//
// It is called on the goroutine of the wait's caller, one update at a time and in order:
// one update per poll, tolerated failures included, exactly one final update per target,
// and none after the wait has returned. A wait that ends between two polls has an
// additional final update. No lock is held: an observer may cancel the context or start
// another wait. The wait stands still while it runs: wrap a slow observer in [Async]. A
// panic in it propagates to the caller of the wait.
//
// If several waits share an observer, they call it concurrently.
type Observer interface {
	Observe(Update)
}

// ObserverFunc is a function as an Observer.
type ObserverFunc func(Update)

// Observe calls f.
func (f ObserverFunc) Observe(u Update) { f(u) }

// Observers returns an observer that calls the others in turn, without the nil ones.
func Observers(others ...Observer) Observer {
	others = slices.DeleteFunc(slices.Clone(others), func(o Observer) bool { return typednil.Is(o) })
	return ObserverFunc(func(u Update) {
		for _, o := range others {
			o.Observe(u)
		}
	})
}

// OnChange returns an observer that passes updates with a change of their target on to o:
// another progress, the first failed poll, the first successful one after it, and the
// final update. It panics if o is nil.
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

// perTarget keeps a value for each target of a running wait. Concurrent waits may share
// it.
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
