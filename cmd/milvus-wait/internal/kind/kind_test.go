package kind

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// rows returns every row of the command: those of the table and Serving.
func rows(t *testing.T) map[string]*Kind {
	t.Helper()
	all := map[string]*Kind{"ready": Serving}
	for _, k := range milvuswait.Kinds() {
		require.Contains(t, table, k, "a kind without a row")
		all[string(k)] = table[k]
	}
	require.Len(t, table, len(milvuswait.Kinds()), "a row without a kind")
	return all
}

func TestRows_EveryKind_AreComplete(t *testing.T) {
	for word, row := range rows(t) {
		t.Run(word, func(t *testing.T) {
			fields := reflect.ValueOf(*row)
			for i := range fields.NumField() {
				if fields.Field(i).Kind() != reflect.Bool {
					require.False(t, fields.Field(i).IsZero(), fields.Type().Field(i).Name)
				}
			}
			require.Equal(t, word, row.Word)
		})
	}
}

// TestRows_AnyProgress_DoNotPanic calls the functions of every row for progress of every
// kind: before the first poll there is none.
func TestRows_AnyProgress_DoNotPanic(t *testing.T) {
	for word, row := range rows(t) {
		for _, p := range []milvuswait.Progress{nil, milvuswait.LoadingProgress{}, milvuswait.IndexBuildingProgress{}} {
			t.Run(word, func(t *testing.T) {
				row.Rows(p)
				row.Details(p)
				row.Doubt(p)
				row.Part(milvuswait.IndexBuilding("docs", ""), p)
				row.Overdue(p, true)
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
		target              milvuswait.Target
		row                 *Kind
		typed, title, start string
		fields              Fields
	}{
		{
			milvuswait.Loading("docs"), loading,
			"docs", `loading "docs"`, `load_collection("docs")`, Fields{Collection: "docs"},
		},
		{
			milvuswait.Loading("docs", "a", "b"), loading,
			"docs:a,b", `loading "docs", partitions "a", "b"`, `load_partitions("docs", ["a", "b"])`,
			Fields{Collection: "docs", Partitions: []string{"a", "b"}},
		},
		{
			milvuswait.IndexBuilding("docs", "").ExpectRows(7), indexBuilding,
			"docs", `index of "docs"`, `create_index("docs", …)`, Fields{Collection: "docs", ExpectedRows: 7},
		},
		{
			milvuswait.IndexBuilding("docs", "vidx"), indexBuilding,
			"docs/vidx", `index "vidx" of "docs"`, `create_index("docs", …)`, Fields{Collection: "docs", Index: "vidx"},
		},
		{
			milvuswait.IndexBuilding("docs", milvuswait.AllIndexes), indexBuilding,
			"docs/*", `all indexes of "docs"`, `create_index("docs", …)`, Fields{Collection: "docs", Index: "*"},
		},
		{
			ServingAt("http://m:1"), Serving,
			"http://m:1", "http://m:1", "", Fields{Address: "http://m:1"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.target.String(), func(t *testing.T) {
			require.Equal(t, tt.typed, tt.row.Typed(tt.target))
			require.Equal(t, tt.title, tt.row.Title(tt.target))
			require.Equal(t, tt.start, tt.row.Start(tt.target))
			require.Equal(t, tt.fields, tt.row.Fields(tt.target))
			if tt.row != Serving {
				require.Same(t, tt.row, Of(tt.target))
			}
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
