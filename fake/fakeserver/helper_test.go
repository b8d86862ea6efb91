package fakeserver_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"

	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

// start returns a server and a client in memory, both closed at the end of the
// test, or of its bubble.
func start(t *testing.T, config fakeserver.Config) (*fakeserver.Server, milvuspb.MilvusServiceClient) {
	t.Helper()
	srv, err := fakeserver.Start(config)
	require.NoError(t, err)
	t.Cleanup(srv.Close)
	conn, err := srv.Dial()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return srv, milvuspb.NewMilvusServiceClient(conn)
}

// overTCP returns a client of the server over the loopback interface.
func overTCP(t *testing.T, srv *fakeserver.Server, opts ...grpc.DialOption) milvuspb.MilvusServiceClient {
	t.Helper()
	conn, err := grpc.NewClient(srv.Address(), append(plaintext(), opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return milvuspb.NewMilvusServiceClient(conn)
}

// said is what an answer says in its body.
type said struct {
	legacy commonpb.ErrorCode
	code   int32
	reason string
}

func of(s *commonpb.Status) said {
	if s == nil {
		return said{}
	}
	return said{s.ErrorCode, s.Code, s.Reason}
}

var ok said

func loadingProgress(t *testing.T, c milvuspb.MilvusServiceClient, collection string, partitions ...string) *milvuspb.GetLoadingProgressResponse {
	t.Helper()
	r, err := c.GetLoadingProgress(t.Context(), &milvuspb.GetLoadingProgressRequest{CollectionName: collection, PartitionNames: partitions})
	require.NoError(t, err)
	return r
}

func loadState(t *testing.T, c milvuspb.MilvusServiceClient, collection string, partitions ...string) *milvuspb.GetLoadStateResponse {
	t.Helper()
	r, err := c.GetLoadState(t.Context(), &milvuspb.GetLoadStateRequest{CollectionName: collection, PartitionNames: partitions})
	require.NoError(t, err)
	return r
}

func describeIndex(t *testing.T, c milvuspb.MilvusServiceClient, collection, index string, timestamp uint64) *milvuspb.DescribeIndexResponse {
	t.Helper()
	r, err := c.DescribeIndex(t.Context(), &milvuspb.DescribeIndexRequest{CollectionName: collection, IndexName: index, Timestamp: timestamp})
	require.NoError(t, err)
	return r
}

func inMemory(t *testing.T, c milvuspb.MilvusServiceClient, names ...string) *milvuspb.ShowCollectionsResponse {
	t.Helper()
	r, err := c.ShowCollections(t.Context(), &milvuspb.ShowCollectionsRequest{Type: milvuspb.ShowType_InMemory, CollectionNames: names})
	require.NoError(t, err)
	return r
}

// done returns what the body of an answer that is a status says.
func done(t *testing.T) func(*commonpb.Status, error) said {
	return func(s *commonpb.Status, err error) said {
		t.Helper()
		require.NoError(t, err)
		return of(s)
	}
}

// succeeds checks a call whose answer is a status.
func succeeds(t *testing.T, s *commonpb.Status, err error) {
	t.Helper()
	require.Equal(t, ok, done(t)(s, err))
}

func load(ctx context.Context, c milvuspb.MilvusServiceClient, collection string) (*commonpb.Status, error) {
	return c.LoadCollection(ctx, &milvuspb.LoadCollectionRequest{CollectionName: collection, ReplicaNumber: 1})
}

func release(ctx context.Context, c milvuspb.MilvusServiceClient, collection string) (*commonpb.Status, error) {
	return c.ReleaseCollection(ctx, &milvuspb.ReleaseCollectionRequest{CollectionName: collection})
}

func createIndex(ctx context.Context, c milvuspb.MilvusServiceClient, collection, field, index string, params ...*commonpb.KeyValuePair) (*commonpb.Status, error) {
	return c.CreateIndex(ctx, &milvuspb.CreateIndexRequest{CollectionName: collection, FieldName: field, IndexName: index, ExtraParams: params})
}
