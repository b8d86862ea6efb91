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
				for i, u := range seen.updates { // raw, whatever it is
					require.Equal(t, milvuswait.LoadingProgress{Percent: tt.values[i]}, u.Progress)
					require.InDelta(t, 0.5, u.Fraction, 0.5)
				}
			})
		})
	}
}

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

func TestStartGrace(t *testing.T) {
	const grace = 30 * time.Second
	absent := func(until time.Duration, err error) func(int, time.Duration) (milvuswait.LoadingProgress, error) {
		return func(_ int, at time.Duration) (milvuswait.LoadingProgress, error) {
			switch {
			case at < until:
				return milvuswait.LoadingProgress{}, err
			case at < until+time.Minute:
				return milvuswait.LoadingProgress{Percent: 40}, nil
			}
			return milvuswait.LoadingProgress{Percent: 100}, nil
		}
	}
	tests := []struct {
		name string
		load func(int, time.Duration) (milvuswait.LoadingProgress, error)
		want error
		end  time.Duration // if it fails
	}{
		{"loaded by somebody in time", absent(20*time.Second, errNotLoaded), nil, 0},
		{"created in time", absent(20*time.Second, milvuswait.ErrCollectionNotFound), nil, 0},
		{"failure of an older load", absent(20*time.Second, milvuswait.ErrLoadFailed), nil, 0},
		{"never loaded", absent(time.Hour, errNotLoaded), milvuswait.ErrNotLoaded, grace},
		{"no permission", absent(time.Hour, milvuswait.Permanent(errBlip)), errBlip, 0},
		{"released after progress, in the grace", func(n int, _ time.Duration) (milvuswait.LoadingProgress, error) {
			if n > 2 {
				return milvuswait.LoadingProgress{}, errNotLoaded
			}
			return milvuswait.LoadingProgress{Percent: 40}, nil
		}, milvuswait.ErrReleased, 100 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()

				_, err := milvuswait.WaitForLoadingComplete(t.Context(), &probe{load: tt.load}, "docs", milvuswait.WithStartGrace(grace))

				if tt.want == nil {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, tt.want)
				require.InDelta(t, tt.end, time.Since(start), float64(50*time.Millisecond))
			})
		})
	}
}

func TestStartGraceOutlastsTheUnreachableBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := failing(func(int, time.Duration) error { return errNotLoaded })
		start := time.Now()

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithStartGrace(20*time.Minute))

		require.ErrorIs(t, err, milvuswait.ErrNotLoaded)
		require.Equal(t, 20*time.Minute, time.Since(start))
	})
}

// lite is a Poller that answers 0 % for what is not loaded, as milvus-lite does.
type lite struct {
	*probe
	state  func(n int) error
	checks int
}

func (l *lite) CheckLoadState(context.Context, string, ...string) error {
	l.checks++
	return l.state(l.checks)
}

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
		{"released on milvus-lite", []int64{0}, func(int) error { return milvuswait.ErrNotLoaded }, milvuswait.ErrNotLoaded, 1, 3},
		{"dropped on milvus-lite", []int64{0}, func(int) error { return milvuswait.ErrCollectionNotFound }, milvuswait.ErrCollectionNotFound, 1, 3},
		{"a slow start", []int64{0, 0, 0, 0, 0, 0, 0, 40, 100}, loading, nil, 1, 9},
		{"no long stand at 0", []int64{0, 0, 10, 0, 0, 100}, loading, nil, 0, 6},
		{"falls to 0 and stays", []int64{50, 0, 0, 0, 0, 100}, loading, nil, 1, 6},
		{"released after progress", []int64{50, 0}, func(int) error { return milvuswait.ErrNotLoaded }, milvuswait.ErrReleased, 1, 4},
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

func TestZeroPercentWithinTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &lite{probe: percents(0), state: func(int) error { return milvuswait.ErrNotLoaded }}
		start := time.Now()

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithStartGrace(time.Minute))

		require.ErrorIs(t, err, milvuswait.ErrNotLoaded)
		require.Equal(t, time.Minute, time.Since(start))
	})
}

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
		want time.Duration // at the earliest, and 150 ms later at the latest
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

func TestSettleDoesNotCountAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		p := failing(func(_ int, at time.Duration) error {
			if at >= 2*time.Second && at < 52*time.Second {
				return errBlip
			}
			return nil
		})
		loading := p.load
		p.load = func(n int, at time.Duration) (milvuswait.LoadingProgress, error) {
			_, err := loading(n, at)
			return milvuswait.LoadingProgress{Percent: 100}, err
		}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithSettle(20*time.Second), constant(time.Second))

		require.NoError(t, err)
		require.Equal(t, 70*time.Second, time.Since(start), "2 s before it and 18 s after it")
	})
}

func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Complete from 2 s to 5 s, and from 8 s on.
		p := &probe{load: func(_ int, at time.Duration) (milvuswait.LoadingProgress, error) {
			if at >= 2*time.Second && at < 5*time.Second || at >= 8*time.Second {
				return milvuswait.LoadingProgress{Percent: 100}, nil
			}
			return milvuswait.LoadingProgress{Percent: 75}, nil
		}}
		start := time.Now()

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithSettle(10*time.Second))

		require.NoError(t, err)
		require.GreaterOrEqual(t, time.Since(start), 18*time.Second)
		require.LessOrEqual(t, time.Since(start), 18500*time.Millisecond)
		require.Less(t, len(p.at), 120)
	})
}

func TestStall(t *testing.T) {
	const stall = 10 * time.Minute
	tests := []struct {
		name string
		load func(n int, at time.Duration) (int64, error)
		want time.Duration
	}{
		{"no change from the start", func(int, time.Duration) (int64, error) { return 30, nil }, stall},
		{"a step at 9 min is life", func(_ int, at time.Duration) (int64, error) { return 30 + int64(at/(9*time.Minute+1))%2, nil }, 0},
		{"a fall is life", func(_ int, at time.Duration) (int64, error) {
			if at > 5*time.Minute {
				return 20, nil
			}
			return 30, nil
		}, 15 * time.Minute},
		{"an outage is no stall", func(_ int, at time.Duration) (int64, error) {
			if at > time.Minute && at < 4*time.Minute {
				return 0, errBlip
			}
			return 30, nil
		}, 13 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &probe{load: func(n int, at time.Duration) (milvuswait.LoadingProgress, error) {
					percent, err := tt.load(n, at)
					return milvuswait.LoadingProgress{Percent: percent}, err
				}}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				start := time.Now()

				_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithStallTimeout(stall))

				if tt.want == 0 {
					require.ErrorIs(t, err, context.DeadlineExceeded)
					return
				}
				require.ErrorIs(t, err, milvuswait.ErrStalled)
				require.InDelta(t, tt.want, time.Since(start), float64(10*time.Second))
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
