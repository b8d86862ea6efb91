package milvuswait

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// Outcome is how the wait for one target of many ended.
type Outcome struct {
	Target   Target
	Progress Progress      // of the last good poll; nil if there was none
	Err      error         // nil if the target is complete, otherwise an *Error
	Polls    int           // made for it, of the lists of several those that told of it or failed
	Elapsed  time.Duration // from the call to the target's end
}

// WaitAll returns when all targets are complete: loads and index builds, side by
// side, until the context ends. The outcomes are those of the targets, in their
// order, all of them filled whatever happened. Of targets that are equal only one
// is polled. No targets are complete at once.
//
// When one target fails, the others end at once with ErrAborted, unless
// WithContinueOnError lets them go on. The error is nil if every outcome's is. It
// is ErrInvalid, with no outcomes, for arguments that make no sense. Otherwise it
// names the targets that failed by themselves, at most the first ten of them, and
// errors.Is and errors.As find all of them in it, each an *Error as those of
// [WaitForLoadingComplete] and [WaitForIndexBuildingComplete].
//
// At most as many polls as WithMaxInFlight says are under way at a time. Every
// target is polled once before any is polled again, and each is then polled at
// its own pace, all together no more often than 1000 times a second: n targets
// that need a poll each may be told n/1000 s late, where one alone would not be.
// A Poller that is a [Lister] is asked for all loads of whole collections at once,
// and one that is an [IndexLister] for all indexes of a collection, whenever two
// or more of them are due. A server on which polls only time out is asked by one
// poll at a time until it answers.
//
// The polls are made on goroutines that end before WaitAll does; observers are
// called on the caller's. A panic of the Poller is passed on to the caller, with
// the stack where it came about in its text.
func WaitAll(ctx context.Context, p Poller, targets []Target, opts ...Option) ([]Outcome, error) {
	c, err := newConfig(opts)
	if err == nil {
		err = c.refuse("does not go with Targets: say it there", "WithPartitions", "WithIndex", "WithExpectedRows")
	}
	if err == nil {
		err = checkPoller(ctx, p)
	}
	outcomes := make([]Outcome, len(targets))
	for i, t := range targets {
		outcomes[i].Target = t
		if err == nil {
			if err = checkArguments(ctx, p, t); err != nil {
				err = fmt.Errorf("target %d of %d: %w", i+1, len(targets), err)
			}
		}
	}
	if err == nil {
		err = c.refuseForAll(targets)
	}
	var s *scheduler
	if err == nil {
		s, err = newScheduler(ctx, p, c, outcomes)
	}
	if err != nil {
		return nil, prefixed(err)
	}
	s.run()
	return outcomes, s.targets.err()
}

// WithMaxInFlight bounds the polls of WaitAll that are under way at a time: 1 or
// more. The default is 16, with which a server on the same network is busy; over a
// long line more are of use.
func WithMaxInFlight(n int) Option {
	return func(c *config) {
		if n < 1 {
			c.invalid("WithMaxInFlight: %d is not positive", n)
		}
		c.maxInFlight = n
		c.give("WithMaxInFlight")
	}
}

// WithContinueOnError makes WaitAll wait for the other targets when one fails.
func WithContinueOnError() Option {
	return func(c *config) {
		c.continueOnError = true
		c.give("WithContinueOnError")
	}
}

// refuseForAll refuses options that none of the targets has a use for.
func (c *config) refuseForAll(targets []Target) error {
	if len(targets) == 0 {
		return nil
	}
	for _, t := range targets[1:] {
		if t.kind != targets[0].kind {
			return nil
		}
	}
	return c.refuseFor(targets[0].kind)
}

// err returns the failures of the targets, without those of siblings, and copies the
// outcomes of equal targets.
func (t *targetTable) err() error {
	joined := &joinedError{total: len(t.entries)}
	for i := range t.outcomes {
		first := t.entries[t.entryOf[i]].firstOutcome
		o := &t.outcomes[i]
		*o = t.outcomes[first]
		if o.Err != nil && first == int32(i) && o.Err.(*Error).Cause != errSibling {
			joined.errs = append(joined.errs, o.Err)
		}
	}

	if len(joined.errs) == 0 {
		return nil
	}
	return joined
}

// joinedError is what failed of many targets.
type joinedError struct {
	errs  []error
	total int // of targets
}

// Error returns how many targets failed, and of the first ten how.
func (e *joinedError) Error() string {
	const (
		most    = 10
		longest = 4 << 10 // of each, so that the others are told too: more only by long names
	)
	if e.total == 1 {
		return e.errs[0].Error()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "milvuswait: %d of %d targets failed", len(e.errs), e.total)
	for i, err := range e.errs[:min(most, len(e.errs))] {
		separator := "; "
		if i == 0 {
			separator = ": "
		}
		b.WriteString(separator + strings.TrimPrefix(untrusted.Cut(err.Error(), longest), "milvuswait: "))
	}
	if more := len(e.errs) - most; more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}

// Unwrap returns every failure.
func (e *joinedError) Unwrap() []error { return slices.Clone(e.errs) }
