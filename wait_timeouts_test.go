package milvuswait_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

// TestNoTimeOutOfAWaitIsLate polls every 5 s. A time limit of 7 s causes a poll of its own at
// 7 s, instead of being noticed at 10 s.
func TestNoTimeOutOfAWaitIsLate(t *testing.T) {
	for name, tt := range map[string]struct {
		opt milvuswait.Option
		err error
	}{
		"stall":       {milvuswait.WithStallTimeout(7 * time.Second), milvuswait.ErrStalled},
		"unreachable": {milvuswait.WithUnreachableAfter(7 * time.Second), milvuswait.ErrUnreachable},
		"grace":       {milvuswait.WithStartGrace(7 * time.Second), milvuswait.ErrCollectionNotFound},
		"settle":      {milvuswait.WithSettle(7 * time.Second), nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				p := &probe{load: func(int, time.Duration) (p milvuswait.LoadingProgress, err error) {
					switch name {
					case "stall":
						p.Percent = 40
					case "settle":
						p.Percent = 100
					case "grace":
						err = milvuswait.ErrCollectionNotFound
					default:
						err = errBlip
					}
					return p, err
				}}

				_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", every(5*time.Second), tt.opt)

				require.ErrorIs(t, err, tt.err)
				require.Equal(t, 7*time.Second, time.Since(start))
			})
		})
	}
}

// TestStall covers the changes that restart the stall timeout: any progress, also a
// fall. The time of an outage is not counted.
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

func TestStallIsNoticedOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), percents(40), "docs",
			constant(time.Hour), milvuswait.WithStallTimeout(time.Minute))

		require.ErrorIs(t, err, milvuswait.ErrStalled)
		require.Equal(t, time.Minute, time.Since(start))
	})
}

func TestAStallWithinTheFirstSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		p := &probe{load: func(int, time.Duration) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{Percent: 40, RefreshPercent: 100}, nil // RefreshPercent is 100 without a refresh
		}}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithStallTimeout(300*time.Millisecond))

		require.ErrorIs(t, err, milvuswait.ErrStalled)
		// A poll just before the end of the stall time puts the next one 1 ms after it.
		require.GreaterOrEqual(t, time.Since(start), 300*time.Millisecond)
		require.LessOrEqual(t, time.Since(start), 301*time.Millisecond)
	})
}

func TestStallOnAFlakyServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := failing(func(n int, _ time.Duration) error {
			if n%2 == 0 {
				return errBlip
			}
			return nil
		})
		start := time.Now()

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithStallTimeout(time.Minute))

		require.ErrorIs(t, err, milvuswait.ErrStalled)
		require.Less(t, time.Since(start), 3*time.Minute)
	})
}

// TestStallFoundAtTheDeadlineIsTheDeadline shows that the deadline decides if a stall is
// found at the same moment. The stall is kept as the last error.
func TestStallFoundAtTheDeadlineIsTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		p := percents(40)
		p.hang = func(_ context.Context, n int) {
			if n > 1 {
				<-ctx.Done() // the poll succeeds, but at the deadline
			}
		}

		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithStallTimeout(5*time.Second))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, milvuswait.ErrStalled)
	})
}

// TestStallTimeout_BeforeRefreshStarts_DoesNotApply shows that the stall timeout does not
// apply before the refresh starts: the load stays at 100 % for the whole start grace.
func TestStallTimeout_BeforeRefreshStarts_DoesNotApply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{load: func(int, time.Duration) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{Percent: 100, RefreshPercent: 100}, nil
		}}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs",
			milvuswait.WithRefresh(), milvuswait.WithStartGrace(5*time.Minute), milvuswait.WithStallTimeout(time.Minute))

		require.NoError(t, err)
	})
}

func TestNoStallWhileSettling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := milvuswait.WaitForLoadingComplete(t.Context(), percents(100), "docs",
			milvuswait.WithSettle(time.Hour), milvuswait.WithStallTimeout(time.Minute))
		require.NoError(t, err)
	})
}

func TestIndexStallsBesideARefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.LoadOver(time.Hour)).
			Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(100, 40))
		targets := []milvuswait.Target{milvuswait.Loading("docs"), milvuswait.IndexBuilding("docs", "vidx")}
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Hour)
		defer cancel()

		outcomes, err := milvuswait.WaitAll(ctx, p, targets, milvuswait.WithContinueOnError(),
			milvuswait.WithRefresh(), milvuswait.WithStartGrace(time.Hour), milvuswait.WithStallTimeout(time.Minute))

		require.ErrorIs(t, err, milvuswait.ErrStalled)
		require.ErrorIs(t, outcomes[1].Err, milvuswait.ErrStalled)
		require.Less(t, outcomes[1].Elapsed, 2*time.Minute)
	})
}

func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The load is complete from 2 s to 5 s, and again from 8 s on. Settling for 10 s
		// ends at 18 s.
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

func TestSettleDoesNotCountAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.WithOutage(fake.Percents(100), errBlip, 2*time.Second, 50*time.Second))

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithSettle(20*time.Second), constant(time.Second))

		require.NoError(t, err)
		require.Equal(t, 70*time.Second, time.Since(start), "2 s before it and 18 s after it")
	})
}

func TestSettledJustBeforeTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second+40*time.Millisecond)
		defer cancel()

		_, err := milvuswait.WaitForLoadingComplete(ctx, percents(100), "docs", milvuswait.WithSettle(10*time.Second))

		require.NoError(t, err)
	})
}

// TestStartGrace covers the failures that a grace of 30 s tolerates: an unloaded or missing
// collection, also after progress, and the failure of an older load.
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
		end  time.Duration // end of a failed wait
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
		}, milvuswait.ErrReleased, grace},
		{"load failed after progress, in the grace", func(n int, _ time.Duration) (milvuswait.LoadingProgress, error) {
			if n > 2 {
				return milvuswait.LoadingProgress{}, milvuswait.ErrLoadFailed
			}
			return milvuswait.LoadingProgress{Percent: 40}, nil
		}, milvuswait.ErrLoadFailed, 100 * time.Millisecond},
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

// TestStartGraceOutlastsTheUnreachableBudget shows that "not loaded" is an answer: 20 minutes
// of it are no outage.
func TestStartGraceOutlastsTheUnreachableBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := failing(func(int, time.Duration) error { return errNotLoaded })
		start := time.Now()

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithStartGrace(20*time.Minute))

		require.ErrorIs(t, err, milvuswait.ErrNotLoaded)
		require.Equal(t, 20*time.Minute, time.Since(start))
	})
}
