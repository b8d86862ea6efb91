package main

import (
	"sync"

	"github.com/milvuswait/milvuswait"
)

// witness is the observer of one wait.
type witness struct {
	rec *recorder

	mu      sync.Mutex
	updates int
	ends    map[milvuswait.Target]claim
	over    bool
	behind  int // updates after the wait had returned
}

// Observe counts the update. For a final one, it also collects the evidence to judge it by.
func (w *witness) Observe(u milvuswait.Update) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.updates++
	if w.over {
		w.behind++
	}

	if !u.Final {
		return
	}
	if w.ends == nil {
		w.ends = map[milvuswait.Target]claim{}
	}

	c := w.rec.evidence(u.Target)
	c.elapsed, c.finals = u.Elapsed, w.ends[u.Target].finals+1
	w.ends[u.Target] = c
}

// end marks the wait as returned. Later updates are errors.
func (w *witness) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
}

// of returns the claim of the wait about a target, without its outcome.
func (w *witness) of(t milvuswait.Target) claim {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ends[t]
}

// count returns the number of updates, and the number of updates after the end.
func (w *witness) count() (updates, behind int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.updates, w.behind
}
