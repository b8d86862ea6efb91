package milvuswait

import (
	"fmt"
	"math"
	"time"
)

const (
	// noDeadline is the deadline of a wait without one.
	noDeadline = time.Duration(math.MaxInt64)
)

// waitState is the state of the wait for one target, and decides after each poll. It uses
// no clock, goroutine or Poller: times are durations since the start of the wait, and
// everything else is in the answer. A single wait and WaitAll decide by the same code.
type waitState struct {
	cfg      *config
	kind     *waitKind
	target   Target
	pace     pace
	deadline time.Duration // noDeadline if there is none

	polls        int           // number of polls so far
	last         Progress      // progress of the last successful poll; nil before
	lastErr      error         // error of the last poll, nil if it succeeded
	failingSince time.Duration // start of the first poll of the current failures; valid if lastErr is set
	changedAt    time.Duration // time of the last change of progress
	timeout      time.Duration // timeout of the next poll

	completeSince time.Duration // negative while the target is not complete

	// The state of one kind; only the functions of the kind use it.
	loading       loadingState
	indexBuilding indexBuildingState
}

// answer is the outcome of one poll.
type answer struct {
	progress    Progress // valid if err is nil
	err         error
	took        time.Duration
	timedOut    bool  // the poll's own timeout caused err
	interrupted bool  // the end of the wait's context may have caused err
	check       check // result of the check of the load's state
	listed      bool  // from a list of all loads
}

// verdict is the next step of a wait.
type verdict int8

const (
	pollAgain     verdict = iota // poll again after a delay
	awaitDeadline                // poll no more: no answer can arrive before the deadline
	succeeded                    // end: the target is complete
	failed                       // end: the target cannot become complete
)

func (v verdict) final() bool { return v == succeeded || v == failed }

// decision is the result of an answer.
type decision struct {
	verdict verdict
	delay   time.Duration // time until the next poll, for pollAgain
	err     error         // cause, for failed
}

func newWaitState(cfg *config, target Target, pace pace, deadline time.Duration) waitState {
	return waitState{
		cfg: cfg, kind: findKind(target.kind), target: target, pace: pace, deadline: deadline,
		timeout: cfg.pollTimeout, completeSince: -1,
	}
}

// decide records the answer of a poll that ended at now, and returns the next step. random
// is from 0 to below 1, for jitter.
func (s *waitState) decide(now time.Duration, a answer, random float64) decision {
	s.polls++
	if a.err != nil {
		return s.decideAfterFailure(now, a, random)
	}

	s.noteSuccess(now, a)
	if s.kind.failure != nil {
		if err := s.kind.failure(s.last); err != nil {
			return decision{verdict: failed, err: err}
		}
	}

	// Complete, and for long enough?
	switch {
	case !s.kind.isComplete(s, now):
		s.completeSince = -1
	case s.completeSince < 0:
		s.completeSince = now
	}
	if s.completeSince >= 0 && now-s.completeSince >= s.cfg.settle {
		return decision{verdict: succeeded}
	}

	if s.mayStall(now) && now-s.changedAt >= s.cfg.stallTimeout {
		return decision{verdict: failed, err: fmt.Errorf("%w: no change for %v", ErrStalled, round(now-s.changedAt))}
	}
	return s.planNext(now, a, random)
}

// noteSuccess records the answer of a successful poll.
func (s *waitState) noteSuccess(now time.Duration, a answer) {
	s.kind.note(s, &a)

	// Exclude the time of failed polls from the clocks of stall and settle: progress may
	// have changed unseen.
	if s.lastErr != nil {
		s.changedAt += now - s.failingSince
		if s.completeSince >= 0 {
			s.completeSince += now - s.failingSince
		}
		s.lastErr = nil
	}

	if a.progress != s.last {
		s.changedAt = now
	}
	s.last, s.timeout = a.progress, s.cfg.pollTimeout
	s.pace.learn(now, a.took, s.share())
}

// decideAfterFailure returns the next step after a failed poll. A permanent failure ends
// the wait, except within the start grace. Others end it once they have lasted for the
// unreachable budget.
func (s *waitState) decideAfterFailure(now time.Duration, a answer, random float64) decision {
	if a.timedOut {
		s.timeout = min(2*s.timeout, s.cfg.maxPollTimeout)
	}

	inGrace := s.inGrace(now, a.err)
	if isPermanent(a.err) && !inGrace {
		err := s.permanentCause(now, a)
		s.lastErr = nil
		return decision{verdict: failed, err: err}
	}

	if inGrace {
		s.failingSince = now // the server has answered
	} else if s.lastErr == nil {
		s.failingSince = now - a.took
	}
	s.lastErr = a.err
	if s.cfg.unreachableAfter > 0 && now-s.failingSince >= s.cfg.unreachableAfter {
		err := fmt.Errorf("%w: no poll has succeeded for %v", ErrUnreachable, round(now-s.failingSince))
		return decision{verdict: failed, err: err}
	}

	s.pace.forget()
	return s.planNext(now, a, random)
}

// noteInterrupted records a poll that failed after the wait's context had ended. Only a
// permanent failure is kept: the end of the context may have caused any other.
func (s *waitState) noteInterrupted(a answer) {
	s.polls++
	if isPermanent(a.err) {
		s.lastErr = a.err
	}
}

// noteListFailure records a list that failed. It decides nothing: an individual poll
// follows at once. A permanent failure of a list is not kept, since it need not be one of
// the individual poll.
func (s *waitState) noteListFailure(now time.Duration, a answer) {
	s.polls++
	if isPermanent(a.err) {
		return
	}

	if s.lastErr == nil {
		s.failingSince = now - a.took
	}
	s.lastErr = a.err
}

// inGrace reports whether err means that the target is not there yet, and the start grace
// tolerates it.
func (s *waitState) inGrace(now time.Duration, err error) bool {
	return now < s.cfg.startGrace && !s.kind.begun(s) && isAbsent(err)
}

// planNext returns the delay until the next poll, or awaitDeadline.
func (s *waitState) planNext(now time.Duration, a answer, random float64) decision {
	// Begin with the pace, slower for lists and while complete.
	delay := s.pace.delay(now, random)
	if delay < 0 {
		return decision{verdict: failed, err: fmt.Errorf("%w: the generator of WithBackoffFunc returned a negative delay", ErrAborted)}
	}
	if a.listed && s.pace.rule != nil {
		delay = max(delay, minListInterval)
	}
	if rule := s.pace.rule; rule != nil && s.completeSince >= 0 {
		// Progress no longer sets the pace while the target settles.
		delay = max(delay, min(s.cfg.settle/10, rule.Max))
	}

	// Poll no later than the time at which a poll can change the verdict.
	notAfter := func(at time.Duration) {
		if at > now {
			delay = min(delay, at-now)
		}
	}
	settled := s.completeSince + s.cfg.settle
	if s.completeSince >= 0 {
		notAfter(settled)
	}
	if s.mayStall(now) {
		notAfter(s.changedAt + s.cfg.stallTimeout)
	}
	if s.lastErr != nil {
		notAfter(s.failingSince + s.cfg.unreachableAfter)
		notAfter(s.cfg.startGrace)
	}
	delay = max(delay, shortestDelay)

	if s.deadline == noDeadline {
		return decision{verdict: pollAgain, delay: delay}
	}
	return s.beforeDeadline(now, a.took, delay, settled)
}

// beforeDeadline fits the next poll in before the deadline. The last poll starts early
// enough for its answer to arrive in time, and the poll before it ends before this start.
func (s *waitState) beforeDeadline(now, took, delay, settled time.Duration) decision {
	margin := min(max(2*took, 50*time.Millisecond), time.Second)
	lastPoll := s.deadline - margin
	if s.completeSince >= 0 && settled < s.deadline {
		lastPoll = max(lastPoll, settled)
	}

	left := lastPoll - now
	if took < margin {
		left -= took
	}
	if delay >= left {
		if now >= lastPoll {
			return decision{verdict: awaitDeadline}
		}
		delay = lastPoll - now
	}
	return decision{verdict: pollAgain, delay: delay}
}

// mayStall reports whether time without change counts for WithStallTimeout. A complete
// target, and one whose work may not have begun, need not change.
func (s *waitState) mayStall(now time.Duration) bool {
	if s.cfg.stallTimeout == 0 || s.lastErr != nil || s.completeSince >= 0 {
		return false
	}
	return s.kind.mayBePending == nil || !s.kind.mayBePending(s, now)
}

// share returns the finished part of this wait's work, from 0 to 1, or a negative number
// if it is unknown.
func (s *waitState) share() float64 {
	if s.last == nil {
		return -1
	}
	return s.kind.share(s)
}
