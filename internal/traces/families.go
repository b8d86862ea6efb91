package traces

import (
	"math"
	"math/rand/v2"
	"sort"
)

// families returns all 21 families of traces. A trace lasts from 50 ms to 30 min.
func families() []family {
	return []family{
		// One or two tiny segments: 0 then 100.
		{"load_tiny", "load", func(r *rand.Rand) []Step {
			return []Step{{0, 0}, {logn(r, 0.15, 0.6, 0.05, 1), 1}}
		}},
		// A few segments after a short target pull.
		{"load_small", "load", func(r *rand.Rand) []Step {
			d := segDurations(r, 3+r.IntN(18), 0.8, 0.5)
			return bySegments(parallel(d, 2+r.IntN(7), logn(r, 0.4, 0.5, 0.1, 3)))
		}},
		// Hundreds of segments, near linear.
		{"load_large", "load", func(r *rand.Rand) []Step {
			d := segDurations(r, 100+r.IntN(1900), 1, 0.5)
			return rescale(bySegments(parallel(d, 8+r.IntN(57), 1)), loadTotal(r, 120, 0.9))
		}},
		// Linear to 98..99%, then a long tail (last segment, delegator, target check).
		{"load_tail99", "load", func(r *rand.Rand) []Step {
			total, f, q := loadTotal(r, 60, 1), uni(r, 0.4, 0.9), uni(r, 0.97, 0.995)
			return curve(total, func(p float64) float64 {
				if p >= 1 {
					return 1
				}
				return f * math.Min(1, p/q)
			})
		}},
		// 0% for most of the time (queued behind others), then fast jumps.
		{"load_queue0", "load", func(r *rand.Rand) []Step {
			total := loadTotal(r, 30, 1)
			d := segDurations(r, 2+r.IntN(30), 1, 0.4)
			e := parallel(d, 1+r.IntN(8), 0)
			w, s := uni(r, 0.6, 0.95)*total, bySegments(e)
			for i := range s[1:] {
				s[i+1].T = w + (total-w)*s[i+1].T/e[len(e)-1]
			}
			return s
		}},
		{"load_slowing", "load", func(r *rand.Rand) []Step {
			k := uni(r, 1.5, 3)
			return curve(loadTotal(r, 60, 1), func(p float64) float64 { return 1 - math.Pow(1-p, 1/k) })
		}},
		{"load_speedup", "load", func(r *rand.Rand) []Step {
			k := uni(r, 1.5, 3)
			return curve(loadTotal(r, 60, 1), func(p float64) float64 { return math.Pow(p, 1/k) })
		}},
		// A node restarts half way: no progress for 30..70% of the time.
		{"load_stall", "load", func(r *rand.Rand) []Step {
			total, f := loadTotal(r, 60, 1), uni(r, 0.3, 0.7)
			s := curve(total*(1-f), func(p float64) float64 { return p })
			return withStall(s, uni(r, 0.2, 0.95)*total*(1-f), f*total)
		}},
		// No progress between 0 and 100 %.
		{"load_binary", "load", func(r *rand.Rand) []Step {
			return []Step{{0, 0}, {logn(r, 5, 1.5, 0.1, 1800), 1}}
		}},
		// Log-normal total, linear with noise.
		{"load_lognormal", "load", func(r *rand.Rand) []Step {
			d := segDurations(r, 100, 1, 0.8)
			return rescale(bySegments(parallel(d, 1, 0)), logn(r, 20, 1.5, 0.05, 1800))
		}},
		// A few big jumps with idle times between them.
		{"load_bursts", "load", func(r *rand.Rand) []Step {
			n := 2 + r.IntN(4)
			return rescale(bySegments(parallel(segDurations(r, n, 1, 0.9), 1, 0)), loadTotal(r, 30, 1))
		}},
		{"index_small", "index", func(r *rand.Rand) []Step {
			return bySegments(parallel(segDurations(r, 1+r.IntN(2), 12, 0.8), 1, logn(r, 1, 0.5, 0.2, 5)))
		}},
		// Many 0.5..1 M row segments on a few builders.
		{"index_parallel", "index", func(r *rand.Rand) []Step {
			d := segDurations(r, 8+r.IntN(193), 1, 0.25)
			return rescale(bySegments(parallel(d, 1+r.IntN(16), 0)), logn(r, 240, 0.8, 10, 1800))
		}},
		// total_rows grows while ingest goes on, so the ratio falls between jumps.
		{"index_ingest", "index", func(r *rand.Rand) []Step {
			total := logn(r, 240, 0.8, 10, 1800)
			n := 10 + r.IntN(90)
			inEnd := uni(r, 0.4, 0.8) * total

			type ev struct {
				t          float64
				rows, done int
			}

			var evs []ev
			free := 0.0
			per := (total - 1) / float64(n)
			for i := range n {
				in := inEnd * float64(i) / float64(n)
				evs = append(evs, ev{in, 1, 0})
				free = math.Max(free, in) + per*uni(r, 0.5, 1.5)
				evs = append(evs, ev{free, 0, 1})
			}

			sort.Slice(evs, func(i, j int) bool { return evs[i].t < evs[j].t })

			var s []Step
			rows, done := 0, 0
			for _, e := range evs {
				rows, done = rows+e.rows, done+e.done
				p := float64(done) / float64(rows)
				if done < n && p >= 1 { // all current rows are indexed, but more follow
					p = 0.999
				}
				s = append(s, Step{e.t, p})
			}

			s[0].T = 0
			return s
		}},
		// Compaction replaces indexed segments: progress goes back by 10..100%.
		{"index_compact", "index", func(r *rand.Rand) []Step {
			total := logn(r, 180, 0.8, 10, 1800)
			var s []Step
			s = append(s, Step{0, 0})

			p, t, step := 0.0, 0.0, 1/float64(8+r.IntN(60))
			for range 1 + r.IntN(3) {
				top := uni(r, 0.5, 0.98)
				for p+step < top {
					t += logn(r, 1, 0.3, 0.1, 10)
					p += step
					s = append(s, Step{t, p})
				}
				t += logn(r, 1, 0.3, 0.1, 10)
				p *= 1 - uni(r, 0.1, 1)
				s = append(s, Step{t, p})
			}

			for p < 1 {
				t += logn(r, 1, 0.3, 0.1, 10)
				p = math.Min(1, p+step)
				s = append(s, Step{t, p})
			}

			return rescale(s, total)
		}},
		// 0 of 0 rows until the flush, then a few segments.
		{"index_zero", "index", func(r *rand.Rand) []Step {
			w := logn(r, 3, 0.8, 0.5, 30)
			e := parallel(segDurations(r, 2+r.IntN(10), 10, 0.3), 1+r.IntN(4), w)
			s := bySegments(e)
			return append([]Step{{0, Unknown}, {w, 0}}, s[1:]...)
		}},
		// Very uneven segments: one big one dominates the end.
		{"index_longtail", "index", func(r *rand.Rand) []Step {
			n := 6 + r.IntN(40)
			d := segDurations(r, n, 1, 1)
			return rescale(bySegments(parallel(d, 1+n/2, 0)), logn(r, 240, 0.8, 10, 1800))
		}},
		// A builder dies: a flat stretch of 30..180 s.
		{"index_stall", "index", func(r *rand.Rand) []Step {
			total := logn(r, 180, 0.6, 30, 1500)
			d := segDurations(r, 8+r.IntN(100), 1, 0.3)
			s := rescale(bySegments(parallel(d, 1+r.IntN(8), 0)), total)
			return withStall(s, uni(r, 0.2, 0.95)*total, uni(r, 30, 180))
		}},
		// Zero rows for long: other collections' tasks come first.
		{"index_queue", "index", func(r *rand.Rand) []Step {
			w := logn(r, 60, 1, 3, 1200)
			e := parallel(segDurations(r, 1+r.IntN(10), 8, 0.4), 1+r.IntN(4), w)
			return bySegments(e)
		}},
		// Progress slows because later segments are bigger and share the CPU.
		{"index_slowing", "index", func(r *rand.Rand) []Step {
			k := uni(r, 1.3, 2)
			n := 10 + r.IntN(100)
			s := []Step{{0, 0}}
			total := logn(r, 240, 0.8, 10, 1800)
			for i := 1; i <= n; i++ {
				p := float64(i) / float64(n)
				s = append(s, Step{total * (1 - math.Pow(1-p, 1/k)), p})
			}
			return s
		}},
		// All but a few rows are indexed early; the last segment waits long.
		{"index_tail9999", "index", func(r *rand.Rand) []Step {
			total, f := logn(r, 180, 0.8, 10, 1800), uni(r, 0.2, 0.8)
			n, top := 5+r.IntN(50), 1-math.Pow(10, -uni(r, 2, 4))
			s := []Step{{0, 0}}
			for i := 1; i <= n; i++ {
				s = append(s, Step{f * total * float64(i) / float64(n), top * float64(i) / float64(n)})
			}
			return append(s, Step{total, 1})
		}},
	}
}

// Draw returns n traces of each of the 21 families, family by family. The same seed returns the
// same traces.
func Draw(n int, seed uint64) []Trace { return draw(families(), n, seed) }

// draw returns n traces of each family, of up to 30 min.
func draw(families []family, n int, seed uint64) []Trace {
	var out []Trace
	for i, f := range families {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		for range n {
			s := f.steps(r)
			if end := s[len(s)-1].T; end > 1800 {
				s = rescale(s, 1800)
			}
			out = append(out, publish(r, f.kind, f.name, s))
		}
	}
	return out
}
