package temporalwait

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

func TestTarget_JSON(t *testing.T) {
	tests := []struct {
		target milvuswait.Target
		json   string
	}{
		{milvuswait.Loading("docs"), `{"cluster":"eu","kind":"loading","collection":"docs"}`},
		{milvuswait.Loading("docs", "a", "b"), `{"cluster":"eu","kind":"loading","collection":"docs","partitions":["a","b"]}`},
		{milvuswait.IndexBuilding("docs", "vidx").ExpectRows(7), `{"cluster":"eu","kind":"index_building","collection":"docs","index":"vidx","expected_rows":7}`},
		{milvuswait.IndexBuilding("docs", milvuswait.AllIndexes), `{"cluster":"eu","kind":"index_building","collection":"docs","index":"*"}`},
		{milvuswait.IndexBuilding("docs", "vidx").AfterFlush(milvuswait.FlushMark{}), `{"cluster":"eu","kind":"index_building","collection":"docs","index":"vidx","flush":{}}`},
		{milvuswait.IndexBuilding("docs", "vidx").AfterFlush(milvuswait.FlushMark{Segments: []int64{9, 8, 9}}),
			`{"cluster":"eu","kind":"index_building","collection":"docs","index":"vidx","flush":{"segments":[8,9]}}`},
		{milvuswait.Flushing("docs", milvuswait.FlushMark{Timestamp: 1<<64 - 1, Segments: []int64{1<<63 - 1}}),
			`{"cluster":"eu","kind":"flushing","collection":"docs","flush":{"timestamp":18446744073709551615,"segments":[9223372036854775807]}}`},
		{milvuswait.Importing(7), `{"cluster":"eu","kind":"importing","job":7}`},
		{milvuswait.Compacting(1<<63 - 1), `{"cluster":"eu","kind":"compacting","job":9223372036854775807}`},
		{milvuswait.Serving(), `{"cluster":"eu","kind":"serving"}`},
	}
	for _, tt := range tests {
		wire := On("eu", tt.target)[0]
		b, err := json.Marshal(wire)
		require.NoError(t, err)
		require.JSONEq(t, tt.json, string(b))
		var again Target
		require.NoError(t, json.Unmarshal(b, &again))
		require.NoError(t, again.validate())
		require.Equal(t, tt.target, again.plain())
		require.Equal(t, tt.target.String()+` on "eu"`, again.String())
	}
}

func TestTarget_Invalid(t *testing.T) {
	tests := []struct {
		json, err string
	}{
		{`{}`, `invalid argument: the kind of a target is "", not one of ["loading" "index_building" "flushing" "importing" "compacting" "serving"]`},
		{`{"kind":"load","collection":"docs"}`, `invalid argument: the kind of a target is "load", not one of ["loading" "index_building" "flushing" "importing" "compacting" "serving"]`},
		{`{"kind":"loading"}`, `invalid argument: the name of the collection is empty`},
		{`{"kind":"loading","collection":"a\u0000b"}`, `invalid argument: loading "a\x00b": a name has a NUL in it`},
		{`{"kind":"loading","collection":"docs","partitions":["a",""]}`, `invalid argument: loading "docs", partitions "a", "": the name of a partition is empty`},
		{`{"kind":"loading","collection":"docs","index":"vidx"}`, `invalid argument: loading "docs": an index, "vidx", is not for loads`},
		{`{"kind":"loading","collection":"docs","expected_rows":1}`, `invalid argument: loading "docs": expected rows are for indexes, not for loads`},
		{`{"kind":"index_building","collection":"docs","partitions":["a"]}`, `invalid argument: index of "docs": partitions are for loads, not for indexes`},
		{`{"kind":"index_building","collection":"docs","expected_rows":-1}`, `invalid argument: index of "docs": expected rows: -1 is negative`},
		{`{"kind":"index_building","collection":"docs","flush":{"segments":[7,0]}}`, `invalid argument: index of "docs": the flush mark has the segment 0, which is not positive`},
		{`{"kind":"index_building","collection":"docs","job":7}`, `invalid argument: index of "docs": a job, 7, is not for indexes`},
		{`{"kind":"loading","collection":"docs","flush":{}}`, `invalid argument: loading "docs": a flush mark is for indexes and flushes, not for loads`},
		{`{"kind":"flushing","flush":{}}`, `invalid argument: the name of the collection is empty`},
		{`{"kind":"flushing","collection":"docs"}`, `invalid argument: flush of "docs": the flush mark is missing; it may be {}`},
		{`{"kind":"flushing","collection":"docs","flush":{},"expected_rows":1}`, `invalid argument: flush of "docs": expected rows are for indexes, not for flushes`},
		{`{"kind":"importing"}`, `invalid argument: import 0: the job is not positive`},
		{`{"kind":"importing","job":7,"collection":"docs"}`, `invalid argument: import 7: a collection, "docs", is not for imports`},
		{`{"kind":"compacting","job":-7}`, `invalid argument: compaction -7: the job is not positive`},
		{`{"kind":"compacting","job":7,"partitions":["a"]}`, `invalid argument: compaction 7: partitions are for loads, not for compactions`},
		{`{"kind":"serving","job":7}`, `invalid argument: server: a job, 7, is not for servers`},
	}
	for _, tt := range tests {
		var target Target
		require.NoError(t, json.Unmarshal([]byte(tt.json), &target))

		err := target.validate()

		require.ErrorIs(t, err, milvuswait.ErrInvalid)
		require.EqualError(t, err, tt.err)
	}
}

func TestOptions_OfTargets_LeavesOutOthers(t *testing.T) {
	o := Options{Refresh: true, Criterion: milvuswait.RowsAtStart, Settle: time.Second, StallTimeout: time.Minute, StartGrace: time.Minute}
	load, index := milvuswait.Loading("docs"), milvuswait.IndexBuilding("docs", "vidx")

	for want, targets := range map[int][]milvuswait.Target{5: {load, index}, 4: {load}} {
		require.Len(t, o.of(On("", targets...)).with(0), want)
	}
	require.Len(t, o.of(On("", index)).with(0), 4)
	require.NoError(t, o.validate(On("", load, index)))
	require.EqualError(t, o.validate(On("", load)), "invalid argument: Criterion is for indexes, and there are none")
	require.EqualError(t, o.validate(On("", index)), "invalid argument: Refresh is for loads, and there are none")
}

func TestProgress_JSON(t *testing.T) {
	for text, p := range map[string]milvuswait.Progress{
		`null`:                       nil,
		`{"loading_progress":"40%"}`: milvuswait.LoadingProgress{Percent: 40},
		`{"loading_progress":"100%","refresh_progress":7}`: milvuswait.LoadingProgress{Percent: 100, RefreshPercent: 7},
		`{"flushed":true}`: milvuswait.FlushProgress{Flushed: true},
		`{"state":"ImportStarted","progress":"40%","row_count":9}`:                   milvuswait.ImportProgress{State: milvuswait.ImportStateStarted, Percent: 40, Rows: 9},
		`{"state":"Completed","executing":0,"completed":2,"failed":1,"timed_out":0}`: milvuswait.CompactionProgress{State: milvuswait.CompactionStateCompleted, Completed: 2, Failed: 1},
		`{"serving":true}`: milvuswait.ServingProgress{},
		`{"total_rows":10,"indexed_rows":4,"pending_index_rows":6,"state":"InProgress"}`: milvuswait.IndexBuildingProgress{
			TotalRows: 10, IndexedRows: 4, PendingIndexRows: 6, State: milvuswait.IndexStateInProgress},
	} {
		b, err := json.Marshal(Progress{p})
		require.NoError(t, err)
		require.JSONEq(t, text, string(b))
		again := Progress{milvuswait.LoadingProgress{Percent: 1}}
		require.NoError(t, json.Unmarshal(b, &again))
		require.Equal(t, p, again.Progress)
	}
	for _, text := range []string{`7`, `{"loading_progress":"much"}`, `{"state":"no such"}`} {
		require.Error(t, json.Unmarshal([]byte(text), new(Progress)), text)
	}
}

func TestOutcome_JSON(t *testing.T) {
	o := newOutcome("", milvuswait.Outcome{
		Target: milvuswait.Loading("docs"), Progress: milvuswait.LoadingProgress{Percent: 100}, Polls: 3, Elapsed: 1500 * time.Millisecond,
	}, time.Second)

	b, err := json.Marshal(o)

	require.NoError(t, err)
	require.JSONEq(t, `{"kind":"loading","collection":"docs","progress":{"loading_progress":"100%"},"polls":3,"elapsed_seconds":2.5}`, string(b))
	var again Outcome
	require.NoError(t, json.Unmarshal(b, &again))
	require.Equal(t, o, again)
	require.NoError(t, again.Err())
}

// TestOutcome_Unconfirmed_IsRestored also reads the JSON of workers without the field.
func TestOutcome_Unconfirmed_IsRestored(t *testing.T) {
	o := newOutcome("", milvuswait.Outcome{Target: milvuswait.IndexBuilding("docs", ""), Unconfirmed: true}, 0)
	b, err := json.Marshal(o)
	require.NoError(t, err)
	require.JSONEq(t, `{"kind":"index_building","collection":"docs","unconfirmed":true,"polls":0,"elapsed_seconds":0}`, string(b))

	var again Outcome
	require.NoError(t, json.Unmarshal(b, &again))
	require.True(t, again.Unconfirmed)
	var old Outcome
	require.NoError(t, json.Unmarshal([]byte(`{"kind":"index_building","collection":"docs","polls":1,"elapsed_seconds":1}`), &old))
	require.False(t, old.Unconfirmed)
}

// TestKinds_EveryKindHasARow requires a row for each kind of the library. A target of a
// kind without a row could not be passed to a worker.
func TestKinds_EveryKindHasARow(t *testing.T) {
	require.Len(t, kinds, len(milvuswait.Kinds()))
	for _, k := range milvuswait.Kinds() {
		row, found := kinds[k]
		require.True(t, found, "%q", k)
		require.NotEmpty(t, row.many, "%q", k)
		require.Equal(t, k, row.target(Target{Kind: k, Collection: "docs"}).Kind())
	}
}
