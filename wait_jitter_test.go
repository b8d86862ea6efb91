package milvuswait_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// TestWaitsThatBeginTogetherDriftApart begins 10 000 waits at one instant, as all pods of a
// deployment do, and counts their polls in every 10 ms. Independent jitter of 20 % for every
// delay had peaks of 1112 to 1139 polls from 5 s on; this pace has 1071 to 1092.
func TestWaitsThatBeginTogetherDriftApart(t *testing.T) {
	if raceEnabled {
		t.Skip("10 000 goroutines are too many for the race detector")
	}
	const waits, window, end = 10_000, 10 * time.Millisecond, 10 * time.Second

	polls := make([]int, end/window)
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), end+2*time.Second)
		defer cancel()

		var mu sync.Mutex
		random, start := rand.New(rand.NewPCG(1, 2)), time.Now()
		p := milvuswait.PollerFuncs{Loading: func(ctx context.Context, _ string, _ ...string) (milvuswait.LoadingProgress, error) {
			mu.Lock()
			if i := int(time.Since(start) / window); i < len(polls) {
				polls[i]++
			}
			trip := 3e-3 * math.Exp(0.4*random.NormFloat64())
			mu.Unlock()

			time.Sleep(time.Duration(trip * float64(time.Second)))
			return milvuswait.LoadingProgress{Percent: 40}, ctx.Err()
		}}

		var group sync.WaitGroup
		for range waits {
			group.Go(func() { milvuswait.WaitForLoadingComplete(ctx, p, "docs") })
		}
		group.Wait()
	})

	peak := slices.Max(polls[5*time.Second/window:])
	t.Logf("at most %d polls in 10 ms", peak)
	require.LessOrEqual(t, peak, 1200)
}
