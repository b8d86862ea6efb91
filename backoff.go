package milvuswait

import (
	"fmt"
	"math"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Backoff is the pace of the polls. A zero field means the default. The section How long
// it takes of the package comment has the rules.
//
// A wait returns late by at most one delay and the polls on both sides of it: the poll that
// just missed the end, and the poll that sees it. On 21 families of simulated progress the
// defaults cost 205 polls in the mean and are 0.22 s late. A constant delay of 700 ms costs as
// many, and is 1.6 times as late.
//
// Backoff{Lateness: 1, IgnoreProgress: true} is plain exponential backoff.
type Backoff struct {
	// Initial is the delay after the first poll and the minimum delay, before jitter:
	// from 1 ms to Max. The default is 40 ms for a load or a flush, and 100 ms for other
	// work: a poll of an index costs the server more.
	Initial time.Duration

	// Max is the maximum delay: from Initial to 1 h. The default is 5 s. A list of loads
	// is not repeated within 100 ms, even if Max is less.
	Max time.Duration

	// Multiplier is the growth from one delay to the next, from 1 (a constant delay,
	// unless another bound lengthens it) to 10. The default is 1.1.
	Multiplier float64

	// Jitter is the maximum share by which a wait shortens its delays, below 1. Each wait
	// draws its own share once, so that waits that begin together drift apart. Jitter
	// never lengthens a delay, so that every bound holds. The default is 0.05, and
	// NoJitter turns it off.
	Jitter float64

	// Lateness is the maximum delay as a share of the time waited, above 0. The maximum is
	// at least 100 ms, Initial, and the duration of the last successful poll. From 1 on
	// there is no such maximum, except near an end that progress predicts. The default is
	// 0.02.
	Lateness float64

	// IgnoreProgress turns off the rules about the time left, for sources whose progress
	// does not predict the time.
	IgnoreProgress bool
}

// NoJitter, as Backoff.Jitter, leaves delays as they are.
const NoJitter = -1

// The constants of the pace that no option sets. The figures are the mean number of polls,
// and the mean and the 95th percentile of the lateness in seconds, of 10 500 waits on the 21
// families of internal/traces in this library's loop. They are 206, 0.22 and 0.62 with the
// values below. Differences of 1 % are noise.
//
// Other defaults: Multiplier 1.25: 205, 0.22, 0.61, but at the 95th percentile 4.2 % late in
// place of 3.4 %; 1.05: 209, 0.22, 0.61. Jitter 0.2: 223, 0.21, 0.57; none: 201, 0.23, 0.63.
// Initial 30 ms or 50 ms for loads: 206, 0.22, 0.62.
const (
	// Bound on the delay in short waits: less costs polls, and users do not notice 0.1 s.
	minLateness = 100 * time.Millisecond

	// Share of the time left for a delay, and share of shortened delays for the time left.
	// A tenth for both: 225, 0.18, 0.58. A third for both: 202, 0.24, 0.66. A tenth for the
	// second: 212, 0.20, 0.57. Without the second: 254, 0.17, 0.53.
	timeLeftShare = 0.2

	// Steps of progress from which on the end is near. The optimum is flat: 1.1 steps need
	// 206 polls, 2 steps 211. An end that is never near this way: 200, 0.35, 1.32. An end
	// that is always near: 261, 0.31, 0.85.
	lastStep = 1.5

	// Share of the promise for a delay near the end. One half: 209, 0.21, 0.61. The whole
	// promise: 205, 0.23, 0.63.
	nearShare = 0.75

	// Seconds under the root of a delay near the end, times Lateness and the root of the
	// time left. It trades polls for lateness: 7 s make about as many polls as a constant
	// delay of 700 ms. 5 s: 211, 0.19, 0.53. 9 s: 203, 0.24, 0.69.
	nearGain = 7

	// Minimum delay after a list of loads, as a share of the time waited: of many loads one
	// is always near its end. For 10 000 loads it saves 1 list in 2, and makes the mean
	// lateness 0.17 s instead of 0.12 s.
	listShare = 0.004

	// Shares with no greater difference count as equal: the steps are float32.
	roundingError = 1e-6

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
		b.Multiplier = 1.1
	}
	switch b.Jitter {
	case 0:
		b.Jitter = 0.05
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
// wait. A call with 100 000 targets has as many: no more than 88 bytes each.
type pace struct {
	rule      *rule
	custom    func() time.Duration // returns the delays of a custom generator; nil if none
	lag       time.Duration        // duration of the last successful poll
	left      time.Duration        // predicted time left; 0 while unknown
	shortened time.Duration        // sum of the delays that the prediction shortened
	t0        time.Duration        // time when the share was last seen at its minimum, p0
	p0        float64
	share     float32    // last known share
	steps     [2]float32 // its last two rises, the newest first
	jitter    float32    // random number from 0 to below 1, the part of Jitter by which this wait shortens delays
	n         int32      // number of delays so far
	primed    bool       // t0, p0 and share are set
	lastIsDue bool       // the next rise of the share may be the last one
}

// learn records the share from a successful poll, negative if unknown, and the duration of
// the poll.
func (p *pace) learn(now, took time.Duration, share float64) {
	p.lag, p.left = took, 0
	if share < 0 {
		return
	}

	// Is as little missing as the last steps brought?
	s := float32(share)
	if p.primed && s > p.share {
		p.steps = [2]float32{s - p.share, p.steps[0]}
	}
	p.share = s
	p.lastIsDue = 1-share <= lastStep*float64(max(p.steps[0], p.steps[1]))+roundingError

	// Predict the time left from the mean rate.
	if !p.primed || share <= p.p0 { // no progress yet, or a step back
		p.t0, p.p0, p.primed = now, share, true
		return
	}
	// At least 1 ns, also at a share of 1: 0 means unknown.
	left := (1 - share) / (share - p.p0) * float64(now-p.t0)
	p.left = time.Duration(min(max(left, 1), math.MaxInt64/2))
}

// forget discards the prediction after a failed poll.
func (p *pace) forget() { p.left = 0 }

// delay returns the time until the next poll, negative if a custom generator ends the wait.
// listed is true after a list of loads.
func (p *pace) delay(now time.Duration, listed bool) time.Duration {
	if p.custom != nil {
		return p.custom()
	}

	r := p.rule
	d := r.step(int(p.n))
	p.n++

	promised := r.Max
	if r.Lateness < 1 {
		promised = min(promised, max(minLateness, time.Duration(r.Lateness*float64(now))))
		d = min(d, promised)
	}

	shortened := false
	if !r.IgnoreProgress && p.left > 0 {
		most := p.beforeEnd(promised)
		if listed {
			most = max(most, min(promised, time.Duration(listShare*float64(now))))
		}
		if most < d {
			d, shortened = most, true
		}
	}

	d = min(max(d, r.Initial, p.lag), r.Max)
	d -= time.Duration(r.Jitter * float64(p.jitter) * float64(d))
	if shortened {
		p.shortened += d
	}
	return d
}

// beforeEnd returns the maximum delay before an end that progress predicts.
//
// Progress that stays at 99 % predicts an end at every poll. The longer the end fails to
// come, the less the prediction counts: a fifth of the sum of all shortened delays is
// the minimum of the time left.
//
// Near the end, how likely it is in the next second is about 0.4 divided by the time left.
// For such an end, delays that grow with the root of the time left have the least mean
// lateness. The fourth root gives a little of the mean for less lateness of long waits.
func (p *pace) beforeEnd(promised time.Duration) time.Duration {
	overdue := time.Duration(timeLeftShare * float64(p.shortened))
	left := max(p.left, overdue)
	d := timeLeftShare * float64(left)

	if p.lastIsDue || p.left < overdue {
		near := math.Sqrt(nearGain * p.rule.Lateness * math.Sqrt(left.Seconds()))
		d = min(d, nearShare*float64(promised), near*float64(time.Second))
	}
	return time.Duration(d)
}
