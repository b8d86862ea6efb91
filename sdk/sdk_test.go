package sdk_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/milvus-io/milvus-proto/go-api/v2/schemapb"
	"github.com/milvus-io/milvus-sdk-go/v2/client"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/milvustest"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
	"github.com/milvuswait/milvuswait/sdk"
)

// server is a Milvus without loaded collections. Its index "vec" has 10 rows,
// 5 of them pending.
type server struct {
	milvustest.Server
	index *wire.DescribeIndexRequest // last request
	meta  metadata.MD                // headers of the last GetLoadingProgress
}

func newServer() *server {
	s := &server{}
	s.Loading = func(ctx context.Context, _ *wire.GetLoadingProgressRequest) (*wire.GetLoadingProgressResponse, error) {
		s.meta, _ = metadata.FromIncomingContext(ctx)
		return &wire.GetLoadingProgressResponse{Status: &wire.Status{
			Code: 101, ErrorCode: wire.ErrorCode_UnexpectedError, Reason: "collection not loaded[collection=47]",
		}}, nil
	}
	s.State = func(context.Context, *wire.GetLoadStateRequest) (*wire.GetLoadStateResponse, error) {
		return &wire.GetLoadStateResponse{Status: &wire.Status{}, State: wire.LoadState_LoadStateNotLoad}, nil
	}
	s.Index = func(_ context.Context, req *wire.DescribeIndexRequest) (*wire.DescribeIndexResponse, error) {
		s.index = req
		return &wire.DescribeIndexResponse{Status: &wire.Status{}, IndexDescriptions: []*wire.IndexDescription{{
			IndexName: "vec", State: wire.IndexState_InProgress, TotalRows: 10, IndexedRows: 10, PendingIndexRows: 5,
		}}}, nil
	}
	return s
}

// connect returns a client of the SDK for s. It is closed at the end of the test.
func connect(t *testing.T, s *server, config client.Config) client.Client {
	t.Helper()
	config.Address, config.DialOptions = "bufconn", milvustest.Serve(t, &s.Server)
	c, err := client.NewClient(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestRealClient polls by the generated stub of a real client: the errors and progress are as
// complete as from package rpc.
func TestRealClient(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		p := sdk.New(connect(t, s, client.Config{DBName: "db"}))

		_, err := p.LoadingProgress(t.Context(), "docs")
		require.ErrorIs(t, err, milvuswait.ErrNotLoaded)
		require.EqualError(t, err, "not loaded: GetLoadingProgress: collection not loaded[collection=47] (code 101)")
		require.Equal(t, []string{"db"}, s.meta.Get("dbname"))

		got, err := p.IndexBuildingProgress(t.Context(), "docs", "")
		require.NoError(t, err)
		require.Equal(t, milvuswait.IndexBuildingProgress{
			TotalRows: 10, IndexedRows: 10, PendingIndexRows: 5, State: milvuswait.IndexStateInProgress, IndexName: "vec",
		}, got)
		require.Equal(t, uint64(math.MaxUint64), s.index.GetTimestamp())
		require.Empty(t, s.index.GetDbName())

		require.ErrorIs(t, p.(milvuswait.LoadStateChecker).CheckLoadState(t.Context(), "docs"), milvuswait.ErrNotLoaded)
		require.Equal(t, []string{"GetLoadingProgress", "DescribeIndex", "GetLoadState"}, s.Calls())
	})
}

// TestRealClient_Retries_AreDisabled shows that a poll disables the retries of the SDK.
func TestRealClient_Retries_AreDisabled(t *testing.T) {
	t.Parallel()
	for _, code := range []codes.Code{codes.Unavailable, codes.ResourceExhausted} {
		t.Run(code.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newServer()
				s.Loading = func(context.Context, *wire.GetLoadingProgressRequest) (*wire.GetLoadingProgressResponse, error) {
					return nil, status.Error(code, "leader switch")
				}
				p := sdk.New(connect(t, s, client.Config{}))
				start := time.Now()

				_, err := p.LoadingProgress(t.Context(), "docs")

				requireClass(t, errTransient, err)
				require.Equal(t, code, status.Code(err))
				require.Equal(t, []string{"GetLoadingProgress"}, s.Calls())
				require.Zero(t, time.Since(start))
			})
		})
	}
}

func TestRealClient_Closed_IsInvalid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := connect(t, newServer(), client.Config{})
		require.NoError(t, c.Close())

		_, err := sdk.New(c).LoadingProgress(t.Context(), "docs")

		requireClass(t, milvuswait.ErrInvalid, err)
	})
}

// wrapper is a client of an application around the client of the SDK.
type wrapper struct{ client.Client }

// TestWrapper_WithoutService_IsPolledByItsMethods polls by the methods of the wrapper. They
// drop the status of the server.
func TestWrapper_WithoutService_IsPolledByItsMethods(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		p := sdk.New(wrapper{connect(t, s, client.Config{})})

		_, err := p.LoadingProgress(t.Context(), "docs")

		requireClass(t, milvuswait.ErrNotLoaded, err)
		require.EqualError(t, err, "not loaded: GetLoadState: LoadStateNotLoad")
		require.Equal(t, []string{"GetLoadingProgress", "GetLoadState"}, s.Calls())

		got, err := p.IndexBuildingProgress(t.Context(), "docs", "vec")
		require.NoError(t, err)
		require.Equal(t, milvuswait.IndexBuildingProgress{
			TotalRows: 10, IndexedRows: 10, State: milvuswait.IndexStateFinished, IndexName: "vec",
		}, got)
		require.Equal(t, "vec", s.index.GetIndexName())
	})
}

// openWrapper is a wrapper with the stub, so that polls use the stub.
type openWrapper struct{ wrapper }

func (w openWrapper) GetService() milvuspb.MilvusServiceClient {
	return w.Client.(*client.GrpcClient).Service
}

func TestWrapper_WithService_IsPolledByItsService(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		p := sdk.New(openWrapper{wrapper{connect(t, s, client.Config{})}})

		_, err := p.LoadingProgress(t.Context(), "docs")

		require.EqualError(t, err, "not loaded: GetLoadingProgress: collection not loaded[collection=47] (code 101)")
		require.Equal(t, []string{"GetLoadingProgress"}, s.Calls())
	})
}

// closedWrapper is a wrapper whose stub is nil.
type closedWrapper struct{ wrapper }

func (closedWrapper) GetService() milvuspb.MilvusServiceClient { return nil }

func TestInvalidClients(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		client client.Client
		text   string
	}{
		{"nil", nil, "invalid argument: sdk: the client is nil"},
		{"nil GrpcClient", (*client.GrpcClient)(nil), "invalid argument: sdk: the client is nil"},
		{"nil mock", (*mock)(nil), "invalid argument: sdk: the client is nil"},
		{"zero GrpcClient", &client.GrpcClient{}, "invalid argument: sdk: the client has no Service: make it by client.NewClient"},
		{"wrapper without a Service", closedWrapper{}, "invalid argument: sdk: the client has no Service: make it by client.NewClient"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := sdk.New(tt.client)

			_, loadingErr := p.LoadingProgress(t.Context(), "docs")
			_, indexErr := p.IndexBuildingProgress(t.Context(), "docs", "vec")
			stateErr := p.(milvuswait.LoadStateChecker).CheckLoadState(t.Context(), "docs")

			_, segmentsErr := p.(milvuswait.SegmentLister).UnflushedSegments(t.Context(), "docs")
			_, flushErr := p.(milvuswait.FlushPoller).FlushDone(t.Context(), "docs", milvuswait.FlushMark{})
			_, importErr := p.(milvuswait.ImportPoller).ImportProgress(t.Context(), 7)
			_, compactionErr := p.(milvuswait.CompactionPoller).CompactionProgress(t.Context(), 7)
			serverErr := p.(milvuswait.ServerChecker).CheckServer(t.Context())

			for _, err := range []error{loadingErr, indexErr, stateErr, segmentsErr, flushErr, importErr, compactionErr, serverErr} {
				requireClass(t, milvuswait.ErrInvalid, err)
				require.EqualError(t, err, tt.text)
			}
		})
	}
}

// TestFlushMarkOf_GoAPI passes a response of go-api/v2 without conversion.
func TestFlushMarkOf_GoAPI(t *testing.T) {
	t.Parallel()
	mark, err := rpc.FlushMarkOf(&milvuspb.FlushResponse{
		Status:      &commonpb.Status{},
		CollSegIDs:  map[string]*schemapb.LongArray{"docs": {Data: []int64{3, 4}}},
		CollFlushTs: map[string]uint64{"docs": 470802571141054466},
	}, "docs")

	require.NoError(t, err)
	require.Equal(t, milvuswait.FlushMark{Timestamp: 470802571141054466, Segments: []int64{3, 4}}, mark)

	_, err = rpc.FlushMarkOf(&milvuspb.FlushResponse{
		Status: &commonpb.Status{Code: 100, ErrorCode: commonpb.ErrorCode_CollectionNotExists, Reason: "collection not found[collection=5]"},
	}, "docs")
	requireClass(t, milvuswait.ErrCollectionNotFound, err)

	_, err = rpc.FlushMarkOf((*milvuspb.FlushResponse)(nil), "docs")
	requireClass(t, milvuswait.ErrInvalid, err)
}
