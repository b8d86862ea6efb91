package milvuswait_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

func TestAnswersAfterASiblingFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{answer: func(_ context.Context, collection string, _ int) (milvuswait.LoadingProgress, error) {
			if collection == "c0" {
				return milvuswait.LoadingProgress{}, milvuswait.ErrCollectionNotFound
			}
			time.Sleep(time.Second) // whatever the context
			switch collection {
			case "c1":
				return milvuswait.LoadingProgress{Percent: 100}, nil
			case "c2":
				return milvuswait.LoadingProgress{Percent: 40}, nil
			}
			return milvuswait.LoadingProgress{}, errBlip
		}}

		outcomes, err := milvuswait.WaitAll(t.Context(), g, collections(5), milvuswait.WithMaxInFlight(4))

		require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)
		require.NotErrorIs(t, err, milvuswait.ErrAborted)
		require.NoError(t, outcomes[1].Err, "complete all the same")
		require.Equal(t, milvuswait.LoadingProgress{Percent: 100}, outcomes[1].Progress)
		require.ErrorIs(t, outcomes[2].Err, milvuswait.ErrAborted)
		require.Equal(t, milvuswait.LoadingProgress{Percent: 40}, outcomes[2].Progress)
		require.ErrorIs(t, outcomes[3].Err, milvuswait.ErrAborted)
		require.Nil(t, outcomes[3].Progress)
		for i, polls := range []int{1, 1, 1, 1, 0} {
			require.Equal(t, polls, outcomes[i].Polls, "of c%d", i)
		}
	})
}

func TestPollsThatTheContextEndedCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{answer: func(ctx context.Context, collection string, _ int) (milvuswait.LoadingProgress, error) {
			<-ctx.Done()
			if collection == "c0" {
				return milvuswait.LoadingProgress{Percent: 40}, nil
			}
			return milvuswait.LoadingProgress{}, ctx.Err()
		}}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)

		outcomes, err := milvuswait.WaitAll(ctx, g, collections(3), milvuswait.WithMaxInFlight(2))

		require.ErrorIs(t, err, context.Canceled)
		for i, polls := range []int{1, 1, 0} {
			require.ErrorIs(t, outcomes[i].Err, context.Canceled)
			require.Equal(t, polls, outcomes[i].Polls, "of c%d", i)
		}
	})
}

// "Not found" is an answer too: a server that gives it is not out of reach.
func TestAServerThatSaysNoIsReachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 20
		targets := collections(n)
		hangs := func(i int) bool { return i%2 == 0 }
		g := &gauge{answer: func(ctx context.Context, collection string, _ int) (milvuswait.LoadingProgress, error) {
			for i, target := range targets {
				if target.Collection() == collection && hangs(i) {
					<-ctx.Done()
					return milvuswait.LoadingProgress{}, ctx.Err()
				}
			}
			return milvuswait.LoadingProgress{}, milvuswait.ErrCollectionNotFound
		}}

		outcomes, err := milvuswait.WaitAll(t.Context(), g, targets, milvuswait.WithContinueOnError(),
			milvuswait.WithMaxInFlight(1), milvuswait.WithUnreachableAfter(25*time.Second)) // three polls that hang

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		for i, o := range outcomes {
			require.Positive(t, o.Polls, "c%d was given up unseen", i)
			if hangs(i) {
				require.ErrorIs(t, o.Err, milvuswait.ErrUnreachable)
			} else {
				require.ErrorIs(t, o.Err, milvuswait.ErrCollectionNotFound)
			}
		}
	})
}

func TestAServerThatCameBackIsAskedByManyPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const heals = time.Minute
		start := time.Now()
		var back int32
		g := &gauge{}
		g.answer = func(ctx context.Context, _ string, n int) (milvuswait.LoadingProgress, error) {
			if time.Since(start) < heals {
				<-ctx.Done()
				return milvuswait.LoadingProgress{}, ctx.Err()
			}
			time.Sleep(10 * time.Millisecond)
			g.mu.Lock()
			defer g.mu.Unlock()
			back = max(back, g.inFlight.Load())
			return milvuswait.LoadingProgress{Percent: int64(40 + n)}, nil
		}

		_, err := milvuswait.WaitAll(t.Context(), g, collections(100))

		require.NoError(t, err)
		require.Equal(t, int32(16), back)
	})
}

// A poll that times out began before others were answered.
func TestAServerThatAnsweredMeanwhileIsReachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gauge{answer: func(ctx context.Context, collection string, _ int) (milvuswait.LoadingProgress, error) {
			if collection == "c0" {
				<-ctx.Done()
				return milvuswait.LoadingProgress{}, ctx.Err()
			}
			time.Sleep(time.Second)
			return milvuswait.LoadingProgress{Percent: 100}, nil
		}}

		outcomes, err := milvuswait.WaitAll(t.Context(), g, collections(30), milvuswait.WithContinueOnError(),
			milvuswait.WithMaxInFlight(2), milvuswait.WithUnreachableAfter(5*time.Second))

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		require.ErrorIs(t, outcomes[0].Err, milvuswait.ErrUnreachable)
		for _, o := range outcomes[1:] {
			require.NoError(t, o.Err)
		}
	})
}

// Two answers lie there when the first of them ends all: the other is not lost.
func TestWhatTheServerSaidLastIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := milvuswait.PollerFuncs{Loading: func(_ context.Context, collection string, _ ...string) (milvuswait.LoadingProgress, error) {
			took := 8 * time.Second
			if collection == "c0" {
				took = time.Second
			}
			time.Sleep(took)
			return milvuswait.LoadingProgress{}, errBlip
		}}
		busy := milvuswait.ObserverFunc(func(u milvuswait.Update) {
			if !u.Final {
				time.Sleep(10 * time.Second)
			}
		})

		outcomes, err := milvuswait.WaitAll(t.Context(), p, collections(4), milvuswait.WithObserver(busy),
			milvuswait.WithMaxInFlight(3), milvuswait.WithUnreachableAfter(5*time.Second))

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		for i, o := range outcomes {
			require.ErrorIs(t, o.Err, milvuswait.ErrUnreachable)
			var failure *milvuswait.Error
			require.ErrorAs(t, o.Err, &failure)
			if i < 3 {
				require.EqualError(t, failure.LastErr, errBlip.Error())
			} else {
				require.NoError(t, failure.LastErr, "never polled")
			}
		}
	})
}
