package milvuswait

import (
	"sync"

	"github.com/milvuswait/milvuswait/internal/typednil"
)

// AsyncObserver passes updates to another observer on a separate goroutine, so that a slow
// observer delays no wait. [Async] makes one.
type AsyncObserver struct {
	sink Observer

	mu       sync.Mutex
	idle     *sync.Cond // signalled when running becomes false
	running  bool       // a goroutine is delivering
	queue    []*Update
	latest   map[waitTarget]*Update // queued updates to be replaced by a newer one
	panicked any                    // value of the panic of the sink
}

// Async returns an observer that calls o on another goroutine, one update at a time. While
// o runs, only the latest update of each target of a wait is kept; final updates are never
// dropped.
//
// The goroutine ends when all updates are delivered. This may be after the wait has
// returned: call Wait then. If o panics, or ends its goroutine as t.FailNow does, it is
// not called again, and every later call of Observe and Wait panics with the same value.
// Async panics if o is nil.
func Async(o Observer) *AsyncObserver {
	if typednil.Is(o) {
		panic("milvuswait: Async: the observer is nil")
	}
	a := &AsyncObserver{sink: o, latest: make(map[waitTarget]*Update)}
	a.idle = sync.NewCond(&a.mu)
	return a
}

// Observe queues u for the other observer and returns at once.
func (a *AsyncObserver) Observe(u Update) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.panicked != nil {
		panic(a.panicked)
	}

	key := u.key()
	kept := a.latest[key]
	if kept != nil {
		*kept = u
	} else {
		kept = &u
		a.queue = append(a.queue, kept)
	}

	if u.Final {
		delete(a.latest, key)
	} else {
		a.latest[key] = kept
	}

	if !a.running {
		a.running = true
		go a.deliver()
	}
}

// Wait returns when all updates have been delivered.
func (a *AsyncObserver) Wait() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for a.running {
		a.idle.Wait()
	}
	if a.panicked != nil {
		panic(a.panicked)
	}
}

// deliver calls the other observer until the queue is empty.
func (a *AsyncObserver) deliver() {
	returned := false
	defer func() {
		if returned {
			return
		}

		value := recover()
		if value == nil {
			value = "milvuswait: Async: the observer called runtime.Goexit, as t.FailNow does"
		}

		a.mu.Lock()
		defer a.mu.Unlock()
		a.panicked, a.queue = value, nil
		a.stop()
	}()

	for u := a.dequeue(); u != nil; u = a.dequeue() {
		a.sink.Observe(*u)
	}
	returned = true
}

// dequeue returns the next update, or nil if the queue is empty. It then clears running
// under the same lock, so that the next Observe starts a new goroutine.
func (a *AsyncObserver) dequeue() *Update {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.queue) == 0 {
		a.stop()
		return nil
	}

	u := a.queue[0]
	a.queue = a.queue[1:]
	if key := u.key(); a.latest[key] == u {
		delete(a.latest, key)
	}
	return u
}

func (a *AsyncObserver) stop() {
	a.running = false
	a.idle.Broadcast()
}
