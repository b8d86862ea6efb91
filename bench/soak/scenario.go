package main

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/milvuswait/milvuswait"
)

// scenario is the history of the server for a seed, from its start to its end. The server
// plays it, and the checks compare the library's results with it.
type scenario struct {
	seed     uint64
	subjects []subject
	goals    []goal
}

// goal is a target of the waits, with the subjects it depends on.
type goal struct {
	target milvuswait.Target
	on     []int // indexes in scenario.subjects
}

// The streams of random numbers from one seed. Each use has its own, so that a change in
// one does not affect the others.
const (
	streamHistory = iota
	streamWeather
	streamTrouble
	streamRounds
	streamSingles
)

// random returns the source for the n-th draw in a stream.
func random(seed uint64, stream, n int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(stream)<<32|uint64(n)))
}

// between returns a duration in [a, b).
func between(r *rand.Rand, a, b time.Duration) time.Duration {
	return a + time.Duration(r.Int64N(int64(b-a)))
}

// oneIn returns true with probability 1/n.
func oneIn(r *rand.Rand, n int) bool { return r.IntN(n) == 0 }

// newScenario returns the scenario of a seed, of the given length and with at least the
// given number of goals.
func newScenario(seed uint64, goals int, length time.Duration) *scenario {
	s := &scenario{seed: seed}
	for n := 0; len(s.goals) < goals; n++ {
		s.addCollection(random(seed, streamHistory, n), fmt.Sprintf("c%d", n), length)
	}
	return s
}

// addCollection adds a collection of a random kind, with its goals.
func (s *scenario) addCollection(r *rand.Rand, name string, length time.Duration) {
	kind := r.IntN(5)
	absence, load, indexes := noCollection, milvuswait.Loading(name), 0
	switch kind {
	case 0:
	case 1:
		load = milvuswait.Loading(name, "hot")
	case 2:
		indexes = 1
	case 3:
		indexes = 2 + r.IntN(3)
	case 4:
		load, indexes = milvuswait.Target{}, 1+r.IntN(4)
		if oneIn(r, 2) {
			absence = noIndex // dropping an index requires releasing the collection first
		}
	}

	there := newLives(r, length, absence)
	if load.Kind() != "" {
		s.add(subject{target: load, history: there.fill(r, aLoad)}, load)
	}

	rows := 1000 + r.Int64N(1_000_000)
	var all []int
	for i := range indexes {
		index := subject{target: milvuswait.IndexBuilding(name, fmt.Sprintf("i%d", i)), rows: rows}
		index.history = there.fill(r, func(b *builder) { anIndex(b, rows) })
		wanted := index.target
		if indexes == 1 && oneIn(r, 2) {
			wanted = milvuswait.IndexBuilding(name, "")
		}
		if !oneIn(r, 3) {
			wanted = wanted.ExpectRows(rows)
		}
		all = append(all, len(s.subjects))
		s.add(index, wanted)
	}

	if indexes > 1 {
		wanted := milvuswait.IndexBuilding(name, milvuswait.AllIndexes)
		if oneIn(r, 2) {
			wanted = wanted.ExpectRows(rows)
		}
		s.goals = append(s.goals, goal{wanted, all})
	}
}

// add adds a subject and a goal that depends only on it.
func (s *scenario) add(made subject, wanted milvuswait.Target) {
	s.goals = append(s.goals, goal{wanted, []int{len(s.subjects)}})
	s.subjects = append(s.subjects, made)
}

// done returns the states in which the goal is reached. Uncounted rows look like an empty
// index, and an empty index is complete unless rows are expected.
func (g *goal) done() []state {
	if g.target.Kind() == milvuswait.KindIndexBuilding && g.target.ExpectedRows() == 0 {
		return []state{complete, uncounted}
	}
	return []state{complete}
}

// lives divides the time into periods with a collection or its indexes, and periods
// without. The state of a span is empty in the former, and the reason of the absence in the
// latter.
type lives []span

func newLives(r *rand.Rand, length time.Duration, absence state) lives {
	var l lives
	for now := time.Duration(0); now < length; {
		now += between(r, 10*time.Second, 80*time.Second)
		l = append(l, span{until: now})
		now += between(r, time.Second, 8*time.Second)
		l = append(l, span{until: now, state: absence})
	}
	return l
}

// fill returns a history. It calls live repeatedly to fill each period of existence.
func (l lives) fill(r *rand.Rand, live func(*builder)) history {
	b := &builder{Rand: r}
	for _, s := range l {
		if s.state != "" {
			b.history, b.now = append(b.history, s), s.until
			continue
		}
		for b.end = s.until; b.now < b.end; {
			live(b)
		}
	}
	return b.history
}

// builder builds a history up to an end.
type builder struct {
	*rand.Rand
	history  history
	now, end time.Duration
}

// add adds a span of the length d, cut off at the end of the period.
func (b *builder) add(d time.Duration, s span) {
	if b.now >= b.end {
		return
	}
	s.until = b.now + d
	s.to = s.value(b.now, min(s.until, b.end))
	s.until = min(s.until, b.end)
	b.history, b.now = append(b.history, s), s.until
}

// rise adds progress from 0 to just below whole: evenly, with a standstill, or with a
// decrease. The caller adds the final state.
func (b *builder) rise(whole int64, lies bool) {
	last := whole - 1
	d := between(b.Rand, 500*time.Millisecond, 12*time.Second)
	middle := b.Int64N(last)

	switch b.IntN(3) {
	case 0:
		b.add(d, span{state: running, to: last, lies: lies})
	case 1:
		b.add(d/2, span{state: running, to: middle, lies: lies})
		b.add(between(b.Rand, time.Second, 5*time.Second), span{state: running, from: middle, to: middle, lies: lies})
		b.add(d/2, span{state: running, from: middle, to: last, lies: lies})
	case 2:
		b.add(d/2, span{state: running, to: last, lies: lies})
		b.add(d, span{state: running, from: middle, to: last, lies: lies})
	}
}

// remain adds a constant state. In one case of four, it lasts so long that a wait must
// notice it.
func (b *builder) remain(s state, value int64) {
	d := between(b.Rand, 2*time.Second, 10*time.Second)
	if oneIn(b.Rand, 4) {
		d = between(b.Rand, 20*time.Second, 60*time.Second)
	}
	b.add(d, span{state: s, from: value, to: value})
}

// aLoad adds a load and its end.
func aLoad(b *builder) {
	if oneIn(b.Rand, 5) {
		b.remain(notLoaded, 0)
	}

	b.rise(100, false)
	switch b.IntN(8) {
	case 0:
		b.remain(broken, 0)
		return
	case 1:
		b.remain(notLoaded, 0)
		return
	}

	b.remain(complete, 100)
	if oneIn(b.Rand, 2) {
		b.remain(notLoaded, 0)
	}
}

// anIndex adds the build of an index with the given number of rows.
func anIndex(b *builder, rows int64) {
	if oneIn(b.Rand, 2) {
		b.add(between(b.Rand, time.Second, 3*time.Second), span{state: uncounted})
	}

	b.rise(rows, oneIn(b.Rand, 2))
	if oneIn(b.Rand, 8) {
		b.remain(broken, b.history[len(b.history)-1].to)
		return
	}
	b.remain(complete, rows)
}
