// Package play runs scripts for package fake and package fakeserver.
package play

import (
	"context"
	"math"
	"time"

	"github.com/milvuswait/milvuswait"
)

// Script is fake.Script, with S for fake.Step: this package cannot import package fake.
type Script[S any] interface {
	Step(poll int, elapsed time.Duration) S
}

// Flusher is a script of an index with rows that are being flushed at first.
type Flusher interface {
	// Unflushed reports whether the rows are still being flushed when the given time has
	// passed since the start of the script.
	Unflushed(elapsed time.Duration) bool
}

// Play runs a script for the polls of one target. Its methods must be called under a lock.
type Play[S any] struct {
	Script Script[S]
	polls  int
	first  time.Time
}

// New returns a Play of the script that starts with its first poll.
func New[S any](script Script[S]) *Play[S] { return &Play[S]{Script: script} }

// Begin returns a Play of the script that starts at the given time.
func Begin[S any](script Script[S], at time.Time) *Play[S] {
	return &Play[S]{Script: script, first: at}
}

// Next returns the turn of the next poll.
func (p *Play[S]) Next(now time.Time) Turn[S] {
	p.polls++
	return p.Peek(now)
}

// Peek returns the turn of the latest poll again, with the present time, or the turn of the
// first poll if there was none.
func (p *Play[S]) Peek(now time.Time) Turn[S] {
	if p.first.IsZero() {
		p.first = now
	}
	return Turn[S]{p.Script, max(1, p.polls), now.Sub(p.first)}
}

// Turn is one call of a script. It needs no lock, and the caller of Step must not hold the
// lock of the Play: a script may be any function of a test.
type Turn[S any] struct {
	script  Script[S]
	poll    int
	elapsed time.Duration
}

// Step calls the script.
func (t Turn[S]) Step() S { return t.script.Step(t.poll, t.elapsed) }

// Unflushed reports whether the script has rows that are being flushed.
func (t Turn[S]) Unflushed() bool {
	f, ok := t.script.(Flusher)
	return ok && f.Unflushed(t.elapsed)
}

// Sleep returns nil after d, or the context's error as soon as the context has ended. If
// both happen at the same instant, it returns the error. The maximum duration never ends.
func Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil || d <= 0 {
		return ctx.Err()
	}

	// A timer for the instant of the deadline might fire first.
	if deadline, ok := ctx.Deadline(); d == math.MaxInt64 || ok && time.Until(deadline) <= d {
		<-ctx.Done()
		return ctx.Err()
	}

	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	return ctx.Err()
}

// Mean returns the mean of the partitions, rounded down as on real servers, and the minimum
// RefreshPercent. It returns a single answer unchanged, out-of-range values included.
func Mean(answers []milvuswait.LoadingProgress) milvuswait.LoadingProgress {
	if len(answers) == 1 {
		return answers[0]
	}

	n := int64(len(answers))
	var quotients, rests int64 // summed separately: out-of-range values cannot overflow
	mean := milvuswait.LoadingProgress{RefreshPercent: math.MaxInt64}
	for _, a := range answers {
		quotients += a.Percent / n
		rests += a.Percent % n
		mean.RefreshPercent = min(mean.RefreshPercent, a.RefreshPercent)
	}

	mean.Percent = quotients + rests/n
	return mean
}
