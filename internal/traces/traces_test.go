package traces

import (
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// requireWellFormed checks a trace: it begins at time 0, its times ascend, each share differs
// from the one before and is from 0 to 1 or Unknown, and only the last share is 1.
func requireWellFormed(t *testing.T, trace *Trace) {
	t.Helper()
	last := len(trace.Steps) - 1
	require.Positive(t, last, trace.Family)
	require.Zero(t, trace.Steps[0].T, trace.Family)
	require.EqualValues(t, 1, trace.Steps[last].P, trace.Family)

	for i, s := range trace.Steps[:last] {
		next := trace.Steps[i+1]
		require.Less(t, s.T, next.T, "%s, step %d", trace.Family, i)
		require.NotEqual(t, s.P, next.P, "%s, step %d", trace.Family, i)
		require.Less(t, s.P, 1.0, "%s, step %d", trace.Family, i)
		if s.P != Unknown {
			require.GreaterOrEqual(t, s.P, 0.0, "%s, step %d", trace.Family, i)
		}
	}
}

func TestRecorded_IsWellFormed(t *testing.T) {
	all := Recorded()

	loads, seen := 0, map[string]bool{}
	for i := range all {
		trace := &all[i]
		requireWellFormed(t, trace)
		require.False(t, seen[trace.Family], "%s is there twice", trace.Family)
		seen[trace.Family] = true

		// Recorded progress grows, and a load reports whole percents.
		for j, s := range trace.Steps {
			require.True(t, j == 0 || s.P > trace.Steps[j-1].P, "%s falls", trace.Family)
			if !trace.Index {
				require.InDelta(t, math.Round(100*s.P), 100*s.P, 1e-9, trace.Family)
			}
		}

		require.GreaterOrEqual(t, trace.Done(), 2*time.Second, trace.Family)
		require.LessOrEqual(t, trace.Done(), 65*time.Second, trace.Family)
		if !trace.Index {
			loads++
		}
	}
	require.Equal(t, 30, loads)
	require.Len(t, all, 57)
}

func TestParse_InvalidFile_Fails(t *testing.T) {
	const head = "trace,recording,seconds,share\n"
	for file, want := range map[string]string{
		"":                            "EOF",
		head + "load_x,1,0.5\n":       "wrong number of fields",
		head + "load_x,1,soon,0.5\n":  "seconds",
		head + "load_x,1,0.5,a lot\n": "share",
	} {
		_, err := parse([]byte(file))
		require.ErrorContains(t, err, want, file)
	}
}

func TestLater_BeginsWithinTheFirstSecond(t *testing.T) {
	trace := Trace{Family: "load_x", Steps: []Step{{0, 0}, {0.5, 0.25}, {3, 0.5}, {4, 1}}}

	copies := Later([]Trace{trace}, 200, 1)

	require.Len(t, copies, 200)
	require.Equal(t, copies, Later([]Trace{trace}, 200, 1))
	begins := map[float64]int{}
	for i := range copies {
		requireWellFormed(t, &copies[i])
		by := trace.Done() - copies[i].Done()
		require.GreaterOrEqual(t, by, time.Duration(0))
		require.Less(t, by, time.Second)

		// The share at the begin is the share of the trace at this time.
		require.Equal(t, trace.At(by), copies[i].Steps[0].P)
		begins[copies[i].Steps[0].P]++
	}
	require.Greater(t, begins[0], 50)
	require.Greater(t, begins[0.25], 50)
}

func TestDraw_TracesAreWellFormed(t *testing.T) {
	seen := map[string]string{}
	for list, c := range map[string]struct {
		draw     func(int, uint64) []Trace
		families int
	}{
		"families":        {Draw, 21},
		"furtherFamilies": {DrawFurther, 8},
	} {
		const n = 50
		all := c.draw(n, 1)
		require.Len(t, all, n*c.families)
		require.Equal(t, all, c.draw(n, 1), "the same seed")
		require.NotEqual(t, all, c.draw(n, 2), "another seed")

		for i := range all {
			requireWellFormed(t, &all[i])
			require.Equal(t, strings.HasPrefix(all[i].Family, "index_"), all[i].Index)
			require.LessOrEqual(t, all[i].Done(), 30*time.Minute+time.Second) // the server's tick after 30 min
			require.Equal(t, all[i/n*n].Family, all[i].Family)

			other, known := seen[all[i].Family]
			require.True(t, !known || other == list, "%s is in both lists", all[i].Family)
			seen[all[i].Family] = list
		}
	}
	require.Len(t, seen, 29)
}

func TestReplay_ReturnsTheLateness(t *testing.T) {
	for _, trace := range []Trace{
		{Family: "load_x", Steps: []Step{{0, 0}, {2, 0.5}, {4, 1}}},
		{Family: "index_x", Index: true, Steps: []Step{{0, Unknown}, {2, 0}, {4, 1}}},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()

			w, err := Replay(&trace, 1)

			require.NoError(t, err)
			require.Equal(t, 4*time.Second, w.Took)
			require.Equal(t, time.Since(start)-w.Took, w.Late)
			require.GreaterOrEqual(t, w.Late, time.Duration(0))
			require.Less(t, w.Late, 200*time.Millisecond)
			require.Greater(t, w.Polls, 4*5)
			require.InDelta(t, 0.005, w.Slowest.Seconds(), 0.005)
		})
	}
}
