package milvuswait

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestWaitKinds_EveryRowIsComplete requires every field of every row, except for the
// functions that a kind may leave out.
func TestWaitKinds_EveryRowIsComplete(t *testing.T) {
	optional := []string{"options", "follow", "failure", "mayBePending", "awaitsFlush", "isUnconfirmed", "part", "hint"}
	for _, k := range waitKinds {
		row := reflect.ValueOf(*k)
		for i := range row.NumField() {
			if name := row.Type().Field(i).Name; !slices.Contains(optional, name) {
				require.False(t, row.Field(i).IsZero(), "%s of %q", name, k.kind)
			}
		}
		require.Same(t, k, findKind(k.kind), "two rows are of kind %q", k.kind)
	}
}

// TestWaitKinds_OptionsFitOneKind requires options of kinds, which the functions for many
// targets must not contain.
func TestWaitKinds_OptionsFitOneKind(t *testing.T) {
	for _, k := range waitKinds {
		require.Zero(t, k.options&optsOfAll, "%q", k.kind)
	}
	require.Equal(t, "WithPartitions", optPartitions.first())
	require.Equal(t, "WithContinueOnError", optContinueOnError.first(), "the names are in the order of the constants")
}

// TestWait_UnknownKind_IsInvalid gives every function a target of a kind outside the table:
// none may poll it as another kind.
func TestWait_UnknownKind_IsInvalid(t *testing.T) {
	target := Target{kind: "dropping", collection: "docs"}
	const want = `invalid argument: no wait is of kind "dropping"`

	_, err := WaitAll(context.Background(), refusing{t}, []Target{Loading("docs"), target})
	require.ErrorIs(t, err, ErrInvalid)
	require.EqualError(t, err, "milvuswait: target 2 of 2: "+want)

	for u, err := range Watch(context.Background(), refusing{t}, target) {
		require.EqualError(t, err, "milvuswait: "+want)
		require.True(t, u.Final)
	}
	require.Equal(t, "no target", target.String())
	require.Equal(t, "milvuswait: no target: aborted (0 polls in 0s)", (&Error{Target: target, Cause: ErrAborted}).Error())
}

// refusing is a Poller for waits without polls: a call fails the test.
type refusing struct{ t *testing.T }

func (p refusing) LoadingProgress(context.Context, string, ...string) (LoadingProgress, error) {
	p.t.Error("a load was polled")
	return LoadingProgress{}, nil
}

func (p refusing) IndexBuildingProgress(context.Context, string, string) (IndexBuildingProgress, error) {
	p.t.Error("an index was polled")
	return IndexBuildingProgress{}, nil
}

// TestUnmarshalProgress reads the JSON of every kind, and names the fault of invalid JSON.
func TestUnmarshalProgress(t *testing.T) {
	for json, want := range map[string]Progress{
		`{"loading_progress":"40%"}`:                                                        LoadingProgress{Percent: 40},
		`{"loading_progress":"100%","refresh_progress":30}`:                                 LoadingProgress{Percent: 100, RefreshPercent: 30},
		`{"total_rows":9,"indexed_rows":4,"pending_index_rows":5,"state":"InProgress"}`:     IndexBuildingProgress{TotalRows: 9, IndexedRows: 4, PendingIndexRows: 5, State: IndexStateInProgress},
		`{"total_rows":0,"indexed_rows":0,"pending_index_rows":0,"state":"IndexState(77)"}`: IndexBuildingProgress{State: 77},
		`{"flushed":true}`: FlushProgress{Flushed: true},
		`{"state":"ImportStarted","progress":"80%","row_count":7}`:                   ImportProgress{State: ImportStateStarted, Percent: 80, Rows: 7},
		`{"state":"ImportState(3)","progress":"0%","row_count":0}`:                   ImportProgress{State: 3},
		`{"state":"Executing","executing":1,"completed":2,"failed":3,"timed_out":4}`: CompactionProgress{CompactionStateExecuting, 1, 2, 3, 4},
		`{"serving":true}`: ServingProgress{},
		`null`:             nil,
	} {
		p, err := UnmarshalProgress([]byte(json))
		require.NoError(t, err, json)
		require.Equal(t, want, p, json)
	}

	for json, want := range map[string]string{
		`{}`:                               `milvuswait: the JSON of a progress has no key of any kind, such as "loading_progress"`,
		`{"rows":1}`:                       `milvuswait: the JSON of a progress has no key of any kind, such as "loading_progress"`,
		`{"loading_progress":"much"}`:      `milvuswait: loading_progress is "much", not a percentage such as "40%"`,
		`[1]`:                              `milvuswait: the JSON of a progress: json: cannot unmarshal array`,
		`{"total_rows":"many"}`:            `json: cannot unmarshal string`,
		`{"row_count":1,"state":"X"}`:      `"X" is not the name of an import state`,
		`{"row_count":1,"progress":"+4%"}`: `milvuswait: progress is "+4%", not a percentage such as "40%"`,
		`{"executing":1,"state":"ImportState(1)"}`: `"ImportState(1)" is not the name of a compaction state`,
		``: `milvuswait: the JSON of a progress: unexpected end of JSON input`,
	} {
		p, err := UnmarshalProgress([]byte(json))
		require.ErrorContains(t, err, want, fmt.Sprintf("%q", json))
		require.Nil(t, p)
	}
}

// TestMarshalProgress_KeepsEveryField reads each progress again from its JSON.
func TestMarshalProgress_KeepsEveryField(t *testing.T) {
	for _, p := range []Progress{
		nil, LoadingProgress{}, LoadingProgress{Percent: 40, RefreshPercent: 100},
		IndexBuildingProgress{TotalRows: 9, IndexedRows: 4, PendingIndexRows: 5, State: IndexStateFailed, FailReason: "disk", IndexName: "vidx"},
		FlushProgress{}, FlushProgress{Flushed: true}, ServingProgress{},
		ImportProgress{}, ImportProgress{State: ImportStateFailed, Percent: -3, Rows: 9, Phase: ImportPhaseUncommitted, FailReason: "disk"},
		CompactionProgress{}, CompactionProgress{State: 77, Executing: 1, Completed: -2, Failed: 3, TimedOut: 4},
	} {
		b, err := MarshalProgress(p)
		require.NoError(t, err)
		got, err := UnmarshalProgress(b)
		require.NoError(t, err)
		require.Equal(t, p, got)
	}
}
