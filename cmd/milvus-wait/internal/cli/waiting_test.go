package cli_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// late is a server whose load and index look complete from the first poll on. It reports a
// sealed segment, and no row in a query, to the first two requests of each.
type late struct {
	segments, queries atomic.Int64
	refused           error // gRPC error of queries and of segments; nil for none
	described         atomic.Int64
	filter, partition atomic.Value
}

const early = 2 // requests before the flush is done, and before a row is found

func (l *late) GetLoadingProgress(context.Context, *wire.GetLoadingProgressRequest) (*wire.GetLoadingProgressResponse, error) {
	return &wire.GetLoadingProgressResponse{Status: &wire.Status{}, Progress: 100}, nil
}

func (l *late) DescribeIndex(context.Context, *wire.DescribeIndexRequest) (*wire.DescribeIndexResponse, error) {
	l.described.Add(1)
	return &wire.DescribeIndexResponse{Status: &wire.Status{}, IndexDescriptions: []*wire.IndexDescription{
		{IndexName: "vidx", State: wire.IndexState_Finished, TotalRows: 9, IndexedRows: 9},
	}}, nil
}

func (l *late) GetPersistentSegmentInfo(context.Context, *wire.GetPersistentSegmentInfoRequest) (*wire.GetPersistentSegmentInfoResponse, error) {
	if l.refused != nil {
		return nil, l.refused
	}
	segment := &wire.PersistentSegmentInfo{SegmentID: 1, State: wire.SegmentState_Sealed}
	if l.segments.Add(1) > early {
		segment.State = wire.SegmentState_Flushed
	}
	return &wire.GetPersistentSegmentInfoResponse{Status: &wire.Status{}, Infos: []*wire.PersistentSegmentInfo{segment}}, nil
}

func (l *late) Query(_ context.Context, req *wire.QueryRequest) (*wire.QueryResults, error) {
	l.filter.Store(req.GetExpr())
	l.partition.Store(strings.Join(req.GetPartitionNames(), ","))
	if l.refused != nil {
		return nil, l.refused
	}

	var ids []int64
	if l.queries.Add(1) > early {
		ids = []int64{7}
	}
	return &wire.QueryResults{Status: &wire.Status{}, FieldsData: []*wire.FieldData{{
		Field: &wire.FieldData_Scalars{Scalars: &wire.ScalarField{Data: &wire.ScalarField_LongData{LongData: &wire.LongArray{Data: ids}}}},
	}}}, nil
}

func (l *late) rpcs() []grpc.MethodDesc {
	return []grpc.MethodDesc{
		wire.GetLoadingProgress.Serve(l.GetLoadingProgress), wire.DescribeIndex.Serve(l.DescribeIndex),
		wire.GetPersistentSegmentInfo.Serve(l.GetPersistentSegmentInfo), wire.Query.Serve(l.Query),
	}
}

func TestIndex_RowsAreBeingFlushed_WaitsForFlush(t *testing.T) {
	l := &late{}

	code, stdout, stderr := run(map[string]string{"MILVUS_URI": serve(t, l)}, "index", "docs/vidx", "-v")

	require.Zero(t, code, stderr)
	require.Regexp(t, `^docs/vidx: indexed \(9 rows, .*, 3 polls\)\n$`, stdout)
	require.Equal(t, early, strings.Count(stderr, "docs/vidx: indexing 99% (9/9 rows, Finished), waiting for flush, poll "), stderr)
	require.Equal(t, int64(2), l.described.Load(), "one before the segments and one after them")
}

func TestVerify_NoRowAtFirst_WaitsForIt(t *testing.T) {
	for _, args := range []string{"load docs:p", "index docs/vidx", "load docs:p -o jsonl"} {
		t.Run(args, func(t *testing.T) {
			l := &late{}

			code, stdout, stderr := run(map[string]string{"MILVUS_URI": serve(t, l)}, append(strings.Fields(args), "--verify", "id in [7]", "-v")...)

			require.Zero(t, code, stderr)
			require.Equal(t, "id in [7]", l.filter.Load())
			require.Equal(t, int64(early+1), l.queries.Load())
			require.Contains(t, stderr, "99%")
			require.Contains(t, stderr, `waiting for verify, poll `)
			require.Contains(t, stderr, `: going on, gives up in 10m0s: Query: no row found in `)
			if strings.HasPrefix(args, "load") {
				require.Equal(t, "p", l.partition.Load())
			}
			if strings.HasSuffix(args, "jsonl") {
				require.Contains(t, stdout, `"waiting_for":"verify"`)
			}
		})
	}
}

// TestVerify_Refused_NamesThePrivilege has no privilege in the text of the server.
func TestVerify_Refused_NamesThePrivilege(t *testing.T) {
	l := &late{refused: status.Error(codes.PermissionDenied, "no")}

	code, _, stderr := run(map[string]string{"MILVUS_URI": serve(t, l)}, "load", "docs", "--verify", "id == 7", "--timeout", "20s")

	require.Equal(t, 1, code, stderr)
	require.Contains(t, stderr, `milvus-wait: loading "docs": verify: `)
	require.Contains(t, stderr, "hint: grant its user the privilege Query, or check the token")
}

// TestProgress_SegmentsAreRefused_IsNoFailure: a single look does not ask for flushes.
func TestProgress_SegmentsAreRefused_IsNoFailure(t *testing.T) {
	l := &late{refused: status.Error(codes.PermissionDenied, "no")}

	code, stdout, stderr := run(map[string]string{"MILVUS_URI": serve(t, l)}, "progress", "index", "docs/vidx")

	require.Zero(t, code, stderr)
	require.JSONEq(t, `{"total_rows":9,"indexed_rows":9,"pending_index_rows":0,"state":"Finished"}`, stdout)
	require.Empty(t, stderr)
}
