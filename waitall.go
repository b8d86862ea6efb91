package milvuswait

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// Outcome is the result of the wait for one target of WaitAll.
type Outcome struct {
	Target      Target
	Progress    Progress      // last progress, from a successful poll; nil if none succeeded
	Err         error         // nil if the target is complete, otherwise an *Error
	Unconfirmed bool          // see Update.Unconfirmed
	Polls       int           // number of polls that covered this target, including lists that contained it or failed
	Elapsed     time.Duration // time from the call to the target's end
}

// WaitAll blocks until all targets are complete. It waits for targets of all kinds side by
// side, until ctx ends. It returns one outcome for each target, in the order of
// targets. All outcomes are filled in, even with a non-nil error. Equal targets are
// polled once. No targets are complete at once.
//
// When one target fails, the others end at once with ErrAborted, unless
// WithContinueOnError is set. If the server is unreachable for all, all end with
// ErrUnreachable. The error is nil if no outcome has one. For invalid arguments it is
// ErrInvalid, and there are no outcomes. Otherwise it joins the errors of all targets that
// failed, without those aborted because of them. Its text lists the first ten. errors.Is and
// errors.As find all of them, each an *Error by the rules of all waits in the package comment.
//
// At most 16 polls are in flight, or as many as WithMaxInFlight allows. Every target is
// polled once before any is polled again. From then on each is polled at its own pace,
// but all of them together at most 1000 times a second: with n targets polled one by one,
// WaitAll may return n/1000 s later than a wait for one.
//
// If the Poller is a [Lister], one call covers all loads of whole collections when two or
// more are due. If it is an [IndexLister], one call covers all indexes of a collection, and
// one list of a [SegmentLister] too. If all polls time out, only one is in flight until the server answers.
//
// The polls run on goroutines that end before WaitAll returns. Observers are called on
// the caller's goroutine. A panic of the Poller is passed on to the caller, with the
// original stack in its text.
func WaitAll(ctx context.Context, p Poller, targets []Target, opts ...Option) ([]Outcome, error) {
	// Check everything before the first poll, and report the first error.
	c, err := newConfig(opts)
	if err == nil {
		err = c.refuse(optsOfTarget, "does not go with Targets: set it there")
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
	if err == nil && len(targets) > 0 {
		err = c.refuseUnfit(targets...)
	}

	var s *scheduler
	if err == nil {
		s, err = newScheduler(ctx, p, c, outcomes)
	}
	if err != nil {
		return nil, prefixed(err)
	}

	c.id.run(s.run)
	return outcomes, s.targets.err()
}

// WithMaxInFlight sets the maximum number of polls of WaitAll in flight, 1 or more. The
// default is 16, enough to keep a server on the same network busy. A slow network needs
// more.
func WithMaxInFlight(n int) Option {
	return func(c *config) {
		if n < 1 {
			c.invalid("WithMaxInFlight: %d is not positive", n)
		}
		c.maxInFlight = n
		c.given |= optMaxInFlight
	}
}

// WithContinueOnError makes WaitAll wait for the other targets when one fails.
func WithContinueOnError() Option {
	return func(c *config) {
		c.continueOnError = true
		c.given |= optContinueOnError
	}
}

// err joins the failures of the targets, without the aborted siblings, and copies the
// outcomes of equal targets. All entries have ended.
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

// joinedError is the error of WaitAll: the failures of its targets, at least one.
type joinedError struct {
	errs  []error
	total int // number of distinct targets
}

// Error returns the number of targets that failed, and the texts of the first ten.
func (e *joinedError) Error() string {
	const (
		maxShown = 10
		maxText  = 4 << 10 // bytes per error, so that there is room for the others; only long names need more
	)
	if e.total == 1 {
		return e.errs[0].Error()
	}

	var b strings.Builder
	fmt.Fprintf(&b, "milvuswait: %d of %d targets failed", len(e.errs), e.total)
	for i, err := range e.errs[:min(maxShown, len(e.errs))] {
		separator := "; "
		if i == 0 {
			separator = ": "
		}
		b.WriteString(separator + strings.TrimPrefix(untrusted.Cut(err.Error(), maxText), "milvuswait: "))
	}

	if more := len(e.errs) - maxShown; more > 0 {
		fmt.Fprintf(&b, "; and %d more", more)
	}
	return b.String()
}

// Unwrap returns every failure.
func (e *joinedError) Unwrap() []error { return slices.Clone(e.errs) }
