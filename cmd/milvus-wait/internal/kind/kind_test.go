package kind

import (
	"context"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

func TestTable_HasOneRowForEachKind(t *testing.T) {
	require.ElementsMatch(t, milvuswait.Kinds(), slices.Collect(maps.Keys(table)))
}

func TestRows_EveryKind_AreComplete(t *testing.T) {
	everyUser := []*Kind{importing, compacting} // needs no privilege for the polls

	for k, row := range table {
		t.Run(string(k), func(t *testing.T) {
			fields := reflect.ValueOf(*row)
			for i := range fields.NumField() {
				name := fields.Type().Field(i).Name
				if fields.Field(i).Kind() != reflect.Bool && name != "Privilege" {
					require.False(t, fields.Field(i).IsZero(), name)
				}
			}
			require.Equal(t, string(k), row.Word)
			require.Equal(t, slices.Contains(everyUser, row), row.Privilege == "")
		})
	}
}

// TestRows_AnyProgress_DoNotPanic calls the functions of every row for progress of every
// kind: before the first poll there is none.
func TestRows_AnyProgress_DoNotPanic(t *testing.T) {
	progresses := []milvuswait.Progress{
		nil, milvuswait.LoadingProgress{}, milvuswait.IndexBuildingProgress{}, milvuswait.FlushProgress{},
		milvuswait.ImportProgress{}, milvuswait.CompactionProgress{}, milvuswait.ServingProgress{},
	}
	for word, row := range table {
		for _, p := range progresses {
			t.Run(fmt.Sprintf("%s, %T", word, p), func(t *testing.T) {
				row.Rows(p)
				row.Details(p)
				row.Amount(p)
				row.Doubt(p)
				row.Part(milvuswait.IndexBuilding("docs", ""), p)
				row.Hint(milvuswait.Outcome{Progress: p, Err: milvuswait.ErrStalled}, true)
				require.Equal(t, p, row.Mask(p, strings.ToUpper))
			})
		}
	}
}

func TestOf_TargetWithoutRow_Panics(t *testing.T) {
	require.PanicsWithValue(t, `milvus-wait: the kind "" has no row`, func() { Of(milvuswait.Target{}) })
}

func TestTarget(t *testing.T) {
	tests := []struct {
		target       milvuswait.Target
		row          *Kind
		typed, start string
		fields       Fields
	}{
		{
			milvuswait.Loading("docs"), loading,
			"docs", `load_collection("docs")`, Fields{Collection: "docs"},
		},
		{
			milvuswait.Loading("docs", "a", "b"), loading,
			"docs:a,b", `load_partitions("docs", ["a", "b"])`,
			Fields{Collection: "docs", Partitions: []string{"a", "b"}},
		},
		{
			milvuswait.IndexBuilding("docs", "").ExpectRows(7), indexBuilding,
			"docs", `create_index("docs", …)`, Fields{Collection: "docs", ExpectedRows: 7},
		},
		{
			milvuswait.IndexBuilding("docs", "vidx"), indexBuilding,
			"docs/vidx", `create_index("docs", …)`, Fields{Collection: "docs", Index: "vidx"},
		},
		{
			milvuswait.IndexBuilding("docs", milvuswait.AllIndexes), indexBuilding,
			"docs/*", `create_index("docs", …)`, Fields{Collection: "docs", Index: "*"},
		},
		{milvuswait.Flushing("docs", milvuswait.FlushMark{}), flushing, "docs", "", Fields{Collection: "docs"}},
		{milvuswait.Importing(4711), importing, "4711", "", Fields{Job: 4711}},
		{milvuswait.Compacting(815), compacting, "815", "", Fields{Job: 815}},
		{milvuswait.Serving(), serving, "server", "", Fields{}},
	}
	for _, tt := range tests {
		t.Run(tt.target.String(), func(t *testing.T) {
			require.Equal(t, tt.typed, tt.row.Typed(tt.target))
			require.Equal(t, tt.start, tt.row.Start(tt.target))
			require.Equal(t, tt.fields, tt.row.Fields(tt.target))
			require.Same(t, tt.row, Of(tt.target))
		})
	}
}

func TestIndexBuilding_Part(t *testing.T) {
	p := milvuswait.IndexBuildingProgress{IndexName: "vidx"}
	for index, want := range map[string]string{"": "vidx", milvuswait.AllIndexes: "vidx", "vidx": "", "field": ""} {
		require.Equal(t, want, indexBuilding.Part(milvuswait.IndexBuilding("docs", index), p), index)
	}
}

func TestIndexBuilding_Mask_ReplacesTextsOfTheServer(t *testing.T) {
	p := milvuswait.IndexBuildingProgress{TotalRows: 9, IndexedRows: 4, FailReason: "no disk", IndexName: "vidx"}

	got := indexBuilding.Mask(p, strings.ToUpper)

	require.Equal(t, milvuswait.IndexBuildingProgress{TotalRows: 9, IndexedRows: 4, FailReason: "NO DISK", IndexName: "VIDX"}, got)
}

func TestImporting_Mask_ReplacesTextsOfTheServer(t *testing.T) {
	p := milvuswait.ImportProgress{Percent: 40, Rows: 7, Phase: "Sorting", FailReason: "no disk"}
	got := importing.Mask(p, strings.ToUpper)
	require.Equal(t, milvuswait.ImportProgress{Percent: 40, Rows: 7, Phase: "SORTING", FailReason: "NO DISK"}, got)
}

func TestTexts_OfAProgress(t *testing.T) {
	tests := []struct {
		row                    *Kind
		progress               milvuswait.Progress
		details, amount, doubt string
	}{
		{indexBuilding, milvuswait.IndexBuildingProgress{TotalRows: 1, IndexedRows: 1, State: milvuswait.IndexStateFinished}, "1/1 rows, Finished", "1 row", ""},
		{indexBuilding, milvuswait.IndexBuildingProgress{State: milvuswait.IndexStateFinished}, "0/0 rows, Finished", "0 rows", "was it flushed?"},
		{importing, milvuswait.ImportProgress{State: milvuswait.ImportStateStarted, Percent: 40}, "ImportStarted", "0 rows", ""},
		{importing, milvuswait.ImportProgress{State: milvuswait.ImportStateStarted, Phase: "Sorting", Rows: 7}, "Sorting, 7 rows", "7 rows", ""},
		{compacting, milvuswait.CompactionProgress{State: milvuswait.CompactionStateExecuting, Executing: 1, Completed: 2}, "2/3 plans, Executing", "3 plans", ""},
		{compacting, milvuswait.CompactionProgress{State: milvuswait.CompactionStateCompleted, Completed: 1}, "1/1 plans, Completed", "1 plan", ""},
		{compacting, milvuswait.CompactionProgress{State: milvuswait.CompactionStateCompleted}, "0 plans, Completed", "0 plans", "nothing to do, or is the id wrong?"},
		{compacting, milvuswait.CompactionProgress{Executing: -1, Completed: math.MinInt64}, "0 plans, UndefiedState", "0 plans", "nothing to do, or is the id wrong?"},
		{loading, milvuswait.LoadingProgress{Percent: 40}, "", "", ""},
		{serving, milvuswait.ServingProgress{}, "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.row.Word+", "+tt.progress.String(), func(t *testing.T) {
			require.Equal(t, tt.details, tt.row.Details(tt.progress))
			require.Equal(t, tt.amount, tt.row.Amount(tt.progress))
			require.Equal(t, tt.doubt, tt.row.Doubt(tt.progress))
		})
	}
}

func TestHint(t *testing.T) {
	loaded, refreshed := milvuswait.LoadingProgress{Percent: 100}, milvuswait.LoadingProgress{Percent: 100, RefreshPercent: 1}
	tests := []struct {
		name    string
		row     *Kind
		outcome milvuswait.Outcome
		refresh bool
		want    string // part of the hint; "" for none
	}{
		{"refresh without progress", loading, milvuswait.Outcome{Progress: loaded, Err: context.DeadlineExceeded}, true, "its refresh is at 0%"},
		{"refresh with progress", loading, milvuswait.Outcome{Progress: refreshed, Err: context.DeadlineExceeded}, true, ""},
		{"no refresh", loading, milvuswait.Outcome{Progress: loaded, Err: context.DeadlineExceeded}, false, ""},
		{"refresh that failed", loading, milvuswait.Outcome{Progress: loaded, Err: milvuswait.ErrStalled}, true, ""},
		{"unknown import", importing, milvuswait.Outcome{Err: milvuswait.ErrJobNotFound}, false, "check the number of the job"},
		{"failed import", importing, milvuswait.Outcome{Err: milvuswait.ErrJobFailed}, false, "start another one"},
		{"late import", importing, milvuswait.Outcome{Err: context.DeadlineExceeded}, false, ""},
		{"unknown compaction", compacting, milvuswait.Outcome{Err: milvuswait.ErrJobNotFound}, false, "check the id of the compaction"},
		{"failed compaction", compacting, milvuswait.Outcome{Err: milvuswait.ErrJobFailed}, false, "was the collection dropped"},
		{"late compaction", compacting, milvuswait.Outcome{Err: context.DeadlineExceeded}, false, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.row.Hint(tt.outcome, tt.refresh)
			require.Equal(t, tt.want == "", got == "", got)
			require.Contains(t, got, tt.want)
		})
	}
}

// state returns a Poller whose CheckLoadState returns err.
func state(err error) milvuswait.Poller {
	return milvuswait.PollerFuncs{LoadState: func(context.Context, string, ...string) error { return err }}
}

func TestLoading_Recheck(t *testing.T) {
	start := milvuswait.LoadingProgress{}
	tests := []struct {
		name   string
		poller milvuswait.Poller
		update milvuswait.Update
		want   error
	}{
		{"at 0 % and not loaded", state(milvuswait.ErrNotLoaded), milvuswait.Update{Progress: start}, milvuswait.ErrNotLoaded},
		{"at 0 % and loading", state(nil), milvuswait.Update{Progress: start}, nil},
		{"at 0 % and unknown", state(context.DeadlineExceeded), milvuswait.Update{Progress: start}, nil},
		{"above 0 %", state(milvuswait.ErrNotLoaded), milvuswait.Update{Progress: start, Fraction: 0.1}, nil},
		{"no progress", state(milvuswait.ErrNotLoaded), milvuswait.Update{}, nil},
		{"no check", milvuswait.PollerFuncs{}, milvuswait.Update{Progress: start}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, loading.Recheck(t.Context(), tt.poller, tt.update))
		})
	}
}
