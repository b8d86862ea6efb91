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
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()

				_, err := milvuswait.WaitAll(ctx, l, collections(3), every(980*time.Millisecond)) // and a list takes 20 ms

				require.Error(t, err)
				require.Equal(t, released+10*time.Second+20*time.Millisecond, time.Since(l.start))
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
			milvuswait.WithMaxInFlight(1), milvuswait.WithUnreachableAfter(8*time.Second))

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		require.NoError(t, outcomes[0].Err)
		for i, polls := range []string{"1 poll in 16s, last error: connection refused", "0 polls in 16s"} {
			require.EqualError(t, outcomes[i+1].Err, fmt.Sprintf(
				`milvuswait: loading "c%d": server unreachable: no poll of any target has succeeded for 8s (%s)`, i+1, polls))
		}
	})
}

func TestAnOutageBeginsWithTheListThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newListing(3, func(int, time.Duration) int64 { return 40 })
		l.took = 0
		l.list = func(_ int, at time.Duration, _ map[string]milvuswait.LoadingProgress) error {
			if at >= time.Minute {
				return errBlip
			}
			return nil
		}
		l.answer = func(context.Context, string, int) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{}, errBlip
		}

		_, err := milvuswait.WaitAll(t.Context(), l, collections(3), every(980*time.Millisecond), // and a list takes 20 ms
			milvuswait.WithUnreachableAfter(30*time.Second), milvuswait.WithContinueOnError())

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		require.Equal(t, 90*time.Second, time.Since(l.start))
	})
}
