package milvuswait_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// instant is a server that answers 40 % to everything, in no time.
type instant struct{}

func (instant) LoadingProgress(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
	return milvuswait.LoadingProgress{Percent: 40}, nil
}

func (instant) IndexBuildingProgress(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
	return rows(100, 40, inProgress), nil
}

// instantLister is an instant that can be asked for all at once.
type instantLister struct {
	instant
	collections int

	mu    sync.Mutex
	lists int
	alone map[string]int // single polls, by when and of what lists could have served
}

func (p *instantLister) LoadingProgress(ctx context.Context, collection string, _ ...string) (milvuswait.LoadingProgress, error) {
	p.note("")
	return p.instant.LoadingProgress(ctx, collection)
}

func (p *instantLister) IndexBuildingProgress(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error) {
	p.note(collection)
	return p.instant.IndexBuildingProgress(ctx, collection, index)
}

func (p *instantLister) note(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.alone == nil {
		p.alone = map[string]int{}
	}
	p.alone[fmt.Sprint(what, time.Now())]++
}

func (p *instantLister) ListLoading(context.Context) (map[string]milvuswait.LoadingProgress, error) {
	p.lists++
	all := map[string]milvuswait.LoadingProgress{}
	for i := range p.collections {
		all[fmt.Sprintf("c%d", i)] = milvuswait.LoadingProgress{Percent: 40}
	}
	return all, nil
}

func (p *instantLister) ListIndexBuilding(_ context.Context, _ string, indexes []string) ([]milvuswait.IndexBuildingProgress, []error) {
	p.mu.Lock()
	p.lists++
	p.mu.Unlock()
	progresses := make([]milvuswait.IndexBuildingProgress, len(indexes))
	for i := range progresses {
		progresses[i] = rows(100, 40, inProgress)
	}
	return progresses, make([]error, len(indexes))
}

// Polls that serve several targets take them from the middle of what is due, and
// must leave the order of the rest as it was.
func TestEachTargetKeepsItsOwnDelays(t *testing.T) {
	const n = 60
	indexes := make([]milvuswait.Target, n)
	for i := range indexes {
		indexes[i] = milvuswait.IndexBuilding(fmt.Sprintf("c%d", i%10), fmt.Sprintf("i%d", i))
	}
	tests := []struct {
		name    string
		poller  milvuswait.Poller
		targets []milvuswait.Target
	}{
		{"loads, polled alone", instant{}, collections(n)},
		{"loads, listed", &instantLister{collections: n}, collections(n)},
		{"indexes, polled alone", instant{}, indexes},
		{"indexes, listed", &instantLister{}, indexes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := rand.New(rand.NewPCG(1, 1))
				var delays []time.Duration
				own := milvuswait.WithBackoffFunc(func() milvuswait.BackOff {
					delays = append(delays, time.Duration(1+r.IntN(20))*time.Second)
					return backoff.NewConstantBackOff(delays[len(delays)-1])
				})
				seen := &recorder{}
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute+time.Second/2)
				defer cancel()

				outcomes, err := milvuswait.WaitAll(ctx, tt.poller, tt.targets, own, milvuswait.WithMaxInFlight(n), milvuswait.WithObserver(seen))

				require.ErrorIs(t, err, context.DeadlineExceeded)
				of := map[milvuswait.Target]time.Duration{}
				for i, target := range tt.targets {
					of[target] = delays[i]
					require.GreaterOrEqual(t, outcomes[i].Polls, 1+int(2*time.Minute/delays[i]))
				}
				for _, u := range seen.updates {
					if !u.Final && u.Elapsed <= 2*time.Minute { // not the last poll before the deadline
						due := time.Duration(u.Polls-1) * of[u.Target]
						require.InDelta(t, due, u.Elapsed, float64(20*time.Millisecond), "poll %d of %v", u.Polls, u.Target)
					}
				}
				if l, ok := tt.poller.(*instantLister); ok {
					require.Greater(t, l.lists, 60)
					for when, polls := range l.alone {
						require.Equal(t, 1, polls, "what was due together was not listed: %s", when)
					}
				}
			})
		})
	}
}

func TestWaitAllBoundsBursts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, delay = 1000, 10 * time.Second
		start := time.Now()
		g := &gauge{answer: func(context.Context, string, int) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{Percent: 40}, nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()

		_, err := milvuswait.WaitAll(ctx, g, collections(n), constant(delay), milvuswait.WithMaxInFlight(n))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		of := map[time.Duration]int{}
		for _, at := range g.at {
			of[at.Sub(start)]++
		}
		require.Equal(t, n, of[0], "the first round is bounded by what may be in flight alone")
		require.Equal(t, 20, of[delay])
		require.Equal(t, 5, of[delay+5*time.Millisecond])
	})
}
