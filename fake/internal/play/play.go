// Package play plays scripts: it is what package fake and package fakeserver
// have in common.
package play

import (
	"context"
	"math"
	"time"

	"github.com/milvuswait/milvuswait"
)

// Script is a fake.Script with fake.Step for S, which this package cannot import.
type Script[S any] interface {
	Step(poll int, elapsed time.Duration) S
}

// Play is a script as one target is polled by it. It needs a lock around it.
type Play[S any] struct {
	Script Script[S]
	polls  int
	first  time.Time
}

// New returns the play that begins with its first poll.
func New[S any](script Script[S]) *Play[S] { return &Play[S]{Script: script} }

// Begin returns the play that begins at that time.
func Begin[S any](script Script[S], at time.Time) *Play[S] {
	return &Play[S]{Script: script, first: at}
}

// Next takes the turn of the next poll.
func (p *Play[S]) Next(now time.Time) Turn[S] {
	p.polls++
	return p.Peek(now)
}

// Peek takes the turn of the latest poll again, as if it began now.
func (p *Play[S]) Peek(now time.Time) Turn[S] {
	if p.first.IsZero() {
		p.first = now
	}
	return Turn[S]{p.Script, max(1, p.polls), now.Sub(p.first)}
}

// Turn is what one poll asks of a script. It needs no lock, and the lock of the
// Play must not be held around it: the script may be anybody's function.
type Turn[S any] struct {
	script  Script[S]
	poll    int
	elapsed time.Duration
}

// Step asks the script.
func (t Turn[S]) Step() S { return t.script.Step(t.poll, t.elapsed) }

// Sleep returns nil after d, or the context's error as soon as it has ended. A
// context that ends at the same instant wins, always. The longest duration is
// for ever.
func Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil || d <= 0 {
		return ctx.Err()
	}
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

// Mean returns the mean of the partitions, rounded down, as servers do, and the
// least RefreshPercent. Only one answer is left as it is, and may be rubbish.
func Mean(answers []milvuswait.LoadingProgress) milvuswait.LoadingProgress {
	if len(answers) == 1 {
		return answers[0]
	}
	n := int64(len(answers))
	var quotients, rests int64 // apart, so that no sum of rubbish overflows
	mean := milvuswait.LoadingProgress{RefreshPercent: math.MaxInt64}
	for _, a := range answers {
		quotients += a.Percent / n
		rests += a.Percent % n
		mean.RefreshPercent = min(mean.RefreshPercent, a.RefreshPercent)
	}
	mean.Percent = quotients + rests/n
	return mean
}
