package milvuswait

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/milvuswait/milvuswait/internal/typednil"
)

// Update is the state of a wait after one poll.
//
// It also holds the identity of its call of a waiting function, so that observers can
// distinguish waits for equal targets. Pass updates on as they are. Updates of different
// calls, and literals, are never equal: compare their fields.
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

	// WaitingFor is the work that a target waits for which looks complete otherwise, or "".
	// Fraction is below 1 then. With RowsAtStart, an index waits for flushes before it takes
	// its baseline.
	WaitingFor WaitingFor

	// Unconfirmed means that the server cannot report rows that are still being flushed: a
	// complete index may lack them. It is set for waits for indexes from the first progress
	// that looks complete on, unless a flush mark with a timestamp or expected rows are given:
	// on Milvus 2.6 and newer, and for a Poller without SegmentLister. A wait with ServerState
	// does not ask.
	Unconfirmed bool

	// Final marks the last update of a target. The wait has succeeded if Err is nil.
	Final bool

	wait *waitID // nil in an update that no waiting function has made
}

// WaitingFor is the work that a target waits for which looks complete otherwise.
type WaitingFor string

// The kinds of such work.
const (
	WaitingForFlush  WaitingFor = "flush"  // rows are being flushed, and not counted yet
	WaitingForVerify WaitingFor = "verify" // the function of WithVerify returned an error
)

// An Observer is called after every poll of a wait.
//
// It is called on the goroutine of the wait's caller, one update at a time and in order:
// one update per poll, tolerated failures included, exactly one final update per target,
// and none after the wait has returned. A wait that ends between two polls has an
// additional final update. No lock is held: an observer may cancel the context or start
// another wait. The wait stands still while it runs: wrap a slow observer in [Async]. A
// panic in it propagates to the caller of the wait.
//
// If several waits share an observer, they call it concurrently. The observers of this
// package keep these waits apart, also for equal targets.
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
// another progress or WaitingFor, the first failed poll, the first successful one after
// it, and the final update. It panics if o is nil.
func OnChange(o Observer) Observer {
	if typednil.Is(o) {
		panic("milvuswait: OnChange: the observer is nil")
	}

	type seen struct {
		progress   Progress
		waitingFor WaitingFor
		failing    bool
	}
	var last perTarget[seen]
	return ObserverFunc(func(u Update) {
		now := seen{u.Progress, u.WaitingFor, u.Err != nil}
		before, known := last.get(u)
		last.put(u, now)

		if u.Final || !known || before != now {
			o.Observe(u)
		}
	})
}

// waitID is the identity of one call of a waiting function. All updates of the call share
// it, also those of the many targets of WaitAll.
type waitID struct {
	broken atomic.Bool // the call ended by a panic or runtime.Goexit

	// Objects below 16 bytes without pointers may share a block of memory, and a weak
	// pointer to one of them keeps its value until the whole block is free.
	_ [16]byte
}

// run calls f and records whether it returned. If it did not, targets that have not ended
// get no final update.
func (w *waitID) run(f func()) {
	returned := false
	defer func() { w.broken.Store(!returned) }()
	f()
	returned = true
}

// waitTarget identifies one target of one call, as a key of maps. It does not keep the
// identity of the call in memory: updates and the call itself do.
type waitTarget struct {
	wait   weak.Pointer[waitID]
	target Target
}

func (u Update) key() waitTarget { return waitTarget{weak.Make(u.wait), u.Target} }

// isOver reports whether no update of the call exists any more. It is false for updates that
// no waiting function has made.
func (k waitTarget) isOver() bool {
	return k.wait != weak.Pointer[waitID]{} && k.wait.Value() == nil
}

// isBroken reports whether the call has ended by a panic or runtime.Goexit, so that a target
// without a final update will get none. It is false for updates that no waiting function has
// made.
func (k waitTarget) isBroken() bool {
	if k.wait == (weak.Pointer[waitID]{}) {
		return false
	}
	id := k.wait.Value()
	return id == nil || id.broken.Load()
}

// targetMap holds a value for each target of each running wait. Values are deleted with the
// final update. A wait that ended by a panic has none: its values are removed later, when
// values for other targets are added.
type targetMap[T any] struct {
	m     map[waitTarget]T
	left  int // number of keys after the last sweep
	added int // number of keys added since then
}

// set adds or replaces the value of k. It returns the number of values removed because
// their waits are over.
func (t *targetMap[T]) set(k waitTarget, value T) (removed int) {
	// Sweep once as many keys were added as the last sweep has left: the cost per new key
	// is constant.
	if _, known := t.m[k]; !known {
		if t.added >= t.left {
			removed = t.sweep()
		}
		t.added++
	}

	if t.m == nil {
		t.m = make(map[waitTarget]T)
	}
	t.m[k] = value
	return removed
}

// sweep removes the values whose waits are over, and returns their number.
func (t *targetMap[T]) sweep() (removed int) {
	for k := range t.m {
		if k.isOver() {
			delete(t.m, k)
			removed++
		}
	}
	t.left, t.added = len(t.m), 0
	return removed
}

// perTarget is a targetMap that concurrent waits may share.
type perTarget[T any] struct {
	mu     sync.Mutex
	values targetMap[T]
}

func (p *perTarget[T]) get(u Update) (value T, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	value, known = p.values.m[u.key()]
	return value, known
}

// put keeps value for the target of u, until its final update.
func (p *perTarget[T]) put(u Update, value T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if u.Final {
		delete(p.values.m, u.key())
		return
	}
	p.values.set(u.key(), value)
}
