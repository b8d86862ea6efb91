package milvuswait

import (
	"time"
)

// maxUnfinished is the maximum Fraction of a target that looks complete, and waits for more.
const maxUnfinished = 0.99

// update returns the update after the poll that ended at now. err is the error of the poll,
// tolerated if it is not nil.
func (s *waitState) update(now time.Duration, err error, d decision) Update {
	u := Update{
		wait: s.cfg.id, Target: s.target, Progress: s.last, Polls: int(s.polls), Elapsed: now,
		Next: d.delay, WaitingFor: s.waitingFor(), Unconfirmed: s.isUnconfirmed(),
	}
	if s.last != nil {
		u.Fraction = max(0, s.kind.share(s))
	}

	if u.WaitingFor != "" {
		u.Fraction = min(u.Fraction, maxUnfinished)
	} else if s.pace.left >= time.Millisecond { // less only means that the server reports 100 %
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
	u.Final, u.ETA, u.Next, u.WaitingFor = true, 0, 0, ""

	if cause != nil {
		u.Err = s.failure(cause, now)
	} else {
		u.Fraction = 1
	}
	return u
}

// failure returns the error of a wait that cause has ended.
func (s *waitState) failure(cause error, elapsed time.Duration) *Error {
	e := &Error{Target: s.target, Last: s.last, Polls: int(s.polls), Elapsed: elapsed, WaitingFor: s.waitingFor(), Cause: cause}
	switch {
	case s.outage.lastErr != nil:
		e.LastErr = &maskedError{s.outage.lastErr}
	case s.unverified != nil:
		e.LastErr = s.unverified
	}
	return e
}
