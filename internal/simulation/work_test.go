package simulation_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/internal/simulation"
)

// playWork runs the work of a seed in a synctest bubble, and returns it with its log.
func playWork(t *testing.T, seed uint64) (*simulation.Work, *simulation.WorkLog) {
	t.Helper()
	w := simulation.DrawWork(seed)
	var log *simulation.WorkLog

	over := false
	defer func() {
		if !over {
			fmt.Fprintln(os.Stderr, againWork(seed))
		}
	}()
	synctest.Test(t, func(*testing.T) { log = w.Run() })
	over = true
	return w, log
}

func againWork(seed uint64) string {
	return fmt.Sprintf("again: go test ./internal/simulation -run TestWorkSeeds -seed %d", seed)
}

func TestWorkSeeds(t *testing.T) {
	play := func(t *testing.T, seed uint64) {
		w, log := playWork(t, seed)
		require.NoError(t, simulation.CheckWork(w, log), againWork(seed))
	}

	if *seed != "" {
		one, err := strconv.ParseUint(*seed, 10, 64)
		require.NoError(t, err, "-seed")
		play(t, one)
		return
	}
	for seed := range *seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { play(t, seed) })
	}
}
