package main

import (
	"math"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/traces"
)

func TestSearch_FindsTheCountBelowTheTarget(t *testing.T) {
	for name, count := range map[string]func(x float64) float64{
		"power":          func(x float64) float64 { return 10 * math.Pow(x, -0.7) },
		"flat":           func(x float64) float64 { return 200 * math.Pow(x, -0.06) },
		"steep":          func(x float64) float64 { return 0.001 * math.Pow(x, -3) },
		"flattens":       func(x float64) float64 { return 100 + 1/x },
		"flattens early": func(x float64) float64 { return 400 / (1 + 300*x) },
		"with a knee":    func(x float64) float64 { return min(3000, 1/x) + 50*(1-x) },
	} {
		t.Run(name, func(t *testing.T) {
			for _, target := range []float64{count(0.9), count(0.11), count(0.013), count(0.0007)} {
				calls, last := 0, 0.0

				x, ok := search(target, 0.01, minLateness, maxLateness, func(x float64) float64 {
					require.GreaterOrEqual(t, x, minLateness)
					require.LessOrEqual(t, x, maxLateness)
					calls, last = calls+1, x
					return count(x)
				})

				require.True(t, ok, "target %v", target)
				require.LessOrEqual(t, count(x), target)
				require.GreaterOrEqual(t, count(x), target*(1-tolerance))
				require.Equal(t, last, x)
				require.LessOrEqual(t, calls, 20, "target %v", target)
			}
		})
	}
}

func TestSearch_TargetOutOfReach_ReturnsTheClosestBound(t *testing.T) {
	count := func(x float64) float64 { return 10 + 1/(0.01+x) }

	x, ok := search(200, 0.01, minLateness, maxLateness, count)
	require.False(t, ok)
	require.Equal(t, minLateness, x)

	x, ok = search(5, 0.01, minLateness, maxLateness, count)
	require.False(t, ok)
	require.Equal(t, maxLateness, x)
}

func TestReplay_KeepsTheOrderOfTheTraces(t *testing.T) {
	var all []traces.Trace
	for i := range 7 {
		all = append(all, traces.Trace{Family: "load_x", Steps: []traces.Step{{T: 0, P: 0}, {T: float64(i) + 1.5, P: 1}}})
	}

	every := milvuswait.WithBackoffFunc(func() func() time.Duration { return backoff.NewConstantBackOff(time.Second).NextBackOff })
	waits := replay(t, all, every)

	require.Len(t, waits, 7)
	for i, w := range waits {
		require.Equal(t, all[i].Done(), w.Took)
		require.Equal(t, i+3, w.Polls) // at 0 s, 1 s, …, and the second after the end
		require.InDelta(t, 0.5, w.Late.Seconds(), 0.1)
	}
}

// TestMeasure_ComparesAtEqualPolls measures a small set, whose waits take a minute each.
func TestMeasure_ComparesAtEqualPolls(t *testing.T) {
	s := &set{paces: few()}
	for _, trace := range traces.Draw(30, 1) {
		if trace.Family == "load_slowing" {
			s.traces = append(s.traces, trace)
		}
	}

	s.measure(t)

	require.Len(t, s.results, len(s.paces))
	for i := range s.paces {
		require.Len(t, s.results[i], 30)
	}
	require.Len(t, s.pairs, len(intervals))

	found := 0
	for i, p := range s.pairs {
		require.Equal(t, intervals[i].interval, p.interval)
		require.Len(t, p.ours, 30)
		if p.equal {
			found++
			fixed, ours := summarize(p.fixed).polls, summarize(p.ours).polls
			require.LessOrEqual(t, ours, fixed)
			require.GreaterOrEqual(t, ours, fixed*(1-tolerance))
			require.Equal(t, 30, kept(p.ours, p.lateness, p.most))
		}
	}
	require.GreaterOrEqual(t, found, 4)
}

func TestMaxDelay(t *testing.T) {
	require.Equal(t, 5*time.Second, maxDelay(time.Second))
	require.Equal(t, 6*time.Second, maxDelay(1500*time.Millisecond))
	require.Equal(t, 8*time.Second, maxDelay(2*time.Second))
}
