package rpc_test

import (
	"context"
	"errors"
	"net"
	"path"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/test/bufconn"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"

	"github.com/milvuswait/milvuswait"
)

type (
	loadingRequest  = milvuspb.GetLoadingProgressRequest
	loadingResponse = milvuspb.GetLoadingProgressResponse
	stateRequest    = milvuspb.GetLoadStateRequest
	stateResponse   = milvuspb.GetLoadStateResponse
	indexRequest    = milvuspb.DescribeIndexRequest
	indexResponse   = milvuspb.DescribeIndexResponse
	listRequest     = milvuspb.ShowCollectionsRequest
	listResponse    = milvuspb.ShowCollectionsResponse
	description     = milvuspb.IndexDescription
	statusBody      = commonpb.Status
)

const (
	loadingCall = "GetLoadingProgress"
	stateCall   = "GetLoadState"
	indexCall   = "DescribeIndex"
	listCall    = "ShowCollections"

	notExist = commonpb.LoadState_LoadStateNotExist
	notLoad  = commonpb.LoadState_LoadStateNotLoad
	loading  = commonpb.LoadState_LoadStateLoading
	loaded   = commonpb.LoadState_LoadStateLoaded
)

// server is a Milvus whose answers are functions; a nil one is Unimplemented.
type server struct {
	milvuspb.UnimplementedMilvusServiceServer

	loading func(context.Context, *loadingRequest) (*loadingResponse, error)
	state   func(context.Context, *stateRequest) (*stateResponse, error)
	index   func(context.Context, *indexRequest) (*indexResponse, error)
	list    func(context.Context, *listRequest) (*listResponse, error)

	mu    sync.Mutex
	calls []string
}

func (s *server) GetLoadingProgress(ctx context.Context, req *loadingRequest) (*loadingResponse, error) {
	if s.loading == nil {
		return s.UnimplementedMilvusServiceServer.GetLoadingProgress(ctx, req)
	}
	return s.loading(ctx, req)
}

func (s *server) GetLoadState(ctx context.Context, req *stateRequest) (*stateResponse, error) {
	if s.state == nil {
		return s.UnimplementedMilvusServiceServer.GetLoadState(ctx, req)
	}
	return s.state(ctx, req)
}

func (s *server) DescribeIndex(ctx context.Context, req *indexRequest) (*indexResponse, error) {
	if s.index == nil {
		return s.UnimplementedMilvusServiceServer.DescribeIndex(ctx, req)
	}
	return s.index(ctx, req)
}

func (s *server) ShowCollections(ctx context.Context, req *listRequest) (*listResponse, error) {
	if s.list == nil {
		return s.UnimplementedMilvusServiceServer.ShowCollections(ctx, req)
	}
	return s.list(ctx, req)
}

// rpcs returns the methods that were called so far.
func (s *server) rpcs() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.calls...)
}

func (s *server) count(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	s.mu.Lock()
	s.calls = append(s.calls, path.Base(info.FullMethod))
	s.mu.Unlock()
	return handler(ctx, req)
}

// connect serves s in memory until the test ends, and returns the connection.
func connect(t *testing.T, s *server, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	g := grpc.NewServer(
		grpc.UnaryInterceptor(s.count),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
	)
	milvuspb.RegisterMilvusServiceServer(g, s)
	served := make(chan error, 1)
	go func() { served <- g.Serve(listener) }()
	t.Cleanup(func() {
		g.Stop()
		require.NoError(t, <-served)
	})

	conn, err := grpc.NewClient("passthrough:///bufconn", append([]grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
	}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// stub is a client that no server is behind.
type stub struct {
	milvuspb.MilvusServiceClient

	loading func(context.Context, *loadingRequest, ...grpc.CallOption) (*loadingResponse, error)
	state   func(context.Context, *stateRequest, ...grpc.CallOption) (*stateResponse, error)
	index   func(context.Context, *indexRequest, ...grpc.CallOption) (*indexResponse, error)
	list    func(context.Context, *listRequest, ...grpc.CallOption) (*listResponse, error)
}

func (s *stub) GetLoadingProgress(ctx context.Context, req *loadingRequest, opts ...grpc.CallOption) (*loadingResponse, error) {
	return s.loading(ctx, req, opts...)
}

func (s *stub) GetLoadState(ctx context.Context, req *stateRequest, opts ...grpc.CallOption) (*stateResponse, error) {
	return s.state(ctx, req, opts...)
}

func (s *stub) DescribeIndex(ctx context.Context, req *indexRequest, opts ...grpc.CallOption) (*indexResponse, error) {
	return s.index(ctx, req, opts...)
}

func (s *stub) ShowCollections(ctx context.Context, req *listRequest, opts ...grpc.CallOption) (*listResponse, error) {
	return s.list(ctx, req, opts...)
}

// answering returns a stub whose every call gets the same status or error, and
// whose GetLoadState says Loading where that is a success.
func answering(st *statusBody, err error) *stub {
	return &stub{
		loading: func(context.Context, *loadingRequest, ...grpc.CallOption) (*loadingResponse, error) {
			return &loadingResponse{Status: st, Progress: 42}, err
		},
		state: func(context.Context, *stateRequest, ...grpc.CallOption) (*stateResponse, error) {
			return &stateResponse{Status: st, State: loading}, err
		},
		index: func(context.Context, *indexRequest, ...grpc.CallOption) (*indexResponse, error) {
			return &indexResponse{Status: st, IndexDescriptions: []*description{{IndexName: "v"}}}, err
		},
		list: func(context.Context, *listRequest, ...grpc.CallOption) (*listResponse, error) {
			return &listResponse{Status: st}, err
		},
	}
}

// Passing, and marked by milvuswait.Permanent, for what has no sentinel.
var (
	errPassing   = errors.New("passing")
	errPermanent = errors.New("permanent")
)

var sentinels = []error{
	milvuswait.ErrCollectionNotFound, milvuswait.ErrPartitionNotFound, milvuswait.ErrIndexNotFound,
	milvuswait.ErrDatabaseNotFound, milvuswait.ErrAmbiguousIndex, milvuswait.ErrNotLoaded, milvuswait.ErrReleased,
	milvuswait.ErrLoadFailed, milvuswait.ErrIndexFailed, milvuswait.ErrStalled, milvuswait.ErrUnreachable,
	milvuswait.ErrAborted, milvuswait.ErrInvalid,
}

// requireClass asserts that err has the sentinel want and no other, or none and
// the mark that want stands for; nil is success.
func requireClass(t *testing.T, want, err error) {
	t.Helper()
	if want == nil {
		require.NoError(t, err)
		return
	}
	require.Error(t, err)
	for _, sentinel := range sentinels {
		require.Equal(t, sentinel == want, errors.Is(err, sentinel), "%v in %v", sentinel, err)
	}
	require.Equal(t, want == errPermanent, isMarkedPermanent(err), "%v", err)
}

// isMarkedPermanent sees the invisible mark by what it does: a wait ends at once.
func isMarkedPermanent(err error) bool {
	for _, sentinel := range sentinels {
		if errors.Is(err, sentinel) {
			return false
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, waitErr := milvuswait.WaitForLoadingComplete(ctx, milvuswait.PollerFuncs{
		Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{}, err
		},
	}, "docs", milvuswait.WithObserver(milvuswait.ObserverFunc(func(u milvuswait.Update) {
		if !u.Final {
			cancel()
		}
	})))
	return !errors.Is(waitErr, context.Canceled)
}
