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

	last          Progress      // last progress, also of a poll whose later requests failed; nil before
	outage        outage        // failures since then
	changedAt     time.Duration // time of the last change of progress
	completeSince time.Duration // notYet while the target is not complete
	timeout       time.Duration // timeout of the next poll, without the bound of timeoutAt
	unverified    *maskedError  // last error of verify for a target that is complete otherwise, or nil
	polls         int32         // number of polls so far

	// The state of one kind; only the functions of the kind use it.
	loading       loadingState
	indexBuilding indexBuildingState
}

// answer is the outcome of one poll.
type answer struct {
	progress    Progress // nil if the poll brought none; err may be that of a later request
	err         error
	took        time.Duration // duration of the last request, for pace and margin
	elapsed     time.Duration // duration of all requests of the poll
	timedOut    bool          // the poll's own timeout caused err
	interrupted bool          // the end of the wait's context may have caused err
	check       check         // result of the check of the load's state
	listed      bool          // from a list of all loads

	// Of an index, see segments.go.
	flushing bool         // the target waits for a flush
	markDone bool         // the flush of its mark is done
	list     *segmentList // nil if not requested
	old      bool         // the progress is from an earlier poll
}

// isPartlyAnswered reports whether an earlier request of a failed poll was answered.
func (a answer) isPartlyAnswered() bool { return a.err != nil && a.progress != nil && !a.old }

// verdict is the next step of a wait.
type verdict int8

const (
	pollAgain     verdict = iota // poll again after a delay
	awaitDeadline                // poll no more: no answer can arrive before the deadline
	awaitBudget                  // poll no more, and end after the delay: the unreachable budget
	verifying                    // call the function of WithVerify at once
	succeeded                    // end: the target is complete
	failed                       // end: the target cannot become complete
)

func (v verdict) final() bool { return v == succeeded || v == failed }

// decision is the result of an answer.
type decision struct {
	verdict verdict
	delay   time.Duration // time until the next poll, or until the end if none follows
	alone   bool          // no list may cover the next poll
	err     error         // cause, for failed
}

func newWaitState(cfg *config, target Target, pace pace, deadline time.Duration) waitState {
	return waitState{
		cfg: cfg, kind: findKind(target.kind), target: target, pace: pace, deadline: deadline,
		outage: noOutage, timeout: cfg.pollTimeout, completeSince: notYet,
	}
}

// decide records the answer of a poll that ended at now, and returns the next step.
func (s *waitState) decide(now time.Duration, a answer) decision {
	first := s.last == nil && s.outage.lastErr == nil
	s.polls++
	if a.progress != nil {
		s.noteProgress(now, a)
	}
	if a.err != nil {
		return s.decideAfterFailure(now, a, first)
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
		s.completeSince, s.unverified = notYet, nil
	case s.completeSince == notYet:
		s.completeSince = now
	}
	if s.completeSince != notYet && now-s.completeSince >= s.cfg.settle {
		if s.cfg.verify != nil {
			return decision{verdict: verifying}
		}
		return decision{verdict: succeeded}
	}

	if d, stalled := s.stalled(now); stalled {
		return d
	}
	return s.planNext(now, a)
}

// stalled returns the end of a wait whose progress has not changed for too long, and
// reports whether it is one.
func (s *waitState) stalled(now time.Duration) (decision, bool) {
	if !s.mayStall(now) || now-s.changedAt < s.cfg.stallTimeout {
		return decision{}, false
	}
	return decision{verdict: failed, err: fmt.Errorf("%w: no change for %v", ErrStalled, round(now-s.changedAt))}, true
}

// noteProgress records the progress of an answer.
func (s *waitState) noteProgress(now time.Duration, a answer) {
	if progress := s.kind.note(s, now, a); progress != s.last {
		s.last, s.changedAt = progress, now
	}
}

// noteSuccess records a successful poll.
func (s *waitState) noteSuccess(now time.Duration, a answer) {
	// Exclude the time of failed polls from the clocks of stall and settle: progress may
	// have changed unseen.
	if s.outage.lastErr != nil {
		unseen := now - s.outage.failingSince
		s.changedAt = min(now, s.changedAt+unseen)
		if s.completeSince != notYet {
			s.completeSince += unseen
		}
		s.outage = noOutage
	}

	if s.unverified == nil { // otherwise verify may need the longer timeout
		s.timeout = s.cfg.pollTimeout
	}
	s.pace.learn(now, a.took, s.share())
}

// planNext returns the delay until the next poll by the pace, or the end of the wait.
func (s *waitState) planNext(now time.Duration, a answer) decision {
	// Begin with the pace, slower for lists and while complete.
	delay := s.pace.delay(now, a.listed)
	if delay < 0 {
		return decision{verdict: failed, err: fmt.Errorf("%w: the generator of WithBackoffFunc returned a negative delay", ErrAborted)}
	}
	if a.listed && s.pace.rule != nil {
		delay = max(delay, minListInterval)
	}
	if rule := s.pace.rule; rule != nil && s.completeSince != notYet {
		// Progress no longer sets the pace while the target settles.
		delay = max(delay, min(s.cfg.settle/10, rule.Max))
	}

	// Poll no later than the time at which a poll can change the verdict.
	notAfter := func(at time.Duration) {
		if at > now {
			delay = min(delay, at-now)
		}
	}
	if s.completeSince != notYet {
		notAfter(s.settledAt())
	}
	if s.mayStall(now) {
		notAfter(sum(s.changedAt, s.cfg.stallTimeout))
	}
	if s.outage.lastErr != nil {
		notAfter(s.cfg.startGrace)
	}
	if s.outage.refusedAt != notYet {
		notAfter(s.outage.refusedAt + refusedFor)
	}
	return s.planAt(now, a, max(delay, shortestDelay), false)
}

// planAt plans a poll after the delay, or earlier if the unreachable budget or the wait
// ends before its answer.
func (s *waitState) planAt(now time.Duration, a answer, delay time.Duration, alone bool) decision {
	end, verdict := s.deadline, awaitDeadline
	if budget := s.budgetEnd(); budget < end {
		end, verdict = budget, awaitBudget
	}
	delay = min(delay, noDeadline-now)
	if end != noDeadline {
		var fits bool
		if delay, fits = s.fitBefore(end, now, a.took, delay); !fits {
			return decision{verdict: verdict, delay: end - now}
		}
	}
	return decision{verdict: pollAgain, delay: delay, alone: alone}
}

// minMargin is the minimum time for the last poll before an end.
const minMargin = 50 * time.Millisecond

// fitBefore fits the next poll in before an end. The last poll starts early enough for its
// answer to arrive in time, and the poll before it ends before this start. It returns
// false if it is too late for another poll.
func (s *waitState) fitBefore(end, now, took, delay time.Duration) (time.Duration, bool) {
	margin := min(max(2*took, minMargin), time.Second)
	lastPoll := end - margin
	if settled := s.settledAt(); s.completeSince != notYet && settled < end {
		lastPoll = max(lastPoll, settled)
	}

	left := lastPoll - now
	if took < margin {
		left -= took
	}
	if delay < left {
		return delay, true
	}
	return lastPoll - now, now < lastPoll
}

// settledAt returns the time at which a target that is complete has settled.
func (s *waitState) settledAt() time.Duration { return sum(s.completeSince, s.cfg.settle) }

// mayStall reports whether time without change counts for WithStallTimeout. A complete
// target that verify has not refused, and one whose work may not have begun, need not change.
func (s *waitState) mayStall(now time.Duration) bool {
	if s.cfg.stallTimeout == 0 || s.outage.lastErr != nil || s.completeSince != notYet && s.unverified == nil {
		return false
	}
	return s.kind.mayBePending == nil || !s.kind.mayBePending(s, now)
}

// share returns the finished part of this wait's work, from 0 to 1, or a negative number
// if it is unknown, as while the target waits for a flush.
func (s *waitState) share() float64 {
	if s.last == nil || s.waitingFor() != "" {
		return -1
	}
	return s.kind.share(s)
}

// waitingFor returns the work that a target waits for which looks complete otherwise.
func (s *waitState) waitingFor() WaitingFor {
	switch {
	case s.kind.awaitsFlush != nil && s.kind.awaitsFlush(s):
		return WaitingForFlush
	case s.unverified != nil:
		return WaitingForVerify
	}
	return ""
}

// isUnconfirmed reports whether the server cannot report all that the target depends on.
func (s *waitState) isUnconfirmed() bool {
	return s.kind.isUnconfirmed != nil && s.kind.isUnconfirmed(s)
}
