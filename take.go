package milvuswait

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// take has the cores decide about what a job brought. It may have lain there for
// as long as an observer took: what counts is when it came.
func (s *scheduler) take(r result) {
	if r.panic != nil {
		panic(r.panic)
	}
	now := r.end
	switch r.job.kind {
	case pollOne:
		s.observe(r.job.one, now, r.answer)
	case listLoads:
		s.takeLoads(now, r)
	case listIndexes:
		if unsupported(r.answers) {
			s.indexListUnsupported(now, r)
			return
		}
		for i, e := range r.job.served {
			s.observe(e, now, r.answers[i])
		}
	}
}

// takeLoads takes a list of loads.
func (s *scheduler) takeLoads(now time.Duration, r result) {
	if r.answer.err != nil {
		s.listFailed(now, r)
		return
	}
	missing := 0
	for _, e := range r.job.served {
		p, found := r.loads[e.core.target.collection]
		switch {
		case !found:
			missing++
			e.miss(now)
			s.ask(e, now)
		case e.core.wantsListCheck(now, p):
			s.ask(e, now) // the list cannot tell whether 0 % is a beginning
		default:
			e.misses = 0
			s.observe(e, now, answer{progress: p, took: r.answer.took, listed: true})
		}
	}
	s.lists.done(now, r.answer.took, len(r.job.served)-missing)
}

// miss notes that a list has not got e, an alias or what nobody has loaded yet: it
// goes by its own pace for a while, and not by that of the lists.
func (e *entry) miss(now time.Duration) {
	e.unlisted = now + min(listRest<<e.misses, listRestMax)
	e.misses = min(e.misses+1, 6)
}

// ask makes e due at once, for a poll of its own.
func (s *scheduler) ask(e *entry, now time.Duration) {
	e.alone = true
	s.push(e, now)
}

// listFailed falls back to single polls, for the rest of the wait if the Poller has no
// lists.
func (s *scheduler) listFailed(now time.Duration, r result) {
	s.lists.failed(now)
	s.lists.unsupported = errors.Is(r.answer.err, errors.ErrUnsupported)
	for _, e := range r.job.served {
		if s.over != nil || s.ended(now) {
			s.observe(e, now, r.answer)
			continue
		}
		e.core.unserved(now, r.answer)
		s.ask(e, now)
	}
}

// unsupported reports whether no answer of an index list came, because the Poller has no
// such lists.
func unsupported(answers []answer) bool {
	return !slices.ContainsFunc(answers, func(a answer) bool { return !errors.Is(a.err, errors.ErrUnsupported) })
}

// indexListUnsupported falls back to single polls for the rest of the wait.
func (s *scheduler) indexListUnsupported(now time.Duration, r result) {
	s.lists.indexesUnsupported = true
	for i, e := range r.job.served {
		if s.over != nil || s.ended(now) {
			s.observe(e, now, r.answers[i])
			continue
		}
		e.core.unserved(now, r.answers[i])
		s.push(e, now)
	}
}

// note keeps what an answer says of the server.
func (s *scheduler) note(now time.Duration, a answer) {
	if a.err != nil && s.ended(now) {
		return // which says nothing of the server
	}
	if a.timedOut {
		s.timeouts++
	} else {
		s.timeouts = 0
	}
	if a.err == nil || isPermanent(a.err) {
		s.failing, s.good = false, max(s.good, now)
		return
	}
	if !s.failing {
		s.failing, s.down = true, max(now-a.took, s.good)
	}
	// A server that answers nobody is asked for few of the targets: those that have
	// been due all the while need not wait for their turn to know.
	next := s.next()
	overdue := next.e != nil && next.at <= s.down
	if budget := s.cfg.unreachableAfter; budget > 0 && now-s.down >= budget && s.over == nil && overdue {
		s.over = fmt.Errorf("%w: no poll of any target has succeeded for %v", ErrUnreachable, round(now-s.down))
	}
}

// observe has the core of e decide about an answer.
func (s *scheduler) observe(e *entry, now time.Duration, a answer) {
	s.note(now, a)
	if s.over != nil && a.err != nil {
		e.core.polls++
		// What was cut off tells nothing of the server.
		if errors.Is(s.over, ErrUnreachable) && !a.cut {
			e.core.lastErr = a.err
		}
		s.end(e, now, s.over)
		return
	}
	d := s.judge(&e.core, now, a)
	switch {
	case d.verdict == done:
		s.end(e, now, nil)
	case s.over != nil:
		s.end(e, now, s.over)
	case d.verdict == failed:
		s.end(e, now, d.err)
		if !s.cfg.continueOnError && !s.ended(now) {
			s.over = errSibling
		}
	default:
		s.cfg.observe(e.core.update(now, a.err, d))
		if d.verdict == again {
			s.push(e, now+d.delay)
		}
	}
}
