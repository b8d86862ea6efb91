package milvuswait_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

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

func TestWaitAllPartialFailure(t *testing.T) {
	script := func() (*fake.Poller, []milvuswait.Target) {
		p, targets := new(fake.Poller), collections(100)
		for i, target := range targets {
			if i%40 != 7 { // c7, c47 and c87 are not there
				p.Set(target, fake.LoadOver(time.Minute))
			}
		}
		return p, targets
	}
	t.Run("going on", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, targets := script()

			outcomes, err := milvuswait.WaitAll(t.Context(), p, targets, milvuswait.WithContinueOnError())

			require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)
			require.NotErrorIs(t, err, milvuswait.ErrAborted)
			require.ErrorContains(t, err, `milvuswait: 3 of 100 targets failed: loading "c7": collection not found`)
			require.ErrorContains(t, err, `; loading "c47"`)
			for i, o := range outcomes {
				if i%40 == 7 {
					require.ErrorIs(t, o.Err, milvuswait.ErrCollectionNotFound)
				} else {
					require.NoError(t, o.Err)
				}
			}
		})
	})
	t.Run("failing fast", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, targets := script()
			seen, start := new(fake.Observer), time.Now()

			outcomes, err := milvuswait.WaitAll(t.Context(), p, targets, milvuswait.WithObserver(seen))

			require.Zero(t, time.Since(start))
			require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)
			require.NotErrorIs(t, err, milvuswait.ErrAborted)
			// Which of the three is first, their workers decide.
			require.Regexp(t, `^milvuswait: 1 of 100 targets failed: loading "c(7|47|87)"`, err.Error())
			for i, o := range outcomes {
				final, ok := seen.Final(targets[i])
				require.True(t, ok)
				require.Equal(t, o.Err, final.Err)
				if !errors.Is(o.Err, milvuswait.ErrCollectionNotFound) {
					require.ErrorIs(t, o.Err, milvuswait.ErrAborted)
				}
			}
		})
	})
}

func TestWaitAllContextEndsAll(t *testing.T) {
	for _, polls := range []string{"quick", "hanging"} {
		t.Run(polls, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				why := errors.New("deploy cancelled")
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(7*time.Second, func() { cancel(why) })
				p := percents(40)
				if polls == "hanging" {
					p.hang = func(ctx context.Context, _ int) { <-ctx.Done() }
					p.load = func(int, time.Duration) (milvuswait.LoadingProgress, error) {
						return milvuswait.LoadingProgress{}, context.Canceled
					}
				}
				start := time.Now()

				outcomes, err := milvuswait.WaitAll(ctx, p, collections(50))

				require.Equal(t, 7*time.Second, time.Since(start))
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, why)
				for _, o := range outcomes {
					require.ErrorIs(t, o.Err, context.Canceled)
				}
			})
		})
	}
	t.Run("dead from the start", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			p := percents(40)

			outcomes, err := milvuswait.WaitAll(ctx, p, collections(50))

			require.ErrorIs(t, err, context.Canceled)
			require.Empty(t, p.at)
			require.Len(t, outcomes, 50)
			require.ErrorIs(t, outcomes[49].Err, context.Canceled)
		})
	})
	t.Run("deadline", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			p, start := percents(40), time.Now()

			_, err := milvuswait.WaitAll(ctx, p, collections(50))

			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.Equal(t, 20*time.Second, time.Since(start))
			require.Less(t, p.at[len(p.at)-1], 20*time.Second)
		})
	})
}

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

func TestWaitAllFindsTheDroppedOneInTheFirstRound(t *testing.T) {
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

func TestWaitAllHungServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const heals = 2 * time.Minute
		start := time.Now()
		g := &gauge{}
		var late atomic.Int32 // polls under way from a minute on
		g.answer = func(ctx context.Context, _ string, _ int) (milvuswait.LoadingProgress, error) {
			if at := time.Since(start); at < heals {
				if at > time.Minute {
					late.Store(max(late.Load(), g.inFlight.Load()))
				}
				<-ctx.Done()
				return milvuswait.LoadingProgress{}, ctx.Err()
			}
			return milvuswait.LoadingProgress{Percent: 100}, nil
		}

		_, err := milvuswait.WaitAll(t.Context(), g, collections(1000))

		require.NoError(t, err)
		require.Equal(t, int32(16), g.most.Load())
		require.Equal(t, int32(1), late.Load(), "a server that hangs gets a probe")
		require.Less(t, time.Since(start)-heals, 15*time.Second)
	})
}

func TestWaitAllUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		g := &gauge{answer: func(ctx context.Context, _ string, _ int) (milvuswait.LoadingProgress, error) {
			<-ctx.Done()
			return milvuswait.LoadingProgress{}, ctx.Err()
		}}

		outcomes, err := milvuswait.WaitAll(t.Context(), g, collections(1000), milvuswait.WithContinueOnError())

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		require.NotErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(start), 7*time.Minute)
		for _, o := range outcomes {
			require.ErrorIs(t, o.Err, milvuswait.ErrUnreachable)
		}
	})
}

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
			require.ErrorContains(t, err, "TestWaitAllPanics") // the stack of the Poller
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

// A bubble fails if a goroutine outlives its test.
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

func TestWaitAllHungServerAndTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{answer: func(ctx context.Context, _ string, _ int) (milvuswait.LoadingProgress, error) {
			<-ctx.Done()
			return milvuswait.LoadingProgress{}, ctx.Err()
		}}
		why := errors.New("deploy cancelled")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(6*time.Minute, func() { cancel(why) })

		_, err := milvuswait.WaitAll(ctx, g, collections(3), milvuswait.WithPollTimeout(10*time.Minute, 10*time.Minute))

		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, why)
		require.NotErrorIs(t, err, milvuswait.ErrUnreachable)
	})
}

func TestWaitAllOneTargetOutOfReach(t *testing.T) {
	for _, budget := range []time.Duration{500 * time.Millisecond, 5 * time.Second} {
		t.Run(budget.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				g := &gauge{answer: func(ctx context.Context, collection string, _ int) (milvuswait.LoadingProgress, error) {
					if collection == "c0" {
						<-ctx.Done()
						return milvuswait.LoadingProgress{}, ctx.Err()
					}
					return milvuswait.LoadingProgress{Percent: min(100, int64(time.Since(start)/time.Second))}, nil
				}}

				outcomes, err := milvuswait.WaitAll(t.Context(), g, collections(3),
					milvuswait.WithUnreachableAfter(budget), milvuswait.WithContinueOnError())

				require.ErrorIs(t, err, milvuswait.ErrUnreachable)
				require.ErrorIs(t, outcomes[0].Err, milvuswait.ErrUnreachable)
				require.NoError(t, outcomes[1].Err)
				require.NoError(t, outcomes[2].Err)
			})
		})
	}
}

func TestWaitAllFailFastEndsHangingSiblings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		g := &gauge{answer: func(ctx context.Context, collection string, _ int) (milvuswait.LoadingProgress, error) {
			if collection == "c0" {
				time.Sleep(time.Second)
				return milvuswait.LoadingProgress{}, milvuswait.ErrCollectionNotFound
			}
			<-ctx.Done()
			return milvuswait.LoadingProgress{}, ctx.Err()
		}}

		outcomes, err := milvuswait.WaitAll(t.Context(), g, collections(10))

		require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)
		require.Equal(t, time.Second, time.Since(start))
		require.ErrorIs(t, outcomes[9].Err, milvuswait.ErrAborted)
		require.Equal(t, 1, outcomes[9].Polls)
	})
}

func TestWaitAllInsideAPoller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := func(ctx context.Context) error { // whose outcome is that of a sibling
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
