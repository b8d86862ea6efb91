package milvuswait_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

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

func TestCauseOfTheContextIsNotItsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(context.DeadlineExceeded) // as errgroup does when a sibling has timed out

		_, err := milvuswait.WaitForLoadingComplete(ctx, percents(40), "docs")

		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, context.DeadlineExceeded)
	})
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("window is over")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errors.Join(why, context.Canceled))
		defer cancel()

		_, err := milvuswait.WaitForLoadingComplete(ctx, percents(40), "docs")

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, why)
		require.NotErrorIs(t, err, context.Canceled)
	})
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

// lateContext is done a little after its deadline, as timers of a busy machine
// are late.
type lateContext struct {
	context.Context
	deadline time.Time
}

func (c lateContext) Deadline() (time.Time, bool) { return c.deadline, true }

func TestAPollThatEndsWithTheDeadlineIsTheLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+time.Millisecond)
		defer cancel()
		p, seen := percents(40), &recorder{}
		p.hang = func(context.Context, int) { time.Sleep(10 * time.Second) }

		_, err := milvuswait.WaitForLoadingComplete(lateContext{ctx, time.Now().Add(10 * time.Second)}, p, "docs",
			milvuswait.WithObserver(seen), milvuswait.WithPollTimeout(time.Minute, time.Minute))

		require.EqualError(t, err, `milvuswait: loading "docs": context deadline exceeded (1 poll in 10s, last 40%)`)
		require.Len(t, seen.updates, 1)
		require.True(t, seen.last().Final)
	})
}

func TestTheLastPollBeforeTheDeadline(t *testing.T) {
	ms := time.Millisecond
	tests := []struct {
		name       string
		percent    int64
		took, pace time.Duration
		settle     time.Duration
		want       []time.Duration
	}{
		{"follows the pace no more", 40, 0, 3000 * ms, 0, []time.Duration{0, 3000 * ms, 6000 * ms, 9000 * ms, 9950 * ms}},
		{"has the poll before it left out", 40, 250 * ms, 4375 * ms, 0, []time.Duration{0, 4625 * ms, 9500 * ms}},
		{"has no place after a poll of a second", 40, 1000 * ms, 3000 * ms, 0, []time.Duration{0, 4000 * ms, 8000 * ms}},
		{"comes when it can still settle", 100, 0, 3000 * ms, 9990 * ms, []time.Duration{0, 3000 * ms, 6000 * ms, 9000 * ms, 9990 * ms}},
		{"comes as ever when nothing can settle", 100, 0, 3000 * ms, 10000 * ms, []time.Duration{0, 3000 * ms, 6000 * ms, 9000 * ms, 9950 * ms}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := percents(tt.percent)
				p.hang = func(context.Context, int) { time.Sleep(tt.took) }
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()

				_, _ = milvuswait.WaitForLoadingComplete(ctx, p, "docs", every(tt.pace), milvuswait.WithSettle(tt.settle))

				require.Equal(t, tt.want, p.at)
			})
		})
	}
}

func TestLastPollAfterAQuickOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const deadline = time.Hour
		p := loadAt(40, deadline-500*time.Millisecond)
		p.hang = func(context.Context, int) {
			took := 600 * time.Millisecond
			if time.Since(p.start) >= deadline-time.Second-200*time.Millisecond {
				took = 5 * time.Millisecond
			}
			time.Sleep(took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), deadline)
		defer cancel()

		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs")

		require.NoError(t, err)
	})
}

func TestAbsurdDelayLeavesTheLastPoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()

		_, err := milvuswait.WaitForLoadingComplete(ctx, loadAt(40, 5*time.Second), "docs", constant(math.MaxInt64))

		require.NoError(t, err)
	})
}

// Some contexts tell their deadline by the wall clock alone. Polls are none the
// earlier or later for it.
func TestDeadlineWithoutAMonotonicClock(t *testing.T) {
	polls := func(t *testing.T, strip func(time.Time) time.Time) (at []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithDeadline(t.Context(), strip(time.Now().Add(10*time.Second)))
			defer cancel()
			p := percents(40)

			_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithBackoff(milvuswait.Backoff{Jitter: milvuswait.NoJitter}))

			require.ErrorIs(t, err, context.DeadlineExceeded)
			at = p.at
		})
		return at
	}

	want := polls(t, func(d time.Time) time.Time { return d })

	require.Equal(t, want, polls(t, func(d time.Time) time.Time { return d.Round(0) }))
}

// stepped is a context whose deadline is that of a wall clock, which is set past it
// during the wait. Nothing has ended.
type stepped struct {
	context.Context
	step time.Time
}

func (s stepped) Deadline() (time.Time, bool) {
	now := time.Now().Round(0)
	if now.Before(s.step) {
		return now.Add(time.Hour), true
	}
	return now.Add(-time.Hour), true
}

func TestAWallClockThatIsSetMakesNoPollTimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20500*time.Millisecond)
		defer cancel()
		seen := new(recorder)

		_, err := milvuswait.WaitForLoadingComplete(stepped{ctx, time.Now().Add(5 * time.Second)}, failing(func(int, time.Duration) error { return errBlip }), "docs",
			constant(time.Second), milvuswait.WithObserver(seen))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, seen.updates, 22)
		for _, u := range seen.updates[:21] {
			require.EqualError(t, u.Err, errBlip.Error())
		}
	})
}
