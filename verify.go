package milvuswait

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// WithVerify makes a wait call verify when everything else holds, a time by WithSettle
// included, and return only when verify returns nil. It is for work that the server reports
// finished too early: Milvus 2.3.0 to 2.3.18 and 2.4.0 to 2.4.5 report 100 % for a partition
// loaded beside others up to 9 s before its rows can be found. FindRow of package rpc makes
// a function that searches for a row.
//
// verify is called on the goroutine of a poll, with the timeout of a poll, doubled while it
// times out. WaitAll calls it once for equal targets; it counts for WithMaxInFlight, and may
// run for several targets at once. An error leaves the target incomplete: it is in
// Update.Err, and verify is called again after the next complete poll. It does not count for
// WithUnreachableAfter, and does not restart the time of WithSettle. The time of
// WithStallTimeout runs from the first error on. An error marked by [Permanent] ends the
// wait, and so do ErrInvalid and errors.ErrUnsupported.
func WithVerify(verify func(ctx context.Context, t Target) error) Option {
	return func(c *config) {
		if verify == nil {
			c.invalid("WithVerify: the function is nil")
		}
		c.verify = verify
	}
}

// verify calls the function of WithVerify for s, and returns its error. It only reads s.
func verify(parent context.Context, s *waitState) answer {
	return timed(parent, s.timeout, func(ctx context.Context) answer {
		return answer{err: s.cfg.verify(ctx, s.target)}
	})
}

// decideAfterVerify records the result of verify for a complete target, and returns the next
// step.
func (s *waitState) decideAfterVerify(now time.Duration, a answer) decision {
	if a.err == nil {
		s.unverified = nil
		return decision{verdict: succeeded}
	}
	if _, marked := asType[*permanentError](a.err); marked || isUnsupported(a.err) || errors.Is(a.err, ErrInvalid) {
		s.unverified = nil
		return decision{verdict: failed, err: fmt.Errorf("verify: %w", &maskedError{a.err})}
	}

	// Tolerated. The clock of WithStallTimeout starts now: it does not run while a target
	// settles.
	if a.timedOut {
		s.doubleTimeout()
	}
	if s.unverified == nil {
		s.changedAt = now
	}
	s.unverified = &maskedError{a.err}
	if d, stalled := s.stalled(now); stalled {
		return d
	}
	return s.planNext(now, answer{took: s.pace.lag})
}
