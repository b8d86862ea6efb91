package fakeserver_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// start returns a server and a client in memory. Both are closed at the end of the test or
// of its bubble.
func start(t *testing.T, config fakeserver.Config) (*fakeserver.Server, grpc.ClientConnInterface) {
	t.Helper()
	srv, err := fakeserver.Start(config)
	require.NoError(t, err)
	t.Cleanup(srv.Close)
	conn, err := srv.Dial()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return srv, conn
}

// overTCP returns a client of the server over the loopback interface.
func overTCP(t *testing.T, srv *fakeserver.Server, opts ...grpc.DialOption) grpc.ClientConnInterface {
	t.Helper()
	conn, err := grpc.NewClient(srv.Address(), append(plaintext(), opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

// body is the status in the body of a response.
type body struct {
	legacy wire.ErrorCode
	code   int32
	reason string
}

func of(s *wire.Status) body {
	if s == nil {
		return body{}
	}
	return body{s.ErrorCode, s.Code, s.Reason}
}

var ok body

func loadingProgress(t *testing.T, c grpc.ClientConnInterface, collection string, partitions ...string) *wire.GetLoadingProgressResponse {
	t.Helper()
	r, err := wire.GetLoadingProgress.Call(t.Context(), c, &wire.GetLoadingProgressRequest{CollectionName: collection, PartitionNames: partitions})
	require.NoError(t, err)
	return r
}

func loadState(t *testing.T, c grpc.ClientConnInterface, collection string, partitions ...string) *wire.GetLoadStateResponse {
	t.Helper()
	r, err := wire.GetLoadState.Call(t.Context(), c, &wire.GetLoadStateRequest{CollectionName: collection, PartitionNames: partitions})
	require.NoError(t, err)
	return r
}

func describeIndex(t *testing.T, c grpc.ClientConnInterface, collection, index string, timestamp uint64) *wire.DescribeIndexResponse {
	t.Helper()
	r, err := wire.DescribeIndex.Call(t.Context(), c, &wire.DescribeIndexRequest{CollectionName: collection, IndexName: index, Timestamp: timestamp})
	require.NoError(t, err)
	return r
}

func inMemory(t *testing.T, c grpc.ClientConnInterface, names ...string) *wire.ShowCollectionsResponse {
	t.Helper()
	r, err := wire.ShowCollections.Call(t.Context(), c, &wire.ShowCollectionsRequest{Type: wire.ShowType_InMemory, CollectionNames: names})
	require.NoError(t, err)
	return r
}

// done returns the status of a response that is only a status.
func done(t *testing.T) func(*wire.Status, error) body {
	return func(s *wire.Status, err error) body {
		t.Helper()
		require.NoError(t, err)
		return of(s)
	}
}

// succeeds checks a call with only a status in its response.
func succeeds(t *testing.T, s *wire.Status, err error) {
	t.Helper()
	require.Equal(t, ok, done(t)(s, err))
}

func load(ctx context.Context, c grpc.ClientConnInterface, collection string) (*wire.Status, error) {
	return wire.LoadCollection.Call(ctx, c, &wire.LoadCollectionRequest{CollectionName: collection, ReplicaNumber: 1})
}

func release(ctx context.Context, c grpc.ClientConnInterface, collection string) (*wire.Status, error) {
	return wire.ReleaseCollection.Call(ctx, c, &wire.ReleaseCollectionRequest{CollectionName: collection})
}

func createIndex(ctx context.Context, c grpc.ClientConnInterface, collection, field, index string, params ...*wire.KeyValuePair) (*wire.Status, error) {
	return wire.CreateIndex.Call(ctx, c, &wire.CreateIndexRequest{CollectionName: collection, FieldName: field, IndexName: index, ExtraParams: params})
}

// flush calls Flush, and returns its mark for the collection.
func flush(t *testing.T, c grpc.ClientConnInterface, collection string) milvuswait.FlushMark {
	t.Helper()
	r, err := wire.Flush.Call(t.Context(), c, &wire.FlushRequest{CollectionNames: []string{collection}})
	require.NoError(t, err)
	require.Equal(t, ok, of(r.GetStatus()))
	return milvuswait.FlushMark{Timestamp: r.GetCollFlushTs()[collection], Segments: r.GetCollSegIDs()[collection].GetData()}
}

// flushed calls GetFlushState with all of a mark.
func flushed(t *testing.T, c grpc.ClientConnInterface, collection string, mark milvuswait.FlushMark) bool {
	t.Helper()
	r := flushState(t, c, &wire.GetFlushStateRequest{SegmentIDs: mark.Segments, FlushTs: mark.Timestamp, CollectionName: collection})
	require.Equal(t, ok, of(r.GetStatus()))
	return r.GetFlushed()
}

func flushState(t *testing.T, c grpc.ClientConnInterface, req *wire.GetFlushStateRequest) *wire.GetFlushStateResponse {
	t.Helper()
	r, err := wire.GetFlushState.Call(t.Context(), c, req)
	require.NoError(t, err)
	return r
}

// segments returns the states of the listed segments.
func segments(t *testing.T, c grpc.ClientConnInterface, collection string) map[int64]wire.SegmentState {
	t.Helper()
	r, err := wire.GetPersistentSegmentInfo.Call(t.Context(), c, &wire.GetPersistentSegmentInfoRequest{CollectionName: collection})
	require.NoError(t, err)
	require.Equal(t, ok, of(r.GetStatus()))
	states := map[int64]wire.SegmentState{}
	for _, info := range r.GetInfos() {
		states[info.GetSegmentID()] = info.GetState()
	}
	return states
}

func insert(t *testing.T, c grpc.ClientConnInterface, collection string, rows uint32) {
	t.Helper()
	r, err := wire.Insert.Call(t.Context(), c, &wire.InsertRequest{CollectionName: collection, NumRows: rows})
	require.NoError(t, err)
	require.Equal(t, ok, of(r.GetStatus()))
}
