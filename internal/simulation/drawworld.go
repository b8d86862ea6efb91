package simulation

import (
	"fmt"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

// worldDice draws the state of the world over time.
type worldDice struct {
	dice
	s      *Scenario
	faulty bool // errors, slow responses and absences occur
}

// want adds targets to the wait.
func (w *worldDice) want(targets ...milvuswait.Target) {
	w.s.Targets = append(w.s.Targets, targets...)
}

// collection draws a collection and at most most targets in it.
func (w *worldDice) collection(name string, most int) {
	c := &Collection{Name: name}
	w.s.Collections = append(w.s.Collections, c)
	load := &Thing{Target: milvuswait.Loading(name)}

	switch p := w.Float64(); {
	case w.faulty && p < 0.03: // missing at first; it may come later
		c.Gone = []Span{{0, w.part(w.s.Span, 0.1, 3)}}
		c.Things = append(c.Things, w.live(load))
		w.want(load.Target)
	case p < 0.45:
		c.Things = append(c.Things, w.live(load))
		w.want(load.Target)
		if most > 1 && w.chance(0.4) {
			w.indexes(c, 1)
		}
	case p < 0.65:
		w.partitions(c, most)
	default:
		w.indexes(c, most)
	}

	if w.faulty && len(c.Gone) == 0 && w.chance(0.06) {
		from := w.part(w.s.Span, 0, 1)
		c.Gone = []Span{{from, from + w.part(w.s.Span, 0.01, 2)}}
	}
}

// partitions draws a collection with up to three partitions, each loaded individually.
func (w *worldDice) partitions(c *Collection, most int) {
	names := []string{"p1", "p2", "p3"}[:w.between(1, 3)]
	for i, name := range names {
		t := &Thing{Target: milvuswait.Loading(c.Name, name)}
		if i == 0 {
			c.Things = append(c.Things, w.live(t))
		} else {
			c.Things = append(c.Things, w.quiet(t)) // only one may fail: with two errors in one answer, each server returns a different one
		}
	}

	w.want(milvuswait.Loading(c.Name, names...))
	if most > 1 && len(names) > 1 {
		w.want(milvuswait.Loading(c.Name, names[0]))
	}
	if most > 2 && w.faulty && w.chance(0.1) {
		w.want(milvuswait.Loading(c.Name, names[0], "nowhere"))
	}
}

// indexes draws the indexes of a collection, and at most most targets, except for a few
// beyond.
func (w *worldDice) indexes(c *Collection, most int) {
	names := []string{"i1", "i2", "i3"}[:w.between(1, 3)]
	ambiguous := len(names) > 1 && w.faulty && w.chance(0.08)
	for i, name := range names {
		t := &Thing{Target: milvuswait.IndexBuilding(c.Name, name)}
		if i == 0 && !ambiguous {
			c.Things = append(c.Things, w.live(t))
		} else {
			c.Things = append(c.Things, w.quiet(t))
		}
	}

	expect := func(t milvuswait.Target) milvuswait.Target {
		if w.chance(0.3) {
			return t.ExpectRows(int64(w.between(1, 1200)))
		}
		return t
	}

	switch {
	case ambiguous:
		for _, t := range c.Things { // the server detects an ambiguous name without reading progress
			for i := range t.States {
				t.States[i].Takes = 0
			}
		}
		w.want(milvuswait.IndexBuilding(c.Name, ""))
		return
	case len(names) == 1 && w.chance(0.5):
		w.want(expect(milvuswait.IndexBuilding(c.Name, "")))
	case w.chance(0.3):
		w.want(expect(milvuswait.IndexBuilding(c.Name, milvuswait.AllIndexes)))
	default:
		for _, name := range names[:min(most, len(names))] {
			w.want(expect(milvuswait.IndexBuilding(c.Name, name)))
		}
	}

	if most > len(names) && w.faulty && w.chance(0.05) {
		w.want(milvuswait.IndexBuilding(c.Name, "nowhere"))
	}
}

// quiet draws a thing whose answers are always progress, never an error.
func (w *worldDice) quiet(t *Thing) *Thing {
	calm := &worldDice{dice: w.dice, s: w.s}
	return calm.live(t)
}

// live draws the states of a thing and returns the thing.
func (w *worldDice) live(t *Thing) *Thing {
	loading := t.Target.Kind() == milvuswait.KindLoading
	n := w.between(1, 6)
	at := []time.Duration{0}
	for range n {
		at = append(at, w.part(w.s.Span, 0, 1))
	}
	slices.Sort(at)

	done, rows := 0, w.between(0, 1200)
	for i, from := range at {
		state := State{From: from, Takes: w.spread(20*time.Microsecond, 5*time.Millisecond)}

		done = min(100, done+w.between(0, 40))
		if w.chance(0.15) {
			done = w.IntN(done + 1) // it falls
		}

		// 0 % at the start may also mean that no load was requested.
		if i == 0 && w.chance(0.3) {
			done = 0
		}
		last := i == len(at)-1
		if last && w.chance(0.8) {
			done = 100
		}

		if w.chance(0.2) {
			rows = max(0, rows+w.between(-300, 300))
		}
		if loading {
			state.Says = w.percent(done)
		} else {
			state.Says = w.rows(t, rows, done)
		}

		if w.faulty {
			w.spoil(&state, loading, last)
		}
		if w.faulty && i > 0 && w.chance(0.12) {
			state.Lapses = w.lapses(loading)
		}

		t.States = append(t.States, state)
	}
	return t
}

// percent draws the progress of a load. In a few faulty worlds it is out of range.
func (w *worldDice) percent(done int) milvuswait.LoadingProgress {
	p := milvuswait.LoadingProgress{Percent: int64(done), RefreshPercent: 100}
	if w.chance(0.1) {
		p.RefreshPercent = 0
	}
	if w.faulty && w.chance(0.02) {
		p.Percent = []int64{-1, -1 << 63, 101, 1<<63 - 1}[w.IntN(4)]
	}
	return p
}

// rows draws the progress of an index build. In a few faulty worlds its numbers contradict
// each other.
func (w *worldDice) rows(t *Thing, rows, done int) milvuswait.IndexBuildingProgress {
	total := int64(rows)
	indexed := total * int64(done) / 100
	p := milvuswait.IndexBuildingProgress{
		TotalRows: total, IndexedRows: indexed, PendingIndexRows: total - indexed,
		State: milvuswait.IndexStateInProgress, IndexName: t.Target.Index(),
	}

	if p.PendingIndexRows == 0 || w.chance(0.15) {
		p.State = milvuswait.IndexStateFinished // wrong while rows are pending
	}
	if w.chance(0.1) {
		p.State = milvuswait.IndexState(w.IntN(4)) // any but Failed
	}
	if w.chance(0.1) {
		p.IndexedRows = total // counts segments that were compacted since
	}
	if w.faulty && w.chance(0.02) {
		p.IndexedRows, p.PendingIndexRows = p.IndexedRows+1000, -5
	}
	return p
}

// lapses draws lapses. Half of them are shorter than the confirmation of an absent answer,
// the others may be longer. The first answer is accepted without confirmation, so the
// caller draws none for the first state.
func (w *worldDice) lapses(loading bool) *lapses {
	l := &lapses{fault: refusals[w.IntN(len(refusals))]}
	if w.chance(0.6) {
		l.fault = absences[w.IntN(len(absences))]
	}
	if l.loadsOnly && !loading {
		l.fault = absences[0]
	}

	if w.chance(0.5) {
		l.last = 100 * time.Millisecond
		l.every = l.last * time.Duration(w.between(2, 5))
	} else {
		l.every = w.part(w.s.Span, 0.05, 1)
		l.last = w.part(l.every, 0.05, 0.7)
	}
	return l
}

// spoil lets something go wrong in a state: an error, an absence, a failed index build or a
// slow response.
func (w *worldDice) spoil(state *State, loading, last bool) {
	p := w.Float64()
	if last { // half as often, because most waits should succeed
		p *= 2 // half as often: most waits are to end well
	}
	pick := func(faults []fault) {
		f := faults[w.IntN(len(faults))]
		if f.loadsOnly && !loading {
			f = passingFaults[0]
		}
		state.Says, state.Fault = nil, &f
	}

	switch {
	case p < 0.10:
		pick(passingFaults)
	case p < 0.13:
		pick(permanentFaults)
	case p < 0.17:
		state.Says, state.Absent = nil, true
	case p < 0.20 && !loading:
		failed := state.Says.(milvuswait.IndexBuildingProgress)
		failed.State, failed.FailReason = milvuswait.IndexStateFailed, fmt.Sprintf("disk %d is full", w.IntN(10))
		state.Says = failed
	case p < 0.24:
		state.Takes = fake.Forever
	case p < 0.30:
		state.Takes = w.part(w.s.Span, 0.01, 0.4)
	}
}
