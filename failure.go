package milvuswait

import (
	"errors"
	"fmt"
	"math"
	"time"
)

const (
	// confirmAfter is the time between an absent answer and the start of the poll that
	// confirms it. Servers and proxies return "not found" and "not loaded" from caches that
	// a restart has emptied; the next answer comes from the metadata.
	confirmAfter = 100 * time.Millisecond

	// refusedFor is the time for which a server must refuse before a wait believes it. A
	// proxy that restarts refuses until it has read the users and their privileges.
	refusedFor = 30 * time.Second
)

// outage is the state of a wait since its last successful poll. All times are durations
// since the start of the wait.
//
// Two clocks run in it. Stall and settle exclude the time since failingSince, in which
// progress may have changed unseen. The unreachable budget counts the time without any
// answer: a server that returns "not found" or "permission denied" can be reached.
type outage struct {
	lastErr      error         // error of the last poll, nil if it succeeded
	failingSince time.Duration // start of the first failed poll; valid if lastErr is set
	silentSince  time.Duration // start of the first poll without an answer since the last answer, or notYet
	absentAt     time.Duration // end of the first absent answer, or notYet
	refusedAt    time.Duration // end of the first refusal, or notYet
	stillFor     time.Duration // time without a change of progress before the first failed poll
	partly       bool          // a request of a failed poll was answered
}

// notYet is the time of an event that has not happened.
const notYet time.Duration = -1

// noOutage is the outage of a wait whose last poll succeeded.
var noOutage = outage{silentSince: notYet, absentAt: notYet, refusedAt: notYet}

// decideAfterFailure returns the next step after a failed poll. A transient failure ends
// the wait once no poll was answered for the unreachable budget. A permanent failure ends
// it if it is confirmed:
//
//   - at once if it was the target's first answer, or cannot be a stale view: the target
//     cannot have been there before, or the server reports that the work has failed. If the
//     first poll brought progress and then an absent answer, the target was there before;
//   - absent ("not found", "not loaded") by a second absent answer, from a poll that
//     started confirmAfter the first one ended or later;
//   - a refusal by another one, refusedFor later.
//
// Failures of other classes in between neither confirm nor reset; a successful poll resets.
func (s *waitState) decideAfterFailure(now time.Duration, a answer, first bool) decision {
	if a.timedOut {
		s.doubleTimeout()
	}

	o := &s.outage
	class := classOf(a.err)
	inGrace := s.inGrace(now, a.err)
	if class == refusal && a.flushing && a.list != nil {
		class = transient // segmentCheck decides about a refused list
	}

	// Confirmed?
	confirmed := false
	switch class {
	case decisive:
		confirmed = !inGrace
	case absent:
		confirmed = !inGrace && (first && a.progress == nil || o.absentAt != notYet && now-a.elapsed >= o.absentAt+confirmAfter)
		if o.absentAt == notYet {
			o.absentAt = now
		}
	case refusal:
		confirmed = first || o.refusedAt != notYet && now-o.refusedAt >= refusedFor
		if o.refusedAt == notYet {
			o.refusedAt = now
		}
	}
	if confirmed {
		err := s.permanentCause(a)
		o.lastErr, o.silentSince = nil, notYet
		return decision{verdict: failed, err: err}
	}

	// Tolerated. Without an answer, the unreachable budget runs.
	s.noteFailure(now, a)
	if end := s.budgetEnd(); end < s.deadline && now >= end {
		return decision{verdict: failed, err: s.unreachable(now, false)}
	}
	if class == absent && !inGrace {
		return s.planAt(now, a, max(shortestDelay, o.absentAt+confirmAfter-now), true)
	}
	s.pace.forget()
	d := s.planNext(now, a)

	// If the flush of one index is not answered, it uses up the timeout of all in a list. An
	// absent answer before this failure is still to be confirmed, and a list confirms nothing.
	d.alone = a.timedOut && a.isPartlyAnswered() || o.absentAt != notYet && now >= s.cfg.startGrace
	return d
}

// noteFailure records the error of a poll that decides nothing.
func (s *waitState) noteFailure(now time.Duration, a answer) {
	o, start, answered := &s.outage, now-a.elapsed, isPermanent(a.err)

	if o.lastErr == nil {
		o.failingSince, o.stillFor = start, start-s.changedAt
		if answered {
			o.stillFor = now - s.changedAt // nothing was unseen until then
		}
	}

	switch {
	case answered:
		o.silentSince = notYet
	case o.silentSince == notYet:
		o.silentSince = start
	}
	o.lastErr, o.partly = a.err, o.partly || a.isPartlyAnswered()
}

// noteInterrupted records a poll that failed after the wait's context had ended. It keeps
// the progress of an earlier request, and a permanent failure: the end of the context may
// have caused any other.
func (s *waitState) noteInterrupted(now time.Duration, a answer) {
	s.polls++
	if a.progress != nil {
		s.noteProgress(now, a)
	}
	if isPermanent(a.err) {
		s.outage.lastErr = a.err
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

	s.noteFailure(now, a)
}

// inGrace reports whether err means that the target is not there yet, and the start grace
// tolerates it. A load that failed after it was seen in progress is not one of an earlier
// load.
func (s *waitState) inGrace(now time.Duration, err error) bool {
	return now < s.cfg.startGrace && isAbsent(err) && !(s.loading.moved && errors.Is(err, ErrLoadFailed))
}

// budgetEnd returns the end of the unreachable budget, or noDeadline while the server
// answers.
func (s *waitState) budgetEnd() time.Duration {
	if s.cfg.unreachableAfter == 0 || s.outage.silentSince == notYet {
		return noDeadline
	}
	return sum(s.outage.silentSince, s.cfg.unreachableAfter)
}

// unreachable returns the cause of a wait that ends at now with its unreachable budget. If
// other calls have been answered meanwhile, it names the call that was not.
func (s *waitState) unreachable(now time.Duration, othersAnswer bool) error {
	err := fmt.Errorf("%w: no poll has succeeded for %v", ErrUnreachable, round(now-s.outage.silentSince))
	if call := callOf(s.outage.lastErr); (othersAnswer || s.outage.partly) && call != "" {
		return fmt.Errorf("%w; %s does not answer, other calls do", err, call)
	}
	return err
}

// callOf returns the name of the call in an error of a Poller, or "" if it has none.
func callOf(err error) string {
	if named, ok := asType[interface {
		error
		Method() string
	}](err); ok {
		return named.Method()
	}
	return ""
}

// doubleTimeout records a call that timed out: the next one has more time.
func (s *waitState) doubleTimeout() { s.timeout = min(2*s.timeout, s.cfg.maxPollTimeout) }

// timeoutAt returns the timeout of a poll that starts at the given time.
func (s *waitState) timeoutAt(start time.Duration) time.Duration {
	return min(s.timeout, s.budgetLeft(start))
}

// budgetLeft returns the maximum timeout of a poll that starts at the given time: no poll
// outlasts the unreachable budget, except by minMargin if it starts too late.
func (s *waitState) budgetLeft(start time.Duration) time.Duration {
	switch {
	case s.cfg.unreachableAfter == 0:
		return noDeadline
	case s.outage.silentSince == notYet: // the budget begins with this poll if it is not answered
		return max(s.cfg.unreachableAfter, minMargin)
	}
	return max(s.budgetEnd()-start, minMargin)
}

// sum returns a+b without overflow; a is not negative.
func sum(a, b time.Duration) time.Duration {
	if b > math.MaxInt64-a {
		return math.MaxInt64
	}
	return a + b
}
