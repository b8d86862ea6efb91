package milvuswait_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

func TestPollThatWasCutIsNotTheLastErrorOfAnUnreachableServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing := fake.Steps(fake.Step{Err: errBlip, Delay: 3 * time.Second})
		var p fake.Poller
		p.Set(milvuswait.Loading("hangs"), fake.WithDelay(fake.Percents(40), fake.Forever))
		p.Set(milvuswait.Loading("a"), failing).Set(milvuswait.Loading("b"), failing).Set(milvuswait.Loading("c"), failing)
		targets := []milvuswait.Target{
			milvuswait.Loading("hangs"), milvuswait.Loading("a"), milvuswait.Loading("b"), milvuswait.Loading("c"),
		}

		outcomes, err := milvuswait.WaitAll(t.Context(), &p, targets, milvuswait.WithMaxInFlight(2), milvuswait.WithUnreachableAfter(4*time.Second))

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		var e *milvuswait.Error
		require.ErrorAs(t, outcomes[0].Err, &e)
		require.ErrorIs(t, e, milvuswait.ErrUnreachable)
		require.Equal(t, 6*time.Second, e.Elapsed)
		require.NoError(t, e.LastErr)
		require.ErrorIs(t, outcomes[2].Err, errBlip)
	})
}

// Clients have errors of their own for a call that was cancelled.
func TestPollThatWasCutMayHaveAnErrorOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errCut := errors.New("rpc error: code = Canceled desc = context canceled")
		p := milvuswait.PollerFuncs{Loading: func(ctx context.Context, collection string, _ ...string) (milvuswait.LoadingProgress, error) {
			if collection == "hangs" {
				<-ctx.Done()
				return milvuswait.LoadingProgress{}, errCut
			}
			time.Sleep(3 * time.Second)
			return milvuswait.LoadingProgress{}, errBlip
		}}
		targets := []milvuswait.Target{
			milvuswait.Loading("hangs"), milvuswait.Loading("a"), milvuswait.Loading("b"), milvuswait.Loading("c"),
		}

		outcomes, err := milvuswait.WaitAll(t.Context(), p, targets, milvuswait.WithMaxInFlight(2), milvuswait.WithUnreachableAfter(4*time.Second))

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		require.NotErrorIs(t, outcomes[0].Err, errCut)
		require.ErrorIs(t, outcomes[2].Err, errBlip)
	})
}
