package milvuswait_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// TestIndexesOfACollectionShareTheirPolls shows that one list serves all indexes of a
// collection. "nope" fails in the first one and is not listed again.
func TestIndexesOfACollectionShareTheirPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &indexServer{}
		s.IndexBuilding = func(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
			return rows(10, 10, finished), nil // the last index is polled individually
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

func TestWaitAll_IndexesBehindALoad_ShareTheirRequest(t *testing.T) {
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

// threeIndexes is an IndexLister. Its lists have progress for one index and an error for each
// of two. If slow, they return at their timeout.
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

// TestEveryIndexOfAListHasItsOwnAnswer shows the updates from one list: progress for one
// index, and the error of each of the others.
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

// TestIndexListerThatMiscounts returns one result too few. The wait reports the mistake of
// the Poller as the failure of a poll.
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

// withoutIndexLists is an IndexLister for a server without lists of indexes.
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
		start := time.Now()
		var mu sync.Mutex
		polls := map[string]int{}
		w := new(withoutIndexLists)
		w.IndexBuilding = func(_ context.Context, _ string, index string) (milvuswait.IndexBuildingProgress, error) {
			mu.Lock()
			defer mu.Unlock()
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
			require.Equal(t, polls[o.Target.Index()], o.Polls, "an unsupported list is no poll")
			require.Greater(t, o.Polls, 5)
		}
	})
}

// TestWaitAll_IndexListHangs_LeavesOtherTargets has a server that returns loads, and hangs for
// the list of 30 indexes. The list is one call: it does not count as 30 timeouts, after which
// polls would be made one by one.
func TestWaitAll_IndexListHangs_LeavesOtherTargets(t *testing.T) {
	for end := 15 * time.Second; end <= 90*time.Second; end += 5 * time.Second {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			p := milvuswait.PollerFuncs{
				Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
					return milvuswait.LoadingProgress{Percent: min(100, int64(100*time.Since(start)/end))}, nil
				},
				IndexBuilding: func(ctx context.Context, _, _ string) (milvuswait.IndexBuildingProgress, error) {
					<-ctx.Done()
					return milvuswait.IndexBuildingProgress{}, ctx.Err()
				},
				IndexBuildingList: func(ctx context.Context, _ string, indexes []string) ([]milvuswait.IndexBuildingProgress, []error) {
					<-ctx.Done()
					return make([]milvuswait.IndexBuildingProgress, len(indexes)), slices.Repeat([]error{ctx.Err()}, len(indexes))
				},
			}
			var targets []milvuswait.Target
			for i := range 5 {
				targets = append(targets, milvuswait.Loading("good", fmt.Sprintf("p%d", i)))
			}
			for i := range 30 {
				targets = append(targets, milvuswait.IndexBuilding("bad", fmt.Sprintf("i%d", i)))
			}

			outcomes, _ := milvuswait.WaitAll(t.Context(), p, targets, milvuswait.WithContinueOnError(), milvuswait.WithUnreachableAfter(2*time.Minute))

			for _, o := range outcomes[:5] {
				require.NoError(t, o.Err)
				require.Less(t, o.Elapsed-end, 3*time.Second, "%v after %v", o.Target, end)
			}
			require.ErrorIs(t, outcomes[5].Err, milvuswait.ErrUnreachable)
		})
	}
}

// TestWaitAll_IndexListTimesOut_KeepsErrorsApart has a list that times out for one index, and
// returns a permanent error of another. The first index goes on.
func TestWaitAll_IndexListTimesOut_KeepsErrorsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		polls := 0
		p := milvuswait.PollerFuncs{
			IndexBuilding: func(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
				return rows(10, 10, milvuswait.IndexStateFinished), nil
			},
			IndexBuildingList: func(ctx context.Context, _ string, indexes []string) ([]milvuswait.IndexBuildingProgress, []error) {
				polls++
				<-ctx.Done()
				return make([]milvuswait.IndexBuildingProgress, 2), []error{milvuswait.ErrIndexNotFound, ctx.Err()}
			},
		}

		outcomes, _ := milvuswait.WaitAll(t.Context(), p,
			[]milvuswait.Target{milvuswait.IndexBuilding("docs", "a"), milvuswait.IndexBuilding("docs", "b")}, milvuswait.WithContinueOnError())

		require.EqualError(t, outcomes[0].Err, `milvuswait: index "a" of "docs": index not found (1 poll in 10s)`)
		require.NoError(t, outcomes[1].Err)
		require.Equal(t, 1, polls)
	})
}

// TestWaitAll_FlushOfOneIndexHangs_LeavesOtherIndexes has two indexes of a collection, and a
// server that does not answer for the flush of the first: its request uses up the timeout of
// the list. The next poll of the other index has a timeout of its own.
func TestWaitAll_FlushOfOneIndexHangs_LeavesOtherIndexes(t *testing.T) {
	for _, end := range []time.Duration{0, 5 * time.Second, 12 * time.Second} {
		t.Run(end.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				progress := func() milvuswait.IndexBuildingProgress {
					if time.Since(start) < end {
						return rows(10, 5, milvuswait.IndexStateInProgress)
					}
					return rows(10, 10, milvuswait.IndexStateFinished)
				}
				p := milvuswait.PollerFuncs{
					IndexBuilding: func(ctx context.Context, _, _ string) (milvuswait.IndexBuildingProgress, error) {
						return progress(), ctx.Err()
					},
					IndexBuildingList: func(ctx context.Context, _ string, indexes []string) ([]milvuswait.IndexBuildingProgress, []error) {
						return slices.Repeat([]milvuswait.IndexBuildingProgress{progress()}, len(indexes)), slices.Repeat([]error{ctx.Err()}, len(indexes))
					},
					Segments: func(ctx context.Context, _ string) ([]int64, error) { return nil, ctx.Err() },
					Flush: func(ctx context.Context, _ string, _ milvuswait.FlushMark) (bool, error) {
						<-ctx.Done()
						return false, ctx.Err()
					},
				}
				mark := milvuswait.FlushMark{Timestamp: 1, Segments: []int64{1}}
				targets := []milvuswait.Target{milvuswait.IndexBuilding("docs", "a").AfterFlush(mark), milvuswait.IndexBuilding("docs", "b")}

				outcomes, _ := milvuswait.WaitAll(t.Context(), p, targets, milvuswait.WithContinueOnError(), milvuswait.WithUnreachableAfter(5*time.Minute))

				require.ErrorIs(t, outcomes[0].Err, milvuswait.ErrUnreachable)
				require.NoError(t, outcomes[1].Err)
				require.Less(t, outcomes[1].Elapsed-end, 11*time.Second, "one poll that timed out")
			})
		})
	}
}
