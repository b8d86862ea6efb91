package simulation

import (
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/internal/oracle"
)

// Thing is a collection or partition to load, or an index to build.
type Thing struct {
	Target milvuswait.Target // argument of Set
	States []State           // sorted by time, the first from 0
}

// State is the state of a thing from an instant until its next State.
type State struct {
	From   time.Duration
	Says   milvuswait.Progress // nil if there is a fault or nothing exists
	Fault  *fault
	Lapses *lapses       // temporary faults; nil if there are none
	Absent bool          // the collection exists, but the load or the index does not
	Takes  time.Duration // time until the answer; fake.Forever for no answer
}

// lapses are answers with a fault that recur during a state, while the state itself is
// unchanged. Their causes are a stale view of the cluster, or a proxy without its
// privileges.
type lapses struct {
	fault
	every, last time.Duration
}

// has reports whether there is a lapse at a time since the beginning of the state.
func (l *lapses) has(at time.Duration) bool { return l != nil && at%l.every < l.last }

// Collection is a collection with its partitions and indexes.
type Collection struct {
	Name   string
	Things []*Thing
	Gone   []Span // periods in which it is dropped
}

// Span is the period from one instant to another, without its end.
type Span struct{ From, To time.Duration }

func (s Span) has(at time.Duration) bool { return at >= s.From && at < s.To }

// at returns the state of the thing at the given time.
func (t *Thing) at(now time.Duration) State {
	state := t.States[0]
	for _, s := range t.States[1:] {
		if s.From <= now {
			state = s
		}
	}
	return state
}

// gone reports whether the collection is dropped at the given time.
func (c *Collection) gone(now time.Duration) bool {
	return slices.ContainsFunc(c.Gone, func(s Span) bool { return s.has(now) })
}

// stage sets the state of things: the methods of a fake.Poller or of a server.
type stage struct {
	set  func(milvuswait.Target, fake.Script)
	drop func(collection string)
	said func(*fault) error // converts a fault to the error of this stage
}

// script returns a script with the answers about the thing, as a function of time.
func (s *Scenario) script(t *Thing, start time.Time, words func(*fault) error) fake.Script {
	return fake.ScriptFunc(func(int, time.Duration) fake.Step {
		now := time.Since(start)
		state := t.at(now)
		step := fake.Step{Progress: state.Says, Delay: state.Takes}
		if state.Takes > 0 && state.Takes != fake.Forever {
			step.Delay += s.odd(t.Target.String(), now)
		}

		switch {
		case state.Fault != nil:
			step.Err = words(state.Fault)
		case state.Lapses.has(now - state.From):
			step.Err = words(&state.Lapses.fault)
		}
		return step
	})
}

// unfold sets the initial state of the stage, and schedules its changes. Each change has an
// instant of its own. The returned function stops the timers of the remaining changes, so
// that the bubble can end.
func (s *Scenario) unfold(on stage, start time.Time) (stop func()) {
	var timers []*time.Timer
	for _, c := range s.Collections {
		apply := func(now time.Duration) {
			if c.gone(now) {
				on.drop(c.Name)
				return
			}
			for _, t := range c.Things {
				if t.at(now).Absent {
					on.set(t.Target, nil)
				} else {
					on.set(t.Target, s.script(t, start, on.said))
				}
			}
		}

		apply(0)
		for _, at := range c.turns() {
			timers = append(timers, time.AfterFunc(at, func() { apply(at) }))
		}
	}

	return func() {
		for _, t := range timers {
			t.Stop()
		}
	}
}

// turns returns the times at which the collection or a part of it appears or disappears,
// sorted.
func (c *Collection) turns() []time.Duration {
	var all []time.Duration
	for _, span := range c.Gone {
		all = append(all, span.From, span.To)
	}
	for _, t := range c.Things {
		for i, state := range t.States[1:] {
			if state.Absent != t.States[i].Absent {
				all = append(all, state.From)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// odd returns an odd number of nanoseconds below 200 µs. It is always the same for the same
// seed, name and instant.
func (s *Scenario) odd(name string, now time.Duration) time.Duration {
	h := fnv.New64a()
	for _, n := range []uint64{s.Seed, uint64(now)} {
		for shift := 0; shift < 64; shift += 8 {
			_, _ = h.Write([]byte{byte(n >> shift)}) // a hash never fails
		}
	}
	_, _ = h.Write([]byte(name))
	return time.Duration(h.Sum64()%100_000)*2 + 1
}

// involved returns the things that belong to a target, and their collection. It returns nil
// if there is no such collection.
func (s *Scenario) involved(target milvuswait.Target) (*Collection, []*Thing) {
	i := slices.IndexFunc(s.Collections, func(c *Collection) bool { return c.Name == target.Collection() })
	if i < 0 {
		return nil, nil
	}

	c := s.Collections[i]
	var things []*Thing
	for _, t := range c.Things {
		named := t.Target.Index() == target.Index() || target.Index() == "" || target.Index() == milvuswait.AllIndexes
		if target.Kind() == milvuswait.KindLoading {
			named = target.Partitions() == nil || slices.Contains(target.Partitions(), strings.Join(t.Target.Partitions(), ""))
		}
		if named && t.Target.Kind() == target.Kind() {
			things = append(things, t)
		}
	}
	return c, things
}

// complete reports whether the target is complete at the given time, apart from its
// expected rows.
func (s *Scenario) complete(target milvuswait.Target, at time.Duration) bool {
	c, things := s.involved(target)
	if c == nil || c.gone(at) || len(things) == 0 {
		return false
	}

	sum, there := 0.0, 0
	for _, t := range things {
		state := t.at(at)
		if state.Absent && target.Kind() == milvuswait.KindIndexBuilding {
			continue // a dropped index does not count among all indexes
		}
		there++
		if state.Absent || state.Fault != nil {
			return false
		}

		switch p := state.Says.(type) {
		case milvuswait.LoadingProgress:
			sum += float64(p.Percent)
		case milvuswait.IndexBuildingProgress:
			if !(oracle.Options{Target: t.Target}).Complete(p) {
				return false
			}
		}
	}

	return there > 0 && (target.Kind() == milvuswait.KindIndexBuilding || sum >= 100*float64(there))
}

// changes returns the start of a period and all later instants in it at which the state of
// the target changes.
func (s *Scenario) changes(target milvuswait.Target, from, to time.Duration) []time.Duration {
	all := []time.Duration{from}
	c, things := s.involved(target)

	add := func(at time.Duration) {
		if at > from && at <= to {
			all = append(all, at)
		}
	}

	if c != nil {
		for _, span := range c.Gone {
			add(span.From)
			add(span.To)
		}
	}
	for _, t := range things {
		for _, state := range t.States {
			add(state.From)
		}
	}

	return all
}

// lapses reports whether the final states of the target have lapses. During a lapse, some
// servers return 0 % instead of the error.
func (s *Scenario) lapses(target milvuswait.Target) bool {
	_, things := s.involved(target)
	return slices.ContainsFunc(things, func(t *Thing) bool { return t.at(forGood).Lapses != nil })
}

// forGood is a time later than all events.
const forGood = time.Duration(1 << 62)

// completeFrom returns the time from which the target stays complete, or -1.
func (s *Scenario) completeFrom(target milvuswait.Target) time.Duration {
	since := time.Duration(-1)
	for _, at := range slices.Sorted(slices.Values(s.changes(target, 0, forGood))) {
		switch {
		case !s.complete(target, at):
			since = -1
		case since < 0:
			since = at
		}
	}
	return since
}
