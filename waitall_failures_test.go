package milvuswait_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

// TestWaitAllPartialFailure waits for 100 loads, three of them missing. By default the first
// failure aborts all others. With WithContinueOnError the others complete.
func TestWaitAllPartialFailure(t *testing.T) {
	script := func() (*fake.Poller, []milvuswait.Target) {
		p, targets := new(fake.Poller), collections(100)
		for i, target := range targets {
			if i%40 != 7 { // c7, c47 and c87 do not exist
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
			// The workers decide about the first of the three.
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

// TestWaitAllFailFastEndsHangingSiblings shows that a failure cancels the polls in flight of
// the other targets.
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

// TestAnswersAfterASiblingFailed has polls in flight when c0 fails. Their results still
// count: c1 is complete, c2 keeps its progress. c4 was never polled.
func TestAnswersAfterASiblingFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{answer: func(_ context.Context, collection string, _ int) (milvuswait.LoadingProgress, error) {
			if collection == "c0" {
				return milvuswait.LoadingProgress{}, milvuswait.ErrCollectionNotFound
			}
			time.Sleep(time.Second) // ignores the context
			switch collection {
			case "c1":
				return milvuswait.LoadingProgress{Percent: 100}, nil
			case "c2":
				return milvuswait.LoadingProgress{Percent: 40}, nil
			}
			return milvuswait.LoadingProgress{}, errBlip
		}}

		outcomes, err := milvuswait.WaitAll(t.Context(), g, collections(5), milvuswait.WithMaxInFlight(4))

		require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)
		require.NotErrorIs(t, err, milvuswait.ErrAborted)
		require.NoError(t, outcomes[1].Err, "complete all the same")
		require.Equal(t, milvuswait.LoadingProgress{Percent: 100}, outcomes[1].Progress)

		require.ErrorIs(t, outcomes[2].Err, milvuswait.ErrAborted)
		require.Equal(t, milvuswait.LoadingProgress{Percent: 40}, outcomes[2].Progress)

		require.ErrorIs(t, outcomes[3].Err, milvuswait.ErrAborted)
		require.Nil(t, outcomes[3].Progress)
		for i, polls := range []int{1, 1, 1, 1, 0} {
			require.Equal(t, polls, outcomes[i].Polls, "of c%d", i)
		}
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

// TestPollsThatTheContextEndedCount shows that polls in flight at the end of the context are
// counted, whether they return progress or the context's error.
func TestPollsThatTheContextEndedCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{answer: func(ctx context.Context, collection string, _ int) (milvuswait.LoadingProgress, error) {
			<-ctx.Done()
			if collection == "c0" {
				return milvuswait.LoadingProgress{Percent: 40}, nil
			}
			return milvuswait.LoadingProgress{}, ctx.Err()
		}}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)

		outcomes, err := milvuswait.WaitAll(ctx, g, collections(3), milvuswait.WithMaxInFlight(2))

		require.ErrorIs(t, err, context.Canceled)
		for i, polls := range []int{1, 1, 0} {
			require.ErrorIs(t, outcomes[i].Err, context.Canceled)
			require.Equal(t, polls, outcomes[i].Polls, "of c%d", i)
		}
	})
}

// TestWaitAll_Unreachable_KeepsLastErrors delays the loop in an observer, until two more
// polls have failed. The first of them ends the wait as unreachable. The failure of the
// other one is kept too, as the last error of its target.
func TestWaitAll_Unreachable_KeepsLastErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := milvuswait.PollerFuncs{Loading: func(_ context.Context, collection string, _ ...string) (milvuswait.LoadingProgress, error) {
			took := 8 * time.Second
			if collection == "c0" {
				took = time.Second
			}
			time.Sleep(took)
			return milvuswait.LoadingProgress{}, errBlip
		}}
		busy := milvuswait.ObserverFunc(func(u milvuswait.Update) {
			if !u.Final {
				time.Sleep(10 * time.Second)
			}
		})

		outcomes, err := milvuswait.WaitAll(t.Context(), p, collections(4), milvuswait.WithObserver(busy),
			milvuswait.WithMaxInFlight(3), milvuswait.WithUnreachableAfter(5*time.Second))

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		for i, o := range outcomes {
			require.ErrorIs(t, o.Err, milvuswait.ErrUnreachable)
			var failure *milvuswait.Error
			require.ErrorAs(t, o.Err, &failure)
			if i < 3 {
				require.ErrorIs(t, failure.LastErr, errBlip)
			} else {
				require.NoError(t, failure.LastErr, "never polled")
			}
		}
	})
}

// TestWaitAll_HungPollAtTheEndOfTheBudget_FailsAsUnreachable has a hung poll in flight when
// the budget of all targets ends. No poll outlasts the budget, and all targets fail for the
// same reason, also the one without any poll.
func TestWaitAll_HungPollAtTheEndOfTheBudget_FailsAsUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing := fake.Steps(fake.Step{Err: errBlip, Delay: 3 * time.Second})
		var p fake.Poller
		p.Set(milvuswait.Loading("hangs"), fake.WithDelay(fake.Percents(40), fake.Forever))
		p.Set(milvuswait.Loading("a"), failing).Set(milvuswait.Loading("b"), failing).Set(milvuswait.Loading("c"), failing)

		targets := []milvuswait.Target{
			milvuswait.Loading("hangs"), milvuswait.Loading("a"), milvuswait.Loading("b"), milvuswait.Loading("c"),
		}

		outcomes, err := milvuswait.WaitAll(t.Context(), &p, targets, milvuswait.WithMaxInFlight(2), milvuswait.WithUnreachableAfter(4*time.Second))

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		require.NotErrorIs(t, err, context.DeadlineExceeded)
		for _, o := range outcomes {
			require.ErrorIs(t, o.Err, milvuswait.ErrUnreachable)
			require.Equal(t, 4*time.Second, o.Elapsed)
		}
		require.ErrorIs(t, outcomes[1].Err, errBlip)
	})
}

// TestWaitAll_PollCutByASibling_HasNoLastError has a hung poll in flight when another target
// fails. The client returns an error of its own for the canceled call, which does not match
// context.Canceled: it is not the server's.
func TestWaitAll_PollCutByASibling_HasNoLastError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errCut := errors.New("rpc error: code = Canceled desc = context canceled")
		p := milvuswait.PollerFuncs{Loading: func(ctx context.Context, collection string, _ ...string) (milvuswait.LoadingProgress, error) {
			if collection == "hangs" {
				<-ctx.Done()
				return milvuswait.LoadingProgress{}, errCut
			}
			time.Sleep(3 * time.Second)
			return milvuswait.LoadingProgress{}, milvuswait.ErrLoadFailed
		}}

		outcomes, err := milvuswait.WaitAll(t.Context(), p, []milvuswait.Target{milvuswait.Loading("hangs"), milvuswait.Loading("a")})

		require.ErrorIs(t, err, milvuswait.ErrLoadFailed)
		require.ErrorIs(t, outcomes[0].Err, milvuswait.ErrAborted)
		require.NotErrorIs(t, outcomes[0].Err, errCut)
		require.Equal(t, 3*time.Second, outcomes[0].Elapsed)
	})
}

// TestWaitAll_SiblingFails_KeepsProgressAndReason has a target that fails after 2 s. The others
// end with it, in the middle of a poll or of verify.
func TestWaitAll_SiblingFails_KeepsProgressAndReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		noRow, verified := errors.New("no row found"), 0
		p := milvuswait.PollerFuncs{
			Loading: func(_ context.Context, collection string, _ ...string) (milvuswait.LoadingProgress, error) {
				if collection == "bad" && time.Since(start) > 2*time.Second {
					return milvuswait.LoadingProgress{}, milvuswait.ErrLoadFailed
				}
				if collection == "bad" {
					return milvuswait.LoadingProgress{Percent: 50}, nil
				}
				return milvuswait.LoadingProgress{Percent: 100}, nil
			},
			IndexBuilding: func(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
				return rows(10, 10, milvuswait.IndexStateFinished), nil
			},
			Segments: func(ctx context.Context, _ string) ([]int64, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			},
		}
		verify := func(ctx context.Context, _ milvuswait.Target) error {
			if verified++; verified == 1 {
				return noRow
			}
			<-ctx.Done()
			return ctx.Err()
		}
		targets := []milvuswait.Target{milvuswait.Loading("bad"), milvuswait.Loading("docs"), milvuswait.IndexBuilding("docs", "vidx")}

		outcomes, err := milvuswait.WaitAll(t.Context(), p, targets, milvuswait.WithVerify(verify))

		require.ErrorIs(t, err, milvuswait.ErrLoadFailed)
		require.ErrorIs(t, outcomes[1].Err, milvuswait.ErrAborted)
		require.ErrorContains(t, outcomes[1].Err, "last error: no row found")
		require.ErrorIs(t, outcomes[2].Err, milvuswait.ErrAborted)
		require.Equal(t, rows(10, 10, milvuswait.IndexStateFinished), outcomes[2].Progress)
	})
}
