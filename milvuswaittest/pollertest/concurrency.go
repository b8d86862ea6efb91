package pollertest

import (
	"reflect"
	"sync"
)

const (
	callers = 8
	rounds  = 3 // number of times a caller asks all questions
)

// checkConcurrency asks all questions concurrently, and compares the answers with those of
// sequential calls.
func (c *checker) checkConcurrency() {
	questions := append(collect(c.kinds, kind.done), collect(c.kinds, kind.optional)...)
	for _, r := range collect(c.kinds, kind.refusals) {
		questions = append(questions, r.question)
	}

	alone := make([]answer, len(questions))
	for i, q := range questions {
		var ok bool
		if alone[i], ok = c.ask(q); !ok {
			return // ask has recorded the defect
		}
	}

	var mu sync.Mutex
	failed := false
	ask := func(n int) (returned bool) {
		a := questions[n].inTime()

		// Read the answer without the lock: it would hide races from the detector.
		same := c.same(a, alone[n])
		mu.Lock()
		defer mu.Unlock()
		if !c.returned(questions[n], a) {
			failed = true
			return false
		}
		if !same {
			c.defect("%v returned another answer while other calls were under way than alone: a Poller has to be safe for concurrent use", questions[n])
		}
		return true
	}

	// First, all callers ask the same question at once. They share no lock before their calls
	// have returned, so that the race detector finds every race of a method with itself.
	for n := range questions {
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() { ask(n) })
		}
		if wg.Wait(); failed {
			return
		}
	}

	// Then each caller asks all questions, beginning with another one.
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for _, use := range c.meanwhile {
				use()
			}
			for i := range rounds * len(questions) {
				if !ask((caller + i) % len(questions)) {
					return
				}
			}
		})
	}
	wg.Wait()

	for _, check := range c.afterwards {
		check()
	}
}

// same reports whether a and b are equivalent for a wait: equal progress, or errors with
// the same sentinel. Of two lists, it compares the loaded collection of World.
func (c *checker) same(a, b answer) bool {
	if a.err == nil && b.err == nil {
		list, isList := a.value.(loadList)
		if !isList {
			return reflect.DeepEqual(a.value, b.value)
		}
		p, listed := list[c.world.Collection]
		other, listedToo := b.value.(loadList)[c.world.Collection]
		return p == other || !listed || !listedToo
	}
	return a.err != nil && b.err != nil && nameOf(a.err) == nameOf(b.err)
}
