package milvuswait_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// faltering is a Lister whose lists hang as long as they may if hangs says so.
type faltering struct {
	*listing
	hangs func(n int) bool
	until []time.Duration // the time-outs that lists were given
}

func (f *faltering) ListLoading(ctx context.Context) (map[string]milvuswait.LoadingProgress, error) {
	deadline, _ := ctx.Deadline()
	f.until = append(f.until, time.Until(deadline))
	if f.hangs(len(f.until)) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return f.listing.ListLoading(ctx)
}

func TestAListIsGivenLongerAfterItFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const s = time.Second
		f := &faltering{listing: newListing(5, evenly(time.Minute)), hangs: func(n int) bool { return n != 4 && n < 7 }}

		_, err := milvuswait.WaitAll(t.Context(), f, collections(5))

		require.NoError(t, err)
		require.Equal(t, s, f.at[0].Sub(f.start), "single polls begin when the first list is given up")
		require.Greater(t, len(f.until), 8)
		require.Equal(t, []time.Duration{s, 2 * s, 4 * s, 8 * s, s, 2 * s, 4 * s, s}, f.until[:8])
	})
}

func TestAListIsGivenATenthOfTheTimeThatItSaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 20_000 // which take 20 s one by one
		f := &faltering{listing: newListing(n, evenly(time.Second)), hangs: func(n int) bool { return n == 1 }}

		_, err := milvuswait.WaitAll(t.Context(), f, collections(n))

		require.NoError(t, err)
		require.Equal(t, 2*time.Second, f.until[0])
	})
}

func TestAListIsGivenNoLongerThanAPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const s = time.Second
		f := &faltering{listing: newListing(5, evenly(time.Minute)), hangs: func(n int) bool { return n < 6 }}

		_, err := milvuswait.WaitAll(t.Context(), f, collections(5), milvuswait.WithPollTimeout(2*s, 3*s))

		require.NoError(t, err)
		require.Greater(t, len(f.until), 5)
		require.Equal(t, []time.Duration{s, 2 * s, 3 * s, 3 * s, 3 * s}, f.until[:5])
	})
}

// longList is a Lister whose lists take long, but no longer than they may.
type longList struct {
	*listing
	takes                 time.Duration
	begun, underWay, most int
}

func (l *longList) ListLoading(ctx context.Context) (map[string]milvuswait.LoadingProgress, error) {
	l.count(1)
	defer l.count(-1)
	select {
	case <-time.After(l.takes):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lists = append(l.lists, time.Since(l.start))
	return l.listed(), nil
}

func (l *longList) count(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.begun += max(0, n)
	l.underWay += n
	l.most = max(l.most, l.underWay)
}

// Two of the loads have been polled alone, slowly, when a list of the others is
// made, which hangs: they become due together while it does.
func TestOneListIsUnderWayAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &longList{listing: newListing(5, evenly(10*time.Second)), takes: time.Minute}
		answer := l.answer
		l.answer = func(ctx context.Context, collection string, n int) (milvuswait.LoadingProgress, error) {
			if n == 1 && collection >= "c3" {
				time.Sleep(1100 * time.Millisecond)
			}
			return answer(ctx, collection, n)
		}

		_, err := milvuswait.WaitAll(t.Context(), l, collections(5), milvuswait.WithBackoff(milvuswait.Backoff{Jitter: milvuswait.NoJitter}))

		require.NoError(t, err)
		require.Empty(t, l.lists, "none was answered")
		require.Greater(t, l.begun, 2)
		require.Equal(t, 1, l.most, "lists under way at a time")
	})
}

func TestAListOfManyIsGivenLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 20_000
		l := &longList{listing: newListing(n, evenly(20*time.Second)), takes: 1900 * time.Millisecond}

		_, err := milvuswait.WaitAll(t.Context(), l, collections(n))

		require.NoError(t, err)
		require.Empty(t, l.at, "the lists are worth their time")
		require.Greater(t, len(l.lists), 5)
		require.Equal(t, 1, l.most, "lists under way at a time")
	})
}

func TestListsThatFailAreTriedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(5, evenly(20*time.Minute))
		l.list = func(int, time.Duration, map[string]milvuswait.LoadingProgress) error { return errBlip }

		_, err := milvuswait.WaitAll(t.Context(), l, collections(5))

		require.NoError(t, err)
		require.Greater(t, len(l.lists), 15)
		for i := 8; i < len(l.lists); i++ { // at first more often
			require.InDelta(t, time.Minute, l.lists[i]-l.lists[i-1], float64(6*time.Second))
		}
	})
}

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

// requireApart checks that there are several times, in order and that far apart.
func requireApart(t *testing.T, least time.Duration, at []time.Duration) {
	t.Helper()
	require.Greater(t, len(at), 2)
	for i := 1; i < len(at); i++ {
		require.GreaterOrEqual(t, at[i]-at[i-1], least)
	}
}

// slowIndexes is an indexServer that takes its time.
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

func TestListsDoNotTellOfRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(5, evenly(20*time.Second))
		l.list = func(n int, _ time.Duration, _ map[string]milvuswait.LoadingProgress) error {
			if n == 1 {
				return errBlip // so that single polls come first, which do tell
			}
			return nil
		}

		outcomes, err := milvuswait.WaitAll(t.Context(), l, collections(5))

		require.NoError(t, err)
		require.Greater(t, len(l.lists), 2)
		for _, o := range outcomes {
			require.Equal(t, milvuswait.LoadingProgress{Percent: 100, RefreshPercent: 100}, o.Progress)
		}
	})
}

func TestListsDoNotHurryWhatIsDueLater(t *testing.T) {
	t.Run("at the default pace", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newListing(3, func(i int, at time.Duration) int64 {
				if i == 0 && at > time.Second {
					return 99 // which is polled often
				}
				return 40
			})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(10*time.Minute, cancel)

			outcomes, err := milvuswait.WaitAll(ctx, l, collections(3),
				milvuswait.WithBackoff(milvuswait.Backoff{Lateness: 1, Max: time.Minute, Jitter: milvuswait.NoJitter}))

			require.ErrorIs(t, err, context.Canceled)
			require.Greater(t, outcomes[0].Polls, 300)
			require.Less(t, outcomes[1].Polls, 50, "32 until a minute apart, and one a minute then")
		})
	})
	t.Run("at the caller's", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newListing(2, func(int, time.Duration) int64 { return 40 })
			delays := []time.Duration{time.Second, 1050 * time.Millisecond}
			own := milvuswait.WithBackoffFunc(func() milvuswait.BackOff {
				delay := delays[0]
				delays = delays[1:]
				return backoff.NewConstantBackOff(delay)
			})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(10*time.Second, cancel)

			_, err := milvuswait.WaitAll(ctx, l, collections(2), own)

			require.ErrorIs(t, err, context.Canceled)
			require.Len(t, l.lists, 1, "only the first polls are due together")
		})
	})
}

// listAndNoIndex is a Lister whose lists hang, and that has no index.
type listAndNoIndex struct{ hungList }

func (listAndNoIndex) IndexBuildingProgress(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
	time.Sleep(100 * time.Millisecond)
	return milvuswait.IndexBuildingProgress{}, milvuswait.ErrIndexNotFound
}

func TestAListUnderWayWhenASiblingFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(2, evenly(time.Minute))
		targets := append(collections(2), milvuswait.IndexBuilding("docs", "vidx"))

		outcomes, err := milvuswait.WaitAll(t.Context(), listAndNoIndex{hungList{l}}, targets)

		require.ErrorIs(t, err, milvuswait.ErrIndexNotFound)
		require.Equal(t, 100*time.Millisecond, time.Since(l.start))
		for _, o := range outcomes[:2] {
			var failure *milvuswait.Error
			require.ErrorAs(t, o.Err, &failure)
			require.ErrorIs(t, failure.Cause, milvuswait.ErrAborted)
			require.Equal(t, 1, failure.Polls)
			require.NoError(t, failure.LastErr, "that the list was broken off says nothing")
		}
	})
}
