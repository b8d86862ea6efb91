package pollertest

import (
	"context"

	"github.com/milvuswait/milvuswait"
)

// serving checks the check of the server.
type serving struct {
	*checker
	server milvuswait.ServerChecker
}

// newServing returns nil for a Poller without CheckServer.
func newServing(c *checker) kind {
	server, ok := find[milvuswait.ServerChecker](c, func(f milvuswait.PollerFuncs) bool { return f.Server != nil })
	if !ok {
		return nil
	}

	s := &serving{c, server}
	if !c.answers(s.poll()) {
		return nil
	}
	return s
}

// poll returns a check of the server as a question.
func (s *serving) poll() question {
	return newCall("CheckServer()", func(ctx context.Context) (milvuswait.ServingProgress, error) {
		return milvuswait.ServingProgress{}, s.server.CheckServer(ctx)
	})
}

func (s *serving) optional() []question { return nil }

func (s *serving) done() []question { return []question{s.poll()} }

func (s *serving) refusals() []refusal { return nil }

func (s *serving) checkAnswers() {
	answered(s.checker, s.poll(), func(question, milvuswait.ServingProgress) {})
}

func (s *serving) checkRefusals() {}

func (s *serving) checkArguments() {}

func (s *serving) checkOptional() {}
