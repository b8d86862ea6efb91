package fake

import (
	"fmt"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait/fake/internal/play"
)

// WithDelay returns s with d added to the duration of its polls: of the polls with the
// given numbers, from 1, or of every poll if there are no numbers. With a delay of Forever,
// a poll hangs until its context ends.
//
// It panics if s is nil, d is negative, or a number is not positive.
func WithDelay(s Script, d time.Duration, polls ...int) Script {
	mustNotBeNegative("WithDelay", d)
	return with("WithDelay", s, polls, func(step Step) Step {
		step.Delay = max(step.Delay, 0)
		step.Delay += min(d, Forever-step.Delay)
		return step
	})
}

// WithError returns s with polls that fail with err: the polls with the given numbers, from
// 1, or every poll if there are no numbers. The delays of s remain, and its time goes on.
//
// It panics if s or err is nil, or a number is not positive.
func WithError(s Script, err error, polls ...int) Script {
	if err == nil {
		panic("fake: WithError: the error is nil")
	}
	return with("WithError", s, polls, func(step Step) Step {
		return Step{Err: err, Delay: step.Delay}
	})
}

// WithOutage returns s with an outage of duration d: polls fail with err if they start at
// from or later, but before from plus d. Both times count from the start of the script. The
// delays of s remain, and its time goes on. An outage of Forever never ends.
//
// It panics if s or err is nil, or from or d is negative.
func WithOutage(s Script, err error, from, d time.Duration) Script {
	mustNotBeNil("WithOutage", s)
	if err == nil {
		panic("fake: WithOutage: the error is nil")
	}
	mustNotBeNegative("WithOutage", from)
	mustNotBeNegative("WithOutage", d)

	return changed{s, func(poll int, elapsed time.Duration, step Step) Step {
		if elapsed >= from && elapsed-from < d {
			return Step{Err: err, Delay: step.Delay}
		}
		return step
	}}
}

// with returns s with change applied to the steps of the given polls, or of all polls if
// there are no numbers. It panics in the name of the function what.
func with(what string, s Script, polls []int, change func(Step) Step) Script {
	mustNotBeNil(what, s)
	for _, n := range polls {
		if n < 1 {
			panic(fmt.Sprintf("fake: %s: there is no poll %d, the first one is 1", what, n))
		}
	}

	polls = slices.Clone(polls)
	return changed{s, func(poll int, _ time.Duration, step Step) Step {
		if len(polls) == 0 || slices.Contains(polls, poll) {
			return change(step)
		}
		return step
	}}
}

// changed is a script with changed steps. Its rows are being flushed as those of the
// original.
type changed struct {
	original Script
	change   func(poll int, elapsed time.Duration, step Step) Step
}

// Step implements Script.
func (c changed) Step(poll int, elapsed time.Duration) Step {
	return c.change(poll, elapsed, c.original.Step(poll, elapsed))
}

// Unflushed is the method of [BuildCurve], if the original has it.
func (c changed) Unflushed(elapsed time.Duration) bool {
	f, ok := c.original.(play.Flusher)
	return ok && f.Unflushed(elapsed)
}

// mustNotBeNil panics, in the name of the function what, if s is nil.
func mustNotBeNil(what string, s Script) {
	if s == nil {
		panic(fmt.Sprintf("fake: %s: the script is nil", what))
	}
}
