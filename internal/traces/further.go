package traces

import (
	"math"
	"math/rand/v2"
	"sort"
)

// furtherFamilies returns eight families that are not among the 21 of families. They follow
// measurements on real servers and reports in public threads. Their figures stay apart, so
// that figures of the 21 families stay comparable.
func furtherFamilies() []family {
	return []family{
		// A real 2.3.5: no progress for 2.4 to 3 s after the flush, then segments of about the
		// same size one after the other.
		{"index_series", "index", func(r *rand.Rand) []Step {
			d := segDurations(r, 2+r.IntN(7), logn(r, 20, 0.6, 2, 200), 0.12)
			return bySegments(parallel(d, 1, uni(r, 2.4, 3)))
		}},
		// A real 2.3.5: loads advance by segments, up to 2 s apart.
		{"load_steps", "load", func(r *rand.Rand) []Step {
			n, gap := 2+r.IntN(4), uni(r, 0.5, 2.2)
			t := uni(r, 0.3, 2)

			var ends []float64
			for range n {
				ends = append(ends, t)
				t += gap * uni(r, 0.9, 1.1)
			}
			return bySegments(ends)
		}},
		// A real 2.3.5 after its restart: 25 % for 25 s, then 75 %, and 100 % 3 s later.
		{"load_restart", "load", func(r *rand.Rand) []Step {
			p := float64(20+r.IntN(40)) / 100
			w := logn(r, 25, 0.5, 3, 300)
			return []Step{{0, p}, {w, (1 + p) / 2}, {w + uni(r, 0.5, 4), 1}}
		}},
		// A real 2.3.5: a second batch of rows after the first was indexed.
		{"index_batch2", "index", func(r *rand.Rand) []Step {
			old := uni(r, 0.5, 0.98)
			n := 1 + r.IntN(3)
			ends := parallel(segDurations(r, n, logn(r, 4, 0.8, 0.5, 120), 0.2), 1, 2.5)

			s := []Step{{0, old}}
			for i, t := range ends {
				s = append(s, Step{t, old + (1-old)*float64(i+1)/float64(n)})
			}
			return s
		}},
		// Pull request 20460 of milvus: 1 M rows at 0, 10, 40, 70 and 100 %. The time of a segment
		// follows its size, on one or two builders.
		{"index_uneven", "index", func(r *rand.Rand) []Step {
			size, sum := make([]float64, 3+r.IntN(12)), 0.0
			for i := range size {
				size[i] = logn(r, 1, 0.7, 0.1, 4)
				sum += size[i]
			}

			rate := logn(r, 15, 0.6, 2, 90)
			free := make([]float64, 1+r.IntN(2))
			var gains []Step
			for _, z := range size {
				b := 0
				if len(free) == 2 && free[1] < free[0] {
					b = 1
				}
				free[b] += rate * math.Pow(z, 1.1) * uni(r, 0.9, 1.1)
				gains = append(gains, Step{free[b], z / sum})
			}
			return cumulative(gains)
		}},
		// Issue 40580 of milvus: 1 M rows in eight steps of 125 000, on one to four builders.
		{"index_equal8", "index", func(r *rand.Rand) []Step {
			d := segDurations(r, 8, logn(r, 12, 0.8, 1, 200), 0.1)
			return bySegments(parallel(d, 1+r.IntN(4), uni(r, 0, 3)))
		}},
		// A node or replica that comes late: half of the segments at once, the others much later.
		{"load_late_half", "load", func(r *rand.Rand) []Step {
			n := 4 + r.IntN(40)
			first := parallel(segDurations(r, n, 1, 0.4), 4, 0.4)
			w := first[n-1] + logn(r, 30, 0.9, 2, 600)
			second := parallel(segDurations(r, n, 1, 0.4), 4, w)
			return bySegments(append(first, second...))
		}},
		// Issue 24538 of milvus: compaction merges segments that are indexed already, and the
		// index begins again, once or twice.
		{"index_recompact", "index", func(r *rand.Rand) []Step {
			n, d := 4+r.IntN(20), logn(r, 5, 0.7, 0.5, 60)
			s, t := []Step{{0, 0}}, 0.0
			for range 1 + r.IntN(2) {
				for i := range n/2 + r.IntN(n/2) {
					t += d * uni(r, 0.7, 1.4)
					s = append(s, Step{t, float64(i+1) / float64(n)})
				}
				t += d * uni(r, 0.1, 1)
				s = append(s, Step{t, uni(r, 0, 0.3)})
				n, d = max(2, n/3), d*3
			}

			p := s[len(s)-1].P
			for i := range n {
				t += d * uni(r, 0.7, 1.4)
				s = append(s, Step{t, p + (1-p)*float64(i+1)/float64(n)})
			}
			s[len(s)-1].P = 1
			return s
		}},
	}
}

// cumulative sorts gains of progress by time and returns their sum over time. The last gain
// completes the progress.
func cumulative(gains []Step) []Step {
	sort.SliceStable(gains, func(i, j int) bool { return gains[i].T < gains[j].T })

	s, p := []Step{{0, 0}}, 0.0
	for _, g := range gains {
		p += g.P
		s = append(s, Step{g.T, p})
	}
	s[len(s)-1].P = 1
	return s
}

// DrawFurther returns n traces of each of the eight further families, as Draw does for the 21.
func DrawFurther(n int, seed uint64) []Trace { return draw(furtherFamilies(), n, seed) }
