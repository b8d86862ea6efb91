package milvuswait_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// flickering is a Poller of loads and indexes that can list both. It reports targets as
// absent at some times, and records the individual polls of each.
type flickering struct {
	absent func(name string, at time.Duration) bool

	start time.Time
	mu    sync.Mutex
	polls map[string][]time.Duration
}

func newFlickering(absent func(name string, at time.Duration) bool) *flickering {
	return &flickering{absent: absent, start: time.Now(), polls: map[string][]time.Duration{}}
}

func (f *flickering) poll(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := time.Since(f.start)
	f.polls[name] = append(f.polls[name], at)
	return f.absent(name, at)
}

func (f *flickering) percent() int64 {
	return min(100, int64(time.Since(f.start)/(600*time.Millisecond)))
}

func (f *flickering) LoadingProgress(_ context.Context, collection string, _ ...string) (milvuswait.LoadingProgress, error) {
	if f.poll(collection) {
		return milvuswait.LoadingProgress{}, milvuswait.ErrCollectionNotFound
	}
	return milvuswait.LoadingProgress{Percent: f.percent()}, nil
}

func (f *flickering) IndexBuildingProgress(_ context.Context, _, index string) (milvuswait.IndexBuildingProgress, error) {
	if f.poll(index) {
		return milvuswait.IndexBuildingProgress{}, milvuswait.ErrIndexNotFound
	}
	return f.built(), nil
}

func (f *flickering) built() milvuswait.IndexBuildingProgress {
	if n := f.percent(); n < 100 {
		return rows(100, n, inProgress)
	}
	return rows(100, 100, finished)
}

func (f *flickering) ListLoading(context.Context) (map[string]milvuswait.LoadingProgress, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := map[string]milvuswait.LoadingProgress{}
	for _, t := range collections(3) {
		if !f.absent(t.Collection(), time.Since(f.start)) {
			list[t.Collection()] = milvuswait.LoadingProgress{Percent: f.percent()}
		}
	}
	return list, nil
}

func (f *flickering) ListIndexBuilding(_ context.Context, _ string, indexes []string) (all []milvuswait.IndexBuildingProgress, errs []error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, index := range indexes {
		if f.absent(index, time.Since(f.start)) {
			all, errs = append(all, milvuswait.IndexBuildingProgress{}), append(errs, milvuswait.ErrIndexNotFound)
			continue
		}
		all, errs = append(all, f.built()), append(errs, nil)
	}
	return all, errs
}

// TestWaitAll_AbsentForAMoment_AbortsNoTarget has one target missing from lists for 60 ms. The
// confirming poll is an individual one, and finds the target again: no target fails.
func TestWaitAll_AbsentForAMoment_AbortsNoTarget(t *testing.T) {
	for name, targets := range map[string][]milvuswait.Target{
		"loads":   collections(3),
		"indexes": {milvuswait.IndexBuilding("docs", "c0"), milvuswait.IndexBuilding("docs", "c1"), milvuswait.IndexBuilding("docs", "c2")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var since time.Duration
				f := newFlickering(func(name string, at time.Duration) bool {
					if name != "c1" || at < 20*time.Second {
						return false
					}
					if since == 0 {
						since = at
					}
					return at < since+60*time.Millisecond
				})

				outcomes, err := milvuswait.WaitAll(t.Context(), f, targets)

				require.NoError(t, err)
				require.NotZero(t, since)
				require.NotEmpty(t, f.polls["c1"], "polled individually")
				require.Less(t, f.polls["c1"][len(f.polls["c1"])-1], 22*time.Second, "lists cover it again")
				for _, o := range outcomes {
					require.InDelta(t, time.Minute, o.Elapsed, float64(2*time.Second))
				}
			})
		})
	}
}

// TestWaitAll_Dropped_IsConfirmedByIndividualPolls drops one target at 20 s. The second answer
// of an individual poll, 100 ms after the first, ends the wait of all.
func TestWaitAll_Dropped_IsConfirmedByIndividualPolls(t *testing.T) {
	for name, targets := range map[string][]milvuswait.Target{
		"loads":   collections(3),
		"indexes": {milvuswait.IndexBuilding("docs", "c0"), milvuswait.IndexBuilding("docs", "c1"), milvuswait.IndexBuilding("docs", "c2")},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFlickering(func(name string, at time.Duration) bool { return name == "c1" && at >= 20*time.Second })

				outcomes, err := milvuswait.WaitAll(t.Context(), f, targets)

				require.Error(t, err)
				require.ErrorIs(t, outcomes[0].Err, milvuswait.ErrAborted)
				require.ErrorIs(t, outcomes[2].Err, milvuswait.ErrAborted)
				require.Contains(t, []string{"collection_not_found", "index_not_found"}, milvuswait.Reason(outcomes[1].Err))
				require.Less(t, outcomes[1].Elapsed, 21*time.Second)
				last := f.polls["c1"][len(f.polls["c1"])-1]
				require.Equal(t, outcomes[1].Elapsed, last, "an individual poll ends the wait")
			})
		})
	}
}

// namedError is the error of a call with a name, as package rpc returns it.
type namedError struct{ method string }

func (e namedError) Error() string  { return e.method + ": unavailable" }
func (e namedError) Method() string { return e.method }

// TestWaitAll_OneCallDoesNotAnswer_IsNamed has a server that answers loads and no index. The
// error of the index names the call; the error of a server without any answer does not.
func TestWaitAll_OneCallDoesNotAnswer_IsNamed(t *testing.T) {
	for _, loads := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			p := milvuswait.PollerFuncs{
				Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
					if loads {
						return milvuswait.LoadingProgress{Percent: 40}, nil
					}
					return milvuswait.LoadingProgress{}, namedError{"GetLoadingProgress"}
				},
				IndexBuilding: func(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
					return milvuswait.IndexBuildingProgress{}, namedError{"DescribeIndex"}
				},
			}
			targets := []milvuswait.Target{milvuswait.IndexBuilding("docs", "vidx"), milvuswait.Loading("docs")}

			outcomes, err := milvuswait.WaitAll(t.Context(), p, targets, milvuswait.WithUnreachableAfter(12*time.Second))

			require.ErrorIs(t, err, milvuswait.ErrUnreachable)
			require.Equal(t, 12*time.Second, outcomes[0].Elapsed)
			const named = "; DescribeIndex does not answer, other calls do ("
			if loads {
				require.ErrorContains(t, outcomes[0].Err, "server unreachable: no poll has succeeded for 12s"+named)
				require.ErrorIs(t, outcomes[1].Err, milvuswait.ErrAborted)
			} else {
				require.NotContains(t, outcomes[0].Err.Error(), named)
				require.ErrorIs(t, outcomes[1].Err, milvuswait.ErrUnreachable)
			}
		})
	}
}

// TestWaitAll_BusyServer_IsNotUnreachable has six loads, one poll at a time, and polls of 4 s.
// Only the first poll of c1 fails. The 20 s until its next turn are not the server's: its
// budget of 12 s must not count them.
func TestWaitAll_BusyServer_IsNotUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		polls := map[string]int{}
		p := milvuswait.PollerFuncs{Loading: func(ctx context.Context, collection string, _ ...string) (milvuswait.LoadingProgress, error) {
			polls[collection]++
			select {
			case <-time.After(4 * time.Second):
			case <-ctx.Done():
				return milvuswait.LoadingProgress{}, ctx.Err()
			}
			if collection == "c1" && polls[collection] == 1 {
				return milvuswait.LoadingProgress{}, errBlip
			}
			return milvuswait.LoadingProgress{Percent: int64(50 * polls[collection])}, nil
		}}

		_, err := milvuswait.WaitAll(t.Context(), p, collections(6),
			milvuswait.WithMaxInFlight(1), milvuswait.WithContinueOnError(), milvuswait.WithUnreachableAfter(12*time.Second))

		require.NoError(t, err)
	})
}

// TestWaitAll_AbsentThenTransient_IsConfirmedAlone has an index that is absent in every list
// from the second on, between transient failures, and present in polls of its own.
func TestWaitAll_AbsentThenTransient_IsConfirmedAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		polls, lists := 0, 0
		progress := func() milvuswait.IndexBuildingProgress {
			if time.Since(start) < 5*time.Second {
				return rows(10, 5, milvuswait.IndexStateInProgress)
			}
			return rows(10, 10, milvuswait.IndexStateFinished)
		}
		p := milvuswait.PollerFuncs{
			IndexBuilding: func(_ context.Context, _, index string) (milvuswait.IndexBuildingProgress, error) {
				if index == "a" {
					polls++
				}
				if index == "a" && polls%2 == 1 {
					return milvuswait.IndexBuildingProgress{}, errBlip
				}
				return progress(), nil
			},
			IndexBuildingList: func(_ context.Context, _ string, indexes []string) ([]milvuswait.IndexBuildingProgress, []error) {
				all, errs := make([]milvuswait.IndexBuildingProgress, len(indexes)), make([]error, len(indexes))
				lists++
				for i, index := range indexes {
					if all[i] = progress(); index == "a" && lists > 1 {
						errs[i] = milvuswait.ErrIndexNotFound
					}
				}
				return all, errs
			},
		}

		outcomes, err := milvuswait.WaitAll(t.Context(), p,
			[]milvuswait.Target{milvuswait.IndexBuilding("docs", "a"), milvuswait.IndexBuilding("docs", "b")})

		require.NoError(t, err)
		require.Equal(t, rows(10, 10, milvuswait.IndexStateFinished), outcomes[0].Progress)
	})
}
