package milvuswait_test

import (
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
	synctest.Test(t, func(t *testing.T) {
		p := loadAt(40, 10*time.Second)
		stuck := p.load
		p.load = func(n int, at time.Duration) (milvuswait.LoadingProgress, error) {
			got, err := stuck(n, at)
			got.Percent = min(got.Percent, 50)
			return got, err
		}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", every(time.Second), milvuswait.WithStallTimeout(30*time.Second))

		require.EqualError(t, err, `milvuswait: loading "docs": stalled: no change for 30s (41 polls in 40s, last 50%)`)
	})
}
