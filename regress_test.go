package milvuswait_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// Options meet here whose combinations have gone wrong.

func TestOutageWhileSettlingIsPolledAtThePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{load: func(_ int, at time.Duration) (milvuswait.LoadingProgress, error) {
			if at > 2*time.Second && at < time.Minute {
				return milvuswait.LoadingProgress{}, errBlip
			}
			return milvuswait.LoadingProgress{Percent: 100}, nil
		}}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithSettle(10*time.Second))

		require.NoError(t, err)
		require.Less(t, len(p.at), 200)
	})
}

func TestOneFailureAfterALongDelayIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := failing(func(n int, _ time.Duration) error {
			switch n {
			case 2:
				return errBlip
			case 4:
				return milvuswait.ErrCollectionNotFound
			}
			return nil
		})

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", constant(10*time.Minute))

		require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)
		require.Len(t, p.at, 4)
	})
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

func TestStallOnAFlakyServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := failing(func(n int, _ time.Duration) error {
			if n%2 == 0 {
				return errBlip
			}
			return nil
		})
		start := time.Now()

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithStallTimeout(time.Minute))

		require.ErrorIs(t, err, milvuswait.ErrStalled)
		require.Less(t, time.Since(start), 3*time.Minute)
	})
}

func TestReleasedIsNotGivenUp(t *testing.T) {
	t.Run("after standing at 100 %", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := &probe{load: func(_ int, at time.Duration) (milvuswait.LoadingProgress, error) {
				if at > 20*time.Minute {
					return milvuswait.LoadingProgress{}, errNotLoaded
				}
				return milvuswait.LoadingProgress{Percent: 100}, nil
			}}

			_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithSettle(time.Hour))

			require.ErrorIs(t, err, milvuswait.ErrReleased)
			require.NotErrorIs(t, err, milvuswait.ErrLoadFailed)
		})
	})
	t.Run("after an outage in which nobody looked", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := failing(func(_ int, at time.Duration) error {
				switch {
				case at < time.Minute:
					return nil
				case at < 15*time.Minute:
					return errBlip
				}
				return milvuswait.ErrNotLoaded
			})

			_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithUnreachableAfter(time.Hour))

			require.ErrorIs(t, err, milvuswait.ErrReleased)
			require.NotErrorIs(t, err, milvuswait.ErrNotLoaded)
		})
	})
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

func TestSettledJustBeforeTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+40*time.Millisecond)
		defer cancel()

		_, err := milvuswait.WaitForLoadingComplete(ctx, percents(100), "docs", milvuswait.WithSettle(10*time.Second))

		require.NoError(t, err)
	})
}

func TestSettleKeepsTheCallersDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := percents(100)
		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithSettle(100*time.Second), constant(time.Second))
		require.NoError(t, err)
		require.Len(t, p.at, 101)

		p = percents(100)
		_, err = milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithSettle(10*time.Hour),
			milvuswait.WithBackoff(milvuswait.Backoff{Max: time.Second, Jitter: milvuswait.NoJitter}))
		require.NoError(t, err)
		for i := 1; i < len(p.at); i++ {
			require.LessOrEqual(t, p.at[i]-p.at[i-1], time.Second)
		}
	})
}

func TestAsyncSinkThatEndsItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := milvuswait.Async(milvuswait.ObserverFunc(func(milvuswait.Update) { runtime.Goexit() }))
		o.Observe(milvuswait.Update{})
		require.Panics(t, o.Wait)
	})
}

func TestCheckThatMayNotBeAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &lite{probe: percents(0, 0, 0, 0, 0, 40, 100), state: func(int) error { return milvuswait.Permanent(errors.New("permission denied")) }}
		seen := &recorder{}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithObserver(seen))

		require.NoError(t, err)
		require.Equal(t, 1, p.checks)
		for _, u := range seen.updates {
			require.NoError(t, u.Err)
		}
	})
}

// hungCheck is a lite whose check hangs.
type hungCheck struct{ *probe }

func (hungCheck) CheckLoadState(ctx context.Context, _ string, _ ...string) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestCheckThatHangsSlowsNobodyDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), hungCheck{loadAt(0, time.Minute)}, "docs")

		require.NoError(t, err)
		require.Less(t, time.Since(start), 62*time.Second)
	})
}

func TestNoStallBeforeARefreshIsAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{load: func(int, time.Duration) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{Percent: 100, RefreshPercent: 100}, nil
		}}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs",
			milvuswait.WithRefresh(), milvuswait.WithStartGrace(5*time.Minute), milvuswait.WithStallTimeout(time.Minute))

		require.NoError(t, err)
	})
}

func TestNoStallWhileSettling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := milvuswait.WaitForLoadingComplete(t.Context(), percents(100), "docs",
			milvuswait.WithSettle(time.Hour), milvuswait.WithStallTimeout(time.Minute))
		require.NoError(t, err)
	})
}

func TestStallIsNoticedOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), percents(40), "docs",
			constant(time.Hour), milvuswait.WithStallTimeout(time.Minute))

		require.ErrorIs(t, err, milvuswait.ErrStalled)
		require.Equal(t, time.Minute, time.Since(start))
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

func TestRowsOfCompactedSegmentsAreNotExpected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := indexes(
			milvuswait.IndexBuildingProgress{TotalRows: 100, IndexedRows: 200, State: finished},
			milvuswait.IndexBuildingProgress{TotalRows: 150, IndexedRows: 200, State: finished})

		_, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs", milvuswait.WithExpectedRows(150))

		require.NoError(t, err)
		require.Len(t, p.at, 2)
	})
}

func TestStallFoundAtTheDeadlineIsTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		p := percents(40)
		p.hang = func(_ context.Context, n int) {
			if n > 1 {
				<-ctx.Done() // answers all the same
			}
		}

		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithStallTimeout(5*time.Second))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, milvuswait.ErrStalled)
	})
}

func TestFractionKnowsWhatTheWaitNeeds(t *testing.T) {
	index := func(answer milvuswait.IndexBuildingProgress, opts ...milvuswait.Option) float64 {
		var got float64
		p, n := indexes(rows(100, 0, inProgress), answer), 0
		for u := range milvuswait.Watch(context.Background(), p, milvuswait.IndexBuilding("docs", "").ExpectRows(200), opts...) {
			if n++; n == 2 {
				got = u.Fraction
				break
			}
		}
		return got
	}
	load := func(percent, refresh int64, opts ...milvuswait.Option) float64 {
		p := &probe{load: func(int, time.Duration) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{Percent: percent, RefreshPercent: refresh}, nil
		}}
		for u := range milvuswait.Watch(context.Background(), p, milvuswait.Loading("docs"), opts...) {
			return u.Fraction
		}
		return -1
	}
	synctest.Test(t, func(t *testing.T) {
		require.Equal(t, 0.5, index(rows(100, 100, inProgress)), "of the expected rows")
		require.Equal(t, 0.25, index(rows(400, 100, inProgress)), "of more rows than expected")
		require.Equal(t, 0.75, index(rows(400, 150, inProgress), milvuswait.WithIndexCriterion(milvuswait.RowsAtStart)))
		require.Equal(t, 0.4, load(40, 100))
		require.Zero(t, load(-40, 100))
		require.Zero(t, load(99, 0, milvuswait.WithRefresh()))
	})
}

func TestPollsAreNotWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// 99 % for all but the first second of an hour: the floor of 0.5 % of the
		// time waited rules. A poll every 50 ms would be 72 000.
		p := &probe{load: func(_ int, at time.Duration) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{Percent: min(99, int64(at/(10*time.Millisecond)))}, nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, len(p.at), 2500)
		withProgress := len(p.at)

		p = percents(99)
		ctx, cancel = context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		_, err = milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithBackoff(milvuswait.Backoff{IgnoreProgress: true}))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, len(p.at), withProgress, "the cut to the time left costs polls")
	})
}

// A server knows the time-out of a poll too, and what it says then may be here
// before the poll's own timer has gone off.
func TestPollThatFailsAtItsDeadlineHasTimedOut(t *testing.T) {
	for range 50 { // ties are decided by chance, if they are not ruled out
		synctest.Test(t, func(t *testing.T) {
			p := failing(func(int, time.Duration) error { return errBlip })
			p.hang = func(ctx context.Context, _ int) {
				deadline, _ := ctx.Deadline()
				time.Sleep(time.Until(deadline))
			}

			_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs")

			require.ErrorIs(t, err, milvuswait.ErrUnreachable)
			require.ErrorContains(t, err, "poll timed out after 1m0s: ")
			s := time.Second
			require.Equal(t, []time.Duration{10 * s, 20 * s, 40 * s, 60 * s, 60 * s, 60 * s, 60 * s}, p.until)
		})
	}
}
