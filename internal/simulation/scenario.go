package simulation

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

// Scenario is a wait and its simulated world.
type Scenario struct {
	Seed        uint64
	Span        time.Duration // nearly everything happens within this time
	Collections []*Collection
	Targets     []milvuswait.Target // may contain duplicates
	Breaks      []time.Duration     // times at which every connection breaks
	Outages     []Span              // periods without a server
	Dialect     fakeserver.Dialect  // the server's dialect in RunLists
	Options     Options
}

// Options are the options of the wait. A zero duration disables its option, except for
// PollTime and Backoff: zero selects their defaults.
type Options struct {
	Watch     bool          // a single target, by Watch instead of WaitAll
	Deadline  time.Duration // deadline of the context
	Cancel    time.Duration // time at which the context is cancelled
	Settle    time.Duration
	Stall     time.Duration
	Grace     time.Duration
	Budget    time.Duration // argument of WithUnreachableAfter
	PollTime  [2]time.Duration
	Refresh   bool
	Criterion milvuswait.IndexCriterion
	InFlight  int
	Continue  bool
	Backoff   milvuswait.Backoff
	Own       *Generators // replaces Backoff
}

// Generators configures custom delay generators: exponential, with jitter from a seed.
type Generators struct {
	Seed      uint64
	First     time.Duration
	Most      time.Duration
	Stop      int // number of delays before each generator stops; 0 means never
	generated int
}

// generator generates the delays of one target.
type generator struct {
	random *rand.Rand
	of     *Generators
	delay  time.Duration
	left   int
}

// next returns a new generator. The library calls it once per target, in the order of the
// targets.
func (g *Generators) next() func() time.Duration {
	g.generated++
	return (&generator{random: random(g.Seed + uint64(g.generated)), of: g, delay: g.First, left: g.Stop}).next
}

// next returns the next delay, or -1 after the last one.
func (g *generator) next() time.Duration {
	if g.of.Stop > 0 {
		if g.left--; g.left < 0 {
			return -1
		}
	}
	d := time.Duration((0.5 + g.random.Float64()) * float64(g.delay))
	g.delay = min(g.delay*3/2, g.of.Most)
	return min(d, g.of.Most)
}

// random returns a new random source for a seed.
func random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x6d696c767573)) }

// options returns the options for the library.
func (s *Scenario) options() []milvuswait.Option {
	o := &s.Options
	opts := []milvuswait.Option{
		milvuswait.WithSettle(o.Settle), milvuswait.WithStallTimeout(o.Stall), milvuswait.WithStartGrace(o.Grace),
		milvuswait.WithUnreachableAfter(o.Budget),
	}

	if o.PollTime[0] > 0 {
		opts = append(opts, milvuswait.WithPollTimeout(o.PollTime[0], o.PollTime[1]))
	}
	if o.Refresh {
		opts = append(opts, milvuswait.WithRefresh())
	}
	if o.Criterion != milvuswait.AllRows {
		opts = append(opts, milvuswait.WithIndexCriterion(o.Criterion))
	}

	if o.Own != nil {
		own := *o.Own // a copy, so that every run starts with the first generator
		opts = append(opts, milvuswait.WithBackoffFunc(own.next))
	} else {
		opts = append(opts, milvuswait.WithBackoff(o.Backoff))
	}

	if o.Watch {
		return opts
	}
	if o.InFlight > 0 {
		opts = append(opts, milvuswait.WithMaxInFlight(o.InFlight))
	}
	if o.Continue {
		opts = append(opts, milvuswait.WithContinueOnError())
	}
	return opts
}

// distinct returns the targets without duplicates.
func (s *Scenario) distinct() []milvuswait.Target {
	known := map[milvuswait.Target]bool{}
	var all []milvuswait.Target
	for _, t := range s.Targets {
		if !known[t] {
			all = append(all, t)
		}
		known[t] = true
	}
	return all
}

// String returns a summary of the scenario.
func (s *Scenario) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %d targets within %v, %+v", s.Seed, len(s.Targets), s.Span, s.Options)
	if s.Options.Own != nil {
		fmt.Fprintf(&b, ", generators %+v", *s.Options.Own)
	}
	fmt.Fprintf(&b, "\n  breaks %v, outages %v", s.Breaks, s.Outages)
	return b.String()
}

// describe returns the states of everything in the target's collection, one per line.
func (s *Scenario) describe(target milvuswait.Target) string {
	var b strings.Builder
	for _, c := range s.Collections {
		if c.Name != target.Collection() {
			continue
		}
		if len(c.Gone) > 0 {
			fmt.Fprintf(&b, "  %q gone %v\n", c.Name, c.Gone)
		}
		for _, t := range c.Things {
			for _, state := range t.States {
				fmt.Fprintf(&b, "  %v from %v: %v\n", t.Target, state.From, state)
			}
		}
	}
	return b.String()
}

// String returns the state without its start.
func (s State) String() string {
	said := ""
	switch {
	case s.Absent:
		said = "absent"
	case s.Fault != nil:
		said = string(s.Fault.class)
	default:
		said = fmt.Sprint(s.Says)
	}

	if s.Lapses != nil {
		said += fmt.Sprintf(", %v every %v for %v", s.Lapses.class, s.Lapses.every, s.Lapses.last)
	}
	return fmt.Sprintf("%s, takes %v", said, s.Takes)
}
