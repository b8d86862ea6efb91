package oracle

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
)

// verdicts lists causes. A wait has one of them at most.
var verdicts = []error{
	context.DeadlineExceeded, milvuswait.ErrReleased, milvuswait.ErrIndexFailed, milvuswait.ErrJobFailed, milvuswait.ErrJobNotFound, milvuswait.ErrStalled, milvuswait.ErrUnreachable, milvuswait.ErrAborted,
}

// CheckEnd returns a *Breach if a wait must not end at this time with err, after a last answer
// with these facts.
func (f *Facts) CheckEnd(at time.Duration, err error) error {
	rule, want, when := f.Rule, f.Cause, f.at
	if !f.Over {
		if at == when {
			return f.RuleAgainst(err).broken("the wait ended with %v; it had to go on", err)
		}
		rule, want, when = Deadline, context.DeadlineExceeded, f.End
		if f.Silent {
			rule, want = Unreachable, milvuswait.ErrUnreachable
		}
	}
	if at != when {
		return rule.broken("the wait ended at %v, not at %v", at, when)
	}
	if want == nil && err == nil {
		return nil
	}

	if err := f.checkLastErr(rule, err); err != nil {
		return err
	}
	why := err
	if want == context.DeadlineExceeded {
		var ended *milvuswait.Error
		if !errors.As(err, &ended) {
			return rule.broken("the wait ended with %v, not with an *Error for the deadline", err)
		}
		if f.found != nil && f.answer.Err == nil && !errors.Is(ended.LastErr, f.found) {
			return rule.broken("the error keeps %v beside the deadline, not %v", ended.LastErr, f.found)
		}
		why = ended.Cause
	}
	differs := func(other error) bool { return errors.Is(want, other) != errors.Is(why, other) }
	if !errors.Is(err, want) || slices.ContainsFunc(verdicts, differs) {
		return rule.broken("the wait ended with %v, not with %v", err, want)
	}

	return nil
}

// checkLastErr checks that the error of a wait keeps the failure that did not end it.
func (f *Facts) checkLastErr(rule Rule, err error) error {
	var ended *milvuswait.Error
	if !f.Passes || f.deadline > 0 && f.at >= f.deadline || !errors.As(err, &ended) {
		return nil
	}
	// LastErr does not match errors of contexts, so their text counts.
	kept, want := ended.LastErr, f.answer.Err
	if kept == nil || !errors.Is(kept, want) && !strings.HasSuffix(kept.Error(), want.Error()) {
		return rule.broken("the error keeps the failure %v, not %v", ended.LastErr, f.answer.Err)
	}

	return nil
}

// RuleAgainst returns the rule broken by an end with err when the wait had to go on.
func (f *Facts) RuleAgainst(err error) Rule {
	switch {
	case errors.Is(err, milvuswait.ErrStalled):
		return Stall
	case errors.Is(err, milvuswait.ErrUnreachable):
		return Unreachable
	case errors.Is(err, context.DeadlineExceeded):
		return Deadline
	}
	return f.Rule
}

// CheckTimeout returns a *Breach if the context of the poll must not end at this time.
func (f *Facts) CheckTimeout(limit time.Duration) error {
	want := f.answer.Begin + f.Timeout
	if f.deadline > 0 {
		want = min(want, f.deadline)
	}
	if limit != want {
		return Timeout.broken("the poll from %v has until %v, not %v", f.answer.Begin, limit, want)
	}
	return nil
}

// CheckNext returns a *Breach if a wait must not go on after an answer with these facts, or not
// with a next poll at this time. End means no further poll.
func (f *Facts) CheckNext(next time.Duration) error {
	if f.Over {
		if f.Cause == nil {
			return f.Rule.broken("the wait went on at %v; it had to succeed (if it found the target complete, see settle in state.go)", f.at)
		}
		return f.Rule.broken("the wait went on at %v; it had to end with %v", f.at, f.Cause)
	}
	for _, check := range []func(time.Duration) error{f.CheckBounds, f.CheckTurns, f.CheckLastPoll, f.CheckPace} {
		if err := check(next); err != nil {
			return err
		}
	}

	return nil
}

// Rests reports whether a next poll at this time means none.
func (f *Facts) Rests(next time.Duration) bool { return f.End > 0 && next == f.End }

// CheckBounds checks a delay against the bounds promised by Backoff.
func (f *Facts) CheckBounds(next time.Duration) error {
	delay := next - f.at
	most, free := f.Most, slices.Contains(f.turns, next) || delay == shortest
	switch {
	case f.Rests(next):
		return nil
	case next == f.Last:
		most, free = most+min(f.took(), math.MaxInt64-most), true // the poll before the last one may be left out
	}
	if delay > most || delay < f.Least && !free {
		return f.paceRule(Bounds, next).broken("the delay after %v is %v, not from %v to %v", f.at, delay, f.Least, most)
	}

	return nil
}

// CheckTurns checks for a poll at each time at which the verdict can change. The last poll
// stands for a poll still in flight then.
func (f *Facts) CheckTurns(next time.Duration) error {
	now := f.at
	for _, turn := range f.turns {
		stands := f.Rests(next) && turn != f.Settles || next == f.Last && next-turn <= f.took()
		if turn > now && next > max(turn, now+shortest) && !stands {
			return Turns.broken("after %v a poll is due at %v, and comes at %v", now, turn, next)
		}
	}
	return nil
}

// CheckLastPoll checks for a last poll just before the end, and none after it.
func (f *Facts) CheckLastPoll(next time.Duration) error {
	switch rests := f.Rests(next); {
	case rests && f.at < f.Last:
		return LastPoll.broken("no poll comes after %v, the last one is due at %v", f.at, f.Last)
	case !rests && next > f.Last:
		return LastPoll.broken("a poll comes at %v, the last one is due at %v", next, f.Last)
	}
	return nil
}

// CheckPace checks the exact time of the next poll. Floats may be rounded in another order.
func (f *Facts) CheckPace(next time.Duration) error {
	if d := next - f.Next; d <= time.Microsecond && d >= -time.Microsecond {
		return nil
	}

	rule := f.paceRule(Pace, next)
	if f.Confirms {
		rule = Confirm
	}
	if f.Next == f.Last || f.Rests(f.Next) || f.Rests(next) {
		rule = LastPoll
	}

	return rule.broken("the poll after %v comes at %v, not at %v", f.at, next, f.Next)
}

// paceRule returns the rule broken by a next poll at a wrong time. An early poll is
// taken for a misplaced turn where the options have one, and a late one for a missing turn
// where one was due; otherwise the delay is wrong, by rule r.
func (f *Facts) paceRule(r Rule, next time.Duration) Rule {
	ahead := func(turn time.Duration) bool { return turn > f.at }
	misplaced := next < f.Next && (f.Pending || slices.ContainsFunc(f.turns, ahead))
	if misplaced || slices.Contains(f.turns, f.Next) {
		return Turns
	}
	return r
}
