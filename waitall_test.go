package milvuswait_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

// TestWaitAllMixedTargets waits for an index, a load, a load of a partition, and a duplicate.
// Each has its outcome and its updates; the duplicate shares the polls of the first.
func TestWaitAllMixedTargets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		docs, eu := milvuswait.Loading("docs"), milvuswait.Loading("docs", "eu")
		vidx := milvuswait.IndexBuilding("docs", "vidx").ExpectRows(1000)
		p := new(fake.Poller).
			Set(docs, fake.LoadOver(3*time.Second)).
			Set(eu, fake.LoadOver(time.Second)).
			Set(vidx, fake.BuildOver(1000, 40*time.Second))

		seen := new(fake.Observer)
		targets := []milvuswait.Target{vidx, docs, eu, docs}
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()

		outcomes, err := milvuswait.WaitAll(ctx, p, targets, milvuswait.WithObserver(seen))

		require.NoError(t, err)
		require.InDelta(t, 40*time.Second, time.Since(start), float64(time.Second))
		require.Len(t, outcomes, 4)
		for i, o := range outcomes {
			require.Equal(t, targets[i], o.Target)
			require.NoError(t, o.Err)
			require.True(t, o.Progress.Complete())
			require.Positive(t, o.Polls)
		}

		require.InDelta(t, time.Second, outcomes[2].Elapsed, float64(200*time.Millisecond))
		require.Equal(t, outcomes[1], outcomes[3])
		require.Len(t, p.Calls(docs), outcomes[1].Polls, "a duplicate is polled once")

		for _, target := range targets {
			updates := seen.Updates(target)
			for i, u := range updates {
				require.Equal(t, i+1, u.Polls)
				require.Equal(t, i == len(updates)-1, u.Final)
			}
		}
	})
}

func TestWaitAllEmptyAndComplete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()

		outcomes, err := milvuswait.WaitAll(t.Context(), &probe{}, nil)
		require.NoError(t, err)
		require.Empty(t, outcomes)

		p := percents(100)
		outcomes, err = milvuswait.WaitAll(t.Context(), p, collections(1000))
		require.NoError(t, err)
		require.Len(t, outcomes, 1000)
		require.Len(t, p.at, 1000)
		require.Zero(t, time.Since(start))
	})
}

func TestWaitAllInvalid(t *testing.T) {
	good := collections(3)
	tests := []struct {
		name    string
		targets []milvuswait.Target
		opts    []milvuswait.Option
		says    string
	}{
		{"an empty name among many", append(collections(3), milvuswait.Loading("")), nil, "target 4 of 4: invalid argument: the name of the collection is empty"},
		{"the zero target", []milvuswait.Target{{}}, nil, "target 1 of 1"},
		{"none in flight", good, []milvuswait.Option{milvuswait.WithMaxInFlight(0)}, "WithMaxInFlight: 0 is not positive"},
		{"index", good, []milvuswait.Option{milvuswait.WithIndex("a")}, "WithIndex does not go with Targets"},
		{"rows", good, []milvuswait.Option{milvuswait.WithExpectedRows(3)}, "WithExpectedRows does not go with Targets"},
		{"nil option", good, []milvuswait.Option{nil}, "option 1 of 1 is nil"},
		{"criterion of loads", good, []milvuswait.Option{milvuswait.WithIndexCriterion(milvuswait.ServerState)}, "WithIndexCriterion is for indexes"},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			outcomes, err := milvuswait.WaitAll(t.Context(), &probe{}, tt.targets, tt.opts...)

			require.ErrorIs(t, err, milvuswait.ErrInvalid)
			require.ErrorContains(t, err, tt.says)
			require.Nil(t, outcomes)
		})
	}

	var none context.Context
	_, err := milvuswait.WaitAll(none, &probe{}, good)
	require.ErrorIs(t, err, milvuswait.ErrInvalid)
	_, err = milvuswait.WaitAll(t.Context(), nil, good)
	require.ErrorIs(t, err, milvuswait.ErrInvalid)
	_, err = milvuswait.WaitForLoadingComplete(t.Context(), &probe{}, "docs", milvuswait.WithMaxInFlight(3))
	require.ErrorContains(t, err, "WithMaxInFlight is for WaitAll")
}

// TestWaitAllInsideAPoller runs WaitAll in a Poller of another WaitAll. The inner ErrAborted
// does not count as one of the outer wait, whose target has failed.
func TestWaitAllInsideAPoller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := func(ctx context.Context) error { // returns the outcome of an aborted target
			outcomes, _ := milvuswait.WaitAll(ctx, failing(func(int, time.Duration) error { return milvuswait.ErrNotLoaded }), collections(2))
			if errors.Is(outcomes[0].Err, milvuswait.ErrAborted) {
				return outcomes[0].Err
			}
			return outcomes[1].Err
		}
		g := &gauge{answer: func(ctx context.Context, _ string, _ int) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{}, inner(ctx)
		}}

		outcomes, err := milvuswait.WaitAll(t.Context(), g, collections(1))

		require.Error(t, outcomes[0].Err)
		require.Error(t, err)
	})
}

// TestWaitAllPanics shows that panics of a Poller or an observer reach the caller. A panic of a
// Poller keeps its value and the stack trace of its goroutine.
func TestWaitAllPanics(t *testing.T) {
	boom := errors.New("boom")
	p := milvuswait.PollerFuncs{
		Loading: func(_ context.Context, collection string, _ ...string) (milvuswait.LoadingProgress, error) {
			if collection == "c33" {
				panic(boom)
			}
			return milvuswait.LoadingProgress{Percent: 40}, nil
		},
	}

	synctest.Test(t, func(t *testing.T) {
		defer func() {
			err, ok := recover().(error)
			require.True(t, ok)
			require.ErrorIs(t, err, boom)
			require.ErrorContains(t, err, "TestWaitAllPanics") // the stack trace has the Poller
		}()
		_, _ = milvuswait.WaitAll(t.Context(), p, collections(50))
	})

	t.Run("Goexit", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			g := &gauge{answer: func(context.Context, string, int) (milvuswait.LoadingProgress, error) {
				runtime.Goexit()
				return milvuswait.LoadingProgress{}, nil
			}}
			require.Panics(t, func() { _, _ = milvuswait.WaitAll(t.Context(), g, collections(50)) })
		})
	})

	t.Run("observer", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			o := milvuswait.ObserverFunc(func(u milvuswait.Update) {
				if u.Polls == 3 {
					panic(boom)
				}
			})
			p := percents(40)
			p.hang = func(context.Context, int) { time.Sleep(time.Second) }
			require.PanicsWithValue(t, boom, func() {
				_, _ = milvuswait.WaitAll(t.Context(), p, collections(50), milvuswait.WithObserver(o))
			})
		})
	})
}

// TestNoGoroutineIsLeft ends waits in every way. A bubble fails if a goroutine outlives its
// test.
func TestNoGoroutineIsLeft(t *testing.T) {
	stuck := func(context.Context, string, int) (milvuswait.LoadingProgress, error) {
		return milvuswait.LoadingProgress{Percent: 40}, nil
	}

	ends := map[string]struct {
		answer func(context.Context, string, int) (milvuswait.LoadingProgress, error)
		opts   []milvuswait.Option
		ends   func(cancel func())
	}{
		"success": {answer: func(_ context.Context, _ string, n int) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{Percent: int64(n * 20)}, nil
		}},
		"error": {answer: func(_ context.Context, collection string, n int) (milvuswait.LoadingProgress, error) {
			if collection == "c0" && n == 3 {
				return milvuswait.LoadingProgress{}, milvuswait.ErrReleased
			}
			return milvuswait.LoadingProgress{Percent: 40}, nil
		}},
		"cancel":   {answer: stuck, ends: func(cancel func()) { time.AfterFunc(3*time.Second, cancel) }},
		"deadline": {answer: stuck},
		"panic": {answer: func(_ context.Context, _ string, n int) (milvuswait.LoadingProgress, error) {
			if n == 2 {
				panic("boom")
			}
			return milvuswait.LoadingProgress{Percent: 40}, nil
		}},
		"stall": {answer: stuck, opts: []milvuswait.Option{milvuswait.WithStallTimeout(2 * time.Second)}},
	}

	for name, end := range ends {
		for _, n := range []int{1, 50} {
			for _, observer := range []string{"no observer", "slow observer"} {
				t.Run(fmt.Sprintf("%s/%d/%s", name, n, observer), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
						defer cancel()
						if end.ends != nil {
							end.ends(cancel)
						}

						opts := end.opts
						if observer == "slow observer" {
							opts = append(opts, milvuswait.WithObserver(milvuswait.ObserverFunc(func(milvuswait.Update) { time.Sleep(100 * time.Millisecond) })))
						}

						wait := func() {
							outcomes, err := milvuswait.WaitAll(ctx, &gauge{answer: end.answer}, collections(n), opts...)
							require.Len(t, outcomes, n)
							require.Equal(t, name == "success", err == nil)
						}

						if name == "panic" {
							require.Panics(t, wait)
						} else {
							wait()
						}
					})
				})
			}
		}
	}
}
