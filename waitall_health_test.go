package milvuswait_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// TestWaitAllHungServer shows the polls of a server that hangs for two minutes. After as many
// timeouts as polls in flight, the wait sends one poll at a time as a probe. It returns soon
// after the server has recovered.
func TestWaitAllHungServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const heals = 2 * time.Minute
		start := time.Now()
		g := &gauge{}
		var late atomic.Int32 // maximum polls in flight after the first minute
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

// TestPollsAreMadeOneByOneOnceAsManyHaveTimedOut shows the times of polls with two in flight:
// once both have timed out, after 10 s, one follows at a time.
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

// TestWaitAll_ServerIsBack_RestoresPollsInFlight shows that the first success after an outage
// restores all 16 polls in flight.
func TestWaitAll_ServerIsBack_RestoresPollsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const heals = time.Minute
		start := time.Now()
		var back int32
		g := &gauge{}
		g.answer = func(ctx context.Context, _ string, n int) (milvuswait.LoadingProgress, error) {
			if time.Since(start) < heals {
				<-ctx.Done()
				return milvuswait.LoadingProgress{}, ctx.Err()
			}
			time.Sleep(10 * time.Millisecond)
			g.mu.Lock()
			defer g.mu.Unlock()
			back = max(back, g.inFlight.Load())
			return milvuswait.LoadingProgress{Percent: int64(40 + n)}, nil
		}

		_, err := milvuswait.WaitAll(t.Context(), g, collections(100))

		require.NoError(t, err)
		require.Equal(t, int32(16), back)
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

// TestWaitAll_Unreachable_NamesTheTime shows the text of ErrUnreachable in WaitAll. The
// time is since the last success of any target, here of c0.
func TestWaitAll_Unreachable_NamesTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{took: 8 * time.Second, answer: func(_ context.Context, collection string, _ int) (milvuswait.LoadingProgress, error) {
			if collection == "c0" {
				return milvuswait.LoadingProgress{Percent: 100}, nil
			}
			return milvuswait.LoadingProgress{}, errBlip
		}}

		outcomes, err := milvuswait.WaitAll(t.Context(), g, collections(3),
			milvuswait.WithMaxInFlight(1), milvuswait.WithUnreachableAfter(8*time.Second))

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		require.NoError(t, outcomes[0].Err)
		for i, polls := range []string{"1 poll in 16s, last error: poll timed out after 8s: connection refused", "0 polls in 16s"} {
			require.EqualError(t, outcomes[i+1].Err, fmt.Sprintf(
				`milvuswait: loading "c%d": server unreachable: no poll of any target has succeeded for 8s (%s)`, i+1, polls))
		}
	})
}

func TestWaitAllHungServerAndTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{answer: func(ctx context.Context, _ string, _ int) (milvuswait.LoadingProgress, error) {
			<-ctx.Done()
			return milvuswait.LoadingProgress{}, ctx.Err()
		}}
		why := errors.New("deploy cancelled")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(4*time.Minute, func() { cancel(why) })

		_, err := milvuswait.WaitAll(ctx, g, collections(3), milvuswait.WithPollTimeout(10*time.Minute, 10*time.Minute))

		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, why)
		require.NotErrorIs(t, err, milvuswait.ErrUnreachable)
	})
}

// TestADeadlineIsNoOutageOfTheServer shows that polls cut by the deadline of the wait are no
// sign of an unreachable server.
func TestADeadlineIsNoOutageOfTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{answer: func(ctx context.Context, _ string, _ int) (milvuswait.LoadingProgress, error) {
			<-ctx.Done()
			return milvuswait.LoadingProgress{}, ctx.Err()
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 8*time.Second)
		defer cancel()

		outcomes, err := milvuswait.WaitAll(ctx, g, collections(3), milvuswait.WithMaxInFlight(1), milvuswait.WithUnreachableAfter(8*time.Second))

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

// TestWaitAllOneTargetOutOfReach has one target whose polls hang on a healthy server. Only
// this target fails.
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

// TestWaitAll_NotFoundBetweenHungPolls_IsReachable alternates hung polls with "not found".
// The latter is an answer too, so no target is given up without a poll.
func TestWaitAll_NotFoundBetweenHungPolls_IsReachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 20
		targets := collections(n)
		hangs := func(i int) bool { return i%2 == 0 }
		g := &gauge{answer: func(ctx context.Context, collection string, _ int) (milvuswait.LoadingProgress, error) {
			for i, target := range targets {
				if target.Collection() == collection && hangs(i) {
					<-ctx.Done()
					return milvuswait.LoadingProgress{}, ctx.Err()
				}
			}
			return milvuswait.LoadingProgress{}, milvuswait.ErrCollectionNotFound
		}}

		outcomes, err := milvuswait.WaitAll(t.Context(), g, targets, milvuswait.WithContinueOnError(),
			milvuswait.WithMaxInFlight(1), milvuswait.WithUnreachableAfter(25*time.Second)) // less than three hung polls of 10 s

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		for i, o := range outcomes {
			require.Positive(t, o.Polls, "c%d was given up unseen", i)
			if hangs(i) {
				require.ErrorIs(t, o.Err, milvuswait.ErrUnreachable)
			} else {
				require.ErrorIs(t, o.Err, milvuswait.ErrCollectionNotFound)
			}
		}
	})
}

// TestAServerThatAnsweredMeanwhileIsReachable has one poll that hangs for 10 s. Others succeed
// in this time, so its failure is not one of the server.
func TestAServerThatAnsweredMeanwhileIsReachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{answer: func(ctx context.Context, collection string, _ int) (milvuswait.LoadingProgress, error) {
			if collection == "c0" {
				<-ctx.Done()
				return milvuswait.LoadingProgress{}, ctx.Err()
			}
			time.Sleep(time.Second)
			return milvuswait.LoadingProgress{Percent: 100}, nil
		}}

		outcomes, err := milvuswait.WaitAll(t.Context(), g, collections(30), milvuswait.WithContinueOnError(),
			milvuswait.WithMaxInFlight(2), milvuswait.WithUnreachableAfter(5*time.Second))

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		require.ErrorIs(t, outcomes[0].Err, milvuswait.ErrUnreachable)
		for _, o := range outcomes[1:] {
			require.NoError(t, o.Err)
		}
	})
}

// TestAnOutageBeginsWithTheListThatFails shows that a failed list starts the time of an
// outage, like a failed poll: at one minute, and 30 s later the wait ends.
func TestAnOutageBeginsWithTheListThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(3, func(int, time.Duration) int64 { return 40 })
		l.took = 0
		l.list = func(_ int, at time.Duration, _ map[string]milvuswait.LoadingProgress) error {
			if at >= time.Minute {
				return errBlip
			}
			return nil
		}
		l.answer = func(context.Context, string, int) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{}, errBlip
		}

		_, err := milvuswait.WaitAll(t.Context(), l, collections(3), every(980*time.Millisecond), // one list per second: it takes 20 ms
			milvuswait.WithUnreachableAfter(30*time.Second), milvuswait.WithContinueOnError())

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		require.Equal(t, 90*time.Second, time.Since(l.start))
	})
}

// TestWaitAll_ServerUnreachable_EndsAllForThisReason has no answer for the budget of one
// target. The other one ends for the same reason, and is not aborted.
func TestWaitAll_ServerUnreachable_EndsAllForThisReason(t *testing.T) {
	hang := func(ctx context.Context) (milvuswait.LoadingProgress, error) {
		<-ctx.Done()
		return milvuswait.LoadingProgress{}, ctx.Err()
	}
	for _, tt := range []struct {
		name   string
		poller func() milvuswait.Poller
	}{
		{"a poll that started earlier fails later", func() milvuswait.Poller {
			return &gauge{answer: func(ctx context.Context, collection string, n int) (milvuswait.LoadingProgress, error) {
				switch {
				case collection == "c0":
					return hang(ctx)
				case n == 1:
					return milvuswait.LoadingProgress{Percent: 40}, nil
				}
				return milvuswait.LoadingProgress{}, errBlip
			}}
		}},
		{"a list fails first", func() milvuswait.Poller {
			return milvuswait.PollerFuncs{
				Loading: func(ctx context.Context, _ string, _ ...string) (milvuswait.LoadingProgress, error) { return hang(ctx) },
				LoadingList: func(context.Context) (map[string]milvuswait.LoadingProgress, error) {
					time.Sleep(500 * time.Millisecond)
					return nil, errBlip
				},
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				outcomes, err := milvuswait.WaitAll(t.Context(), tt.poller(), collections(2), milvuswait.WithUnreachableAfter(15*time.Second))

				require.ErrorIs(t, err, milvuswait.ErrUnreachable)
				for _, o := range outcomes {
					require.ErrorIs(t, o.Err, milvuswait.ErrUnreachable)
					require.Equal(t, 15*time.Second, o.Elapsed)
				}
			})
		})
	}
}

// TestWait_BudgetOver_DoesNotAskTheGenerator has a custom generator that would end the wait
// when its budget does.
func TestWait_BudgetOver_DoesNotAskTheGenerator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := milvuswait.PollerFuncs{Loading: func(ctx context.Context, _ string, _ ...string) (milvuswait.LoadingProgress, error) {
			<-ctx.Done()
			return milvuswait.LoadingProgress{}, ctx.Err()
		}}
		options := []milvuswait.Option{
			milvuswait.WithUnreachableAfter(5 * time.Second),
			milvuswait.WithBackoffFunc(func() func() time.Duration { return func() time.Duration { return -1 } }),
		}

		_, alone := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", options...)
		_, among := milvuswait.WaitAll(t.Context(), p, collections(1), options...)

		for _, err := range []error{alone, among} {
			require.ErrorIs(t, err, milvuswait.ErrUnreachable)
			require.NotErrorIs(t, err, milvuswait.ErrAborted)
		}
	})
}
