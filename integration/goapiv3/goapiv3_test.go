// Package goapiv3 tests the waits through a stub of go-api/v3, as client/v3 returns it,
// and through a connection with the settings of Milvus' Go clients. It is a separate module:
// go-api/v2 and go-api/v3 cannot be in one program.
package goapiv3

import (
	"context"
	"encoding/base64"
	"math"
	"testing"
	"time"

	grpc_retry "github.com/grpc-ecosystem/go-grpc-middleware/retry"
	"github.com/milvus-io/milvus-proto/go-api/v3/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v3/milvuspb"
	"github.com/milvus-io/milvus-proto/go-api/v3/schemapb"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/integration/internal/importertest"
	"github.com/milvuswait/milvuswait/internal/wire/wiretest"
	"github.com/milvuswait/milvuswait/rpc"
)

// pollers make a Poller of a connection.
var pollers = map[string]func(*grpc.ClientConn, ...rpc.Option) *rpc.Poller{
	"stub": func(conn *grpc.ClientConn, opts ...rpc.Option) *rpc.Poller {
		return rpc.FromStub(milvuspb.NewMilvusServiceClient(conn), opts...)
	},
	"connection": func(conn *grpc.ClientConn, opts ...rpc.Option) *rpc.Poller { return rpc.New(conn, opts...) },
}

func TestWaitsThroughGoAPIV3(t *testing.T) {
	conn := connect(t, importertest.Address(t))
	for name, poller := range pollers {
		t.Run(name, func(t *testing.T) {
			collection, load := importertest.Fill(t, conn)
			importertest.Wait(t, poller(conn), collection, load)
		})
	}
}

func TestPollsOnce(t *testing.T) {
	server := importertest.Fake(t)
	conn := connect(t, server.Address())
	server.Fail("GetVersion", fakeserver.Refuse(codes.Unavailable, "away").On(1))
	_, err := milvuspb.NewMilvusServiceClient(conn).GetVersion(t.Context(), &milvuspb.GetVersionRequest{})
	require.NoError(t, err)
	require.Equal(t, 2, server.Count("GetVersion"), "the connection retries other calls")

	for name, poller := range pollers {
		t.Run(name, func(t *testing.T) { importertest.PollOnce(t, server, poller(conn)) })
	}
}

func TestPollsOptionalCalls(t *testing.T) {
	for name, poller := range pollers {
		t.Run(name, func(t *testing.T) {
			importertest.PollOptional(t, func(t *testing.T, address string) *rpc.Poller { return poller(connect(t, address)) })
		})
	}
}

func TestFlushMarkOf(t *testing.T) {
	mark, err := rpc.FlushMarkOf(&milvuspb.FlushResponse{
		Status:      &commonpb.Status{},
		CollSegIDs:  map[string]*schemapb.LongArray{"docs": {Data: []int64{3, 4}}},
		CollFlushTs: map[string]uint64{"docs": 470802571141054466},
	}, "docs")

	require.NoError(t, err)
	require.Equal(t, milvuswait.FlushMark{Timestamp: 470802571141054466, Segments: []int64{3, 4}}, mark)
}

func TestWithDatabase_SetsRequestAndHeader(t *testing.T) {
	server := importertest.Fake(t)
	server.In("tenant").Set(milvuswait.Loading("docs"), fake.Percents(100))

	for name, poller := range pollers {
		t.Run(name, func(t *testing.T) {
			var sent metadata.MD
			conn := connect(t, server.Address(), func(ctx context.Context, method string, req, resp any,
				conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
				sent, _ = metadata.FromOutgoingContext(ctx)
				return invoke(ctx, method, req, resp, conn, opts...)
			})

			_, err := milvuswait.WaitForLoadingComplete(t.Context(), poller(conn, rpc.WithDatabase("tenant")), "docs")

			require.NoError(t, err)
			var request milvuspb.GetLoadingProgressRequest
			require.True(t, server.LastRequest("GetLoadingProgress", &request))
			require.Equal(t, "tenant", request.GetDbName())
			require.Equal(t, []string{"tenant", "default"}, sent.Get("dbname"), "a server reads the first")
			require.NotEmpty(t, sent.Get("authorization"))
		})
	}
}

func TestFakeServerKnowsEveryRPC(t *testing.T) {
	server := importertest.Fake(t)
	for _, m := range milvuspb.MilvusService_ServiceDesc.Methods {
		require.NotPanics(t, func() { server.Count(m.MethodName) })
	}
	for _, s := range milvuspb.MilvusService_ServiceDesc.Streams {
		require.NotPanics(t, func() { server.Count(s.StreamName) })
	}
	require.Panics(t, func() { server.Count("GetLoadingProgres") })
}

func TestMessagesAreThoseOfGoAPI(t *testing.T) { wiretest.CompareWithGoAPI(t) }

// connect returns a connection with the settings of client/v2 v2.6.2, the same as
// client/v3's. The interceptors are called last.
func connect(t *testing.T, address string, interceptors ...grpc.UnaryClientInterceptor) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 5 * time.Second, Timeout: 10 * time.Second, PermitWithoutStream: true}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 3 * time.Second},
			MinConnectTimeout: 3 * time.Second,
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)),
		grpc.WithChainUnaryInterceptor(
			grpc_retry.UnaryClientInterceptor(
				grpc_retry.WithMax(6),
				grpc_retry.WithBackoff(func(attempt uint) time.Duration {
					return 60 * time.Millisecond * time.Duration(math.Pow(3, float64(attempt)))
				}),
				grpc_retry.WithCodes(codes.Unavailable, codes.ResourceExhausted),
			),
			addHeaders,
		),
		grpc.WithChainUnaryInterceptor(interceptors...),
	)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

// addHeaders adds the headers of a client with a user and a database.
func addHeaders(ctx context.Context, method string, req, resp any,
	conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	ctx = metadata.AppendToOutgoingContext(ctx,
		"authorization", base64.StdEncoding.EncodeToString([]byte("root:Milvus")), "dbname", "default", "identifier", "1")
	return invoke(ctx, method, req, resp, conn, opts...)
}
