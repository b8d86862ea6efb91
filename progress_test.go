package milvuswait_test

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// TestProgressAsPymilvusDicts shows that progress is encoded as the dicts of pymilvus.
func TestProgressAsPymilvusDicts(t *testing.T) {
	failed := rows(100, 40, milvuswait.IndexStateFailed)
	failed.FailReason = "out of disk"
	tests := []struct {
		progress milvuswait.Progress
		want     string
	}{
		{milvuswait.LoadingProgress{Percent: 40, RefreshPercent: 100}, `{"loading_progress":"40%"}`},
		{rows(100, 40, inProgress), `{"total_rows":100,"indexed_rows":40,"pending_index_rows":60,"state":"InProgress"}`},
		{failed, `{"total_rows":100,"indexed_rows":40,"pending_index_rows":60,"state":"Failed","index_state_fail_reason":"out of disk"}`},
		{rows(1, 1, 77), `{"total_rows":1,"indexed_rows":1,"pending_index_rows":0,"state":"IndexState(77)"}`},
	}
	for _, tt := range tests {
		got, err := json.Marshal(tt.progress)
		require.NoError(t, err)
		require.Equal(t, tt.want, string(got))

		switch want := tt.progress.(type) {
		case milvuswait.LoadingProgress:
			var back milvuswait.LoadingProgress
			require.NoError(t, json.Unmarshal(got, &back))
			require.Equal(t, want.Percent, back.Percent)
		case milvuswait.IndexBuildingProgress:
			var back milvuswait.IndexBuildingProgress
			require.NoError(t, json.Unmarshal(got, &back))
			require.Equal(t, want, back)
		}
	}
}

func TestProgressFromBadJSON(t *testing.T) {
	for _, bad := range []string{`{"loading_progress":"40"}`, `{"loading_progress":"x%"}`, `{"loading_progress":40}`, `{}`, `[]`,
		`{"loading_progress":"+5%"}`, `{"loading_progress":"%"}`, `{"loading_progress":null}`} {
		var p milvuswait.LoadingProgress
		require.Error(t, json.Unmarshal([]byte(bad), &p), bad)
	}
	for _, bad := range []string{
		`{"state":"Building"}`, `{"state":3}`, `{"total_rows":"x"}`, `{"state":"IndexState(77)x"}`, `{"state":"IndexState(+77)"}`, `{"state":"IndexState( 77)"}`,
		`{"state":"IndexState(3)"}`, `{"state":"IndexState(4294967296)"}`, `{"state":"77"}`,
	} {
		var p milvuswait.IndexBuildingProgress
		require.Error(t, json.Unmarshal([]byte(bad), &p), bad)
	}
}

// TestProgressFromNull_LeavesValueUnchanged follows the convention of encoding/json.
func TestProgressFromNull_LeavesValueUnchanged(t *testing.T) {
	type document struct {
		Load  milvuswait.LoadingProgress
		Index milvuswait.IndexBuildingProgress
	}
	want := document{milvuswait.LoadingProgress{Percent: 40, RefreshPercent: 100}, rows(100, 40, inProgress)}
	got := want

	require.NoError(t, json.Unmarshal([]byte(`{"Load":null,"Index":null}`), &got))
	require.Equal(t, want, got)

	require.NoError(t, json.Unmarshal([]byte("null"), &got.Load))
	require.NoError(t, json.Unmarshal([]byte("null"), &got.Index))
	require.Equal(t, want, got)
}

func TestProgressText(t *testing.T) {
	require.Equal(t, "40%", milvuswait.LoadingProgress{Percent: 40}.String())
	require.Equal(t, "40/100 rows, InProgress", rows(100, 40, inProgress).String())
	compacted := milvuswait.IndexBuildingProgress{TotalRows: 100, IndexedRows: 100, PendingIndexRows: 30, State: finished}
	require.Equal(t, "100/100 rows, Finished, 30 pending", compacted.String())
	require.Equal(t, "IndexState(-1)", milvuswait.IndexState(-1).String())
	require.Equal(t, "None", milvuswait.IndexStateNone.String())
	require.Equal(t, "Retry", milvuswait.IndexStateRetry.String())
	require.Equal(t, "IndexState(6)", milvuswait.IndexState(6).String())
}

func TestFraction(t *testing.T) {
	index := func(total, indexed, pending int64) milvuswait.Progress {
		return milvuswait.IndexBuildingProgress{TotalRows: total, IndexedRows: indexed, PendingIndexRows: pending}
	}
	tests := []struct {
		progress milvuswait.Progress
		want     float64
	}{
		{milvuswait.LoadingProgress{Percent: 40}, 0.4},
		{milvuswait.LoadingProgress{Percent: -1}, 0},
		{milvuswait.LoadingProgress{Percent: math.MaxInt64}, 1},
		{index(100, 40, 60), 0.4},
		{index(100, 100, 60), 0.4},
		{index(100, 40, 0), 0.4},
		{index(0, 0, 0), 0},
		{index(80, 100, 0), 1},
		{index(1003000, 503053, 1003000), 0}, // counts reported in milvus-io/milvus#26297
		{index(-1, 5, 5), 0},
		{index(math.MaxInt64, math.MaxInt64, 0), 1},
		{index(math.MaxInt64, math.MinInt64, math.MinInt64), 0},
		{index(1, math.MaxInt64, math.MinInt64), 1},
	}
	for _, tt := range tests {
		require.InDelta(t, tt.want, tt.progress.Fraction(), 1e-9, "%v", tt.progress)
	}
}

func TestTargetsAreValues(t *testing.T) {
	eu := milvuswait.Loading("docs", "eu", "us")
	require.Equal(t, milvuswait.KindLoading, eu.Kind())
	require.Equal(t, "docs", eu.Collection())
	require.Equal(t, []string{"eu", "us"}, eu.Partitions())
	require.True(t, eu == milvuswait.Loading("docs", "eu", "us"))
	require.False(t, eu == milvuswait.Loading("docs"))
	require.Nil(t, milvuswait.Loading("docs").Partitions())

	index := milvuswait.IndexBuilding("docs", "vidx").ExpectRows(7)
	require.Equal(t, milvuswait.KindIndexBuilding, index.Kind())
	require.Equal(t, "vidx", index.Index())
	require.Equal(t, int64(7), index.ExpectedRows())
	require.Equal(t, map[milvuswait.Target]int{index: 1}[milvuswait.IndexBuilding("docs", "vidx").ExpectRows(7)], 1)
	require.Equal(t, "no target", milvuswait.Target{}.String())
}

// FuzzJSON decodes any text as each type of progress. A successfully decoded value can be
// encoded and decoded again without a change.
func FuzzJSON(f *testing.F) {
	for _, seed := range []string{
		`{"loading_progress":"40%"}`, `{"loading_progress":"-9223372036854775808%"}`, `{"loading_progress":"+040%"}`, `{"LOADING_PROGRESS":"1%"}`,
		`{"total_rows":100,"indexed_rows":40,"pending_index_rows":60,"state":"InProgress"}`,
		`{"total_rows":-1,"state":"IndexState(77)","index_state_fail_reason":"\ud800\u202e"}`,
		`{"flushed":true}`, `{"serving":1}`, `{"state":"ImportStarted","progress":"80%","row_count":7,"phase":"Uncommitted","failed_reason":"\u202e"}`,
		`{"state":"ImportState(3)","progress":"-9223372036854775808%"}`, `{"state":"CompactionState(-7)","executing":1,"timed_out":9}`, `ImportState(4)`, `Executing`,
		`{"state":"IndexState(77)x"}`, `{"state":"IndexState( 77)"}`, `{"state":null}`, `null`, `{}`, `"IndexState(-1)"`, `"Retry"`, `"IndexState(3)"`, `IndexState(77)`, `IndexState(77)x`, `IndexState(+77)`, `Retry`,
	} {
		f.Add([]byte(seed))
	}

	f.Fuzz(func(t *testing.T, b []byte) {
		requireRoundTrip[milvuswait.LoadingProgress](t, b)
		requireRoundTrip[milvuswait.IndexBuildingProgress](t, b)
		requireRoundTrip[milvuswait.FlushProgress](t, b)
		requireRoundTrip[milvuswait.ImportProgress](t, b)
		requireRoundTrip[milvuswait.CompactionProgress](t, b)
		requireRoundTrip[milvuswait.ServingProgress](t, b)
		requireRoundTrip[milvuswait.IndexState](t, b)

		requireName[milvuswait.IndexState](t, b)
		requireName[milvuswait.ImportState](t, b)
		requireName[milvuswait.CompactionState](t, b)
	})
}

// requireName reads b as the name of a state. If it is one, String returns the same.
func requireName[T fmt.Stringer, P interface {
	*T
	encoding.TextUnmarshaler
}](t *testing.T, b []byte) {
	t.Helper()
	var state T
	if err := P(&state).UnmarshalText(b); err == nil {
		require.Equal(t, string(b), state.String())
	}
}

// requireRoundTrip decodes b as a T. If it is one, it encodes and decodes it again.
func requireRoundTrip[T comparable](t *testing.T, b []byte) {
	t.Helper()
	var read, again T
	if json.Unmarshal(b, &read) != nil {
		return
	}

	written, err := json.Marshal(read)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(written, &again), "%s", written)
	require.Equal(t, read, again, "%s", written)
}

// FuzzProgressJSON encodes any progress and decodes it again. The result is the same,
// except for fields outside the dict of pymilvus and invalid UTF-8.
func FuzzProgressJSON(f *testing.F) {
	f.Add(int64(40), int64(100), int64(60), int32(2), "")
	f.Add(int64(-1<<63), int64(1<<63-1), int64(0), int32(-1), "a\xff\u2028\x00<")

	f.Fuzz(func(t *testing.T, a, b, c int64, state int32, reason string) {
		var loading milvuswait.LoadingProgress
		requireWritten(t, milvuswait.LoadingProgress{Percent: a, RefreshPercent: b}, &loading)
		require.Equal(t, milvuswait.LoadingProgress{Percent: a}, loading)

		p := milvuswait.IndexBuildingProgress{
			TotalRows: a, IndexedRows: b, PendingIndexRows: c, State: milvuswait.IndexState(state), FailReason: reason, IndexName: reason,
		}
		var index milvuswait.IndexBuildingProgress
		requireWritten(t, p, &index)
		p.IndexName, p.FailReason = "", string([]rune(reason))
		require.Equal(t, p, index)

		i := milvuswait.ImportProgress{State: milvuswait.ImportState(state), Percent: a, Rows: b, Phase: reason, FailReason: reason}
		var imported milvuswait.ImportProgress
		requireWritten(t, i, &imported)
		i.Phase, i.FailReason = p.FailReason, p.FailReason
		require.Equal(t, i, imported)

		compaction := milvuswait.CompactionProgress{State: milvuswait.CompactionState(state), Executing: a, Completed: b, Failed: c, TimedOut: a}
		var compacted milvuswait.CompactionProgress
		requireWritten(t, compaction, &compacted)
		require.Equal(t, compaction, compacted)
	})
}

// requireWritten encodes from and decodes the result into to.
func requireWritten(t *testing.T, from, to any) {
	t.Helper()
	b, err := json.Marshal(from)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, to), "%s", b)
}
