package milvuswait_test

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

// TestIndexComplete covers when an index is complete, for each criterion and with expected
// rows. The cases are sequences of reports from servers; only the last one is complete.
func TestIndexComplete(t *testing.T) {
	expect := milvuswait.WithExpectedRows
	rowsAtStart := milvuswait.WithIndexCriterion(milvuswait.RowsAtStart)
	serverState := milvuswait.WithIndexCriterion(milvuswait.ServerState)
	pending := func(total, indexed, pending int64, state milvuswait.IndexState) milvuswait.IndexBuildingProgress {
		return milvuswait.IndexBuildingProgress{TotalRows: total, IndexedRows: indexed, PendingIndexRows: pending, State: state}
	}

	tests := []struct {
		name    string
		opts    []milvuswait.Option
		answers []milvuswait.IndexBuildingProgress // one per poll; only the last one is complete
	}{
		{"as a server with the time of now", nil,
			[]milvuswait.IndexBuildingProgress{rows(100, 0, none), rows(100, 0, inProgress), rows(100, 50, inProgress), rows(100, 100, finished)}},
		{"Finished while rows are pending", nil,
			[]milvuswait.IndexBuildingProgress{rows(100, 0, finished), rows(100, 50, finished), rows(100, 100, finished)}},
		{"all rows while the state is not Finished", nil,
			[]milvuswait.IndexBuildingProgress{rows(100, 100, milvuswait.IndexStateRetry), rows(100, 100, milvuswait.IndexStateUnissued), rows(100, 100, finished)}},
		{"indexed equals total while rows are pending", nil,
			[]milvuswait.IndexBuildingProgress{pending(100, 100, 40, finished), pending(100, 100, 0, finished)}},
		{"a server without pending rows", nil,
			[]milvuswait.IndexBuildingProgress{pending(100, 40, 0, finished), pending(100, 100, 0, finished)}},
		{"rows of compacted segments count", nil,
			[]milvuswait.IndexBuildingProgress{pending(80, 100, 0, finished)}},
		{"no rows, none expected", nil,
			[]milvuswait.IndexBuildingProgress{rows(0, 0, finished)}},
		{"rows not counted yet", []milvuswait.Option{expect(100)},
			[]milvuswait.IndexBuildingProgress{rows(0, 0, finished), rows(100, 0, finished), rows(100, 60, finished), rows(100, 100, finished)}},
		{"a second batch not counted yet", []milvuswait.Option{expect(120)},
			[]milvuswait.IndexBuildingProgress{rows(100, 100, finished), rows(120, 100, finished), rows(120, 120, finished)}},
		{"more rows than expected", []milvuswait.Option{expect(100)},
			[]milvuswait.IndexBuildingProgress{rows(150, 120, finished), rows(150, 150, finished)}},
		{"rows at the start, while more come in", []milvuswait.Option{rowsAtStart},
			[]milvuswait.IndexBuildingProgress{rows(100, 20, inProgress), rows(180, 99, inProgress), rows(300, 100, inProgress)}},
		{"rows at the start, fewer after compaction", []milvuswait.Option{rowsAtStart},
			[]milvuswait.IndexBuildingProgress{rows(100, 20, inProgress), rows(60, 59, inProgress), pending(60, 60, 30, inProgress)}},
		{"rows at the start and expected rows", []milvuswait.Option{rowsAtStart, expect(150)},
			[]milvuswait.IndexBuildingProgress{rows(100, 20, inProgress), rows(180, 100, inProgress), rows(300, 150, inProgress)}},
		{"server state", []milvuswait.Option{serverState},
			[]milvuswait.IndexBuildingProgress{rows(100, 0, inProgress), rows(100, 0, finished)}},
		{"server state and expected rows", []milvuswait.Option{serverState, expect(50)},
			[]milvuswait.IndexBuildingProgress{rows(100, 0, finished), rows(100, 50, finished)}},
		{"rubbish", nil, []milvuswait.IndexBuildingProgress{
			pending(-1, 0, 0, finished), pending(0, 0, -7, finished), pending(100, -100, 0, finished),
			pending(math.MaxInt64, math.MinInt64, math.MinInt64, finished), pending(math.MaxInt64, math.MaxInt64, math.MaxInt64, finished),
			pending(0, 0, 0, 77), rows(1, 1, finished)}},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, seen := indexes(tt.answers...), &recorder{}
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()

				progress, err := milvuswait.WaitForIndexBuildingComplete(ctx, p, "docs", append(tt.opts, milvuswait.WithObserver(seen))...)

				require.NoError(t, err)
				require.Len(t, p.at, len(tt.answers))
				require.Equal(t, tt.answers[len(tt.answers)-1], progress)
				for _, u := range seen.updates {
					require.InDelta(t, 0.5, u.Fraction, 0.5)
				}
				require.Equal(t, 1.0, seen.last().Fraction)
			})
		})
	}
}

// TestCriteriaOfOddCounts covers row counts of 0 and out-of-range counts. Negative counts
// are ignored as a number of rows, and the wait continues.
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

// TestRowsOfCompactedSegmentsAreNotExpected shows that expected rows are compared with
// TotalRows. IndexedRows also counts segments that compaction has replaced.
func TestRowsOfCompactedSegmentsAreNotExpected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := indexes(
			milvuswait.IndexBuildingProgress{TotalRows: 100, IndexedRows: 200, State: finished},
			milvuswait.IndexBuildingProgress{TotalRows: 150, IndexedRows: 200, State: finished})

		_, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs", milvuswait.WithExpectedRows(150))

		require.NoError(t, err)
		require.Len(t, p.at, 2)
	})
}

// TestFewerRowsThanExpected shows the hint of the error if rows are missing at the deadline.
func TestFewerRowsThanExpected(t *testing.T) {
	tests := []struct {
		name  string
		shown int64
		hint  string
	}{
		{"none", 0, "0 of 100000 rows are flushed: was Flush called?"},
		{"some", 70000, "70000 of 100000 rows are flushed: was Flush called after the last insert, or were rows deleted?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()

				_, err := milvuswait.WaitForIndexBuildingComplete(ctx, indexes(rows(tt.shown, tt.shown, finished)), "docs",
					milvuswait.WithExpectedRows(100000))

				require.ErrorIs(t, err, context.DeadlineExceeded)
				require.ErrorContains(t, err, tt.hint)
			})
		})
	}
}

// TestIndexFailsAtOnceWithTheReason shows that the state Failed ends the wait. The error
// has the server's reason, cleaned; the progress is returned unchanged.
func TestIndexFailsAtOnceWithTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := rows(100, 50, milvuswait.IndexStateFailed)
		broken.FailReason = "4591: out of disk\x1b[2J;\n"
		p := indexes(rows(100, 0, inProgress), broken)

		progress, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs", milvuswait.WithIndex("vidx"))

		require.ErrorIs(t, err, milvuswait.ErrIndexFailed)
		require.Len(t, p.at, 2)
		require.Equal(t, broken, progress)
		require.ErrorContains(t, err, `milvuswait: index "vidx" of "docs": index build failed: 4591: out of disk[2J;`)
	})
}

func TestIndexNotFoundYetWithinTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake.Poller).Set(milvuswait.IndexBuilding("docs", "vidx"), fake.WithOutage(fake.Rows(10, 10), milvuswait.ErrIndexNotFound, 0, 10*time.Second))

		_, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs", milvuswait.WithStartGrace(time.Minute))

		require.NoError(t, err)
	})
}

// TestIndexDroppedDuringTheWait shows that the start grace ends with the first successful
// poll: a dropped index then fails the wait at once.
func TestIndexDroppedDuringTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{index: func(n int, _ time.Duration) (milvuswait.IndexBuildingProgress, error) {
			if n > 3 {
				return milvuswait.IndexBuildingProgress{}, milvuswait.ErrIndexNotFound
			}
			return rows(10, 5, inProgress), nil
		}}

		_, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs")

		require.ErrorIs(t, err, milvuswait.ErrIndexNotFound)
		require.Len(t, p.at, 5, "the second answer confirms the first")
		require.Equal(t, 100*time.Millisecond, p.at[4]-p.at[3])
	})
}

func TestIndexNameReachesThePoller(t *testing.T) {
	for _, name := range []string{"", "vidx", milvuswait.AllIndexes} {
		var got string
		p := milvuswait.PollerFuncs{
			IndexBuilding: func(_ context.Context, _, index string) (milvuswait.IndexBuildingProgress, error) {
				got = index
				return rows(1, 1, finished), nil
			},
		}
		var opts []milvuswait.Option
		if name != "" {
			opts = append(opts, milvuswait.WithIndex(name))
		}

		_, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs", opts...)

		require.NoError(t, err)
		require.Equal(t, name, got)
	}
}

// TestFurthestBehind_StateComesBeforeRows orders indexes by their states first.
func TestFurthestBehind_StateComesBeforeRows(t *testing.T) {
	failed := milvuswait.IndexBuildingProgress{IndexName: "failed", TotalRows: 100, IndexedRows: 90, State: milvuswait.IndexStateFailed}
	building := milvuswait.IndexBuildingProgress{IndexName: "building", TotalRows: 100, IndexedRows: 10, State: inProgress}
	pending := milvuswait.IndexBuildingProgress{IndexName: "pending", TotalRows: 100, IndexedRows: 5, PendingIndexRows: 95, State: finished}
	built := milvuswait.IndexBuildingProgress{IndexName: "built", TotalRows: 0, State: finished}

	require.Equal(t, failed, milvuswait.FurthestBehind([]milvuswait.IndexBuildingProgress{building, built, failed, pending}))
	require.Equal(t, building, milvuswait.FurthestBehind([]milvuswait.IndexBuildingProgress{pending, built, building}))
	require.Equal(t, pending, milvuswait.FurthestBehind([]milvuswait.IndexBuildingProgress{built, pending}))
}

// TestError_RowsAreMissing_AsksAboutTheFlush gives the hint about Flush only to a wait that ran
// out of time with fewer rows than expected.
func TestError_RowsAreMissing_AsksAboutTheFlush(t *testing.T) {
	target := milvuswait.IndexBuilding("docs", "vidx").ExpectRows(100)
	tests := []struct {
		name  string
		last  milvuswait.Progress
		cause error
		hint  string
	}{
		{"no rows", rows(0, 0, finished), context.DeadlineExceeded, "; 0 of 100 rows are flushed: was Flush called?"},
		{"fewer rows", rows(99, 99, finished), milvuswait.ErrStalled,
			"; 99 of 100 rows are flushed: was Flush called after the last insert, or were rows deleted?"},
		{"all rows", rows(100, 40, inProgress), context.DeadlineExceeded, ""},
		{"a failed build", rows(99, 0, milvuswait.IndexStateFailed), milvuswait.ErrIndexFailed, ""},
		{"no progress", nil, context.Canceled, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := (&milvuswait.Error{Target: target, Last: tt.last, Cause: tt.cause}).Error()
			_, hint, _ := strings.Cut(text, ")")
			require.Equal(t, tt.hint, hint)
		})
	}

	withoutRows := &milvuswait.Error{Target: milvuswait.IndexBuilding("docs", "vidx"), Last: rows(-5, 0, inProgress), Cause: context.DeadlineExceeded}
	require.NotContains(t, withoutRows.Error(), "flushed", "no rows are expected")
}

// TestAllIndexes_ErrorAndLog_NameTheOneBehind requires the name of the index in the error and in
// every line of the log, but not if the target names an index itself.
func TestAllIndexes_ErrorAndLog_NameTheOneBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake.Poller).Set(milvuswait.IndexBuilding("docs", "a"), fake.Rows(100, 100)).Set(milvuswait.IndexBuilding("docs", "b"), fake.Rows(100, 40))
		var lines bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&lines, nil))
		wait := func(index string) error {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := milvuswait.WaitForIndexBuildingComplete(ctx, p, "docs", milvuswait.WithIndex(index), milvuswait.WithObserver(milvuswait.Log(logger)))
			return err
		}

		require.ErrorContains(t, wait(milvuswait.AllIndexes), `, last index "b": 40/100 rows, InProgress)`)
		require.Equal(t, strings.Count(lines.String(), "\n"), strings.Count(lines.String(), " part=b "))

		lines.Reset()
		require.ErrorContains(t, wait("b"), ", last 40/100 rows, InProgress)")
		require.NotContains(t, lines.String(), "part=")
	})
}
