package fakeserver

import (
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

// setServing sets the script that decides whether the server answers.
func (db *Database) setServing(_ milvuswait.Target, script fake.Script) {
	db.server.answering = begin(script)
}

// unready returns the fault of one call by the script of the server: the delay of its step,
// and the failure for its error. Each call is a poll of the script.
func (s *Server) unready() Fault {
	s.state.Lock()
	if s.answering == nil {
		s.state.Unlock()
		return Fault{}
	}
	turn := s.answering.Next(time.Now())
	s.state.Unlock()

	step := turn.Step()
	f := Fault{delay: max(0, step.Delay)}
	if step.Err == nil {
		return f
	}

	fail, err := s.scripted(step.Err, question{c: new(collection)})
	switch {
	case err != nil:
		f.act, f.err = refuse, err
	case fail != nil:
		f.act, f.body = reject, *fail
	}
	return f
}

// and returns the fault of a call with f and then other: both delays, and the first effect.
func (f Fault) and(other Fault) Fault {
	f.delay += min(other.delay, fake.Forever-f.delay)
	if f.act == proceed {
		f.act, f.body, f.err = other.act, other.body, other.err
	}
	return f
}
