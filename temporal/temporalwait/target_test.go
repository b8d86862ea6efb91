package temporalwait

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

func TestTargetsInJSON(t *testing.T) {
	tests := []struct {
		target milvuswait.Target
		json   string
	}{
		{milvuswait.Loading("docs"), `{"cluster":"eu","kind":"loading","collection":"docs"}`},
		{milvuswait.Loading("docs", "a", "b"), `{"cluster":"eu","kind":"loading","collection":"docs","partitions":["a","b"]}`},
		{milvuswait.IndexBuilding("docs", "vidx").ExpectRows(7), `{"cluster":"eu","kind":"index_building","collection":"docs","index":"vidx","expected_rows":7}`},
		{milvuswait.IndexBuilding("docs", milvuswait.AllIndexes), `{"cluster":"eu","kind":"index_building","collection":"docs","index":"*"}`},
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

func TestTargetsThatMakeNoSense(t *testing.T) {
	tests := []struct {
		json, err string
	}{
		{`{}`, `invalid argument: the kind of a target is "", not one of ["loading" "index_building"]`},
		{`{"kind":"load","collection":"docs"}`, `invalid argument: the kind of a target is "load", not one of ["loading" "index_building"]`},
		{`{"kind":"loading"}`, `invalid argument: the name of the collection is empty`},
		{`{"kind":"loading","collection":"a\u0000b"}`, `invalid argument: loading "a\x00b": a name has a NUL in it`},
		{`{"kind":"loading","collection":"docs","partitions":["a",""]}`, `invalid argument: loading "docs", partitions "a", "": the name of a partition is empty`},
		{`{"kind":"loading","collection":"docs","index":"vidx"}`, `invalid argument: loading "docs": an index, "vidx", is not for loads`},
		{`{"kind":"loading","collection":"docs","expected_rows":1}`, `invalid argument: loading "docs": expected rows are for indexes, not for loads`},
		{`{"kind":"index_building","collection":"docs","partitions":["a"]}`, `invalid argument: index of "docs": partitions are for loads, not for indexes`},
		{`{"kind":"index_building","collection":"docs","expected_rows":-1}`, `invalid argument: index of "docs": expected rows: -1 is negative`},
	}
	for _, tt := range tests {
		var target Target
		require.NoError(t, json.Unmarshal([]byte(tt.json), &target))

		err := target.validate()

		require.ErrorIs(t, err, milvuswait.ErrInvalid)
		require.EqualError(t, err, tt.err)
	}
}

func TestOptionsGoToTheTargetsThatHaveAUseForThem(t *testing.T) {
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

func TestProgressInJSON(t *testing.T) {
	for text, p := range map[string]milvuswait.Progress{
		`null`:                       nil,
		`{"loading_progress":"40%"}`: milvuswait.LoadingProgress{Percent: 40},
		`{"loading_progress":"100%","refresh_progress":7}`: milvuswait.LoadingProgress{Percent: 100, RefreshPercent: 7},
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

func TestOutcomesInJSON(t *testing.T) {
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
