package milvuswait_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

func TestLoadingCompletesAt100(t *testing.T) {
	tests := []struct {
		name   string
		values []int64
		polls  int
	}{
		{"steps of one segment", []int64{0, 50, 100}, 3},
		{"falls and comes back", []int64{10, 60, 20, 99, 0, 100}, 6},
		{"negative is not complete", []int64{-5, math.MinInt64, 100}, 3},
		{"above 100", []int64{99, 250}, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := &recorder{}

				progress, err := milvuswait.WaitForLoadingComplete(t.Context(), percents(tt.values...), "docs", milvuswait.WithObserver(seen))

				require.NoError(t, err)
				require.Equal(t, tt.values[len(tt.values)-1], progress.Percent)
				require.Len(t, seen.updates, tt.polls)
				for i, u := range seen.updates { // percentages are reported unchanged
					require.Equal(t, milvuswait.LoadingProgress{Percent: tt.values[i]}, u.Progress)
					require.InDelta(t, 0.5, u.Fraction, 0.5)
				}
			})
		})
	}
}

// TestNotLoaded covers the meaning of "not loaded" by its time: before any progress, after
// progress (released), or after 601 s at the same percentage (the server gave the load up).
func TestNotLoaded(t *testing.T) {
	tests := []struct {
		name string
		err  func(n int, at time.Duration) error
		want error
		not  []error
	}{
		{"from the start", func(int, time.Duration) error { return errNotLoaded },
			milvuswait.ErrNotLoaded, []error{milvuswait.ErrReleased, milvuswait.ErrLoadFailed}},
		{"after progress", func(n int, _ time.Duration) error {
			if n > 3 {
				return errNotLoaded
			}
			return nil
		}, milvuswait.ErrReleased, []error{milvuswait.ErrNotLoaded, milvuswait.ErrLoadFailed}},
		{"after the server's patience", func(_ int, at time.Duration) error {
			if at > 601*time.Second {
				return errNotLoaded
			}
			return nil
		}, milvuswait.ErrLoadFailed, []error{milvuswait.ErrNotLoaded, milvuswait.ErrReleased}},
		{"dropped after progress", func(n int, _ time.Duration) error {
			if n > 3 {
				return milvuswait.ErrCollectionNotFound
			}
			return nil
		}, milvuswait.ErrCollectionNotFound, []error{milvuswait.ErrReleased}},
		{"with the server's reason", func(n int, _ time.Duration) error {
			if n > 3 {
				return fmt.Errorf("%w: OOM", milvuswait.ErrLoadFailed)
			}
			return nil
		}, milvuswait.ErrLoadFailed, []error{milvuswait.ErrReleased}},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, err := milvuswait.WaitForLoadingComplete(t.Context(), failing(tt.err), "docs")

				require.ErrorIs(t, err, tt.want)
				for _, not := range tt.not {
					require.NotErrorIs(t, err, not)
				}
				if errors.Is(tt.err(1e6, 1e18), errNotLoaded) {
					var said *milvuswait.ServerError
					require.ErrorAs(t, err, &said)
					require.Equal(t, int32(101), said.Code)
				}
			})
		})
	}
}

func TestReleasedAtZeroPercent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{load: func(n int, _ time.Duration) (milvuswait.LoadingProgress, error) {
			if n > 2 {
				return milvuswait.LoadingProgress{}, errNotLoaded
			}
			return milvuswait.LoadingProgress{}, nil
		}}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs")

		require.ErrorIs(t, err, milvuswait.ErrReleased)
	})
}

// TestReleasedIsNotGivenUp covers waits with no change for more than the server's patience
// of ten minutes. At 100 %, or without polls during an outage, the load has not failed:
// it was released.
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

// lite is a Poller that reports 0 % for an unloaded collection, as milvus-lite does. state
// is the result of CheckLoadState, by the number of the check.
type lite struct {
	*probe
	state  func(n int) error
	checks int
}

func (l *lite) CheckLoadState(context.Context, string, ...string) error {
	l.checks++
	return l.state(l.checks)
}

// TestZeroPercentIsCheckedOnce shows when a wait calls CheckLoadState: after three polls at
// 0 % in a row, once, and up to three times if the check itself fails.
func TestZeroPercentIsCheckedOnce(t *testing.T) {
	loading := func(int) error { return nil }

	tests := []struct {
		name   string
		values []int64
		state  func(n int) error
		want   error
		checks int
		polls  int
	}{
		{"released on milvus-lite", []int64{0}, func(int) error { return milvuswait.ErrNotLoaded }, milvuswait.ErrNotLoaded, 2, 4},
		{"dropped on milvus-lite", []int64{0}, func(int) error { return milvuswait.ErrCollectionNotFound }, milvuswait.ErrCollectionNotFound, 2, 4},
		{"a slow start", []int64{0, 0, 0, 0, 0, 0, 0, 40, 100}, loading, nil, 1, 9},
		{"no long stand at 0", []int64{0, 0, 10, 0, 0, 100}, loading, nil, 0, 6},
		{"falls to 0 and stays", []int64{50, 0, 0, 0, 0, 100}, loading, nil, 1, 6},
		{"released after progress", []int64{50, 0}, func(int) error { return milvuswait.ErrNotLoaded }, milvuswait.ErrReleased, 2, 5},
		{"the check itself fails twice", []int64{0, 0, 0, 0, 0, 0, 0, 100}, func(n int) error {
			if n < 3 {
				return errBlip
			}
			return nil
		}, nil, 3, 8},
		{"the check itself always fails", []int64{0, 0, 0, 0, 0, 0, 0, 0, 0, 100}, func(int) error { return errBlip }, nil, 3, 10},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &lite{probe: percents(tt.values...), state: tt.state}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()

				_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs")

				require.ErrorIs(t, err, tt.want)
				require.Equal(t, tt.checks, p.checks)
				require.Len(t, p.at, tt.polls)
			})
		})
	}
}

// TestZeroPercentWithinTheGrace shows that the start grace also applies to a check that
// reports an unloaded collection.
func TestZeroPercentWithinTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &lite{probe: percents(0), state: func(int) error { return milvuswait.ErrNotLoaded }}
		start := time.Now()

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithStartGrace(time.Minute))

		require.ErrorIs(t, err, milvuswait.ErrNotLoaded)
		require.Equal(t, time.Minute, time.Since(start))
	})
}

// TestLoading_StateCheckRefused_IsNotRepeated shows that a user without permission for
// GetLoadState can still wait: the check fails permanently, and is not repeated or
// reported.
func TestLoading_StateCheckRefused_IsNotRepeated(t *testing.T) {
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

// hungCheck is a Poller whose CheckLoadState hangs.
type hungCheck struct{ *probe }

func (hungCheck) CheckLoadState(ctx context.Context, _ string, _ ...string) error {
	<-ctx.Done()
	return ctx.Err()
}

func TestLoading_StateCheckHangs_DelaysNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), hungCheck{loadAt(0, time.Minute)}, "docs")

		require.NoError(t, err)
		require.Less(t, time.Since(start), 62*time.Second)
	})
}

// unsupportedChecker is a Poller for a server without load states.
type unsupportedChecker struct {
	milvuswait.PollerFuncs
	checks int
}

func (u *unsupportedChecker) CheckLoadState(context.Context, string, ...string) error {
	u.checks++
	return errors.ErrUnsupported
}

func TestWait_CheckLoadStateIsUnsupported_ChecksOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := new(unsupportedChecker)
		u.Loading = func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{}, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()

		_, err := milvuswait.WaitForLoadingComplete(ctx, u, "docs")

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 1, u.checks)
	})
}

// TestRefresh covers waits for a refresh. RefreshPercent is 100 before the refresh starts
// too, so the wait watches it for a guard time of 1 s, or for the start grace.
func TestRefresh(t *testing.T) {
	progress := func(percent, refresh int64) milvuswait.LoadingProgress {
		return milvuswait.LoadingProgress{Percent: percent, RefreshPercent: refresh}
	}
	refreshes := func(from, to time.Duration) *probe {
		return &probe{load: func(_ int, at time.Duration) (milvuswait.LoadingProgress, error) {
			if at >= from && at < to {
				return progress(100, 0), nil
			}
			return progress(100, 100), nil
		}}
	}

	tests := []struct {
		name string
		p    *probe
		opts []milvuswait.Option
		want time.Duration // minimum time; the maximum is 150 ms more
	}{
		{"under way, and over at once", refreshes(0, 300*time.Millisecond), nil, 300 * time.Millisecond},
		{"under way", refreshes(0, 3*time.Second), nil, 3 * time.Second},
		{"asked for a little later", refreshes(500*time.Millisecond, 2*time.Second), nil, 2 * time.Second},
		{"nobody asked", refreshes(0, 0), nil, time.Second},
		{"nobody asked, polled at the end of the guard", refreshes(0, 0), []milvuswait.Option{every(time.Second)}, time.Second},
		{"nobody asked, with grace", refreshes(0, 0), []milvuswait.Option{milvuswait.WithStartGrace(5 * time.Second)}, 5 * time.Second},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()

				_, err := milvuswait.WaitForLoadingComplete(ctx, tt.p, "docs", append(tt.opts, milvuswait.WithRefresh())...)

				require.NoError(t, err)
				require.GreaterOrEqual(t, time.Since(start), tt.want)
				require.LessOrEqual(t, time.Since(start), tt.want+150*time.Millisecond)
			})
		})
	}
}

func TestPartitionsReachThePoller(t *testing.T) {
	var got []string
	p := milvuswait.PollerFuncs{
		Loading: func(_ context.Context, _ string, partitions ...string) (milvuswait.LoadingProgress, error) {
			got = partitions
			return milvuswait.LoadingProgress{Percent: 100}, nil
		},
	}

	_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithPartitions("eu", "us"))

	require.NoError(t, err)
	require.Equal(t, []string{"eu", "us"}, got)
}
