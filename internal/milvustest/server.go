// Package milvustest provides helpers for the tests of several packages: a Milvus whose
// responses are functions, a DNS server, and the classes of errors.
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
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// Server is a Milvus whose responses are functions. A nil function answers
// Unimplemented.
type Server struct {
	Loading func(context.Context, *wire.GetLoadingProgressRequest) (*wire.GetLoadingProgressResponse, error)
	State   func(context.Context, *wire.GetLoadStateRequest) (*wire.GetLoadStateResponse, error)
	Index   func(context.Context, *wire.DescribeIndexRequest) (*wire.DescribeIndexResponse, error)
	List    func(context.Context, *wire.ShowCollectionsRequest) (*wire.ShowCollectionsResponse, error)
	Version func(context.Context, *wire.GetVersionRequest) (*wire.GetVersionResponse, error)

	Segments   func(context.Context, *wire.GetPersistentSegmentInfoRequest) (*wire.GetPersistentSegmentInfoResponse, error)
	Flush      func(context.Context, *wire.GetFlushStateRequest) (*wire.GetFlushStateResponse, error)
	Import     func(context.Context, *wire.GetImportStateRequest) (*wire.GetImportStateResponse, error)
	Compaction func(context.Context, *wire.GetCompactionStateRequest) (*wire.GetCompactionStateResponse, error)
	Query      func(context.Context, *wire.QueryRequest) (*wire.QueryResults, error)

	mu    sync.Mutex
	calls []string
}

// serve returns the RPC with the responses of *answer. A test may set *answer later.
func serve[Req, Resp any](m wire.Method[Req, Resp], answer *func(context.Context, *Req) (*Resp, error)) grpc.MethodDesc {
	return m.Serve(func(ctx context.Context, req *Req) (*Resp, error) {
		if *answer == nil {
			return nil, status.Errorf(codes.Unimplemented, "method %s not implemented", path.Base(string(m)))
		}
		return (*answer)(ctx, req)
	})
}

// Calls returns the methods called so far, without those about the server itself: the
// initial Connect of the SDK, and GetVersion.
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// count is an interceptor that records the method of each call.
func (s *Server) count(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	if method := path.Base(info.FullMethod); method != "Connect" && method != "GetVersion" {
		s.mu.Lock()
		s.calls = append(s.calls, method)
		s.mu.Unlock()
	}
	return handler(ctx, req)
}

// Serve serves s in memory until the test ends. It returns the options of a client for it,
// which ignore the address.
func Serve(t testing.TB, s *Server, opts ...grpc.ServerOption) []grpc.DialOption {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	ServeOn(t, s, listener, opts...)
	return Through(listener)
}

// ServeOn serves s on listener until the test ends. The options follow the options of Milvus'
// proxy.
func ServeOn(t testing.TB, s *Server, listener net.Listener, opts ...grpc.ServerOption) {
	t.Helper()
	g := grpc.NewServer(append([]grpc.ServerOption{
		grpc.UnaryInterceptor(s.count),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
	}, opts...)...)

	wire.Register(g,
		serve(wire.GetLoadingProgress, &s.Loading), serve(wire.GetLoadState, &s.State),
		serve(wire.DescribeIndex, &s.Index), serve(wire.ShowCollections, &s.List), serve(wire.GetVersion, &s.Version),
		serve(wire.GetPersistentSegmentInfo, &s.Segments), serve(wire.GetFlushState, &s.Flush),
		serve(wire.GetImportState, &s.Import), serve(wire.GetCompactionState, &s.Compaction), serve(wire.Query, &s.Query),
	)

	served := make(chan error, 1)
	go func() { served <- g.Serve(listener) }()
	t.Cleanup(func() {
		g.Stop()
		if err := <-served; !errors.Is(err, grpc.ErrServerStopped) { // stopped before Serve was called
			require.NoError(t, err)
		}
	})
}

// Through returns the options of a client for a listener in memory, which ignore the
// address.
func Through(listener *bufconn.Listener) []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
	}
}

// Connect serves s in memory until the test ends, and returns a connection to it.
func Connect(t testing.TB, s *Server, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///bufconn", append(Serve(t, s), opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
