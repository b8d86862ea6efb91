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

// TestWaitAllBoundsPollsNotWaits shows that WithMaxInFlight limits polls in flight only: all
// 100 targets have their first poll before any has its second.
func TestWaitAllBoundsPollsNotWaits(t *testing.T) {
	for _, bound := range []int{1, 5, 16} {
		t.Run(fmt.Sprint(bound), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				var lastFirst, firstSecond time.Duration

				g := &gauge{took: 10 * time.Millisecond}
				g.answer = func(_ context.Context, _ string, n int) (milvuswait.LoadingProgress, error) {
					g.mu.Lock()
					defer g.mu.Unlock()
					began := time.Since(start) - g.took
					switch {
					case n == 1:
						lastFirst = max(lastFirst, began)
					case n == 2 && firstSecond == 0:
						firstSecond = began
					case n == 4:
						return milvuswait.LoadingProgress{Percent: 100}, nil
					}
					return milvuswait.LoadingProgress{Percent: int64(n)}, nil
				}

				_, err := milvuswait.WaitAll(t.Context(), g, collections(100), milvuswait.WithMaxInFlight(bound))

				require.NoError(t, err)
				require.Equal(t, int32(bound), g.most.Load())
				require.LessOrEqual(t, lastFirst, firstSecond)
			})
		})
	}
}

func TestWaitAll_DroppedCollection_FailsInTheFirstRound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{answer: func(_ context.Context, collection string, _ int) (milvuswait.LoadingProgress, error) {
			if collection == "c9000" {
				return milvuswait.LoadingProgress{}, milvuswait.ErrCollectionNotFound
			}
			return milvuswait.LoadingProgress{Percent: 40}, nil
		}}

		_, err := milvuswait.WaitAll(t.Context(), g, collections(10_000))

		require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)
		require.LessOrEqual(t, len(g.at), 10_000)
	})
}

// TestWaitAllSpreadsPolls waits for 10 000 loads for a minute. After the first round, no
// window of 100 ms has polls of more than 5 % of them, and none starves.
func TestWaitAllSpreadsPolls(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector is too slow for 10 000 targets")
	}
	synctest.Test(t, func(t *testing.T) {
		const n = 10_000
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()
		g := &gauge{answer: func(context.Context, string, int) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{Percent: 40}, nil
		}}

		_, err := milvuswait.WaitAll(ctx, g, collections(n))

		require.ErrorIs(t, err, context.DeadlineExceeded)

		windows := map[time.Duration]int{}
		for _, at := range g.at {
			windows[at.Sub(start)/(100*time.Millisecond)]++
		}

		for w, polls := range windows {
			if w > 0 {
				require.LessOrEqual(t, polls, n*5/100, "in the window at %v", w*100*time.Millisecond)
			}
		}

		for collection, polls := range g.of {
			require.GreaterOrEqual(t, polls, 6, "starved: %s", collection)
		}
	})
}

// TestWaitAllBoundsBursts makes 1000 targets due at once, with 1000 polls allowed in flight.
// After the first round, a burst is 20 polls, and 5 more follow every 5 ms.
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

// instant is a Poller that reports 40 % for every target at once.
type instant struct{}

func (instant) LoadingProgress(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
	return milvuswait.LoadingProgress{Percent: 40}, nil
}

func (instant) IndexBuildingProgress(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
	return rows(100, 40, inProgress), nil
}

// instantLister is an instant with lists. It counts them and the single polls.
type instantLister struct {
	instant
	collections int

	mu    sync.Mutex
	lists int
	alone map[string]int // single polls by the target of a list and the time
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

// TestEachTargetKeepsItsOwnDelays gives 60 targets random delays of 1 to 20 s. A list removes
// its targets from the middle of the queue. The others must keep their order and be polled
// on time, within 20 ms.
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
				own := milvuswait.WithBackoffFunc(func() func() time.Duration {
					delays = append(delays, time.Duration(1+r.IntN(20))*time.Second)
					return backoff.NewConstantBackOff(delays[len(delays)-1]).NextBackOff
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
					if !u.Final && u.Elapsed <= 2*time.Minute { // without the last poll before the deadline
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

// TestWaitAll_LongDelays_AreNotShortenedByLists shows that targets with long delays are
// not added to the frequent lists of another target.
func TestWaitAll_LongDelays_AreNotShortenedByLists(t *testing.T) {
	t.Run("at the default pace", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newListing(3, func(i int, at time.Duration) int64 {
				if i == 0 && at > time.Second {
					return 99 // short delays
				}
				return 40
			})

			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(10*time.Minute, cancel)

			outcomes, err := milvuswait.WaitAll(ctx, l, collections(3),
				milvuswait.WithBackoff(milvuswait.Backoff{Lateness: 1, Max: time.Minute, Multiplier: 1.25, Jitter: milvuswait.NoJitter}))

			require.ErrorIs(t, err, context.Canceled)
			require.Greater(t, outcomes[0].Polls, 150)
			require.Less(t, outcomes[1].Polls, 50, "32 until a minute apart, and one a minute then")
		})
	})

	t.Run("at the caller's", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newListing(2, func(int, time.Duration) int64 { return 40 })
			delays := []time.Duration{time.Second, 1050 * time.Millisecond}
			own := milvuswait.WithBackoffFunc(func() func() time.Duration {
				delay := delays[0]
				delays = delays[1:]
				return backoff.NewConstantBackOff(delay).NextBackOff
			})

			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(10*time.Second, cancel)

			_, err := milvuswait.WaitAll(ctx, l, collections(2), own)

			require.ErrorIs(t, err, context.Canceled)
			require.Len(t, l.lists, 1, "only the first polls are due together")
		})
	})
}

// TestLongListsLengthenTheDelay shows that the delay after a list is at least as long as the
// list, as after a single poll.
func TestLongListsLengthenTheDelay(t *testing.T) {
	const took = 600 * time.Millisecond
	noJitter := milvuswait.WithBackoff(milvuswait.Backoff{Jitter: milvuswait.NoJitter})

	t.Run("of loads", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newListing(5, evenly(20*time.Second))
			l.list = func(int, time.Duration, map[string]milvuswait.LoadingProgress) error {
				time.Sleep(took)
				return nil
			}

			_, err := milvuswait.WaitAll(t.Context(), l, collections(5), noJitter)

			require.NoError(t, err)
			requireApart(t, 2*took, l.lists)
		})
	})

	t.Run("of indexes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := &slowIndexes{took: took, start: time.Now()}

			_, err := milvuswait.WaitAll(t.Context(), s, []milvuswait.Target{milvuswait.IndexBuilding("docs", "a"), milvuswait.IndexBuilding("docs", "b")}, noJitter)

			require.NoError(t, err)
			requireApart(t, 2*took, s.at)
		})
	})
}

// requireApart asserts that at has more than two times, each at least least after the one
// before.
func requireApart(t *testing.T, least time.Duration, at []time.Duration) {
	t.Helper()
	require.Greater(t, len(at), 2)
	for i := 1; i < len(at); i++ {
		require.GreaterOrEqual(t, at[i]-at[i-1], least)
	}
}

// slowIndexes is an indexServer whose lists take the given time.
type slowIndexes struct {
	indexServer
	took  time.Duration
	start time.Time
	at    []time.Duration
}

func (s *slowIndexes) ListIndexBuilding(ctx context.Context, collection string, indexes []string) ([]milvuswait.IndexBuildingProgress, []error) {
	s.at = append(s.at, time.Since(s.start))
	time.Sleep(s.took)
	return s.indexServer.ListIndexBuilding(ctx, collection, indexes)
}
