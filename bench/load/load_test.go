package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// TestMain also runs the server and the waiting process.
func TestMain(m *testing.M) {
	commands := map[string]func([]string) error{serveCommand: serve, waitCommand: wait}
	if len(os.Args) > 1 && commands[os.Args[1]] != nil {
		if err := commands[os.Args[1]](os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestJob_Targets_CompleteOneAfterTheOther(t *testing.T) {
	for _, shape := range shapes {
		t.Run(shape, func(t *testing.T) {
			j := job{Shape: shape, Targets: 100, Start: time.Hour, First: 10 * time.Second, Last: 20 * time.Second}
			half := func() time.Duration { return j.Start + 15*time.Second - time.Nanosecond }
			complete := 0
			for i := range j.Targets {
				step := j.script(i, half).Step(1, 0)
				require.NoError(t, step.Err)
				require.Equal(t, i < 50, step.Progress.Complete(), "%d", i)
				if step.Progress.Complete() {
					complete++
				}
				require.Equal(t, shape == indexes, j.target(i).Kind() == milvuswait.KindIndexBuilding)
			}
			require.Equal(t, 50, complete)
		})
	}
}

func TestMeasure(t *testing.T) {
	for _, shape := range shapes {
		t.Run(shape, func(t *testing.T) {
			t.Parallel()

			r, err := measure(t.Context(), job{Shape: shape, Targets: 20, First: time.Second, Last: 2 * time.Second})

			require.NoError(t, err)
			require.Positive(t, r.Waited)
			require.Positive(t, r.RPCs)
			require.GreaterOrEqual(t, r.Polls, 20)
			require.Len(t, r.Late, len(percentiles))
			require.IsNonDecreasing(t, r.Late)
			require.GreaterOrEqual(t, r.Late[0], time.Duration(0))
			require.Positive(t, r.FirstRound)
			require.Positive(t, r.RSS)
			require.Positive(t, r.ServerRSS)
			require.Positive(t, r.Heap)
			require.Greater(t, r.Goroutines, 16)
			if shape == listedLoads {
				require.Less(t, r.RPCs, int64(r.Polls), "one list is a poll of several")
			}
		})
	}
}

func TestTable(t *testing.T) {
	one := result{
		Waited: 10 * time.Second, FirstRound: time.Second, RPCs: 1000, Late: []time.Duration{time.Second, 2 * time.Second, 3 * time.Second},
		ClientCPU: 2 * time.Second, ServerCPU: time.Second, RSS: 64 << 20, ServerRSS: 32 << 20, Heap: 100_000, Goroutines: 22, Busy: 1.5,
	}

	slow := one
	slow.Busy = 3
	slow.Late = []time.Duration{4 * time.Second, 5 * time.Second, 6 * time.Second}

	text := table([]row{{100, listedLoads, []result{slow, one, one}}})

	require.Contains(t, text, "| 100 | loads, listed | 1000 | 100 | 1.00 s (1.00 s to 4.00 s) | 2.00 s (2.00 s to 5.00 s) | 3.00 s (3.00 s to 6.00 s) | 1.0 s | 10.0 s |\n")
	require.Contains(t, text, "| 100 | loads, listed | 2.0 s | 20% | 2000 µs | 1.0 s | 10% | 1000 B | 64 MiB | 32 MiB | 22 |\n")
	require.Contains(t, text, "load average at the ends of the rounds was 1.5 (1.5 to 3.0).")
	require.Equal(t, 2, strings.Count(text, "| loads, listed |"))
}
