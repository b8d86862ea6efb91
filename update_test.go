package milvuswait_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

// TestOneUpdateAPollAndOneFinal shows that each poll has one update. If the wait ends
// between polls, a final update without a poll follows.
func TestOneUpdateAPollAndOneFinal(t *testing.T) {
	tests := []struct {
		name  string
		p     *probe
		polls int
		extra int // number of final updates without a poll
		want  error
	}{
		{"success", percents(0, 40, 100), 3, 0, nil},
		{"failure", failing(func(n int, _ time.Duration) error {
			switch n {
			case 2:
				return errBlip
			case 4, 5:
				return milvuswait.ErrCollectionNotFound
			}
			return nil
		}), 5, 0, milvuswait.ErrCollectionNotFound},
		{"deadline between polls", percents(40), 6, 1, context.DeadlineExceeded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				seen := &recorder{}

				_, err := milvuswait.WaitForLoadingComplete(ctx, tt.p, "docs", constant(time.Second), milvuswait.WithObserver(seen))

				require.ErrorIs(t, err, tt.want)
				require.Len(t, seen.updates, tt.polls+tt.extra)
				for i, u := range seen.updates {
					require.Equal(t, milvuswait.Loading("docs"), u.Target)
					require.Equal(t, min(i+1, tt.polls), u.Polls)
					require.Equal(t, i == len(seen.updates)-1, u.Final)
				}
				require.Equal(t, err, seen.last().Err)
			})
		})
	}
}

// TestUpdateOfAToleratedFailure shows the update of a failed poll: the error, cleaned and
// cut, and the progress of the poll before it.
func TestUpdateOfAToleratedFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &recorder{}
		p := &probe{load: func(n int, _ time.Duration) (milvuswait.LoadingProgress, error) {
			if n == 2 {
				return milvuswait.LoadingProgress{}, errors.Join(errBlip, errors.New("\x1b[2J"+strings.Repeat("x", 1<<20)))
			}
			return milvuswait.LoadingProgress{Percent: int64(n * 25)}, nil
		}}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithObserver(seen))

		require.NoError(t, err)
		u := seen.updates[1]
		require.ErrorIs(t, u.Err, errBlip)
		require.Equal(t, milvuswait.LoadingProgress{Percent: 25}, u.Progress)
		require.Less(t, len(u.Err.Error()), 1100)
		require.NotContains(t, u.Err.Error(), "\x1b")
		require.NoError(t, seen.updates[2].Err)
	})
}

// TestUpdate_ProgressFalls_IsReportedUnchanged shows that falling progress is reported
// unchanged. It falls when compaction removes rows, or a lost node its segments.
func TestUpdate_ProgressFalls_IsReportedUnchanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := new(recorder)

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), percents(10, 60, 20, 100), "docs", milvuswait.WithObserver(seen))

		require.NoError(t, err)
		var told []int64
		var fractions []float64
		for _, u := range seen.updates {
			told = append(told, u.Progress.(milvuswait.LoadingProgress).Percent)
			fractions = append(fractions, u.Fraction)
		}
		require.Equal(t, []int64{10, 60, 20, 100}, told)
		require.Equal(t, []float64{0.1, 0.6, 0.2, 1}, fractions)
	})
}

func TestUpdate_TotalChanges_IsReportedUnchanged(t *testing.T) {
	tests := []struct {
		name    string
		answers []milvuswait.IndexBuildingProgress // one per poll; only the last one is complete
	}{
		{"rows go", []milvuswait.IndexBuildingProgress{rows(1000, 400, inProgress), rows(500, 400, inProgress), rows(400, 400, finished)}},
		{"rows come", []milvuswait.IndexBuildingProgress{rows(1000, 400, inProgress), rows(2000, 1000, finished), rows(2000, 2000, finished)}},
		{"indexed rows go", []milvuswait.IndexBuildingProgress{rows(1000, 999, inProgress), rows(1000, 0, inProgress), rows(1000, 1000, finished)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := new(recorder)

				progress, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), indexes(tt.answers...), "docs", milvuswait.WithObserver(seen))

				require.NoError(t, err)
				require.Equal(t, tt.answers[len(tt.answers)-1], progress)
				for i, u := range seen.updates {
					require.Equal(t, tt.answers[i], u.Progress)
					require.Equal(t, i == len(tt.answers)-1, u.Final)
				}
				require.Len(t, seen.updates, len(tt.answers))
			})
		})
	}
}

func TestFractionIsZeroBeforeTheFirstAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.WithError(fake.Percents(0, 40, 100), errBlip, 1))
		var got []float64
		for u := range milvuswait.Watch(t.Context(), p, milvuswait.Loading("docs")) {
			got = append(got, u.Fraction)
		}
		require.Equal(t, []float64{0, 0.4, 1}, got)
	})
}

// TestFraction_IsRelativeToTheGoal shows that the fraction is relative to the goal of the
// wait: expected rows, the rows at the start, or a refresh.
func TestFraction_IsRelativeToTheGoal(t *testing.T) {
	index := func(answer milvuswait.IndexBuildingProgress, opts ...milvuswait.Option) float64 {
		var got float64
		p, n := indexes(rows(100, 0, inProgress), answer), 0
		for u := range milvuswait.Watch(context.Background(), p, milvuswait.IndexBuilding("docs", "").ExpectRows(200), opts...) {
			if n++; n == 2 {
				got = u.Fraction
				break
			}
		}
		return got
	}

	load := func(percent, refresh int64, opts ...milvuswait.Option) float64 {
		p := &probe{load: func(int, time.Duration) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{Percent: percent, RefreshPercent: refresh}, nil
		}}
		for u := range milvuswait.Watch(context.Background(), p, milvuswait.Loading("docs"), opts...) {
			return u.Fraction
		}
		return -1
	}

	synctest.Test(t, func(t *testing.T) {
		require.Equal(t, 0.5, index(rows(100, 100, inProgress)), "of the expected rows")
		require.Equal(t, 0.25, index(rows(400, 100, inProgress)), "of more rows than expected")
		require.Equal(t, 0.75, index(rows(400, 150, inProgress), milvuswait.WithIndexCriterion(milvuswait.RowsAtStart)))
		require.Equal(t, 0.4, load(40, 100))
		require.Zero(t, load(-40, 100))
		require.Zero(t, load(99, 0, milvuswait.WithRefresh()))
	})
}

// TestFractionOfExpectedRowsOfWhichNoneWereThereAtTheStart combines RowsAtStart with
// expected rows: the fraction counts the expected 100 rows, 80 of them pending.
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

// TestETA shows that there is no ETA before the first progress, and that it is within 5 s
// of the truth from 30 s on.
func TestETA(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// The load gains 1 % per second from 10 s on, so it ends after 110 s.
		p := &probe{load: func(_ int, at time.Duration) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{Percent: int64(max(0, at-10*time.Second) / time.Second)}, nil
		}}
		seen := &recorder{}

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithObserver(seen))

		require.NoError(t, err)
		for _, u := range seen.updates {
			switch {
			case u.Elapsed < 11*time.Second:
				require.Zero(t, u.ETA, "at %v", u.Elapsed)
			case u.Elapsed > 30*time.Second && !u.Final:
				require.InDelta(t, 110*time.Second-u.Elapsed, u.ETA, float64(5*time.Second), "at %v", u.Elapsed)
			}
		}
		require.Zero(t, seen.last().ETA)
	})
}

// etas returns the ETA after each poll. Polls are ten seconds apart.
func etas(t *testing.T, target milvuswait.Target, answers ...milvuswait.IndexBuildingProgress) []time.Duration {
	t.Helper()
	var got []time.Duration
	synctest.Test(t, func(t *testing.T) {
		for u := range milvuswait.Watch(t.Context(), indexes(answers...), target, every(10*time.Second)) {
			got = append(got, u.ETA)
		}
	})
	return got
}

func TestETAOfRows(t *testing.T) {
	docs, s := milvuswait.IndexBuilding("docs", ""), time.Second
	all := rows(100, 100, finished)
	require.Equal(t, []time.Duration{0, 10 * s, 0}, etas(t, docs, rows(100, 20, inProgress), rows(100, 60, inProgress), all))
	require.Equal(t, []time.Duration{0, 0, 10 * s, 0}, etas(t, docs, rows(100, 20, inProgress), rows(100, 20, inProgress), rows(100, 60, inProgress), all),
		"from the last poll before it moved")
	require.Equal(t, []time.Duration{0, 0, 0}, etas(t, docs, rows(0, 0, inProgress), rows(100, 60, inProgress), all),
		"no rows are no share of any")
	require.Equal(t, []time.Duration{0, 10 * s, 0}, etas(t, docs.ExpectRows(100), rows(0, 0, inProgress), rows(50, 50, inProgress), all),
		"no rows are none of those expected")
}

// TestAnETAOfAgesDoesNotOverflow indexes 1000 of 10^18 rows in ten seconds. The ETA is
// capped, since the real one exceeds time.Duration.
func TestAnETAOfAgesDoesNotOverflow(t *testing.T) {
	const many = int64(1e18)
	require.Equal(t, []time.Duration{0, 1 << 62, 0}, etas(t, milvuswait.IndexBuilding("docs", ""),
		rows(many, 0, inProgress), rows(many, 1000, inProgress), rows(many, many, finished)))
}

func TestAnETAOfAMillisecondIsShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []time.Duration
		for u := range milvuswait.Watch(t.Context(), percents(0, 50, 80, 100), milvuswait.Loading("docs"), every(time.Millisecond)) {
			got = append(got, u.ETA)
		}
		require.Equal(t, []time.Duration{0, time.Millisecond, 0, 0}, got, "and less is no more than that it is all but done")
	})
}
