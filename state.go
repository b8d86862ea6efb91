package milvuswait

import (
	"errors"
	"fmt"
	"math"
	"time"
)

const (
	// noDeadline is the deadline of a wait that has none.
	noDeadline = time.Duration(math.MaxInt64)

	// zeroPollsBeforeCheck is how many polls may see a load at 0 % before its state is asked
	// for, and maxStateChecks how often that is tried.
	zeroPollsBeforeCheck = 3
	maxStateChecks       = 3

	// listedZero is how long a load may stand at 0 % in lists before its state is
	// asked for.
	listedZero = 10 * time.Second

	// refreshGuard is how long a refresh_progress of 100 that was never seen lower
	// may mean that nobody has asked yet.
	refreshGuard = time.Second

	// serverGivesUp is how long a load may stand still before the server drops it:
	// queryCoord.loadTimeoutSeconds.
	serverGivesUp = 600 * time.Second
)

// waitState decides, for one target, what follows from a poll. It knows neither
// clocks nor goroutines nor Pollers: time is what has passed since the wait
// began, and everything else is in the answer.
type waitState struct {
	cfg      *config
	target   Target
	pace     pace
	deadline time.Duration

	polls        int
	last         Progress      // of the last good poll; nil before
	lastErr      error         // of the last poll if it failed
	failingSince time.Duration // when the first of the polls that have failed in a row began
	changedAt    time.Duration // when progress last changed
	timeout      time.Duration // of the next poll

	completeSince time.Duration // since when the target has been complete; negative if it is not
	rowsAtStart   int64         // total rows of the first good poll
	zeroPolls     int           // polls in a row that saw a load at 0 %
	stateChecks   int           // of its state since then
	moved         bool          // a load was seen above 0 %
	refreshSeen   bool          // a refresh was seen under way
}

// answer is what one poll brought.
type answer struct {
	progress    Progress // if err is nil
	err         error
	took        time.Duration
	timedOut    bool  // err is that the poll's own time was up
	interrupted bool  // err may be that the poll was ended before
	check       check // whether the state of the load was asked for too
	listed      bool  // out of a list of all loads
}

// check is what came of asking for the state of a load; err has what is wrong.
type check int8

const (
	unchecked check = iota
	unclear         // the question itself failed
	checked
)

type verdict int8

const (
	pollAgain     verdict = iota // poll again after the delay
	awaitDeadline                // wait for the context to end
	succeeded                    // complete
	failed                       // cannot become complete any more
)

func (v verdict) final() bool { return v == succeeded || v == failed }

// decision is what follows from an answer.
type decision struct {
	verdict verdict
	delay   time.Duration // until the next poll, for pollAgain
	err     error         // the cause, for failed
}

func newWaitState(cfg *config, target Target, pace pace, deadline time.Duration) waitState {
	return waitState{cfg: cfg, target: target, pace: pace, deadline: deadline, timeout: cfg.pollTimeout, completeSince: -1}
}

// wantsStateCheck reports whether the state of a load that shows p is to be asked for.
func (s *waitState) wantsStateCheck(p Progress) bool {
	l, ok := p.(LoadingProgress)
	return ok && l.Percent == 0 && s.stateChecks < maxStateChecks && s.zeroPolls+1 >= zeroPollsBeforeCheck
}

// wantsCheckAfterList is wantsStateCheck for an answer out of a list, which milvus-lite
// gives for what is not loaded too. Many may stand at 0 % at once, and to ask for
// each after three polls would cost what the list has saved.
func (s *waitState) wantsCheckAfterList(now time.Duration, p Progress) bool {
	return s.wantsStateCheck(p) && now-s.changedAt >= listedZero
}

// decide takes in the answer of a poll that ended at now and decides. The
// random number, from 0 to below 1, is for jitter.
func (s *waitState) decide(now time.Duration, a answer, random float64) decision {
	s.polls++
	if a.err != nil {
		return s.decideAfterFailure(now, a, random)
	}
	s.noteSuccess(now, a)
	if ip, ok := a.progress.(IndexBuildingProgress); ok && ip.State == IndexStateFailed {
		return decision{verdict: failed, err: indexFailed(ip)}
	}
	switch {
	case !s.isComplete(now):
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

// noteSuccess notes a good answer.
func (s *waitState) noteSuccess(now time.Duration, a answer) {
	if before, known := s.last.(LoadingProgress); known && a.listed {
		// Lists do not tell of refreshes.
		listed := a.progress.(LoadingProgress)
		listed.RefreshPercent = before.RefreshPercent
		a.progress = listed
	}
	if s.lastErr != nil {
		// Nobody saw whether progress changed meanwhile: that is no stall, nor does
		// it count for what has to hold.
		s.changedAt += now - s.failingSince
		if s.completeSince >= 0 {
			s.completeSince += now - s.failingSince
		}
		s.lastErr = nil
	}
	if a.progress != s.last {
		s.changedAt = now
	}
	if ip, ok := a.progress.(IndexBuildingProgress); ok && s.last == nil {
		s.rowsAtStart = ip.TotalRows
	}
	if lp, ok := a.progress.(LoadingProgress); ok {
		s.noteLoad(lp, a.check)
	}
	s.last, s.timeout = a.progress, s.cfg.pollTimeout
	s.pace.learn(now, a.took, s.share())
}

func (s *waitState) noteLoad(p LoadingProgress, asked check) {
	if p.Percent != 0 {
		s.zeroPolls, s.stateChecks = 0, 0
	} else {
		s.zeroPolls++
		switch asked {
		case unclear:
			s.stateChecks++
		case checked:
			s.stateChecks = maxStateChecks
		}
	}
	s.moved = s.moved || p.Percent > 0
	s.refreshSeen = s.refreshSeen || p.RefreshPercent < 100
}

// decideAfterFailure decides after a poll that failed.
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

// noteInterrupted notes a poll that failed when the wait's own context had ended: the
// failure says nothing of the server, unless it is one that a context does not
// bring about.
func (s *waitState) noteInterrupted(a answer) {
	s.polls++
	if isPermanent(a.err) {
		s.lastErr = a.err
	}
}

// noteListFailure notes a list that failed. Nothing is decided: a poll of the target's own follows
// at once. What is permanent for lists need not be so for that.
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

// inGrace reports whether err says no more than that the target is not there
// yet.
func (s *waitState) inGrace(now time.Duration, err error) bool {
	if now >= s.cfg.startGrace || s.moved || s.target.kind == KindIndexBuilding && s.last != nil {
		return false
	}
	return isAbsent(err)
}

// permanentCause returns why a permanent failure ends the wait. "Not loaded" means
// something else once the load was seen: the server says no more than that.
func (s *waitState) permanentCause(now time.Duration, a answer) error {
	seen := s.last != nil && (s.moved || a.check != checked)
	if !errors.Is(a.err, ErrNotLoaded) || errors.Is(a.err, ErrLoadFailed) || !seen {
		return &maskedError{a.err}
	}
	still := now - s.changedAt
	if s.lastErr != nil {
		still -= now - s.failingSince // in which nobody looked
	}
	if still >= serverGivesUp && !s.last.Complete() {
		return because(fmt.Errorf("%w: the server gave up after %v without progress", ErrLoadFailed, round(still)), a.err)
	}
	return because(ErrReleased, a.err)
}

// planNext decides when to poll again, or not to before the deadline.
func (s *waitState) planNext(now time.Duration, a answer, random float64) decision {
	took, delay := a.took, s.pace.delay(now, random)
	if delay < 0 {
		return decision{verdict: failed, err: fmt.Errorf("%w: the generator of WithBackoffFunc returned a negative delay", ErrAborted)}
	}
	if a.listed && s.pace.rule != nil {
		delay = max(delay, minListInterval)
	}
	// A poll is due when it can change the verdict, whatever the pace.
	notAfter := func(at time.Duration) {
		if at > now {
			delay = min(delay, at-now)
		}
	}
	settled := s.completeSince + s.cfg.settle
	if s.completeSince >= 0 {
		if rule := s.pace.rule; rule != nil {
			// What is complete has no pace of its own.
			delay = max(delay, min(s.cfg.settle/10, rule.Max))
		}
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
	// The last poll is so early that its answer can be here in time, and the one
	// before it does not get in its way.
	margin := min(max(2*took, 50*time.Millisecond), time.Second)
	last := s.deadline - margin
	if s.completeSince >= 0 && settled < s.deadline {
		last = max(last, settled)
	}
	left := last - now
	if took < margin {
		left -= took
	}
	if delay >= left {
		if now >= last {
			return decision{verdict: awaitDeadline}
		}
		delay = last - now
	}
	return decision{verdict: pollAgain, delay: delay}
}

// isComplete judges the newest answer alone, by what the options ask for.
func (s *waitState) isComplete(now time.Duration) bool {
	switch p := s.last.(type) {
	case LoadingProgress:
		return p.Complete() && (!s.cfg.refresh || p.RefreshPercent >= 100 && !s.refreshMayBePending(now))
	case IndexBuildingProgress:
		if s.target.rows > 0 && min(p.TotalRows, p.IndexedRows) < s.target.rows {
			return false
		}
		switch s.cfg.criterion {
		case RowsAtStart:
			return p.Complete() || s.rowsAtStart >= 0 && p.TotalRows >= 0 && p.IndexedRows >= min(s.rowsAtStart, p.TotalRows)
		case ServerState:
			return p.State == IndexStateFinished
		}
		return p.Complete()
	}
	return false
}

// refreshMayBePending reports whether a refresh_progress of 100 may still mean that nobody
// has asked for the refresh yet.
func (s *waitState) refreshMayBePending(now time.Duration) bool {
	return s.cfg.refresh && s.target.kind == KindLoading && !s.refreshSeen && now < max(refreshGuard, s.cfg.startGrace)
}

// mayStall reports whether a standstill counts: what is complete, or waits for a
// refresh to be asked for, has nowhere to go.
func (s *waitState) mayStall(now time.Duration) bool {
	return s.cfg.stallTimeout > 0 && s.lastErr == nil && s.completeSince < 0 && !s.refreshMayBePending(now)
}

// share returns how much of what this wait needs is done, from 0 to 1, or a
// negative number if that is unknown.
func (s *waitState) share() float64 {
	switch p := s.last.(type) {
	case LoadingProgress:
		if s.cfg.refresh {
			return min(p.Fraction(), clamp(float64(p.RefreshPercent)/100))
		}
		if p.Percent < 0 {
			return -1
		}
		return p.Fraction()
	case IndexBuildingProgress:
		if s.cfg.criterion == RowsAtStart && s.rowsAtStart > 0 {
			return clamp(float64(p.IndexedRows) / float64(max(s.rowsAtStart, s.target.rows)))
		}
		return p.share(max(p.TotalRows, s.target.rows))
	}
	return -1
}
