package milvuswait_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/internal/usage"
)

func TestCompleteTargetCostsOnePollAndNoTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, start := percents(100), time.Now()

		progress, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs")

		require.NoError(t, err)
		require.Equal(t, int64(100), progress.Percent)
		require.Len(t, p.at, 1)
		require.Zero(t, time.Since(start))
	})
}

// TestWatch covers the loop over a wait: to its end, to a failure, and left early. Watch
// yields the updates of the observers, and a failure with the final one.
func TestWatch(t *testing.T) {
	t.Run("to the end", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			seen := &recorder{}
			var got []string
			for u, err := range milvuswait.Watch(t.Context(), percents(0, 40, 100), milvuswait.Loading("docs"), milvuswait.WithObserver(seen)) {
				require.NoError(t, err)
				got = append(got, u.Progress.String())
				require.Equal(t, u, seen.last())
			}
			require.Equal(t, []string{"0%", "40%", "100%"}, got)
			require.True(t, seen.last().Final)
		})
	})

	t.Run("failure", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := failing(func(n int, _ time.Duration) error {
				switch n {
				case 2:
					return errBlip
				case 4, 5:
					return milvuswait.ErrCollectionNotFound
				}
				return nil
			})
			var errs, tolerated []error
			for u, err := range milvuswait.Watch(t.Context(), p, milvuswait.Loading("docs")) {
				errs = append(errs, err)
				if !u.Final && u.Err != nil {
					tolerated = append(tolerated, u.Err)
				}
			}
			require.Equal(t, []error{nil, nil, nil, nil}, errs[:4])
			require.ErrorIs(t, errs[4], milvuswait.ErrCollectionNotFound)
			require.Len(t, errs, 5)
			require.Len(t, tolerated, 2)
			require.ErrorIs(t, tolerated[0], errBlip)
			require.ErrorIs(t, tolerated[1], milvuswait.ErrCollectionNotFound, "not confirmed yet")
		})
	})

	t.Run("left early", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := percents(40)
			for u := range milvuswait.Watch(t.Context(), p, milvuswait.Loading("docs")) {
				if u.Polls == 3 {
					break
				}
			}
			require.Len(t, p.at, 3)
		})
	})

	t.Run("left at the deadline", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var last error
			for _, err := range milvuswait.Watch(ctx, percents(40), milvuswait.Loading("docs")) {
				last = err
			}
			require.ErrorIs(t, last, context.DeadlineExceeded)
		})
	})

	t.Run("the observer is told that it was left", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			seen := &recorder{}
			for range milvuswait.Watch(t.Context(), percents(40), milvuswait.Loading("docs"), milvuswait.WithObserver(seen)) {
				break
			}
			require.Len(t, seen.updates, 2)
			require.True(t, seen.last().Final)
			require.ErrorIs(t, seen.last().Err, milvuswait.ErrAborted)
		})
	})
}

// TestWait_SharedArguments_AreNotChanged runs 100 waits of all kinds at once. They share a Poller, an
// observer, targets and options, so the race detector checks that none is changed.
func TestWait_SharedArguments_AreNotChanged(t *testing.T) {
	const each = 25
	docs, vidx := milvuswait.Loading("docs", "eu"), milvuswait.IndexBuilding("docs", "vidx").ExpectRows(100)
	targets := []milvuswait.Target{docs, vidx, milvuswait.Loading("gone")}

	p, seen := new(fake.Poller), new(fake.Observer)
	p.Set(docs, fake.LoadOver(20*time.Millisecond)).Set(vidx, fake.BuildOver(100, 20*time.Millisecond))
	shared := []milvuswait.Option{
		milvuswait.WithObserver(seen), milvuswait.WithBackoff(milvuswait.Backoff{Initial: time.Millisecond}),
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var g errgroup.Group

	for range each {
		g.Go(func() error {
			_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", append(shared[:2:2], milvuswait.WithPartitions("eu"))...)
			return err
		})
		g.Go(func() error {
			_, err := milvuswait.WaitForIndexBuildingComplete(ctx, p, "docs", append(shared[:2:2], milvuswait.WithIndex("vidx"))...)
			return err
		})
		g.Go(func() (err error) {
			for _, err = range milvuswait.Watch(ctx, p, vidx, shared...) {
			}
			return err
		})
		g.Go(func() error {
			outcomes, err := milvuswait.WaitAll(ctx, p, targets, append(shared[:2:2], milvuswait.WithContinueOnError())...)
			if outcomes[0].Err != nil || outcomes[1].Err != nil || outcomes[2].Err == nil {
				return fmt.Errorf("two of three were to be complete: %w", err)
			}
			return nil
		})
	}

	require.NoError(t, g.Wait())

	// Each wait has one final update, and each WaitAll one for each target.
	finals := 0
	for _, target := range targets {
		for _, u := range seen.Updates(target) {
			if u.Final {
				finals++
			}
		}
	}

	require.Equal(t, each*(3+len(targets)), finals)
}

// TestManyPollsLeaveNothingBehind compares the live heap after 1000 and after 200 000 polls
// of one wait. It grows by less than 1 MiB.
func TestManyPollsLeaveNothingBehind(t *testing.T) {
	if testing.Short() {
		t.Skip("a second of work")
	}
	synctest.Test(t, func(t *testing.T) {
		p := &probe{}
		polls := 0
		p.load = func(int, time.Duration) (milvuswait.LoadingProgress, error) {
			p.at, p.ended, p.until = p.at[:0], p.ended[:0], p.until[:0]
			if polls++; polls%2 == 0 {
				return milvuswait.LoadingProgress{}, errBlip
			}
			return milvuswait.LoadingProgress{Percent: 40}, nil
		}

		var before, after int64
		o := milvuswait.ObserverFunc(func(u milvuswait.Update) {
			switch u.Polls {
			case 1000:
				before = usage.LiveHeap()
			case 200_000:
				after = usage.LiveHeap()
			}
		})

		ctx, cancel := context.WithTimeout(t.Context(), 200_100*time.Millisecond)
		defer cancel()

		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", constant(time.Millisecond), milvuswait.WithObserver(o))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotZero(t, after)
		require.Less(t, after-before, int64(1<<20))
	})
}
