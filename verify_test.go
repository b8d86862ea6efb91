package milvuswait_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// verifier is a function for WithVerify that returns its errors in turn, and the last one
// from then on. It records the times of its calls.
type verifier struct {
	errs []error
	took time.Duration

	mu    sync.Mutex
	calls []time.Time
	of    map[milvuswait.Target]int
}

func (v *verifier) option() milvuswait.Option {
	v.of = map[milvuswait.Target]int{}
	return milvuswait.WithVerify(func(ctx context.Context, t milvuswait.Target) error {
		v.mu.Lock()
		v.calls = append(v.calls, time.Now())
		v.of[t]++
		n := v.of[t]
		v.mu.Unlock()

		select {
		case <-time.After(v.took):
			return v.errs[min(n, len(v.errs))-1]
		case <-ctx.Done():
			return ctx.Err()
		}
	})
}

var errNoRow = errors.New("no row found")

func TestWithVerify(t *testing.T) {
	permanent := milvuswait.Permanent(errors.New("permission denied"))
	tests := []struct {
		name  string
		errs  []error
		want  error
		polls int
		end   time.Duration
	}{
		{"found", []error{nil}, nil, 3, 2 * time.Second},
		{"found at the third call", []error{errNoRow, errNoRow, nil}, nil, 5, 4 * time.Second},
		{"absent is tolerated", []error{milvuswait.ErrCollectionNotFound, nil}, nil, 4, 3 * time.Second},
		{"permanent", []error{errNoRow, permanent}, permanent, 4, 3 * time.Second},
		{"permanently absent", []error{milvuswait.Permanent(milvuswait.ErrCollectionNotFound)}, milvuswait.ErrCollectionNotFound, 3, 2 * time.Second},
		{"invalid", []error{milvuswait.ErrInvalid}, milvuswait.ErrInvalid, 3, 2 * time.Second},
		{"never", []error{errNoRow}, context.DeadlineExceeded, 61, time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v, seen, start := &verifier{errs: tt.errs}, &recorder{}, time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				p := percents(40, 60, 100)

				last, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", v.option(), every(time.Second), milvuswait.WithObserver(seen))

				require.ErrorIs(t, err, tt.want)
				require.Equal(t, int64(100), last.Percent)
				require.InDelta(t, tt.end, time.Since(start), float64(50*time.Millisecond))
				require.Equal(t, start.Add(2*time.Second), v.calls[0], "verify follows the complete poll at once")
				require.InDelta(t, tt.polls, len(p.at), 1)

				for _, u := range seen.updates {
					if u.Progress == last && !u.Final {
						require.ErrorIs(t, u.Err, tt.errs[0], "the error of verify is shown")
						require.Equal(t, milvuswait.WaitingForVerify, u.WaitingFor)
						require.Less(t, u.Fraction, 1.0)
						require.Zero(t, u.ETA)
					}
				}
				var failure *milvuswait.Error
				switch {
				case !errors.As(err, &failure):
				case errors.Is(err, context.DeadlineExceeded):
					require.ErrorIs(t, failure.LastErr, errNoRow)
					require.ErrorContains(t, err, "last 100%, waiting for verify, last error: no row found)")
				default:
					require.NoError(t, failure.LastErr, "the cause is the last error of verify")
				}
			})
		})
	}

	_, err := milvuswait.WaitForLoadingComplete(t.Context(), percents(100), "docs", milvuswait.WithVerify(nil))
	require.EqualError(t, err, "milvuswait: invalid argument: WithVerify: the function is nil")
}

func TestWithVerify_AfterSettle_DoesNotRestartIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, start := &verifier{errs: []error{errNoRow, errNoRow, nil}}, time.Now()

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), percents(100), "docs", v.option(),
			milvuswait.WithSettle(10*time.Second), every(time.Second))

		require.NoError(t, err)
		require.Equal(t, start.Add(10*time.Second), v.calls[0])
		require.Equal(t, start.Add(12*time.Second), v.calls[2])
	})
}

// TestWithVerify_TargetBecomesIncomplete_IsVerifiedAgain has a load that falls back while
// verify fails: verify waits until it is complete again.
func TestWithVerify_TargetBecomesIncomplete_IsVerifiedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, seen, start := &verifier{errs: []error{errNoRow, nil}}, &recorder{}, time.Now()

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), percents(100, 50, 50, 100), "docs", v.option(), every(time.Second), milvuswait.WithObserver(seen))

		require.NoError(t, err)
		require.Equal(t, []time.Time{start, start.Add(3 * time.Second)}, v.calls)
		require.Empty(t, seen.updates[1].WaitingFor)
	})
}

func TestWithVerify_Stall_Runs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, start := &verifier{errs: []error{errNoRow}}, time.Now()

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), percents(40, 100), "docs", v.option(),
			milvuswait.WithStallTimeout(10*time.Second), every(time.Second))

		require.ErrorIs(t, err, milvuswait.ErrStalled)
		require.Equal(t, 11*time.Second, time.Since(start))
	})
}

// TestWithVerify_AfterSettle_StallsFromItsFirstError has a target that settles for longer than
// the stall timeout: this time does not count.
func TestWithVerify_AfterSettle_StallsFromItsFirstError(t *testing.T) {
	for name, wait := range map[string]func(t *testing.T, p milvuswait.Poller, opts ...milvuswait.Option) error{
		"one target": func(t *testing.T, p milvuswait.Poller, opts ...milvuswait.Option) error {
			_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", opts...)
			return err
		},
		"many": func(t *testing.T, p milvuswait.Poller, opts ...milvuswait.Option) error {
			_, err := milvuswait.WaitAll(t.Context(), p, collections(2), opts...)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := &verifier{errs: []error{errNoRow, nil}}

				err := wait(t, percents(40, 100), v.option(), milvuswait.WithSettle(30*time.Second), milvuswait.WithStallTimeout(10*time.Second), every(time.Second))

				require.NoError(t, err)
			})
		})
	}
}

// TestWithVerify_Slow_TimeoutDoubles has a verify that takes longer than the first timeout.
func TestWithVerify_Slow_TimeoutDoubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &verifier{errs: []error{nil}, took: 15 * time.Second}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()

		_, err := milvuswait.WaitForLoadingComplete(ctx, percents(100), "docs", v.option())

		require.NoError(t, err)
		require.Len(t, v.calls, 2)
	})
}

// TestWithVerify_UnmarkedErrors_AreTolerated has errors of a wait inside verify.
func TestWithVerify_UnmarkedErrors_AreTolerated(t *testing.T) {
	for _, err := range []error{milvuswait.ErrUnreachable, milvuswait.ErrStalled, milvuswait.ErrLoadFailed, milvuswait.ErrNotLoaded} {
		synctest.Test(t, func(t *testing.T) {
			v := &verifier{errs: []error{err, nil}}

			_, got := milvuswait.WaitForLoadingComplete(t.Context(), percents(100), "docs", v.option())

			require.NoError(t, got, err.Error())
		})
	}
}

// TestWithVerify_UnreachableBudget_DoesNotRun has a verify that fails for longer than the
// budget.
func TestWithVerify_UnreachableBudget_DoesNotRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &verifier{errs: append(repeat(errNoRow, 20), nil)}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), percents(100), "docs", v.option(),
			milvuswait.WithUnreachableAfter(5*time.Second), every(time.Second))

		require.NoError(t, err)
		require.Len(t, v.calls, 21)
	})
}

func repeat(err error, n int) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}

func TestWithVerify_Hangs_TimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, seen, start := &verifier{errs: []error{nil}, took: time.Hour}, &recorder{}, time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 25*time.Second)
		defer cancel()

		_, err := milvuswait.WaitForLoadingComplete(ctx, percents(100), "docs", v.option(), every(time.Second), milvuswait.WithObserver(seen))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 25*time.Second, time.Since(start))
		require.ErrorContains(t, seen.updates[0].Err, "timed out after 10s")
		require.NotErrorIs(t, seen.updates[0].Err, context.DeadlineExceeded)
	})
}

func TestWithVerify_Panics_LikeAPoller(t *testing.T) {
	verify := milvuswait.WithVerify(func(context.Context, milvuswait.Target) error { panic("boom") })
	require.PanicsWithValue(t, "boom", func() {
		_, _ = milvuswait.WaitForLoadingComplete(t.Context(), percents(100), "docs", verify)
	})
	defer func() {
		require.ErrorContains(t, recover().(error), "boom")
	}()
	_, _ = milvuswait.WaitAll(t.Context(), percents(100), collections(3), verify)
}

// TestWaitAll_WithVerify runs verify for loads out of lists, side by side, within
// WithMaxInFlight, and once for equal targets.
func TestWaitAll_WithVerify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 40
		v := &verifier{errs: []error{errNoRow, nil}, took: 100 * time.Millisecond}
		var inFlight, most int
		var mu sync.Mutex
		verify := milvuswait.WithVerify(func(ctx context.Context, target milvuswait.Target) error {
			mu.Lock()
			inFlight++
			most = max(most, inFlight)
			mu.Unlock()
			defer func() {
				mu.Lock()
				inFlight--
				mu.Unlock()
			}()
			v.mu.Lock()
			v.of[target]++
			calls := v.of[target]
			v.mu.Unlock()
			time.Sleep(v.took)
			return v.errs[min(calls, 2)-1]
		})
		v.option()

		l := newListing(n, evenly(2*time.Second))
		targets := append(collections(n), milvuswait.Loading("c3"))
		outcomes, err := milvuswait.WaitAll(t.Context(), l, targets, verify, milvuswait.WithMaxInFlight(8))

		require.NoError(t, err)
		require.Len(t, outcomes, n+1)
		for _, target := range collections(n) {
			require.Equal(t, 2, v.of[target], target.String())
		}
		require.Equal(t, 8, most)
		require.Equal(t, outcomes[3].Elapsed, outcomes[n].Elapsed)
	})
}

// TestWaitAll_WithVerify_Ends has the ends of a WaitAll while verify runs or fails.
func TestWaitAll_WithVerify_Ends(t *testing.T) {
	permanent := milvuswait.Permanent(errors.New("permission denied"))
	verify := milvuswait.WithVerify(func(ctx context.Context, target milvuswait.Target) error {
		switch target.Collection() {
		case "c0":
			time.Sleep(time.Second)
			return permanent
		case "c1":
			return errNoRow
		}
		<-ctx.Done()
		return fmt.Errorf("query: %w", ctx.Err())
	})

	synctest.Test(t, func(t *testing.T) {
		outcomes, err := milvuswait.WaitAll(t.Context(), percents(100), collections(3), verify)

		require.ErrorIs(t, err, permanent)
		require.ErrorIs(t, outcomes[0].Err, permanent)
		require.ErrorIs(t, outcomes[1].Err, milvuswait.ErrAborted)
		require.ErrorIs(t, outcomes[2].Err, milvuswait.ErrAborted)
	})

	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		outcomes, err := milvuswait.WaitAll(ctx, percents(100), collections(3), verify, milvuswait.WithContinueOnError())

		require.Error(t, err)
		require.Equal(t, 5*time.Second, time.Since(start))
		require.ErrorIs(t, outcomes[0].Err, permanent)
		require.ErrorIs(t, outcomes[1].Err, context.DeadlineExceeded)
		require.ErrorContains(t, outcomes[1].Err, "last error: no row found")
		require.ErrorIs(t, outcomes[2].Err, context.DeadlineExceeded)
	})
}
