package rpc_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

const (
	none       = wire.IndexState_IndexStateNone
	unissued   = wire.IndexState_Unissued
	inProgress = wire.IndexState_InProgress
	finished   = wire.IndexState_Finished
	indexFail  = wire.IndexState_Failed
	retry      = wire.IndexState_Retry
)

// describing returns a stub whose DescribeIndex returns the given indexes.
func describing(described ...*description) *stub {
	s := answering(&statusBody{}, nil)
	s.index = func(context.Context, *indexRequest, ...grpc.CallOption) (*indexResponse, error) {
		return &indexResponse{Status: &statusBody{}, IndexDescriptions: described}, nil
	}
	return s
}

func rows(name string, state wire.IndexState, total, indexed, pending int64) *description {
	return &description{IndexName: name, State: state, TotalRows: total, IndexedRows: indexed, PendingIndexRows: pending}
}

// TestIndexBuildingProgress_OddValues_AreUnchanged shows that numbers and states of the
// server reach the caller unchanged, even invalid ones. Only the texts are cleaned and cut.
func TestIndexBuildingProgress_OddValues_AreUnchanged(t *testing.T) {
	t.Parallel()
	d := rows("v", indexFail, -1, 1<<62, -5)
	d.IndexStateFailReason = "470: out of memory\x1b[31m;\n"

	got, err := rpc.FromStub(describing(d)).IndexBuildingProgress(t.Context(), "docs", "v")

	require.NoError(t, err)
	require.Equal(t, milvuswait.IndexBuildingProgress{
		TotalRows: -1, IndexedRows: 1 << 62, PendingIndexRows: -5, State: milvuswait.IndexStateFailed,
		FailReason: "470: out of memory[31m; ", IndexName: "v",
	}, got)

	d.State, d.IndexName, d.IndexStateFailReason = 17, strings.Repeat("n", 4096), strings.Repeat("r", 1<<20)
	got, err = rpc.FromStub(describing(d)).IndexBuildingProgress(t.Context(), "docs", "")
	require.NoError(t, err)
	require.Equal(t, milvuswait.IndexState(17), got.State)
	require.Less(t, len(got.IndexName)+len(got.FailReason), 2400)
}

// TestNamedIndex covers the choice of an index from the response. A single index is the
// result under any name, since milvus-lite names each index after its field.
func TestNamedIndex(t *testing.T) {
	t.Parallel()
	a, b := rows("a", finished, 10, 10, 0), rows("b", inProgress, 10, 4, 6)
	tests := []struct {
		name      string
		described []*description
		index     string
		want      string // name of the chosen index
		err       error
	}{
		{"the only one", []*description{a}, "", "a", nil},
		{"the only one, named", []*description{a}, "a", "a", nil},
		{"the only one, under another name", []*description{a}, "vec", "a", nil},
		{"among several", []*description{a, b}, "b", "b", nil},
		{"the first among several", []*description{a, b}, "a", "a", nil},
		{"not among several", []*description{a, b}, "c", "", milvuswait.ErrIndexNotFound},
		{"of several, none named", []*description{b, a}, "", "", milvuswait.ErrAmbiguousIndex},
		{"of none", nil, "", "", milvuswait.ErrIndexNotFound},
		{"of none, named", []*description{}, "a", "", milvuswait.ErrIndexNotFound},
		{"all of none", nil, milvuswait.AllIndexes, "", milvuswait.ErrIndexNotFound},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()

			got, err := rpc.FromStub(describing(tt.described...)).IndexBuildingProgress(t.Context(), "docs", tt.index)

			requireClass(t, tt.err, err)
			require.Equal(t, tt.want, got.IndexName)
			require.Equal(t, tt.err == errTransient, errors.Is(err, rpc.ErrMalformed))
		})
	}
}

// TestIndexErrorsListTheNames shows the error for an ambiguous or missing index: it lists
// up to 16 names in order, cleaned and cut.
func TestIndexErrorsListTheNames(t *testing.T) {
	t.Parallel()
	several := []*description{rows("b", finished, 0, 0, 0), rows("a\x1b\n", finished, 0, 0, 0)}

	_, err := rpc.FromStub(describing(several...)).IndexBuildingProgress(t.Context(), "docs", "")
	require.EqualError(t, err, `ambiguous index: DescribeIndex: "a ", "b"`)
	_, err = rpc.FromStub(describing(several...)).IndexBuildingProgress(t.Context(), "docs", "c")
	require.EqualError(t, err, `index not found: DescribeIndex: not among "a ", "b"`)

	var many []*description
	for i := range 1000 {
		many = append(many, rows(fmt.Sprintf("i%03d", 999-i), finished, 0, 0, 0))
	}

	_, err = rpc.FromStub(describing(many...)).IndexBuildingProgress(t.Context(), "docs", "")
	require.ErrorContains(t, err, `DescribeIndex: "i000", "i001", `)
	require.ErrorContains(t, err, `"i015" and 984 more`)

	_, err = rpc.FromStub(describing(many[:16]...)).IndexBuildingProgress(t.Context(), "docs", "")
	require.NotContains(t, err.Error(), "more")

	for _, d := range many {
		d.IndexName = strings.Repeat("n", 1<<16)
	}
	_, err = rpc.FromStub(describing(many...)).IndexBuildingProgress(t.Context(), "docs", "")
	require.Less(t, len(err.Error()), 1200)
}

// TestIndexNotFound_OnLite_NamesTheReason replays milvus-lite 3.1.1 and 3.2.2, which lists
// two indexes under the names of their fields for any name.
func TestIndexNotFound_OnLite_NamesTheReason(t *testing.T) {
	t.Parallel()
	const text = `index not found: DescribeIndex: not among "number", "vector"`
	for version, want := range map[string]string{
		"milvus_lite-3.1.1": text + ": milvus-lite names an index after its field", "v2.6.1": text, "": text,
	} {
		s := versionStub{describing(rows("vector", finished, 1, 1, 0), rows("number", finished, 1, 1, 0)), func() (*versionResponse, error) {
			return &versionResponse{Status: ok, Version: version}, nil
		}}
		p := rpc.FromStub(s)

		_, err := p.IndexBuildingProgress(t.Context(), "docs", "vidx")
		requireClass(t, milvuswait.ErrIndexNotFound, err)
		require.EqualError(t, err, want)

		_, errs := p.ListIndexBuilding(t.Context(), "docs", []string{"vidx", "vector"})
		require.EqualError(t, errs[0], want)
		require.NoError(t, errs[1])
	}
}

// TestFurthestBehind lists the indexes of each row in order, from the furthest behind to
// the most complete one. The first of each remainder must be the result for AllIndexes,
// regardless of the order in the response.
func TestFurthestBehind(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		order []*description
	}{
		{"failed before all others", []*description{
			rows("f", indexFail, 10, 10, 0), rows("a", none, 10, 0, 10), rows("b", finished, 10, 10, 0),
		}},
		{"not finished before finished, whatever the rows", []*description{
			rows("z", inProgress, 10, 10, 0), rows("a", finished, 10, 0, 10), rows("b", finished, 10, 10, 0),
		}},
		{"every state that is not finished", []*description{
			rows("a", retry, 10, 1, 9), rows("b", none, 10, 2, 8), rows("c", unissued, 10, 3, 7), rows("d", inProgress, 10, 4, 6), rows("e", 99, 10, 5, 5),
			rows("f", finished, 10, 0, 10),
		}},
		{"pending before complete", []*description{
			rows("z", finished, 10, 10, 5), rows("a", finished, 10, 10, 0),
		}},
		{"short of rows before complete, on servers without pending rows", []*description{
			rows("z", finished, 10, 9, 0), rows("a", finished, 10, 10, 0),
		}},
		{"less done before more done", []*description{
			rows("c", inProgress, 10, 1, 9), rows("b", inProgress, 10, 4, 6), rows("a", inProgress, 10, 9, 1),
		}},
		{"by share, not by rows", []*description{
			rows("b", inProgress, 1000, 10, 990), rows("a", inProgress, 10, 5, 5),
		}},
		{"by name where all else is equal", []*description{
			rows("a", finished, 10, 10, 0), rows("b", finished, 10, 10, 0), rows("c", finished, 10, 10, 0),
		}},
		{"empty but unfinished before empty and finished", []*description{
			rows("b", none, 0, 0, 0), rows("a", finished, 0, 0, 0),
		}},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for i, want := range tt.order {
				reversed := slices.Clone(tt.order[i:])
				slices.Reverse(reversed)
				for _, described := range [][]*description{tt.order[i:], reversed} {
					got, err := rpc.FromStub(describing(described...)).IndexBuildingProgress(t.Context(), "docs", milvuswait.AllIndexes)

					require.NoError(t, err)
					require.Equal(t, want.IndexName, got.IndexName)
				}
			}
		})
	}
}
