package milvuswait

import (
	"fmt"
	"math"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Backoff says how a wait paces its polls. A zero field means the default.
//
// The delay after a poll grows exponentially from Initial to Max. It is cut to a
// fifth of the time that the progress so far predicts is left, and to Lateness
// of the time waited or 100 ms, whichever is more. It is never less than 0.5 %
// of the time waited, nor than the last good poll took, nor than Initial; never
// more than Max; and up to Jitter of it is taken off at random.
//
// So a wait returns late by at most one delay and the polls on both sides of it,
// the one that just missed the end and the one that sees it; and the delay is at
// most 100 ms, or 2 % of the time waited if that is more, or as long as the last
// good poll took, and never more than 5 s. On 21 families of simulated progress
// that costs 210 polls in the mean, where a poll every 200 ms, as in most clients,
// costs 727.
//
// Backoff{Lateness: 1, IgnoreProgress: true} is plain exponential backoff.
type Backoff struct {
	// Initial is the delay after the first poll and the least of all, before
	// jitter: from 1 ms to Max. The default is 50 ms for a load, and 100 ms for
	// an index, whose poll costs the server more.
	Initial time.Duration

	// Max is the greatest delay: from Initial to 1 h. The default is 5 s.
	Max time.Duration

	// Multiplier is the growth from one delay to the next, from 1 (a constant
	// delay, if nothing else lengthens it) to 10. The default is 1.25.
	Multiplier float64

	// Jitter is the greatest share of a delay that is taken off, below 1; it
	// never adds, so that every bound holds. The default is 0.2, and NoJitter
	// turns it off.
	Jitter float64

	// Lateness is the greatest delay as a share of the time waited, above 0; from
	// 1 on it does not bound the delay any more. The default is 0.02.
	Lateness float64

	// IgnoreProgress turns off the cut to a fifth of the time left, for sources
	// whose progress says nothing about time.
	IgnoreProgress bool
}

// NoJitter, as Backoff.Jitter, leaves delays as they are.
const NoJitter = -1

// The constants of the pace that nobody has to set. The research behind them:
// simulations over families of progress traces, checked on a real 2.3.5 server.
const (
	minLateness   = 100 * time.Millisecond // a lateness that nobody minds, however short the wait
	etaShare      = 0.2                    // of the time that is left: the optimum is flat from 0.15 to 0.3
	floorShare    = 0.005                  // of the time waited: 99.99 % for long must not be polled without end
	defaultMax    = 5 * time.Second
	shortestDelay = time.Millisecond // of a generator that says 0
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

// validate names the field that makes no sense.
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

// rule is a resolved Backoff with the delays of cenkalti's generator, which all
// targets of a call share: without jitter they are the same for each.
type rule struct {
	Backoff
	kind      *waitKind
	generator *backoff.ExponentialBackOff
	steps     []time.Duration // as far as they were needed
}

func newRule(kind *waitKind, b Backoff) *rule {
	return &rule{Backoff: b, kind: kind, generator: exponential(b)}
}

// step returns the n-th delay, from 0.
func (r *rule) step(n int) time.Duration {
	for len(r.steps) <= n {
		if last := len(r.steps) - 1; last >= 0 && (r.steps[last] == r.Max || r.Multiplier == 1) {
			return r.steps[last]
		}
		r.steps = append(r.steps, r.generator.NextBackOff())
	}
	return r.steps[n]
}

// exponential returns cenkalti's generator, without its jitter, which adds, and
// without its clock: a wait may take longer than its 15 minutes.
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

// stoppedClock keeps the generator, whose MaxElapsedTime is off, from asking the
// time at every delay.
type stoppedClock struct{}

func (stoppedClock) Now() time.Time { return time.Time{} }

// pace decides the delays of one target. Time is what has passed since its wait
// began.
type pace struct {
	rule   *rule
	custom func() time.Duration // returns the delays of a custom generator; nil if none
	n      int                  // delays so far
	lag    time.Duration        // how long the last good poll took
	left   time.Duration        // predicted to be left; 0 while unknown
	t0     time.Duration        // when the share was last seen at its lowest, p0
	p0     float64
	primed bool // p0 and t0 are set
}

// learn notes the share that a good poll saw, negative if it told none, and
// how long the poll took.
func (p *pace) learn(now, took time.Duration, share float64) {
	p.lag, p.left = took, 0
	switch {
	case share < 0:
	case !p.primed || share <= p.p0: // not moved yet, or moved back
		p.t0, p.p0, p.primed = now, share, true
	default:
		// At least 1 ns: done is not unknown.
		left := (1 - share) / (share - p.p0) * float64(now-p.t0)
		p.left = time.Duration(min(max(left, 1), math.MaxInt64/2))
	}
}

// forget notes a failed poll: what it would have seen is not known.
func (p *pace) forget() { p.left = 0 }

// delay returns the time until the next poll, negative if there is none. The
// random number is from 0 to below 1.
func (p *pace) delay(now time.Duration, random float64) time.Duration {
	if p.custom != nil {
		return p.custom()
	}
	r := p.rule
	d := r.step(p.n)
	p.n++
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
