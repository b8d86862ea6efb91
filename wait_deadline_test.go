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

// TestDeadContextMeansNoPoll starts a wait with a canceled context. It makes no poll, but one
// final update.
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

// TestCompleteAnswerWinsOverContext cancels the context during the last poll. The load is
// complete, so the wait succeeds.
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

// TestCauseOfTheContextIsNotItsError shows that the cause of a context does not decide
// between Canceled and DeadlineExceeded. The error of the context does.
func TestCauseOfTheContextIsNotItsError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(context.DeadlineExceeded) // as errgroup does if another goroutine timed out

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

// TestPermanentAnswerIsKeptBesideTheContext shows that a failure at the deadline is kept in
// the error of the wait, in addition to the deadline.
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

// TestDeadline shows that a wait ends exactly at its deadline, and that its last poll begins
// shortly before: 50 ms, or the time of a poll and a margin of 100 ms.
func TestDeadline(t *testing.T) {
	tests := []struct {
		name     string
		deadline time.Duration
		poll     time.Duration // duration of each poll
		before   time.Duration // time from the start of the last poll to the deadline
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

// TestNoPollStartsAtOrAfterTheDeadline uses delays that divide the time to the deadline, so
// that a poll would be due at the deadline itself.
func TestNoPollStartsAtOrAfterTheDeadline(t *testing.T) {
	for _, delay := range []time.Duration{time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond, 100 * time.Millisecond} {
		t.Run(delay.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for range 200 { // many times, since select breaks ties at random
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

// lateContext is done later than its deadline. On a busy machine, timers are late.
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

// TestTheLastPollBeforeTheDeadline covers when the last poll before a deadline of 10 s
// begins. It takes the place of a regular poll if both would be too close.
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

// TestLastPollAfterAQuickOne completes a load 500 ms before the deadline. Polls take 600 ms
// until the last second, and 5 ms then: the wait still fits one in.
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

// TestDeadlineWithoutAMonotonicClock shows that the times of polls are the same if the
// deadline of the context has no reading of the monotonic clock, as after Round(0).
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

// stepped is a context with a deadline by the wall clock. At step, the clock is set two
// hours forward, past the deadline. The context itself is not done.
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

// TestWait_WallClockIsSet_TimesNoPollOut shows that failed polls are not reported as
// timed out after the wall clock has been set forward.
func TestWait_WallClockIsSet_TimesNoPollOut(t *testing.T) {
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
