package milvuswait

import (
	"time"
)

// update returns the update after the poll that ended at now. err is the error of the poll,
// tolerated if it is not nil.
func (s *waitState) update(now time.Duration, err error, d decision) Update {
	u := Update{
		wait: s.cfg.id, Target: s.target, Progress: s.last, Polls: int(s.polls), Elapsed: now,
		Next: d.delay, Fraction: max(0, s.share()),
	}

	if s.pace.left >= time.Millisecond { // less only means that the server reports 100 %
		u.ETA = s.pace.left
	}
	if err != nil {
		u.Err = &maskedError{err}
	}
	return u
}

// finish returns the final update of a wait that cause has ended. A nil cause is success.
func (s *waitState) finish(now time.Duration, cause error) Update {
	u := s.update(now, nil, decision{})
	u.Final, u.ETA, u.Next = true, 0, 0

	if cause != nil {
		u.Err = s.failure(cause, now)
	} else {
		u.Fraction = 1
	}
	return u
}

// failure returns the error of a wait that cause has ended.
func (s *waitState) failure(cause error, elapsed time.Duration) *Error {
	e := &Error{Target: s.target, Last: s.last, Polls: int(s.polls), Elapsed: elapsed, Cause: cause}
	if s.outage.lastErr != nil {
		e.LastErr = &maskedError{s.outage.lastErr}
	}
	return e
}
