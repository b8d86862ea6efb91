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

// wait is one call of the library. Its times are measured from the start of the server.
type wait struct {
	begin     time.Duration
	deadline  time.Duration // 0 means none
	cancelled time.Duration // earliest cancellation; 0 means never
	budget    time.Duration // argument of WithUnreachableAfter; 0 means too long to matter
}

// claim is the statement of a wait about a goal, and the evidence to judge it by.
type claim struct {
	outcome milvuswait.Outcome
	end     time.Duration // time of the final update
	elapsed time.Duration // as reported by the final update
	finals  int           // number of final updates

	deciding []poll        // polls that may have decided the end
	good     []poll        // polls that may have returned the progress
	upset    time.Duration // last time at which a poll for the goal failed or was slow; 0 means never

	last   poll          // last individual poll of this goal
	before failures      // before the last poll
	polled bool          // an individual poll of this goal has succeeded
	mute   time.Duration // start of the first poll without a response since the last response; 0 means none
}

const (
	// tooLate is the maximum lateness of an end while single polls fail, outages excluded.
	// It is many times the usual lateness.
	tooLate = 15 * time.Second

	// calmTooLate is the maximum lateness without faults: the library's promise of at most
	// 5 s, plus the same again for a busy machine.
	calmTooLate = 5*time.Second + 5*time.Second

	// imprecision is the maximum delay between the end of a poll in the wait and its record
	// here.
	imprecision = 100 * time.Millisecond

	// overrun is the maximum time by which a wait may exceed its deadline on a busy
	// machine.
	overrun = 5 * time.Second
)

// referee judges claims by the true history of the server.
type referee struct {
	*scenario
	outages func(from, to time.Duration) time.Duration // length of the outages within a period
}

// judge returns an error for the first false part of a claim, or nil.
func (r *referee) judge(w wait, g *goal, c claim) error {
	for _, judge := range []func(wait, *goal, claim) error{r.judgeEnd, r.judgeProgress, r.judgeReport, r.judgeLateness} {
		if err := judge(w, g, c); err != nil {
			return fmt.Errorf("%v: %w (claimed at %v: %v, %v; wait begun at %v)", g.target, err, c.end, c.outcome.Err, c.outcome.Progress, w.begin)
		}
	}
	return nil
}

// ends maps errors to the states of the server that justify them.
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

// judgeEnd judges the reason of the end: the error of the outcome, or nil.
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
			return errors.New("cancelled without a cancellation")
		}
		return nil
	}
	if errors.Is(err, milvuswait.ErrUnreachable) && w.budget > 0 {
		if c.mute == 0 || c.end-c.mute < w.budget-imprecision {
			return fmt.Errorf("unreachable after less than %v, polls failed from %v on", w.budget, c.mute)
		}
		return nil
	}

	// All other errors need a state of the server as their reason.
	confirmed, err := c.confirmed(failure.Cause)
	if err != nil || confirmed && c.stale() {
		return err
	}

	for _, end := range ends {
		if !errors.Is(failure.Cause, end.err) {
			continue
		}
		if !r.shown(g, c.deciding, false, end.states...) {
			return fmt.Errorf("it was true at no time of the last poll, %v", spans(c.deciding))
		}
		seen := c.outcome.Progress != nil
		if end.err == milvuswait.ErrReleased && !seen {
			return errors.New("a load that was never seen cannot be released")
		}
		if end.err == milvuswait.ErrNotLoaded && seen && (oracle.Options{Target: g.target}).Begun(c.outcome.Progress) {
			return errors.New("not loaded, although an earlier poll has seen the load")
		}
		return nil
	}

	return errors.New("an error without a reason in the history")
}

// stale reports whether the last poll may have met a fault of the weather. Its error may
// then be false.
func (c claim) stale() bool {
	return errors.Is(c.last.err, milvuswait.ErrCollectionNotFound) || status.Code(c.last.err) == codes.PermissionDenied
}

// confirmed reports whether a wait may end with an error that may be stale. Such an error
// must be the first answer, or an earlier poll must have returned it too. Otherwise
// confirmed returns an error: the wait should have gone on. Lists do not count, because no
// individual poll after a list is the first answer.
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

// shown reports whether the server was in one of the states during one of the polls. If
// every is true, all subjects of the goal must have been in one of them, otherwise one
// subject is enough.
func (r *referee) shown(g *goal, polls []poll, every bool, states ...state) bool {
	return slices.ContainsFunc(polls, func(p poll) bool {
		is := func(i int) bool { return r.subjects[i].history.was(p.begin, p.end, states...) }
		if every {
			return !slices.ContainsFunc(g.on, func(i int) bool { return !is(i) })
		}
		return slices.ContainsFunc(g.on, is)
	})
}

// judgeProgress judges the progress of the outcome: the server must have shown it during a
// successful poll, and it must fit the end.
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
		return fmt.Errorf("a progress that was not true at any time of the last successful poll, %v", spans(c.good))
	}

	if c.outcome.Err != nil {
		return nil
	}
	if !(oracle.Options{Target: g.target}).Complete(progress) {
		return errors.New("complete, but its progress is incomplete")
	}
	return nil
}

// judgeReport judges the number of final updates and the elapsed time.
func (r *referee) judgeReport(w wait, _ *goal, c claim) error {
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

// judgeLateness judges the time between the true end and the final update.
func (r *referee) judgeLateness(w wait, g *goal, c claim) error {
	if w.deadline > 0 && c.end > w.deadline+overrun+r.outages(w.deadline, c.end) {
		return fmt.Errorf("the wait went on for %v after its deadline", c.end-w.deadline)
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
		return fmt.Errorf("reported %v late", late)
	}
	if late > calmTooLate && outages == 0 && r.calm(since-weatherLasts, c.end) {
		return fmt.Errorf("reported %v late, without a fault", late)
	}
	return nil
}

// lateness returns the time between reaching a goal during the wait and the final update.
// It is fair only if there was no fault, neither in the server nor in a poll.
func (r *referee) lateness(w wait, g *goal, c claim) (late time.Duration, fair bool) {
	const before = 2 * time.Second
	since, over := r.overSince(g, c.end)
	if c.outcome.Err != nil || !over || since <= w.begin || c.upset >= since-before {
		return 0, false
	}
	return c.end - since, r.calm(since-before, c.end) && r.outages(since-before, c.end) == 0
}

// overSince returns the time since which the goal has been reached or unreachable at t. If
// it is neither, over is false.
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

// spans returns the periods of the polls as texts.
func spans(polls []poll) []string {
	var texts []string
	for _, p := range polls {
		texts = append(texts, fmt.Sprintf("%v to %v", p.begin, p.end))
	}
	return texts
}
