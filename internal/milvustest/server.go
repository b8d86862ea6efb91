// Package milvustest has what the tests of several packages need: a Milvus whose
// answers are functions, and the classes of errors.
package milvustest

import (
	"context"
	"errors"
	"net"
	"path"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/test/bufconn"

	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
)

// Server is a Milvus whose answers are functions; a nil one is Unimplemented.
type Server struct {
	milvuspb.UnimplementedMilvusServiceServer

	Loading func(context.Context, *milvuspb.GetLoadingProgressRequest) (*milvuspb.GetLoadingProgressResponse, error)
	State   func(context.Context, *milvuspb.GetLoadStateRequest) (*milvuspb.GetLoadStateResponse, error)
	Index   func(context.Context, *milvuspb.DescribeIndexRequest) (*milvuspb.DescribeIndexResponse, error)
	List    func(context.Context, *milvuspb.ShowCollectionsRequest) (*milvuspb.ShowCollectionsResponse, error)

	mu    sync.Mutex
	calls []string
}

// GetLoadingProgress answers by s.Loading.
func (s *Server) GetLoadingProgress(ctx context.Context, req *milvuspb.GetLoadingProgressRequest) (*milvuspb.GetLoadingProgressResponse, error) {
	if s.Loading == nil {
		return s.UnimplementedMilvusServiceServer.GetLoadingProgress(ctx, req)
	}
	return s.Loading(ctx, req)
}

// GetLoadState answers by s.State.
func (s *Server) GetLoadState(ctx context.Context, req *milvuspb.GetLoadStateRequest) (*milvuspb.GetLoadStateResponse, error) {
	if s.State == nil {
		return s.UnimplementedMilvusServiceServer.GetLoadState(ctx, req)
	}
	return s.State(ctx, req)
}

// DescribeIndex answers by s.Index.
func (s *Server) DescribeIndex(ctx context.Context, req *milvuspb.DescribeIndexRequest) (*milvuspb.DescribeIndexResponse, error) {
	if s.Index == nil {
		return s.UnimplementedMilvusServiceServer.DescribeIndex(ctx, req)
	}
	return s.Index(ctx, req)
}

// ShowCollections answers by s.List.
func (s *Server) ShowCollections(ctx context.Context, req *milvuspb.ShowCollectionsRequest) (*milvuspb.ShowCollectionsResponse, error) {
	if s.List == nil {
		return s.UnimplementedMilvusServiceServer.ShowCollections(ctx, req)
	}
	return s.List(ctx, req)
}

// Calls returns the methods that were called so far, but for the Connect by which
// the SDK begins.
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

func (s *Server) count(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if method := path.Base(info.FullMethod); method != "Connect" {
		s.mu.Lock()
		s.calls = append(s.calls, method)
		s.mu.Unlock()
	}
	return handler(ctx, req)
}

// Serve serves s in memory until the test ends, and returns the options by which
// a client reaches it, whatever the address.
func Serve(t *testing.T, s *Server, opts ...grpc.ServerOption) []grpc.DialOption {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	ServeOn(t, s, listener, opts...)
	return Through(listener)
}

// ServeOn serves s by listener until the test ends. The options are added to those
// of Milvus' proxy.
func ServeOn(t *testing.T, s *Server, listener net.Listener, opts ...grpc.ServerOption) {
	t.Helper()
	g := grpc.NewServer(append([]grpc.ServerOption{
		grpc.UnaryInterceptor(s.count),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
	}, opts...)...)
	milvuspb.RegisterMilvusServiceServer(g, s)
	served := make(chan error, 1)
	go func() { served <- g.Serve(listener) }()
	t.Cleanup(func() {
		g.Stop()
		if err := <-served; !errors.Is(err, grpc.ErrServerStopped) { // before it began
			require.NoError(t, err)
		}
	})
}

// Through returns the options by which a client connects to what listens in
// memory, whatever the address.
func Through(listener *bufconn.Listener) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
	}
}

// Connect serves s in memory until the test ends, and returns a connection to it.
func Connect(t *testing.T, s *Server, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///bufconn", append(Serve(t, s), opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
