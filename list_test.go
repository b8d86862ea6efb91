package milvuswait_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

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

func TestListsServeWhatIsDueTogether(t *testing.T) {
	t.Run("not what is due much later", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := newListing(3, func(int, time.Duration) int64 { return 40 })
			delays := 0
			own := milvuswait.WithBackoffFunc(func() milvuswait.BackOff {
				delays++ // 10, 10 and 60 s
				if delays == 3 {
					return backoff.NewConstantBackOff(time.Minute)
				}
				return backoff.NewConstantBackOff(10 * time.Second)
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

func TestWhatAListHasNotGotIsPolledAlone(t *testing.T) {
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

func TestListsThatAreOfNoUseAreLeftOff(t *testing.T) {
	tests := []struct {
		name string
		list func(n int, at time.Duration, all map[string]milvuswait.LoadingProgress) error
	}{
		{"errors", func(int, time.Duration, map[string]milvuswait.LoadingProgress) error {
			return errors.New("not allowed")
		}},
		{"names without percentages", func(_ int, _ time.Duration, all map[string]milvuswait.LoadingProgress) error {
			clear(all)
			return nil
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newListing(20, evenly(time.Minute))
				l.list = tt.list

				_, err := milvuswait.WaitAll(t.Context(), l, collections(20))

				require.NoError(t, err)
				require.LessOrEqual(t, len(l.lists), 7, "at 0, 1, 3, 7, 15, 31 s")
				require.Equal(t, 20, len(l.of))
			})
		})
	}
}

func TestWaitAll_ListIsUnsupported_ListsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(20, evenly(time.Minute))
		l.list = func(int, time.Duration, map[string]milvuswait.LoadingProgress) error {
			return fmt.Errorf("ShowCollections: %w", errors.ErrUnsupported)
		}

		_, err := milvuswait.WaitAll(t.Context(), l, collections(20))

		require.NoError(t, err)
		require.Len(t, l.lists, 1)
		require.Len(t, l.of, 20)
	})
}

func TestListsComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(20, evenly(time.Minute))
		l.list = func(_ int, at time.Duration, _ map[string]milvuswait.LoadingProgress) error {
			if at < 5*time.Second {
				return errBlip
			}
			return nil
		}

		_, err := milvuswait.WaitAll(t.Context(), l, collections(20))

		require.NoError(t, err)
		require.Greater(t, len(l.lists), 30)
	})
}

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

func TestIndexesOfACollectionShareTheirPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &indexServer{}
		s.IndexBuilding = func(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
			return rows(10, 10, finished), nil // when only one is left
		}
		targets := []milvuswait.Target{
			milvuswait.IndexBuilding("docs", "quick"), milvuswait.IndexBuilding("docs", "slow"),
			milvuswait.IndexBuilding("docs", "nope"), milvuswait.IndexBuilding("other", "vidx"),
		}

		outcomes, err := milvuswait.WaitAll(t.Context(), s, targets, milvuswait.WithContinueOnError())

		require.ErrorIs(t, err, milvuswait.ErrIndexNotFound)
		require.ErrorIs(t, outcomes[2].Err, milvuswait.ErrIndexNotFound)
		require.NoError(t, outcomes[0].Err)
		require.NoError(t, outcomes[1].Err)
		require.NoError(t, outcomes[3].Err)
		require.Len(t, s.asked, 3)
		require.ElementsMatch(t, []string{"quick", "slow", "nope"}, s.asked[0])
		require.ElementsMatch(t, []string{"quick", "slow"}, s.asked[2])
	})
}

// withoutIndexLists is an IndexLister of a server that has no such lists.
type withoutIndexLists struct {
	milvuswait.PollerFuncs
	lists int
}

func (w *withoutIndexLists) ListIndexBuilding(_ context.Context, _ string, indexes []string) ([]milvuswait.IndexBuildingProgress, []error) {
	w.lists++
	errs := make([]error, len(indexes))
	for i := range errs {
		errs[i] = fmt.Errorf("DescribeIndex: %w", errors.ErrUnsupported)
	}
	return make([]milvuswait.IndexBuildingProgress, len(indexes)), errs
}

func TestWaitAll_IndexListIsUnsupported_ListsOnceAndPollsEachIndex(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, polls := time.Now(), map[string]int{}
		w := new(withoutIndexLists)
		w.IndexBuilding = func(_ context.Context, _ string, index string) (milvuswait.IndexBuildingProgress, error) {
			polls[index]++
			return rows(10, min(10, int64(time.Since(start)/time.Second)), finished), nil
		}
		var targets []milvuswait.Target
		for _, index := range []string{"a", "b", "c"} {
			targets = append(targets, milvuswait.IndexBuilding("docs", index).ExpectRows(10))
		}

		outcomes, err := milvuswait.WaitAll(t.Context(), w, targets)

		require.NoError(t, err)
		require.Equal(t, 1, w.lists)
		require.Len(t, polls, 3)
		for _, o := range outcomes {
			require.Equal(t, polls[o.Target.Index()]+1, o.Polls, "the list counts")
			require.Greater(t, o.Polls, 5)
		}
	})
}

func TestIndexListerThatMiscounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &indexServer{lens: 1}
		s.IndexBuilding = func(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
			return rows(10, 5, inProgress), nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()

		seen := &recorder{}

		_, err := milvuswait.WaitAll(ctx, s, []milvuswait.Target{milvuswait.IndexBuilding("docs", "a"), milvuswait.IndexBuilding("docs", "b")},
			milvuswait.WithObserver(seen))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, seen.updates[0].Err, "ListIndexBuilding returned 1 answers and 2 errors for 2 indexes")
	})
}

func TestListsLeaveTheLastPoll(t *testing.T) {
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

func TestWhatNoListHasGoesByItsOwnPace(t *testing.T) {
	polls := func(lists bool) (n int) {
		synctest.Test(t, func(t *testing.T) {
			l := newListing(52, func(i int, at time.Duration) int64 {
				if i < 2 {
					return 99 // which is polled often
				}
				return min(90, int64(at/time.Second))
			})
			l.list = func(_ int, _ time.Duration, all map[string]milvuswait.LoadingProgress) error {
				for name := range all {
					if name != "c0" && name != "c1" {
						delete(all, name) // as if the others were aliases
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

// unchecked is a Lister that cannot tell what 0 % means.
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

func TestZeroPercentInListsOfWhatCannotBeChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(10, func(int, time.Duration) int64 { return 0 })
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()

		_, err := milvuswait.WaitAll(ctx, unchecked{l}, collections(10))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.LessOrEqual(t, len(l.at), 20)
	})
}

// hungList is a Lister whose lists hang.
type hungList struct{ *listing }

func (h hungList) ListLoading(ctx context.Context) (map[string]milvuswait.LoadingProgress, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestListsThatHangHoldNothingUp(t *testing.T) {
	for _, done := range []time.Duration{500 * time.Millisecond, 12 * time.Second, time.Minute} {
		t.Run(done.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newListing(5, evenly(done))

				_, err := milvuswait.WaitAll(t.Context(), hungList{l}, collections(5))

				require.NoError(t, err)
				require.LessOrEqual(t, time.Since(l.start)-done, done/5+1500*time.Millisecond)
			})
		})
	}
}

func TestAFailedListIsAPollOfWhatItWasFor(t *testing.T) {
	unavailable := errors.New("ShowCollections: connection refused")
	for _, tt := range []struct {
		name string
		err  error
		last error
	}{
		{"for a while", unavailable, unavailable},
		{"for good, which single polls need not", milvuswait.Permanent(errors.New("ShowCollections: permission denied")), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newListing(2, evenly(time.Minute))
				l.list = func(int, time.Duration, map[string]milvuswait.LoadingProgress) error { return tt.err }
				l.answer = func(ctx context.Context, _ string, _ int) (milvuswait.LoadingProgress, error) {
					<-ctx.Done()
					return milvuswait.LoadingProgress{}, ctx.Err()
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()

				outcomes, err := milvuswait.WaitAll(ctx, l, collections(2))

				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, 2, outcomes[0].Polls)
				var failure *milvuswait.Error
				require.ErrorAs(t, outcomes[0].Err, &failure)
				require.Equal(t, tt.last == nil, failure.LastErr == nil)
				if tt.last != nil {
					require.EqualError(t, failure.LastErr, tt.last.Error())
				}
			})
		})
	}
}
