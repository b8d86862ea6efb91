package milvuswait_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// TestPollTimeoutDoublesAndComesBack shows the timeouts of hung polls: they double from 10 s
// to 60 s, and start at 10 s again after a successful poll.
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

// TestPollThatFailsAtItsDeadlineHasTimedOut returns another error exactly at the timeout of
// the poll. gRPC sends timeouts to the server, whose report may arrive before the client's
// timer fires. The poll counts as timed out in both cases.
func TestPollThatFailsAtItsDeadlineHasTimedOut(t *testing.T) {
	for range 50 { // many times, since select breaks ties at random
		synctest.Test(t, func(t *testing.T) {
			p := failing(func(int, time.Duration) error { return errBlip })
			p.hang = func(ctx context.Context, _ int) {
				deadline, _ := ctx.Deadline()
				time.Sleep(time.Until(deadline))
			}

			_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs")

			require.ErrorIs(t, err, milvuswait.ErrUnreachable)
			require.ErrorContains(t, err, "poll timed out after 4")
			s := time.Second
			require.Equal(t, []time.Duration{10 * s, 20 * s, 40 * s, 60 * s, 60 * s, 60 * s}, p.until[:6])
			require.Equal(t, 5*time.Minute, p.at[6]+p.until[6], "the last poll ends with the budget")
			require.Len(t, p.until, 7)
		})
	}
}

func TestUnreachable(t *testing.T) {
	tests := []struct {
		name string
		opts []milvuswait.Option
		err  func(n int, at time.Duration) error
		want time.Duration // end of the wait
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

// TestHungServerIsUnreachableNotDeadline shows that the timeouts of polls do not make the
// error of a wait match context.DeadlineExceeded: its own context has no deadline.
func TestHungServerIsUnreachableNotDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := failing(func(int, time.Duration) error { return context.DeadlineExceeded })
		p.hang = func(ctx context.Context, _ int) { <-ctx.Done() }

		_, err := milvuswait.WaitForLoadingComplete(context.Background(), p, "docs")

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		require.NotErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "poll timed out after 4", "the budget leaves less than a minute for the last poll")
	})
}

// TestOutagesShorterThanTheBudgetAreSurvived has outages of four minutes. The limit without
// a successful poll is five.
func TestOutagesShorterThanTheBudgetAreSurvived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{load: func(_ int, at time.Duration) (milvuswait.LoadingProgress, error) {
			switch minute := at / time.Minute; {
			case minute >= 30:
				return milvuswait.LoadingProgress{Percent: 100}, nil
			case minute%5 == 4: // one minute in five succeeds
				return milvuswait.LoadingProgress{Percent: 40}, nil
			}
			return milvuswait.LoadingProgress{}, errBlip
		}}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs")

		require.NoError(t, err)
	})
}

// TestOneFailureAfterALongDelayIsNoOutage polls every ten minutes, which exceeds the limit of
// five. The time of an outage starts with its first failure, not with the delay before it.
func TestOneFailureAfterALongDelayIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := failing(func(n int, _ time.Duration) error {
			switch n {
			case 2:
				return errBlip
			case 4, 5:
				return milvuswait.ErrCollectionNotFound
			}
			return nil
		})

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", constant(10*time.Minute))

		require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)
		require.Len(t, p.at, 5)
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
