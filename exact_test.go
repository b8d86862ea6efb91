package milvuswait_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

func TestIndexesBehindALoadAreAskedForTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &indexServer{}
		s.Loading = func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{Percent: 100}, nil
		}
		targets := []milvuswait.Target{milvuswait.Loading("docs"), milvuswait.IndexBuilding("docs", "a"), milvuswait.IndexBuilding("docs", "b")}

		_, err := milvuswait.WaitAll(t.Context(), s, targets)

		require.NoError(t, err)
		require.Equal(t, []string{"a", "b"}, s.asked[0])
	})
}

func TestPollsAreMadeOneByOneOnceAsManyHaveTimedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		g := &gauge{answer: func(ctx context.Context, _ string, _ int) (milvuswait.LoadingProgress, error) {
			<-ctx.Done()
			return milvuswait.LoadingProgress{}, ctx.Err()
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
		defer cancel()

		_, err := milvuswait.WaitAll(ctx, g, collections(9), milvuswait.WithMaxInFlight(2))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		var at []time.Duration
		for _, began := range g.at {
			at = append(at, time.Since(start)-time.Since(began))
		}
		require.Equal(t, []time.Duration{0, 0, 10 * time.Second, 20 * time.Second}, at)
	})
}

// Lists that have not got a collection leave it alone for a second, and twice as
// long each time.
func TestListsAskAgainForWhatTheyHadNotGot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(2, func(int, time.Duration) int64 { return 40 })
		l.list = func(_ int, _ time.Duration, all map[string]milvuswait.LoadingProgress) error {
			delete(all, "c0")
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), 70*time.Second)
		defer cancel()

		_, err := milvuswait.WaitAll(ctx, l, collections(2), milvuswait.WithBackoff(milvuswait.Backoff{Jitter: milvuswait.NoJitter}))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, l.lists, 7)
		for i, at := range l.lists[1:] {
			rest := time.Second << i
			require.GreaterOrEqual(t, at-l.lists[i], rest)
			require.Less(t, at-l.lists[i], rest+3*time.Second)
		}
	})
}

func TestADeadlineIsNoOutageOfTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{answer: func(ctx context.Context, _ string, _ int) (milvuswait.LoadingProgress, error) {
			<-ctx.Done()
			return milvuswait.LoadingProgress{}, ctx.Err()
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()

		outcomes, err := milvuswait.WaitAll(ctx, g, collections(3), milvuswait.WithMaxInFlight(1), milvuswait.WithUnreachableAfter(5*time.Second))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		for _, o := range outcomes {
			require.ErrorIs(t, o.Err, context.DeadlineExceeded)
			require.NotErrorIs(t, o.Err, milvuswait.ErrUnreachable)
		}
	})
}

func TestNoBudgetIsNeverUsedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{took: time.Second, answer: func(context.Context, string, int) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{}, errBlip
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()

		_, err := milvuswait.WaitAll(ctx, g, collections(3), milvuswait.WithMaxInFlight(1), milvuswait.WithUnreachableAfter(0))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.False(t, errors.Is(err, milvuswait.ErrUnreachable))
	})
}

// threeIndexes tells of one index and fails for two, at once or when its time is
// up.
type threeIndexes struct {
	indexServer
	slow bool
}

func (s *threeIndexes) ListIndexBuilding(ctx context.Context, _ string, _ []string) ([]milvuswait.IndexBuildingProgress, []error) {
	if s.slow {
		<-ctx.Done()
	}
	return []milvuswait.IndexBuildingProgress{rows(100, 40, inProgress), {}, {}}, []error{nil, errBlip, errors.New("rate limit")}
}

func TestEveryIndexOfAListHasItsOwnAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		slow bool
		want []string
	}{
		"in time":   {false, []string{"", "connection refused", "rate limit"}},
		"timed out": {true, []string{"", "poll timed out after 10s: connection refused", "poll timed out after 10s: connection refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				targets := make([]milvuswait.Target, 3)
				for i := range targets {
					targets[i] = milvuswait.IndexBuilding("docs", string(rune('a'+i)))
				}
				seen := &recorder{}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()

				_, err := milvuswait.WaitAll(ctx, &threeIndexes{slow: tt.slow}, targets, milvuswait.WithObserver(milvuswait.Observers(seen, milvuswait.ObserverFunc(func(milvuswait.Update) {
					if len(seen.updates) == len(targets) {
						cancel()
					}
				}))))

				require.ErrorIs(t, err, context.Canceled)
				for i, want := range tt.want {
					u := seen.updates[i]
					require.Equal(t, targets[i], u.Target)
					if want == "" {
						require.NoError(t, u.Err)
						require.Equal(t, rows(100, 40, inProgress), u.Progress)
						continue
					}
					require.EqualError(t, u.Err, want)
					require.Nil(t, u.Progress)
				}
			})
		})
	}
}
