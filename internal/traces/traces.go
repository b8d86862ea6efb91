// Package traces has the progress of loads and index builds, to compare paces of polls: 21
// families of synthetic traces, eight further families, and 57 recordings of a real server.
// The shapes of the families follow the source of the Milvus server, measurements, and the
// reports of its users.
package traces

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"sort"
	"time"
)

// Unknown is the progress of an index with 0 of 0 rows.
const Unknown = -1.0

// Step is the progress P that a server reports from time T on, in seconds.
type Step struct{ T, P float64 }

// Trace is the progress that a server reports over time.
type Trace struct {
	Family string
	Index  bool // an index build, otherwise a load
	Steps  []Step
}

// Done returns the time at which the complete state becomes visible. No wait can succeed
// before it.
func (t *Trace) Done() time.Duration { return seconds(t.Steps[len(t.Steps)-1].T) }

// At returns the progress at a time since the beginning: from 0 to 1, or Unknown.
func (t *Trace) At(elapsed time.Duration) float64 {
	i := sort.Search(len(t.Steps), func(i int) bool { return seconds(t.Steps[i].T) > elapsed })
	return t.Steps[max(0, i-1)].P
}

// roundTrip draws the duration of a poll: log-normal, with a median of 3 ms.
func roundTrip(r *rand.Rand) time.Duration { return seconds(0.003 * math.Exp(0.4*r.NormFloat64())) }

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// family generates traces of one named kind.
type family struct {
	name, kind string
	steps      func(r *rand.Rand) []Step
}

// logn draws from a log-normal distribution, limited to lo and hi.
func logn(r *rand.Rand, median, sigma, lo, hi float64) float64 {
	return math.Min(hi, math.Max(lo, median*math.Exp(sigma*r.NormFloat64())))
}

// uni draws from a uniform distribution.
func uni(r *rand.Rand, lo, hi float64) float64 { return lo + (hi-lo)*r.Float64() }

// floatHeap is a minimum heap of times.
type floatHeap []float64

func (h floatHeap) Len() int           { return len(h) }
func (h floatHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h floatHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *floatHeap) Push(x any)        { *h = append(*h, x.(float64)) }
func (h *floatHeap) Pop() any {
	o := *h
	x := o[len(o)-1]
	*h = o[:len(o)-1]
	return x
}

// parallel runs the segments on k workers that are free from start on, each segment on the
// first free worker. It returns the sorted times of their ends.
func parallel(dur []float64, k int, start float64) []float64 {
	w := make(floatHeap, k)
	for i := range w {
		w[i] = start
	}

	out := make([]float64, len(dur))
	for i, d := range dur {
		out[i] = w[0] + d
		w[0] += d
		heap.Fix(&w, 0)
	}

	sort.Float64s(out)
	return out
}

// segDurations draws the durations of n segments.
func segDurations(r *rand.Rand, n int, median, sigma float64) []float64 {
	d := make([]float64, n)
	for i := range d {
		d[i] = logn(r, median, sigma, median/20, median*20)
	}
	return d
}

// bySegments publishes i/n after the i-th segment is ready.
func bySegments(ends []float64) []Step {
	s := []Step{{0, 0}}
	for i, t := range ends {
		s = append(s, Step{t, float64(i+1) / float64(len(ends))})
	}
	return s
}

// curve publishes 1% steps of the inverse progress function at(p) in [0,1] times total.
func curve(total float64, at func(p float64) float64) []Step {
	s := []Step{{0, 0}}
	for i := 1; i <= 100; i++ {
		p := float64(i) / 100
		s = append(s, Step{total * at(p), p})
	}
	return s
}

// rescale stretches the steps to a total length.
func rescale(s []Step, total float64) []Step {
	f := total / s[len(s)-1].T
	for i := range s {
		s[i].T *= f
	}
	return s
}

// publish rounds progress as the server does and shows it on the server's grid:
// QueryCoord's observer ticks every 200 ms; DataCoord's scheduler every 100 ms
// (new) or 1 s (up to 2.5).
func publish(r *rand.Rand, kind, name string, s []Step) Trace {
	grid := 0.2
	if kind == "index" {
		grid = 0.1
		if r.IntN(2) == 0 {
			grid = 1
		}
	}

	phase := grid * r.Float64()
	t := Trace{Family: name, Index: kind == "index"}
	last := math.Inf(-1)

	for _, st := range s {
		if st.T > 0 {
			st.T = phase + grid*math.Ceil((st.T-phase)/grid)
		}
		if kind == "load" && st.P > 0 && st.P < 1 {
			st.P = math.Floor(st.P*100+1e-9) / 100
		}

		if n := len(t.Steps); n > 0 && t.Steps[n-1].T >= st.T {
			t.Steps[n-1].P = st.P
		} else if st.P != last {
			t.Steps = append(t.Steps, st)
		}
		last = st.P
	}
	return t
}

// withStall inserts a pause of length d at time at.
func withStall(s []Step, at, d float64) []Step {
	for i := range s {
		if s[i].T > at {
			s[i].T += d
		}
	}
	return s
}

// loadTotal draws the duration of a load, from 1 s to 30 min.
func loadTotal(r *rand.Rand, median, sigma float64) float64 { return logn(r, median, sigma, 1, 1800) }
