package milvuswait_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/usage"
)

func TestCompleteTargetCostsOnePollAndNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, start := percents(100), time.Now()

		progress, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs")

		require.NoError(t, err)
		require.Equal(t, int64(100), progress.Percent)
		require.Len(t, p.at, 1)
		require.Zero(t, time.Since(start))
	})
}

func TestLongWaitEndsWithinItsPromise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const took = 6 * time.Hour // cenkalti's generator stops after 15 min by default
		p, start := loadAt(40, took), time.Now()

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs")

		require.NoError(t, err)
		require.LessOrEqual(t, time.Since(start)-took, 5*time.Second)
		require.Less(t, len(p.at), 6000)
	})
}

func TestOnePollAtATimeAndDelayFromItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := percents(0, 1, 2, 3, 4, 100)
		p.hang = func(context.Context, int) { time.Sleep(3 * time.Second) }

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs",
			milvuswait.WithBackoff(milvuswait.Backoff{Jitter: milvuswait.NoJitter}))

		require.NoError(t, err)
		for i := 1; i < len(p.at); i++ {
			// The delay is at least as long as the poll before it.
			require.GreaterOrEqual(t, p.at[i]-p.ended[i-1], 3*time.Second)
		}
	})
}

func TestDeadContextMeansNoPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("shutting down")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(why)
		p, seen := percents(100), &recorder{}

		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithObserver(seen))

		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, why)
		require.Empty(t, p.at)
		require.Len(t, seen.updates, 1)
		require.True(t, seen.last().Final)
	})
}

func TestDeadline(t *testing.T) {
	tests := []struct {
		name     string
		deadline time.Duration
		poll     time.Duration // how long each takes
		before   time.Duration // how long before the deadline the last poll begins
	}{
		{"long wait", time.Hour, 0, 50 * time.Millisecond},
		{"shorter than the first delay", 70 * time.Millisecond, 0, 50 * time.Millisecond},
		{"polls of 100 ms", 10 * time.Second, 100 * time.Millisecond, 200 * time.Millisecond},
		{"polls of 900 ms", time.Minute, 900 * time.Millisecond, time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := percents(40)
				p.hang = func(ctx context.Context, _ int) {
					select {
					case <-ctx.Done():
					case <-time.After(tt.poll):
					}
				}
				ctx, cancel := context.WithTimeout(t.Context(), tt.deadline)
				defer cancel()
				start := time.Now()

				progress, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs")

				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, tt.deadline, time.Since(start))
				require.Equal(t, int64(40), progress.Percent)
				require.Equal(t, tt.deadline-tt.before, p.at[len(p.at)-1])
				require.Greater(t, len(p.at), 1)
			})
		})
	}
}

func TestNoPollStartsAtOrAfterTheDeadline(t *testing.T) {
	for _, delay := range []time.Duration{time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 100 * time.Millisecond} {
		t.Run(delay.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for range 200 { // ties are decided by chance, if they are not ruled out
					ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
					p := percents(40)

					_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", constant(delay))

					cancel()
					require.ErrorIs(t, err, context.DeadlineExceeded)
					require.Less(t, p.at[len(p.at)-1], 100*time.Millisecond)
				}
			})
		})
	}
}

func TestCompleteAnswerWinsOverContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		p := percents(40, 100)
		p.hang = func(_ context.Context, n int) {
			if n == 2 {
				cancel()
			}
		}

		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs")

		require.NoError(t, err)
	})
}

func TestCancel(t *testing.T) {
	why := errors.New("pod is going away")
	tests := []struct {
		name string
		poll func(ctx context.Context, n int)
	}{
		{"between polls", nil},
		{"in a poll", func(ctx context.Context, _ int) { <-ctx.Done() }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(3*time.Second+time.Nanosecond, func() { cancel(why) })
				p := failing(func(int, time.Duration) error { return ctx.Err() })
				p.hang = tt.poll
				start := time.Now()

				_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs")

				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, why)
				require.NotErrorIs(t, err, context.DeadlineExceeded)
				require.Equal(t, 3*time.Second+time.Nanosecond, time.Since(start))
			})
		})
	}
}

func TestPermanentAnswerIsKeptBesideTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p := failing(func(int, time.Duration) error { return milvuswait.ErrCollectionNotFound })
		p.hang = func(ctx context.Context, _ int) { <-ctx.Done() }

		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs")

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)
	})
}

func TestPollTimeoutDoublesAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := failing(func(n int, _ time.Duration) error {
			if n == 7 {
				return nil
			}
			return errBlip
		})
		p.hang = func(ctx context.Context, n int) {
			if n != 7 {
				<-ctx.Done()
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()

		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithUnreachableAfter(0))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		s := time.Second
		require.Equal(t, []time.Duration{10 * s, 20 * s, 40 * s, 60 * s, 60 * s, 60 * s, 60 * s, 10 * s, 20 * s}, p.until[:9])
	})
}

func TestPollTimeoutNeverOutlivesTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		p := failing(func(int, time.Duration) error { return errBlip })
		p.hang = func(ctx context.Context, _ int) { <-ctx.Done() }
		start := time.Now()

		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs")

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, []time.Duration{4 * time.Second}, p.until)
		require.Equal(t, 4*time.Second, time.Since(start))
	})
}

func TestHungServerIsUnreachableNotDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := failing(func(int, time.Duration) error { return context.DeadlineExceeded })
		p.hang = func(ctx context.Context, _ int) { <-ctx.Done() }

		_, err := milvuswait.WaitForLoadingComplete(context.Background(), p, "docs")

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		require.NotErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "poll timed out after 1m0s")
	})
}

func TestUnreachable(t *testing.T) {
	tests := []struct {
		name string
		opts []milvuswait.Option
		err  func(n int, at time.Duration) error
		want time.Duration // when the wait ends
	}{
		{"never reached", nil, func(int, time.Duration) error { return errBlip }, 5 * time.Minute},
		{"lost after a minute", nil, func(_ int, at time.Duration) error {
			if at > time.Minute {
				return errBlip
			}
			return nil
		}, 6 * time.Minute},
		{"other budget", []milvuswait.Option{milvuswait.WithUnreachableAfter(30 * time.Second)},
			func(int, time.Duration) error { return errBlip }, 30 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()

				_, err := milvuswait.WaitForLoadingComplete(t.Context(), failing(tt.err), "docs", tt.opts...)

				require.ErrorIs(t, err, milvuswait.ErrUnreachable)
				require.ErrorIs(t, err, errBlip)
				require.InDelta(t, tt.want, time.Since(start), float64(2*time.Second))
			})
		})
	}
}

func TestOutagesShorterThanTheBudgetAreSurvived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{load: func(_ int, at time.Duration) (milvuswait.LoadingProgress, error) {
			switch minute := at / time.Minute; {
			case minute >= 30:
				return milvuswait.LoadingProgress{Percent: 100}, nil
			case minute%5 == 4: // a minute of every five is good
				return milvuswait.LoadingProgress{Percent: 40}, nil
			}
			return milvuswait.LoadingProgress{}, errBlip
		}}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs")

		require.NoError(t, err)
	})
}

func TestUnreachableNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		p := failing(func(int, time.Duration) error { return errBlip })

		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithUnreachableAfter(0))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, errBlip)
	})
}

func TestPanicsReachTheCaller(t *testing.T) {
	t.Run("of the Poller", func(t *testing.T) {
		p := &probe{load: func(int, time.Duration) (milvuswait.LoadingProgress, error) { panic("boom") }}
		require.PanicsWithValue(t, "boom", func() {
			_, _ = milvuswait.WaitForLoadingComplete(t.Context(), p, "docs")
		})
	})
	t.Run("of the observer", func(t *testing.T) {
		o := milvuswait.ObserverFunc(func(milvuswait.Update) { panic("boom") })
		require.PanicsWithValue(t, "boom", func() {
			_, _ = milvuswait.WaitForLoadingComplete(t.Context(), percents(100), "docs", milvuswait.WithObserver(o))
		})
	})
}

func TestManyPollsLeaveNothingBehind(t *testing.T) {
	if testing.Short() {
		t.Skip("a second of work")
	}
	synctest.Test(t, func(t *testing.T) {
		p := &probe{}
		polls := 0
		p.load = func(int, time.Duration) (milvuswait.LoadingProgress, error) {
			p.at, p.ended, p.until = p.at[:0], p.ended[:0], p.until[:0]
			if polls++; polls%2 == 0 {
				return milvuswait.LoadingProgress{}, errBlip
			}
			return milvuswait.LoadingProgress{Percent: 40}, nil
		}
		var before, after int64
		o := milvuswait.ObserverFunc(func(u milvuswait.Update) {
			switch u.Polls {
			case 1000:
				before = usage.LiveHeap()
			case 200_000:
				after = usage.LiveHeap()
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 200_100*time.Millisecond)
		defer cancel()

		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", constant(time.Millisecond), milvuswait.WithObserver(o))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotZero(t, after)
		require.Less(t, after-before, int64(1<<20))
	})
}
