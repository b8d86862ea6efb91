package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/oracle"
)

// wait is a call of the library. Its times are those since the server started.
type wait struct {
	begin     time.Duration
	deadline  time.Duration // 0: none
	cancelled time.Duration // not before; 0: never
	budget    time.Duration // of WithUnreachableAfter; 0: too long to end in time
}

// claim is what a wait said of a goal, and what there is to judge it by.
type claim struct {
	outcome milvuswait.Outcome
	end     time.Duration // when it was said
	elapsed time.Duration // by the final update
	finals  int           // of such updates

	deciding []poll        // those that may have decided
	good     []poll        // those that may have brought the progress
	upset    time.Duration // when a poll for it last failed or took long; 0: never

	last   poll          // of this goal alone
	before failures      // before the last poll
	polled bool          // a poll of this goal alone has been good
	mute   time.Duration // begin of the first poll without an answer since the last answer; 0: none
}

const (
	// tooLate is for how long an end may go unnoticed if polls fail now and then,
	// outages not counted: many times what waits need.
	tooLate = 15 * time.Second

	// calmTooLate is that where none fails: what the library promises at the most,
	// and as much again for a machine that has other things to do.
	calmTooLate = 5*time.Second + 5*time.Second

	// imprecision is how much later than the wait this process may notice a poll.
	imprecision = 100 * time.Millisecond

	// overrun is how long a wait may go on behind its deadline, on such a machine.
	overrun = 5 * time.Second
)

// referee judges claims by what is true.
type referee struct {
	*scenario
	outages func(from, to time.Duration) time.Duration // how much of that
}

// judge returns what is wrong with a claim, or nil.
func (r *referee) judge(w wait, g *goal, c claim) error {
	for _, judge := range []func(wait, *goal, claim) error{r.judgeEnd, r.judgeProgress, r.judgeTelling, r.judgeLateness} {
		if err := judge(w, g, c); err != nil {
			return fmt.Errorf("%v: %w (said at %v: %v, %v; wait begun at %v)", g.target, err, c.end, c.outcome.Err, c.outcome.Progress, w.begin)
		}
	}
	return nil
}

// ends are the errors that say what the server showed.
var ends = []struct {
	err    error
	states []state
}{
	{milvuswait.ErrNotLoaded, []state{notLoaded}},
	{milvuswait.ErrReleased, []state{notLoaded}},
	{milvuswait.ErrLoadFailed, []state{broken}},
	{milvuswait.ErrIndexFailed, []state{broken}},
	{milvuswait.ErrCollectionNotFound, []state{noCollection}},
	{milvuswait.ErrIndexNotFound, []state{noIndex}},
}

// judgeEnd judges what the claim says to be the end.
func (r *referee) judgeEnd(w wait, g *goal, c claim) error {
	err := c.outcome.Err
	if err == nil {
		if !r.shown(g, c.deciding, true, g.done()...) {
			return fmt.Errorf("nil, but the server showed it complete at no time of the last poll, %v", spans(c.deciding))
		}
		return nil
	}
	var failure *milvuswait.Error
	if !errors.As(err, &failure) {
		return errors.New("the error is no *Error")
	}
	if errors.Is(err, context.DeadlineExceeded) {
		if w.deadline == 0 || c.end < w.deadline {
			return fmt.Errorf("a deadline that was not over: %v", w.deadline)
		}
		return nil
	}
	if errors.Is(err, context.Canceled) {
		if w.cancelled == 0 || c.end < w.cancelled {
			return errors.New("cancelled by nobody")
		}
		return nil
	}
	if errors.Is(err, milvuswait.ErrUnreachable) && w.budget > 0 {
		if c.mute == 0 || c.end-c.mute < w.budget-imprecision {
			return fmt.Errorf("unreachable after less than %v, polls failed from %v on", w.budget, c.mute)
		}
		return nil
	}
	confirmed, err := c.confirmed(failure.Cause)
	if err != nil || confirmed && c.stale() {
		return err
	}
	for _, end := range ends {
		if !errors.Is(failure.Cause, end.err) {
			continue
		}
		if !r.shown(g, c.deciding, false, end.states...) {
			return fmt.Errorf("it was not so at any time of the last poll, %v", spans(c.deciding))
		}
		seen := c.outcome.Progress != nil
		if end.err == milvuswait.ErrReleased && !seen {
			return errors.New("a load that was never seen cannot be released")
		}
		if end.err == milvuswait.ErrNotLoaded && seen && (oracle.Options{Target: g.target}).Begun(c.outcome.Progress) {
			return errors.New("a load that was seen is gone, and not never asked for")
		}
		return nil
	}
	return errors.New("an error that nothing is a reason for")
}

// stale reports whether the weather may have made the last answer, so that it need not be true.
func (c claim) stale() bool {
	return errors.Is(c.last.err, milvuswait.ErrCollectionNotFound) || status.Code(c.last.err) == codes.PermissionDenied
}

// confirmed reports whether a wait may end by a failure that may be stale: as a first answer,
// or if an earlier one was the same. The error is that of a wait that must have gone on. Lists
// are not counted: after one, no poll of the goal alone may have been its first answer.
func (c claim) confirmed(cause error) (bool, error) {
	const confirmAfter, refusedFor = 100 * time.Millisecond, 30 * time.Second
	var confirmed bool
	switch {
	case status.Code(cause) == codes.PermissionDenied:
		confirmed = c.before.refused > 0 && c.last.end-c.before.refused >= refusedFor
	case errors.Is(cause, milvuswait.ErrLoadFailed):
		return false, nil
	case oracle.Absent(cause), errors.Is(cause, milvuswait.ErrReleased):
		confirmed = c.before.absent > 0 && c.last.begin-c.before.absent >= confirmAfter
	default:
		return false, nil
	}
	if !confirmed && c.polled {
		return false, fmt.Errorf("a failure that was not confirmed: %v after %v", c.last, c.before)
	}
	return true, nil
}

// shown reports whether the server was in one of the states during one of the
// polls: every part of the goal, or any of them.
func (r *referee) shown(g *goal, polls []poll, every bool, states ...state) bool {
	return slices.ContainsFunc(polls, func(p poll) bool {
		is := func(i int) bool { return r.subjects[i].history.was(p.begin, p.end, states...) }
		if every {
			return !slices.ContainsFunc(g.on, func(i int) bool { return !is(i) })
		}
		return slices.ContainsFunc(g.on, is)
	})
}

// judgeProgress judges the progress beside the end.
func (r *referee) judgeProgress(_ wait, g *goal, c claim) error {
	progress := c.outcome.Progress
	if progress == nil {
		if c.outcome.Err == nil {
			return errors.New("complete, but no progress")
		}
		return nil
	}
	told := slices.ContainsFunc(c.good, func(p poll) bool {
		return slices.ContainsFunc(g.on, func(i int) bool { return r.subjects[i].could(p.begin, p.end, progress) })
	})
	if !told {
		return fmt.Errorf("a progress that was not true at any time of the last good poll, %v", spans(c.good))
	}
	if c.outcome.Err != nil {
		return nil
	}
	if !(oracle.Options{Target: g.target}).Complete(progress) {
		return errors.New("complete, but not so by the progress beside it")
	}
	return nil
}

// judgeTelling judges what is said beside that.
func (r *referee) judgeTelling(w wait, _ *goal, c claim) error {
	if c.finals != 1 {
		return fmt.Errorf("%d final updates", c.finals)
	}
	if passed := c.end - w.begin; c.outcome.Elapsed > passed {
		return fmt.Errorf("elapsed %v, where %v had passed", c.outcome.Elapsed, passed)
	}
	if c.outcome.Elapsed != c.elapsed {
		return fmt.Errorf("elapsed %v, by the update %v", c.outcome.Elapsed, c.elapsed)
	}
	return nil
}

// judgeLateness judges whether the end was told in time.
func (r *referee) judgeLateness(w wait, g *goal, c claim) error {
	if w.deadline > 0 && c.end > w.deadline+overrun+r.outages(w.deadline, c.end) {
		return fmt.Errorf("the wait went on for %v behind its deadline", c.end-w.deadline)
	}
	if w.budget > 0 && c.mute > 0 && c.end > c.mute+w.budget+overrun {
		return fmt.Errorf("the wait went on for %v behind its budget", c.end-c.mute-w.budget)
	}
	since, over := r.overSince(g, c.end)
	if !over {
		return nil
	}
	since = max(since, w.begin)
	outages := r.outages(since, c.end)
	late := c.end - since - outages
	if late > tooLate {
		return fmt.Errorf("told %v late", late)
	}
	if late > calmTooLate && outages == 0 && r.calm(since-weatherLasts, c.end) {
		return fmt.Errorf("told %v late, where no fault was", late)
	}
	return nil
}

// lateness returns how late a goal was told that was reached during the wait. It
// is fair to ask only where no fault was: neither in the server nor in a poll.
func (r *referee) lateness(w wait, g *goal, c claim) (late time.Duration, fair bool) {
	const before = 2 * time.Second
	since, over := r.overSince(g, c.end)
	if c.outcome.Err != nil || !over || since <= w.begin || c.upset >= since-before {
		return 0, false
	}
	return c.end - since, r.calm(since-before, c.end) && r.outages(since-before, c.end) == 0
}

// overSince returns since when the goal has been reached, or out of reach, at t.
func (r *referee) overSince(g *goal, t time.Duration) (since time.Duration, over bool) {
	all := true
	first := t
	for _, i := range g.on {
		h := r.subjects[i].history
		now, begun := h.at(t).state, h.since(t)
		if now != running && !slices.Contains(g.done(), now) && now != uncounted {
			over, first = true, min(first, begun)
		}
		all = all && slices.Contains(g.done(), now)
		since = max(since, begun)
	}
	if over {
		return first, true
	}
	return since, all
}

// spans returns the times of polls.
func spans(polls []poll) []string {
	var texts []string
	for _, p := range polls {
		texts = append(texts, fmt.Sprintf("%v to %v", p.begin, p.end))
	}
	return texts
}
