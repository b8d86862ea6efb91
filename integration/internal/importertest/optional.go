package importertest

import (
	"context"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/milvustest"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// PollOptional checks the calls of a Poller for segments, flushes, imports, compactions,
// the server and rows. poller returns a Poller whose client is connected to the address: the
// messages pass through the go-api module of the client.
func PollOptional(t *testing.T, poller func(t *testing.T, address string) *rpc.Poller) {
	t.Helper()
	ok := &wire.Status{}
	var segments *wire.GetPersistentSegmentInfoRequest
	var flush *wire.GetFlushStateRequest
	var job *wire.GetImportStateRequest
	var compaction *wire.GetCompactionStateRequest
	var query *wire.QueryRequest

	s := &milvustest.Server{
		Version: func(context.Context, *wire.GetVersionRequest) (*wire.GetVersionResponse, error) {
			return &wire.GetVersionResponse{Status: ok, Version: "v2.5.4"}, nil
		},
		Segments: func(_ context.Context, req *wire.GetPersistentSegmentInfoRequest) (*wire.GetPersistentSegmentInfoResponse, error) {
			segments = req
			return &wire.GetPersistentSegmentInfoResponse{Status: ok, Infos: []*wire.PersistentSegmentInfo{
				{SegmentID: 3, State: wire.SegmentState_Sealed}, {SegmentID: 4, State: wire.SegmentState_Flushed},
			}}, nil
		},
		Flush: func(_ context.Context, req *wire.GetFlushStateRequest) (*wire.GetFlushStateResponse, error) {
			flush = req
			return &wire.GetFlushStateResponse{Status: ok, Flushed: true}, nil
		},
		Import: func(_ context.Context, req *wire.GetImportStateRequest) (*wire.GetImportStateResponse, error) {
			job = req
			return &wire.GetImportStateResponse{
				Status: ok, State: wire.ImportState_ImportStarted, RowCount: 5,
				Infos: []*wire.KeyValuePair{{Key: "progress_percent", Value: "40"}},
			}, nil
		},
		Compaction: func(_ context.Context, req *wire.GetCompactionStateRequest) (*wire.GetCompactionStateResponse, error) {
			compaction = req
			return &wire.GetCompactionStateResponse{
				Status: ok, State: wire.CompactionState_Executing,
				ExecutingPlanNo: 1, CompletedPlanNo: 2, FailedPlanNo: 3, TimeoutPlanNo: 4,
			}, nil
		},
		List: func(context.Context, *wire.ShowCollectionsRequest) (*wire.ShowCollectionsResponse, error) {
			return &wire.ShowCollectionsResponse{Status: ok}, nil
		},
		Query: func(_ context.Context, req *wire.QueryRequest) (*wire.QueryResults, error) {
			query = req
			return &wire.QueryResults{Status: ok, FieldsData: []*wire.FieldData{{Field: &wire.FieldData_Scalars{
				Scalars: &wire.ScalarField{Data: &wire.ScalarField_LongData{LongData: &wire.LongArray{Data: []int64{7}}}},
			}}}}, nil
		},
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	milvustest.ServeOn(t, s, listener)
	ctx, p := t.Context(), poller(t, listener.Addr().String())

	unflushed, err := p.UnflushedSegments(ctx, "docs")
	require.NoError(t, err)
	require.Equal(t, []int64{3}, unflushed)
	requireEqual(t, &wire.GetPersistentSegmentInfoRequest{CollectionName: "docs"}, segments)

	done, err := p.FlushDone(ctx, "docs", milvuswait.FlushMark{Timestamp: 470802571141054466, Segments: []int64{3, 4}})
	require.NoError(t, err)
	require.True(t, done)
	requireEqual(t, &wire.GetFlushStateRequest{SegmentIDs: []int64{3, 4}, FlushTs: 470802571141054466, CollectionName: "docs"}, flush)

	imported, err := p.ImportProgress(ctx, 4711)
	require.NoError(t, err)
	require.Equal(t, milvuswait.ImportProgress{State: milvuswait.ImportStateStarted, Percent: 40, Rows: 5}, imported)
	requireEqual(t, &wire.GetImportStateRequest{Task: 4711}, job)

	compacted, err := p.CompactionProgress(ctx, 815)
	require.NoError(t, err)
	require.Equal(t, milvuswait.CompactionProgress{State: milvuswait.CompactionStateExecuting, Executing: 1, Completed: 2, Failed: 3, TimedOut: 4}, compacted)
	requireEqual(t, &wire.GetCompactionStateRequest{CompactionID: 815}, compaction)

	require.NoError(t, p.CheckServer(ctx))
	require.NoError(t, p.FindRow("id == 7")(ctx, milvuswait.Loading("docs", "pA")))
	requireEqual(t, &wire.QueryRequest{
		CollectionName: "docs", PartitionNames: []string{"pA"}, Expr: "id == 7",
		QueryParams: []*wire.KeyValuePair{{Key: "limit", Value: "1"}},
	}, query)
}

func requireEqual(t *testing.T, want, got proto.Message) {
	t.Helper()
	require.True(t, proto.Equal(want, got), "%v instead of %v", got, want)
}
