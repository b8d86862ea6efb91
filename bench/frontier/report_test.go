package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/internal/traces"
)

func TestSummarize(t *testing.T) {
	s := summarize([]traces.Wait{
		{Took: 10 * time.Second, Late: time.Second, Polls: 10},
		{Took: 10 * time.Second, Late: 3 * time.Second, Polls: 30},
		{Took: 20 * time.Second, Late: 2 * time.Second, Polls: 20},
	})

	require.InDelta(t, 20, s.polls, 1e-9)
	require.InDelta(t, 2, s.mean, 1e-9)
	require.InDelta(t, 2, s.median, 1e-9)
	require.InDelta(t, 0.1, s.relative50, 1e-9)
	require.InDelta(t, 0.1, s.relative95, 1e-9)
}

func TestQuantile(t *testing.T) {
	var all []int
	for i := range 101 {
		all = append(all, 100-i)
	}

	require.Equal(t, 0, quantile(all, 0))
	require.Equal(t, 50, quantile(all, 0.5))
	require.Equal(t, 95, quantile(all, 0.95))
	require.Equal(t, 100, quantile(all, 1))
	require.Equal(t, 7, quantile([]int{7}, 0.95))
}

func TestRatios(t *testing.T) {
	a := summary{polls: 100, mean: 1, median: 2, p95: 3, relative50: 4, relative95: 5}
	b := summary{polls: 200, mean: 2, median: 1, p95: 3, relative50: 16, relative95: 4}

	require.Equal(t, [5]float64{0.5, 2, 1, 0.25, 1.25}, a.ratios(b))
}

func TestKept(t *testing.T) {
	const s, ms = time.Second, time.Millisecond
	for name, c := range map[string]struct {
		took, late, slowest time.Duration
		kept                bool
	}{
		"short, at the bound":           {s, 120 * ms, 10 * ms, true},
		"short, behind":                 {s, 121 * ms, 10 * ms, false},
		"long, at the bound":            {100 * s, 2020 * ms, 10 * ms, true},
		"long, behind":                  {100 * s, 2021 * ms, 10 * ms, false},
		"very long, at the maximum":     {1000 * s, 5020 * ms, 10 * ms, true},
		"very long, behind the maximum": {1000 * s, 5021 * ms, 10 * ms, false},
		"slow polls, at the bound":      {s, 1500 * ms, 500 * ms, true},
		"slow polls, behind":            {s, 1501 * ms, 500 * ms, false},
	} {
		want := 0
		if c.kept {
			want = 1
		}
		require.Equal(t, want, kept([]traces.Wait{{Took: c.took, Late: c.late, Slowest: c.slowest}}, 0.02, 5*s), name)
	}
}

func TestEqualTable(t *testing.T) {
	waits := func(late, took time.Duration, polls int) []traces.Wait {
		return []traces.Wait{{Took: took, Late: late, Polls: polls}}
	}
	s := &set{pairs: []pair{
		{
			interval: 200 * time.Millisecond, fixed: waits(100*time.Millisecond, 10*time.Second, 50),
			lateness: 0.02, most: 5 * time.Second, ours: waits(80*time.Millisecond, 10*time.Second, 50), equal: true,
		},
		{
			interval: 500 * time.Millisecond, fixed: waits(240*time.Millisecond, 10*time.Second, 20),
			lateness: 0.01, most: 5 * time.Second, ours: waits(300*time.Millisecond, 10*time.Second, 20), equal: true,
		},
		{interval: 2 * time.Second, fixed: waits(time.Second, 10*time.Second, 5), ours: waits(time.Second, 10*time.Second, 9)},
		{interval: time.Second, fixed: waits(time.Second, 10*time.Second, 10), ours: waits(time.Second, 10*time.Second, 7)},
	}}
	var out strings.Builder

	s.equalTable(&out)

	require.Contains(t, out.String(), "| 200 ms | 50 | 2.00 % | 5 s | 50 | 0.80 | 0.80 | 0.80 | 0.80 | 0.80 | 1/1 | 1/1 |\n")
	require.Contains(t, out.String(), "| 500 ms | 20 | 1.00 % | 5 s | 20 | **1.25** | **1.25** | **1.25** | **1.25** | **1.25** | 0/1 | 0/1 |\n")
	require.Contains(t, out.String(), "| 2 s | 5 | – | – | ≥ 9 |")
	require.Contains(t, out.String(), "| 1 s | 10 | – | – | ≤ 7 |")
	require.Contains(t, out.String(), "The fixed interval is less late in 5 of the 10 ratios.\n")
}

func TestVerdict(t *testing.T) {
	s := &set{worse: "Because."}

	require.Equal(t, "None of the 50 ratios is above 1: no fixed interval that polls as often is less late.", s.verdict(50, 0))
	require.Equal(t, "The fixed interval is less late in 3 of the 50 ratios. Because.", s.verdict(50, 3))
}

func TestBetween(t *testing.T) {
	require.Equal(t, "under 1 s", between(0, time.Second))
	require.Equal(t, "30 s to 2 min", between(30*time.Second, 2*time.Minute))
	require.Equal(t, "over 10 min", between(10*time.Minute, time.Hour))
}
