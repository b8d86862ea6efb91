package pollertest

import "sync"

const (
	callers = 8
	rounds  = 4 // of all questions, by each caller
)

// checkConcurrency asks everything at once, and compares it with what was said to
// one alone.
func (c *checker) checkConcurrency() {
	questions := c.done()
	for _, r := range c.refusals() {
		questions = append(questions, r.question)
	}
	alone := make([]answer, len(questions))
	for i, q := range questions {
		var ok bool
		if alone[i], ok = c.ask(q); !ok {
			return // said already
		}
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for i := range rounds * len(questions) {
				n := (caller + i) % len(questions)
				a := questions[n].inTime()
				mu.Lock()
				if !c.returned(questions[n], a) {
					mu.Unlock()
					return
				}
				if !same(a, alone[n]) {
					c.defect("%v returned another answer while other calls were under way than alone: a Poller has to be safe for concurrent use", questions[n])
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}
