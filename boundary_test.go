package milvuswait_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// every is a pace of one poll each d, to the nanosecond.
func every(d time.Duration) milvuswait.Option {
	return milvuswait.WithBackoff(milvuswait.Backoff{
		Initial: d, Max: d, Multiplier: 1, Jitter: milvuswait.NoJitter, Lateness: 1, IgnoreProgress: true,
	})
}

func TestBackoffAtItsBounds(t *testing.T) {
	for _, tt := range []struct {
		b    milvuswait.Backoff
		want time.Duration
	}{
		{milvuswait.Backoff{Initial: time.Millisecond}, time.Millisecond},
		{milvuswait.Backoff{Max: time.Millisecond}, time.Millisecond},
		{milvuswait.Backoff{Initial: time.Hour}, time.Hour},
		{milvuswait.Backoff{Max: time.Hour}, 50 * time.Millisecond},
		{milvuswait.Backoff{Initial: time.Hour, Max: time.Hour}, time.Hour},
		{milvuswait.Backoff{Multiplier: 1}, 50 * time.Millisecond},
		{milvuswait.Backoff{Multiplier: 10}, 50 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%+v", tt.b), func(t *testing.T) {
			tt.b.Jitter = milvuswait.NoJitter

			require.Equal(t, tt.want, delays(t, 1, milvuswait.WithBackoff(tt.b))[0])
		})
	}
}

func TestZeroPercentInListsIsCheckedTenSecondsAfterTheLastChange(t *testing.T) {
	for _, released := range []time.Duration{0, 30 * time.Second} {
		t.Run(fmt.Sprintf("released after %v", released), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newListing(3, func(_ int, at time.Duration) int64 {
					if at < released {
						return 40
					}
					return 0
				})
				l.took, l.state = 0, milvuswait.ErrNotLoaded

				_, err := milvuswait.WaitAll(t.Context(), l, collections(3), every(980*time.Millisecond)) // and a list takes 20 ms

				require.Error(t, err)
				require.Equal(t, released+10*time.Second+20*time.Millisecond, time.Since(l.start))
			})
		})
	}
}

func TestFailuresSayForHowLong(t *testing.T) {
	tests := []struct {
		name string
		load func(at time.Duration) (int64, error)
		opt  milvuswait.Option
		want string
	}{
		{"stalled", func(at time.Duration) (int64, error) {
			if at < 10*time.Second {
				return 40, nil
			}
			return 50, nil
		}, milvuswait.WithStallTimeout(30 * time.Second), "stalled: no change for 30s (41 polls in 40s, last 50%)"},
		{"unreachable", func(at time.Duration) (int64, error) {
			if at < 10*time.Second {
				return 40, nil
			}
			return 0, errBlip
		}, milvuswait.WithUnreachableAfter(30 * time.Second),
			"server unreachable: no poll has succeeded for 30s (41 polls in 40s, last 40%, last error: connection refused)"},
		{"given up by the server", func(at time.Duration) (int64, error) {
			switch {
			case at < 10*time.Second:
				return 40, nil
			case at < 620*time.Second:
				return 50, nil
			}
			return 0, milvuswait.ErrNotLoaded
		}, milvuswait.WithSettle(0), "load failed: the server gave up after 10m10s without progress: not loaded (621 polls in 10m20s, last 50%)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &probe{load: func(_ int, at time.Duration) (p milvuswait.LoadingProgress, err error) {
					p.Percent, err = tt.load(at)
					return p, err
				}}

				_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", every(time.Second), tt.opt)

				require.EqualError(t, err, `milvuswait: loading "docs": `+tt.want)
			})
		})
	}
}

func TestAServerOutOfReachOfAllSaysForHowLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{took: 8 * time.Second, answer: func(_ context.Context, collection string, _ int) (milvuswait.LoadingProgress, error) {
			if collection == "c0" {
				return milvuswait.LoadingProgress{Percent: 100}, nil
			}
			return milvuswait.LoadingProgress{}, errBlip
		}}

		outcomes, err := milvuswait.WaitAll(t.Context(), g, collections(3),
			milvuswait.WithMaxInFlight(1), milvuswait.WithUnreachableAfter(5*time.Second))

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		require.NoError(t, outcomes[0].Err)
		for i, polls := range []string{"1 poll in 16s, last error: connection refused", "0 polls in 16s"} {
			require.EqualError(t, outcomes[i+1].Err, fmt.Sprintf(
				`milvuswait: loading "c%d": server unreachable: no poll of any target has succeeded for 8s (%s)`, i+1, polls))
		}
	})
}
