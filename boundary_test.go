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
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()

				_, err := milvuswait.WaitAll(ctx, l, collections(3), every(980*time.Millisecond)) // and a list takes 20 ms

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
			case at < 610*time.Second:
				return 50, nil
			}
			return 0, milvuswait.ErrNotLoaded
		}, milvuswait.WithSettle(0), "load failed: the server gave up after 10m0s without progress: not loaded (611 polls in 10m10s, last 50%)"},
		{"given up by the server while it was out of reach", func(at time.Duration) (int64, error) {
			switch {
			case at < 10*time.Second:
				return 40, nil
			case at < 640*time.Second:
				return 50, nil
			case at < 650*time.Second:
				return 0, errBlip
			}
			return 0, milvuswait.ErrNotLoaded
		}, milvuswait.WithSettle(0), "load failed: the server gave up after 10m30s without progress: not loaded (651 polls in 10m50s, last 50%)"},
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
			milvuswait.WithMaxInFlight(1), milvuswait.WithUnreachableAfter(8*time.Second))

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		require.NoError(t, outcomes[0].Err)
		for i, polls := range []string{"1 poll in 16s, last error: connection refused", "0 polls in 16s"} {
			require.EqualError(t, outcomes[i+1].Err, fmt.Sprintf(
				`milvuswait: loading "c%d": server unreachable: no poll of any target has succeeded for 8s (%s)`, i+1, polls))
		}
	})
}

func TestTheLastPollBeforeTheDeadline(t *testing.T) {
	ms := time.Millisecond
	tests := []struct {
		name       string
		percent    int64
		took, pace time.Duration
		settle     time.Duration
		want       []time.Duration
	}{
		{"follows the pace no more", 40, 0, 3000 * ms, 0, []time.Duration{0, 3000 * ms, 6000 * ms, 9000 * ms, 9950 * ms}},
		{"has the poll before it left out", 40, 250 * ms, 4375 * ms, 0, []time.Duration{0, 4625 * ms, 9500 * ms}},
		{"has no place after a poll of a second", 40, 1000 * ms, 3000 * ms, 0, []time.Duration{0, 4000 * ms, 8000 * ms}},
		{"comes when it can still settle", 100, 0, 3000 * ms, 9990 * ms, []time.Duration{0, 3000 * ms, 6000 * ms, 9000 * ms, 9990 * ms}},
		{"comes as ever when nothing can settle", 100, 0, 3000 * ms, 10000 * ms, []time.Duration{0, 3000 * ms, 6000 * ms, 9000 * ms, 9950 * ms}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := percents(tt.percent)
				p.hang = func(context.Context, int) { time.Sleep(tt.took) }
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()

				_, _ = milvuswait.WaitForLoadingComplete(ctx, p, "docs", every(tt.pace), milvuswait.WithSettle(tt.settle))

				require.Equal(t, tt.want, p.at)
			})
		})
	}
}

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

func TestCriteriaOfOddCounts(t *testing.T) {
	odd := rows(-1, -1, finished)
	tests := []struct {
		name      string
		criterion milvuswait.IndexCriterion
		answers   []milvuswait.IndexBuildingProgress
	}{
		{"the state alone counts, whatever the rows", milvuswait.ServerState, []milvuswait.IndexBuildingProgress{odd}},
		{"no rows at the start are all indexed", milvuswait.RowsAtStart, []milvuswait.IndexBuildingProgress{rows(0, 0, inProgress)}},
		{"compaction left none", milvuswait.RowsAtStart, []milvuswait.IndexBuildingProgress{rows(100, 40, inProgress), rows(0, 0, inProgress)}},
		{"rubbish at the start is no number of rows", milvuswait.RowsAtStart, []milvuswait.IndexBuildingProgress{odd, rows(100, 0, inProgress), rows(100, 100, finished)}},
		{"rubbish later is no number of rows", milvuswait.RowsAtStart, []milvuswait.IndexBuildingProgress{rows(100, 40, inProgress), odd, rows(100, 100, inProgress)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := indexes(tt.answers...)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()

				last, err := milvuswait.WaitForIndexBuildingComplete(ctx, p, "docs", milvuswait.WithIndexCriterion(tt.criterion))

				require.NoError(t, err)
				require.Equal(t, tt.answers[len(tt.answers)-1], last)
				require.Len(t, p.at, len(tt.answers))
			})
		})
	}
}

func TestAStallWithinTheFirstSecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		p := &probe{load: func(int, time.Duration) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{Percent: 40, RefreshPercent: 100}, nil // which is no refresh that nobody asked for
		}}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithStallTimeout(300*time.Millisecond))

		require.ErrorIs(t, err, milvuswait.ErrStalled)
		require.Equal(t, 300*time.Millisecond, time.Since(start))
	})
}

func TestFractionOfExpectedRowsOfWhichNoneWereThereAtTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		half := milvuswait.IndexBuildingProgress{TotalRows: 100, IndexedRows: 50, PendingIndexRows: 80, State: inProgress}
		var fractions []float64
		for u := range milvuswait.Watch(t.Context(), indexes(rows(0, 0, inProgress), half, rows(100, 100, finished)),
			milvuswait.IndexBuilding("docs", "").ExpectRows(100), milvuswait.WithIndexCriterion(milvuswait.RowsAtStart)) {
			fractions = append(fractions, u.Fraction)
		}
		require.Equal(t, []float64{0, 0.2, 1}, fractions)
	})
}
