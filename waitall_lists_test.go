package milvuswait_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// TestOneListServesAllLoads waits for 300 loads by lists only. Lists start at least 100 ms
// apart.
func TestOneListServesAllLoads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(300, evenly(30*time.Second))

		outcomes, err := milvuswait.WaitAll(t.Context(), l, collections(300))

		require.NoError(t, err)
		require.Empty(t, l.at, "no single polls")
		require.Less(t, len(l.lists), 300)
		require.LessOrEqual(t, time.Since(l.start), 30*time.Second+700*time.Millisecond)
		for i := 1; i < len(l.lists); i++ {
			require.GreaterOrEqual(t, l.lists[i]-l.lists[i-1], 100*time.Millisecond)
		}
		require.Equal(t, len(l.lists), outcomes[0].Polls)
	})
}

func TestASingleLoadIsNotListed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(1, evenly(5*time.Second))

		_, err := milvuswait.WaitAll(t.Context(), l, collections(1))

		require.NoError(t, err)
		require.Empty(t, l.lists)
	})
}

// TestListsAreForPlainLoadsOnly shows that loads of partitions and refreshes are polled
// individually: lists do not contain their progress.
func TestListsAreForPlainLoadsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(2, evenly(time.Second))
		targets := []milvuswait.Target{milvuswait.Loading("c0", "eu"), milvuswait.Loading("c1", "eu"), milvuswait.Loading("c0")}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()

		_, err := milvuswait.WaitAll(ctx, l, targets)
		require.NoError(t, err)

		_, err = milvuswait.WaitAll(ctx, l, collections(2), milvuswait.WithRefresh())
		require.NoError(t, err)
		require.Empty(t, l.lists)
	})
}

// TestWaitAll_List_CoversTargetsDueTogether shows that a list serves only targets due at
// about the same time. Other targets keep their delays.
func TestWaitAll_List_CoversTargetsDueTogether(t *testing.T) {
	t.Run("not what is due much later", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newListing(3, func(int, time.Duration) int64 { return 40 })
			delays := 0
			own := milvuswait.WithBackoffFunc(func() func() time.Duration {
				delays++ // the targets have 10, 10 and 60 s
				if delays == 3 {
					return backoff.NewConstantBackOff(time.Minute).NextBackOff
				}
				return backoff.NewConstantBackOff(10 * time.Second).NextBackOff
			})

			ctx, cancel := context.WithTimeout(t.Context(), 59*time.Second)
			defer cancel()

			outcomes, err := milvuswait.WaitAll(ctx, l, collections(3), own)

			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Empty(t, l.of)
			require.Equal(t, []int{7, 7, 2}, []int{outcomes[0].Polls, outcomes[1].Polls, outcomes[2].Polls})
		})
	})

	t.Run("nor by more polls than they save", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newListing(2, evenly(time.Hour))
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			defer cancel()
			slow := milvuswait.WithBackoff(milvuswait.Backoff{Initial: time.Minute, Max: time.Minute})

			outcomes, err := milvuswait.WaitAll(ctx, l, collections(2), slow)

			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.LessOrEqual(t, len(l.lists)+len(l.at), outcomes[0].Polls+outcomes[1].Polls)
			require.LessOrEqual(t, outcomes[0].Polls, 14)
		})
	})
}

// TestWaitAll_LastPollBeforeTheDeadline_IsAList completes the loads 60 ms before the
// deadline, for deadlines in every phase of the pace. The last list finds them complete.
func TestWaitAll_LastPollBeforeTheDeadline_IsAList(t *testing.T) {
	for late := 10 * time.Millisecond; late < 200*time.Millisecond; late += 7 * time.Millisecond {
		synctest.Test(t, func(t *testing.T) {
			deadline := 2*time.Second + late
			l := newListing(5, func(_ int, at time.Duration) int64 {
				if at >= deadline-60*time.Millisecond {
					return 100
				}
				return 40
			})
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()

			_, err := milvuswait.WaitAll(ctx, l, collections(5))

			require.NoError(t, err, "deadline %v", deadline)
		})
	}
}

func TestWaitAll_MissingInList_IsPolledAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(20, evenly(10*time.Second))

		outcomes, err := milvuswait.WaitAll(t.Context(), l, collections(21), milvuswait.WithContinueOnError())

		require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)
		require.ErrorIs(t, outcomes[20].Err, milvuswait.ErrCollectionNotFound)
		require.Equal(t, map[string]int{"c20": 1}, l.of)
		for _, o := range outcomes[:20] {
			require.NoError(t, o.Err)
		}
	})
}

// TestWaitAll_MissingInList_IsPolledAloneForAWhile shows that a collection missing in a
// list is polled individually for 1 s before the next list. This time doubles with each
// further list.
func TestWaitAll_MissingInList_IsPolledAloneForAWhile(t *testing.T) {
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

// TestWaitAll_InNoList_KeepsItsPace has 50 targets that no list contains, and two with
// short delays. Lists for the two add at most 10 % to the calls.
func TestWaitAll_InNoList_KeepsItsPace(t *testing.T) {
	polls := func(lists bool) (n int) {
		synctest.Test(t, func(t *testing.T) {
			l := newListing(52, func(i int, at time.Duration) int64 {
				if i < 2 {
					return 99 // short delays
				}
				return min(90, int64(at/time.Second))
			})

			l.list = func(_ int, _ time.Duration, all map[string]milvuswait.LoadingProgress) error {
				for name := range all {
					if name != "c0" && name != "c1" {
						delete(all, name) // as for aliases: no list contains them
					}
				}
				return nil
			}

			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
			defer cancel()
			var p milvuswait.Poller = l
			if !lists {
				p = &l.gauge
			}

			_, err := milvuswait.WaitAll(ctx, p, collections(52))

			require.ErrorIs(t, err, context.DeadlineExceeded)
			n = len(l.at) + len(l.lists)
		})
		return n
	}
	require.LessOrEqual(t, polls(true), polls(false)*11/10)
}

// TestWaitAll_List_KeepsRefreshPercent shows that RefreshPercent from a single poll is
// kept when a list follows: lists do not contain it.
func TestWaitAll_List_KeepsRefreshPercent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(5, evenly(20*time.Second))
		l.list = func(n int, _ time.Duration, _ map[string]milvuswait.LoadingProgress) error {
			if n == 1 {
				return errBlip // single polls come first; they contain RefreshPercent
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

// TestZeroPercentInLists covers loads at 0 % in lists. A real server lists queued loads, and
// milvus-lite released collections: CheckLoadState decides.
func TestZeroPercentInLists(t *testing.T) {
	zero := func(int, time.Duration) int64 { return 0 }
	t.Run("released on milvus-lite", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newListing(10, zero)
			l.state = milvuswait.ErrNotLoaded
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()

			_, err := milvuswait.WaitAll(ctx, l, collections(10))

			require.ErrorIs(t, err, milvuswait.ErrNotLoaded)
			require.Less(t, time.Since(l.start), 12*time.Second)
		})
	})

	t.Run("queued on a real server", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newListing(10, func(_ int, at time.Duration) int64 {
				if at < time.Minute {
					return 0
				}
				return 100
			})

			_, err := milvuswait.WaitAll(t.Context(), l, collections(10))

			require.NoError(t, err)
			require.Equal(t, 10, l.checks, "once each")
			require.Equal(t, 10, len(l.at))
		})
	})
}

func TestZeroPercentInListsIsCheckedTenSecondsAfterTheLastChange(t *testing.T) {
	for _, released := range []time.Duration{0, 30 * time.Second} {
		t.Run(fmt.Sprintf("released after %v", released), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newListing(3, func(_ int, at time.Duration) int64 {
					if at < released {
						return 40
					}
					return 0
				})
				l.took, l.state = 0, milvuswait.ErrNotLoaded
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()

				_, err := milvuswait.WaitAll(ctx, l, collections(3), every(980*time.Millisecond)) // one list per second: it takes 20 ms

				require.Error(t, err)
				require.Equal(t, released+10*time.Second+120*time.Millisecond, time.Since(l.start), "the second check confirms the first")
			})
		})
	}
}

// unchecked is a Lister without CheckLoadState, so that 0 % stays ambiguous.
type unchecked struct{ l *listing }

func (u unchecked) LoadingProgress(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error) {
	return u.l.LoadingProgress(ctx, collection, partitions...)
}

func (u unchecked) IndexBuildingProgress(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error) {
	return u.l.IndexBuildingProgress(ctx, collection, index)
}

func (u unchecked) ListLoading(ctx context.Context) (map[string]milvuswait.LoadingProgress, error) {
	return u.l.ListLoading(ctx)
}

func TestWaitAll_ZeroPercentWithoutCheck_KeepsListing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(10, func(int, time.Duration) int64 { return 0 })
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()

		_, err := milvuswait.WaitAll(ctx, unchecked{l}, collections(10))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.LessOrEqual(t, len(l.at), 20)
	})
}

// traced is a wrapper with the methods of Poller and Unwrap only.
type traced struct{ milvuswait.Poller }

func (t traced) Unwrap() milvuswait.Poller { return t.Poller }

func TestWaitAll_ListerIsWrapped_IsFoundByUnwrap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(20, evenly(time.Minute))

		_, err := milvuswait.WaitAll(t.Context(), traced{traced{l}}, collections(20))

		require.NoError(t, err)
		require.NotEmpty(t, l.lists)
		require.Empty(t, l.of, "no single polls")
	})
}

func TestWaitAll_UnwrapReturnsNil_PollsOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(3, evenly(time.Second))
		p := onlyPoller{milvuswait.PollerFuncs{Loading: l.LoadingProgress}}

		_, err := milvuswait.WaitAll(t.Context(), p, collections(3))

		require.NoError(t, err)
		require.Empty(t, l.lists)
		require.Len(t, l.of, 3)
	})
}

// onlyPoller is a wrapper whose Unwrap returns nil.
type onlyPoller struct{ milvuswait.PollerFuncs }

func (onlyPoller) Unwrap() milvuswait.Poller { return nil }
