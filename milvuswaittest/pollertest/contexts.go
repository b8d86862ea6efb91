package pollertest

import (
	"context"
	"time"

	"github.com/milvuswait/milvuswait/internal/verdict"
)

// heedful returns one question for each method of the Poller.
func (c *checker) heedful() (questions []question) {
	for _, k := range c.kinds {
		questions = append(questions, k.poll())
	}
	return append(questions, collect(c.kinds, kind.optional)...)
}

// checkEndedContexts makes calls with a canceled context, and with one after its deadline.
func (c *checker) checkEndedContexts() {
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	late, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer cancel()

	for _, q := range c.heedful() {
		for _, ctx := range []context.Context{canceled, late} {
			if a := q.call(ctx); c.returned(q, a) {
				c.ended(q, a, "was called with a context that had ended")
			}
		}
	}
}

// checkHang makes calls to a server that hangs, and cancels their contexts or lets them
// time out.
func (c *checker) checkHang() {
	if c.world.Hang == nil {
		c.skip("a server that does not answer (World.Hang)")
		return
	}

	for _, q := range c.heedful() {
		canceled, cancel := context.WithCancel(context.Background())
		time.AfterFunc(pause, cancel)
		c.hang(canceled, q)

		late, cancel := context.WithTimeout(context.Background(), pause)
		c.hang(late, q)
		cancel()
	}
}

// hang makes one call to a server that hangs, until ctx ends.
func (c *checker) hang(ctx context.Context, q question) {
	undo := c.world.Hang()
	if undo == nil {
		c.defect("World.Hang returned nil: return a function that undoes it")
		return
	}
	defer undo()

	a := q.call(ctx)
	switch {
	case !c.returned(q, a):
	case a.err != nil || ctx.Err() != nil: // the server may report the deadline before ctx ends
		c.ended(q, a, "stood still until its context ended")
	case a.err == nil && !q.maySucceed(a):
		c.defect("%v returned %v after World.Hang stopped the answers of the server: does Hang work, or is the answer an old one?", q, a)
	}
}

// ended records a defect if a, the answer to a call whose context has ended, is a success,
// or an error that ends a wait. Any other error is correct: a wait checks its own context.
func (c *checker) ended(q question, a answer, how string) {
	switch {
	case a.err == nil && isEmptyMap(a.value): // an empty list reports nothing
	case a.err == nil:
		c.defect("%v %s, and returned %v and no error: pass the context on, and return its error", q, how, a)
	case verdict.Ends(a.err):
		c.defect("%v %s, and returned %v, which ends a wait, although only a poll was out of time: "+
			"wrap no sentinel and do not mark it by milvuswait.Permanent", q, how, a)
	}
}

// checkFail makes calls while the server is away. They must return errors that do not end a
// wait.
func (c *checker) checkFail() {
	if c.world.Fail == nil {
		c.skip("a server that is away (World.Fail)")
		return
	}

	undo := c.world.Fail()
	if undo == nil {
		c.defect("World.Fail returned nil: return a function that undoes it")
		return
	}
	defer undo()

	for _, q := range c.heedful() {
		a, ok := c.ask(q)
		switch {
		case !ok:
		case a.err == nil && q.maySucceed(a):
		case a.err == nil:
			c.defect("%v returned %v and no error while every call fails: a wait takes it for an answer of the server; return the error", q, a)
		case verdict.Ends(a.err):
			c.defect("%v returned %v while the server was away, which ends a wait, although the server may come back: "+
				"wrap no sentinel and do not mark it by milvuswait.Permanent", q, a)
		}
	}
}
