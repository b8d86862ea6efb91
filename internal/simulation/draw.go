package simulation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

// dice is a source of random choices.
type dice struct{ *rand.Rand }

// chance returns true with probability p.
func (d dice) chance(p float64) bool { return d.Float64() < p }

// between returns a number in [lo, hi].
func (d dice) between(lo, hi int) int { return lo + d.IntN(hi-lo+1) }

// spread returns a duration in [lo, hi), uniform in its logarithm: every order of magnitude
// is equally likely.
func (d dice) spread(lo, hi time.Duration) time.Duration {
	l, h := math.Log(float64(lo)), math.Log(float64(hi))
	return time.Duration(math.Exp(l + d.Float64()*(h-l)))
}

// part returns a duration between the shares lo and hi of a whole, at least about 1 ms. It is
// a multiple of a lane.
func (d dice) part(of time.Duration, lo, hi float64) time.Duration {
	return max(time.Millisecond, time.Duration((lo+d.Float64()*(hi-lo))*float64(of))) / lane * lane
}

// Draw returns the scenario of a seed. The same seed always gives the same scenario.
func Draw(seed uint64) *Scenario {
	d := dice{random(seed)}
	s := &Scenario{Seed: seed, Span: d.spread(100*time.Millisecond, 20*time.Minute)}
	w := &worldDice{dice: d, s: s, faulty: d.chance(0.7)}

	for want := d.targets(); len(s.Targets) < want; {
		w.collection(fmt.Sprintf("c%d", len(s.Collections)), want-len(s.Targets))
	}

	// A duplicate target, in a few scenarios.
	if len(s.Targets) > 1 && d.chance(0.15) {
		s.Targets = append(s.Targets, s.Targets[d.IntN(len(s.Targets))])
	}
	d.Shuffle(len(s.Targets), func(i, k int) { s.Targets[i], s.Targets[k] = s.Targets[k], s.Targets[i] })

	if d.chance(0.2) {
		for range d.between(1, 2) {
			s.Breaks = append(s.Breaks, d.part(s.Span, 0, 1))
		}
	}
	if d.chance(0.1) {
		from := d.part(s.Span, 0, 0.8)
		s.Outages = append(s.Outages, Span{from, from + d.part(s.Span, 0.01, 0.5)})
	}

	s.Options = d.options(s)
	if budget := s.Options.Budget; len(s.Outages) > 0 && budget > 0 && d.chance(0.5) {
		s.Outages[0].To = s.Outages[0].From + d.part(budget, 0.8, 1.2) // about as long as the budget
	}

	s.Dialect = d.dialect(s)
	return s
}

// targets returns the number of targets, mostly small.
func (d dice) targets() int {
	switch p := d.Float64(); {
	case p < 0.72:
		return d.between(1, 3)
	case p < 0.94:
		return d.between(4, 8)
	case p < 0.97:
		return d.between(9, 24)
	}
	return d.between(25, 200)
}

// options draws the options of the wait. The targets and the span must be drawn already.
func (d dice) options(s *Scenario) Options {
	o := Options{
		Watch:    len(s.Targets) == 1 && d.chance(0.5),
		InFlight: []int{0, 1, 2, 3, 5, 8, 48}[d.IntN(7)],
		Continue: d.chance(0.6),
		Refresh:  s.has(milvuswait.KindLoading) && d.chance(0.1),
	}

	if s.has(milvuswait.KindIndexBuilding) && d.chance(0.2) {
		o.Criterion = milvuswait.IndexCriterion(d.between(1, 2))
	}
	if d.chance(0.25) {
		o.Settle = d.part(s.Span, 0.02, 0.4)
	}
	if d.chance(0.3) {
		o.Grace = d.part(s.Span, 0.05, 0.9)
	}
	if d.chance(0.35) {
		o.PollTime[0] = d.part(s.Span, 0.01, 0.2)
		o.PollTime[1] = o.PollTime[0] * time.Duration(d.between(1, 6))
	}

	// A wait without a deadline needs a stall timeout and a budget, or it might never end.
	o.Stall, o.Budget = d.part(s.Span, 0.3, 2), d.part(s.Span, 0.2, 2)
	if d.chance(0.7) {
		o.Deadline = d.part(s.Span, 0.1, 2)
		if d.chance(0.6) {
			o.Stall = 0
		}
		if d.chance(0.4) {
			o.Budget = 0
		}
	}

	if d.chance(0.08) {
		o.Cancel = d.part(s.Span, 0, 1.2)
	}
	d.pace(s.Span, &o)
	return o
}

// pace draws the pace of the polls. It polls rarely, so that a scenario is cheap.
func (d dice) pace(span time.Duration, o *Options) {
	switch {
	case d.chance(0.3):
		o.Own = &Generators{Seed: d.Uint64(), First: d.part(span, 0.01, 0.1), Most: d.part(span, 0.1, 0.35)}
		if d.chance(0.1) {
			o.Own.Stop = d.between(1, 12)
		}
	case span < time.Second && d.chance(0.5):
		o.Backoff = milvuswait.Backoff{} // the default
	default:
		most := min(d.part(span, 0.1, 0.3), time.Hour)
		o.Backoff = milvuswait.Backoff{
			Initial: min(d.part(span, 0.015, 0.06), most), Max: most, Multiplier: 1 + 2*d.Float64(),
			Lateness: 0.05 + d.Float64(), IgnoreProgress: d.chance(0.3),
		}
	}
	o.Backoff.Jitter = milvuswait.NoJitter
}

// dialect draws a version of the server. milvus-lite supports neither partitions nor index
// names, and returns 0 % for an unloaded collection, so it is drawn only for targets
// without either.
func (d dice) dialect(s *Scenario) fakeserver.Dialect {
	lite := !slices.ContainsFunc(s.Targets, func(t milvuswait.Target) bool {
		return t.Kind() == milvuswait.KindIndexBuilding || t.Partitions() != nil
	})
	switch {
	case lite && d.chance(0.6):
		return fakeserver.MilvusLite
	case d.chance(0.3):
		return fakeserver.Milvus22
	}
	return fakeserver.Milvus23
}

// has reports whether the scenario has a target of the kind.
func (s *Scenario) has(kind milvuswait.Kind) bool {
	for _, t := range s.Targets {
		if t.Kind() == kind {
			return true
		}
	}
	return false
}
