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

var errRefused = milvuswait.Permanent(errors.New("permission denied"))

// resulting returns a Poller of one load whose polls return these results in turn, and the
// last of them from then on. nil is 40 %.
func resulting(results ...error) *probe {
	return failing(func(n int, _ time.Duration) error { return results[min(n, len(results))-1] })
}

// TestWait_PermanentFailure_IsConfirmedIfItContradicts has a table of the answers to a wait
// when a permanent failure comes. A delay of 10 s shows which poll the pace has planned.
func TestWait_PermanentFailure_IsConfirmedIfItContradicts(t *testing.T) {
	const pace, ms = 10 * time.Second, time.Millisecond
	absent, dropped := milvuswait.ErrNotLoaded, milvuswait.ErrCollectionNotFound

	tests := []struct {
		name    string
		results []error
		want    error
		polls   int
		end     time.Duration
	}{
		{"absent on the first poll", []error{absent}, absent, 1, 0},
		{"refused on the first poll", []error{errRefused}, errRefused, 1, 0},
		{"absent after a success", []error{nil, dropped}, dropped, 3, pace + 100*ms},
		{"released after a success", []error{nil, absent}, milvuswait.ErrReleased, 3, pace + 100*ms},
		{"absent after a transient failure", []error{errBlip, dropped}, dropped, 3, pace + 100*ms},
		{"the second absent answer differs", []error{nil, absent, dropped}, dropped, 3, pace + 100*ms},
		{"transient failures do not confirm", []error{nil, dropped, errBlip, errBlip, dropped}, dropped, 5, 3*pace + 100*ms},
		{"a refusal does not confirm", []error{nil, dropped, errRefused, dropped}, dropped, 4, 2*pace + 100*ms},
		{"refused after a success", []error{nil, errRefused}, errRefused, 5, pace + 30*time.Second},
		{"refused after a transient failure", []error{errBlip, errRefused}, errRefused, 5, pace + 30*time.Second},
		{"load failed after a success", []error{nil, milvuswait.ErrLoadFailed}, milvuswait.ErrLoadFailed, 2, pace},
		{"ambiguous after a transient failure", []error{errBlip, milvuswait.ErrAmbiguousIndex}, milvuswait.ErrAmbiguousIndex, 2, pace},
		{"invalid after a success", []error{nil, milvuswait.ErrInvalid}, milvuswait.ErrInvalid, 2, pace},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, start := resulting(tt.results...), time.Now()

				_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", every(pace), milvuswait.WithStallTimeout(20*time.Second))

				require.ErrorIs(t, err, tt.want)
				require.Len(t, p.at, tt.polls)
				require.Equal(t, tt.end, time.Since(start))
				var failure *milvuswait.Error
				require.ErrorAs(t, err, &failure)
				require.NoError(t, failure.LastErr)
			})
		})
	}
}

// TestWait_SingleContradiction_IsSurvived has one permanent failure between successes: the
// wait goes on. A proxy that returns it every second time does not end the wait either.
func TestWait_SingleContradiction_IsSurvived(t *testing.T) {
	for name, failure := range map[string]error{
		"collection not found": milvuswait.ErrCollectionNotFound, "not loaded": milvuswait.ErrNotLoaded, "refused": errRefused,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := milvuswait.WaitForLoadingComplete(t.Context(), &probe{load: func(n int, _ time.Duration) (milvuswait.LoadingProgress, error) {
					if n == 20 {
						return milvuswait.LoadingProgress{}, failure
					}
					return milvuswait.LoadingProgress{Percent: int64(min(100, 4*n))}, nil
				}}, "docs", every(time.Second))
				require.NoError(t, err)

				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				p := failing(func(n int, _ time.Duration) error {
					if n%2 == 0 {
						return failure
					}
					return nil
				})
				_, err = milvuswait.WaitForLoadingComplete(ctx, p, "docs")
				require.ErrorIs(t, err, context.DeadlineExceeded)
			})
		})
	}
}

// TestWait_UnconfirmedFailureAtTheDeadline_IsTheLastError ends a wait between an absent
// answer and the poll that would confirm it.
func TestWait_UnconfirmedFailureAtTheDeadline_IsTheLastError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		p := failing(func(_ int, at time.Duration) error {
			if at > 9*time.Second+900*time.Millisecond { // the last poll before the deadline
				return milvuswait.ErrCollectionNotFound
			}
			return nil
		})

		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", every(3*time.Second))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "last error: collection not found")
		var failure *milvuswait.Error
		require.ErrorAs(t, err, &failure)
		require.ErrorIs(t, failure.LastErr, milvuswait.ErrCollectionNotFound)
		require.Equal(t, 10*time.Second, failure.Elapsed)
	})
}

// TestWait_ServerRefusesLongerThanTheBudget_IsNotUnreachable refuses for 20 s, with a budget
// of 10 s: a refusal is an answer. Stall does not count the time either.
func TestWait_ServerRefusesLongerThanTheBudget_IsNotUnreachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{load: func(_ int, at time.Duration) (milvuswait.LoadingProgress, error) {
			switch {
			case at < time.Second:
				return milvuswait.LoadingProgress{Percent: 40}, nil
			case at < 21*time.Second:
				return milvuswait.LoadingProgress{}, errRefused
			case at < 35*time.Second:
				return milvuswait.LoadingProgress{Percent: 40}, nil
			}
			return milvuswait.LoadingProgress{Percent: 100}, nil
		}}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs",
			milvuswait.WithUnreachableAfter(10*time.Second), milvuswait.WithStallTimeout(20*time.Second))

		require.NoError(t, err)
	})
}

// TestWait_AbsentAfterZeroPercentInTheGrace_IsNoStall sees 0 %, then 20 s of absence, then
// 0 % again. The stall timeout of 15 s does not count the time in which nothing was seen.
func TestWait_AbsentAfterZeroPercentInTheGrace_IsNoStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{load: func(_ int, at time.Duration) (milvuswait.LoadingProgress, error) {
			switch {
			case at < time.Second, at >= 21*time.Second && at < 30*time.Second:
				return milvuswait.LoadingProgress{}, nil
			case at < 21*time.Second:
				return milvuswait.LoadingProgress{}, milvuswait.ErrNotLoaded
			}
			return milvuswait.LoadingProgress{Percent: 100}, nil
		}}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs",
			milvuswait.WithStartGrace(time.Minute), milvuswait.WithStallTimeout(15*time.Second))

		require.NoError(t, err)
	})
}

// TestWait_ConfirmingPoll_IgnoresTheGenerator confirms an absent answer after 100 ms though
// the custom generator asks for a minute, or for the end of the wait.
func TestWait_ConfirmingPoll_IgnoresTheGenerator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		generator := milvuswait.WithBackoffFunc(func() func() time.Duration {
			return func() time.Duration {
				if calls++; calls > 1 {
					return -1
				}
				return time.Minute
			}
		})
		p := resulting(nil, milvuswait.ErrCollectionNotFound)

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", generator)

		require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)
		require.Equal(t, []time.Duration{0, time.Minute, time.Minute + 100*time.Millisecond}, p.at)
		require.Equal(t, 1, calls)
	})
}

// TestWait_GeneratorWithoutEnd_PollsOnce returns the maximum duration as a delay. The sum with
// the time waited must not overflow to a time in the past.
func TestWait_GeneratorWithoutEnd_PollsOnce(t *testing.T) {
	for name, wait := range map[string]func(context.Context, milvuswait.Poller, ...milvuswait.Option) error{
		"single": func(ctx context.Context, p milvuswait.Poller, opts ...milvuswait.Option) error {
			_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", opts...)
			return err
		},
		"WaitAll": func(ctx context.Context, p milvuswait.Poller, opts ...milvuswait.Option) error {
			_, err := milvuswait.WaitAll(ctx, p, []milvuswait.Target{milvuswait.Loading("docs")}, opts...)
			return err
		},
	} {
		for _, delay := range []time.Duration{math.MaxInt64, math.MaxInt64 - 1, math.MaxInt64/2 + 1} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancel(t.Context())
					time.AfterFunc(10*time.Second, cancel)
					p := failing(func(int, time.Duration) error { return nil })

					err := wait(ctx, p, constant(delay))

					require.ErrorIs(t, err, context.Canceled)
					require.Len(t, p.at, 1)
				})
			})
		}
	}
}

// TestWait_BudgetShorterThanAPoll_EndsAfterTheBudget hangs: no poll outlasts the budget.
func TestWait_BudgetShorterThanAPoll_EndsAfterTheBudget(t *testing.T) {
	for _, budget := range []time.Duration{time.Second, 5 * time.Second, 12 * time.Second, 25 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			p := failing(func(int, time.Duration) error { return errBlip })
			p.hang = func(ctx context.Context, _ int) { <-ctx.Done() }

			_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithUnreachableAfter(budget))

			require.ErrorIs(t, err, milvuswait.ErrUnreachable)
			require.Equal(t, budget, time.Since(start))
			require.ErrorContains(t, err, "server unreachable: no poll has succeeded for "+budget.String()+" (")
		})
	}
}

// TestWait_LastPollBeforeTheEndOfTheBudget_MaySucceed has a server that is back for the last
// poll, 50 ms before the end of the budget.
func TestWait_LastPollBeforeTheEndOfTheBudget_MaySucceed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := failing(func(_ int, at time.Duration) error {
			if at >= 9*time.Second {
				return nil
			}
			return errBlip
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()

		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", every(7*time.Second), milvuswait.WithUnreachableAfter(10*time.Second))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 10*time.Second-50*time.Millisecond, p.at[2])
	})
}
