package milvuswait

import (
	"fmt"
	"slices"
	"time"
)

// health is the state of the server, from the answers to the polls of all targets.
type health struct {
	failing      bool          // every poll since failingSince has failed
	failingSince time.Duration // earliest start of one of these polls
	lastAnswerAt time.Duration
	timeouts     int // number of calls in a row that timed out
}

// addCall records whether a call timed out. A list of indexes did so if none of them got an
// answer; their number does not count. A list of loads that fails decides nothing: its
// timeout is shorter than a poll's.
func (h *health) addCall(r result) {
	timedOut := r.answer.timedOut
	switch r.job.kind {
	case listIndexes:
		timedOut = !slices.ContainsFunc(r.answers, func(a answer) bool { return !a.timedOut })
	case listLoads:
		if r.answer.err != nil {
			return
		}
	case verifyOne:
		return // it need not call the server
	}

	if timedOut {
		h.timeouts++
	} else {
		h.timeouts = 0
	}
}

// add records an answer that arrived at now.
func (h *health) add(now time.Duration, a answer) {
	switch {
	case a.err == nil || isPermanent(a.err) || a.isPartlyAnswered():
		h.failing, h.lastAnswerAt = false, max(h.lastAnswerAt, now)
	default:
		// The failed poll may have started before another one succeeded, or before one that
		// failed earlier.
		since := max(now-a.elapsed, h.lastAnswerAt)
		if h.failing {
			since = min(since, h.failingSince)
		}
		h.failing, h.failingSince = true, since
	}
}

// trackHealth records an answer in health, and sets stopCause if the server counts as
// unreachable.
func (s *scheduler) trackHealth(now time.Duration, a answer) {
	if a.err != nil && s.ended(now) {
		return // the context ended the poll, whatever the server
	}
	s.health.add(now, a)

	if !s.outOfReach(now) || s.stopCause != nil {
		return
	}
	// Entries that had their turn count for themselves. Stop for the others: one at least
	// has been due for as long as polls have failed.
	if first := s.queue.first(); first.e != nil && first.at <= s.health.failingSince {
		s.stopCause = s.unreachableForAll(now)
	}
}

// outOfReach reports whether no poll of any target was answered for the unreachable budget.
func (s *scheduler) outOfReach(now time.Duration) bool {
	return s.health.failing && s.cfg.unreachableAfter > 0 && now-s.health.failingSince >= s.cfg.unreachableAfter
}

func (s *scheduler) unreachableForAll(now time.Duration) error {
	return fmt.Errorf("%w: no poll of any target has succeeded for %v", ErrUnreachable, round(now-s.health.failingSince))
}

// unreachable returns the cause of a target whose unreachable budget has ended, from the
// answers to the polls of all targets.
func (s *scheduler) unreachable(e *waitState, now time.Duration) error {
	return e.unreachable(now, s.health.lastAnswerAt > e.outage.silentSince)
}

// endExpired ends the entries whose unreachable budget has ended, and returns the time until
// the next one does.
func (s *scheduler) endExpired() time.Duration {
	for h := &s.queue.expiring; len(*h) > 0 && s.stopCause == nil; {
		now, first := s.now(), (*h)[0]
		if first.at > now {
			return first.at - now
		}
		h.remove(0)
		s.fail(first.e, now, s.unreachable(&first.e.state, now))
	}
	return noDeadline
}

// timeoutOf returns the timeout of a job that was due at a time and starts now. It outlasts
// neither the unreachable budget of one of its entries, nor that of the server for all.
//
// A poll that had to wait for its turn, on a server that answers others, is the exception:
// the wait was not the server's, and a poll cut short would fail on a busy server. A list
// always gets a second, for the sake of its other entries.
func (s *scheduler) timeoutOf(j job, due, now time.Duration) time.Duration {
	var timeout time.Duration
	switch {
	case j.kind == pollOne && now > due && j.one.state.outage.silentSince != notYet && !s.health.failing:
		timeout = j.one.state.timeout
	case j.kind == pollOne:
		timeout = j.one.state.timeoutAt(now)
	case j.kind == verifyOne:
		return j.one.state.timeout
	case j.kind == listLoads:
		timeout = s.batcher.timeout(len(j.covered), s.cfg.maxPollTimeout)
	case j.kind == listIndexes:
		timeout = j.one.state.timeout
	}
	for _, e := range j.covered {
		timeout = min(timeout, max(e.state.budgetLeft(now), listPause))
	}

	if s.health.failing && s.cfg.unreachableAfter > 0 {
		timeout = min(timeout, max(minMargin, sum(s.health.failingSince, s.cfg.unreachableAfter)-now))
	}
	return timeout
}
