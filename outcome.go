package milvuswait

import "time"

// end tells how e ended.
func (s *scheduler) end(e *entry, now time.Duration, cause error) {
	u := e.core.finish(now, cause)
	e.ended = true
	s.pending--
	o := &s.outcomes[e.first]
	o.Progress, o.Err, o.Polls, o.Elapsed = u.Progress, u.Err, u.Polls, u.Elapsed
	s.cfg.observe(u)
}

// endRest ends all entries that have not ended, when none is polled any more.
func (s *scheduler) endRest() {
	cause, now := s.over, s.now()
	if cause == nil {
		cause = s.interruption()
	}
	for i := range s.entries {
		if e := &s.entries[i]; !e.ended {
			s.end(e, now, cause)
		}
	}
}

// err returns the failures of the targets, those of siblings excepted.
func (s *scheduler) err() error {
	joined := &joinedError{total: len(s.entries)}
	for i := range s.outcomes {
		o := &s.outcomes[i]
		*o = s.outcomes[s.entries[s.same[i]].first] // of a duplicate
		if o.Err != nil && s.entries[s.same[i]].first == int32(i) && o.Err.(*Error).Cause != errSibling {
			joined.errs = append(joined.errs, o.Err)
		}
	}
	if len(joined.errs) == 0 {
		return nil
	}
	return joined
}
