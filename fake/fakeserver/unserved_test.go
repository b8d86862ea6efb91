package fakeserver_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// search is an RPC that the server does not serve, with messages of another one.
const search wire.Method[wire.QueryRequest, wire.QueryResults] = "/" + wire.Service + "/Search"

func TestUnservedRPC_IsCountedAndUnimplemented(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	sent := &wire.QueryRequest{CollectionName: "docs", Expr: "id in [5]", PartitionNames: []string{"a", "b"}}
	require.False(t, srv.LastRequest("Search", new(wire.QueryRequest)))

	_, err := search.Call(t.Context(), c, sent)

	require.Equal(t, codes.Unimplemented, status.Code(err))
	require.ErrorContains(t, err, "fakeserver does not serve /milvus.proto.milvus.MilvusService/Search")
	require.Equal(t, 1, srv.Count("Search"))
	require.Equal(t, 1, srv.Count(fakeserver.AnyMethod))
	got := new(wire.QueryRequest)
	require.True(t, srv.LastRequest("Search", got))
	require.True(t, proto.Equal(sent, got), "%v", got)
}

func TestUnservedRPC_MeetsFaults(t *testing.T) {
	tests := []struct {
		name   string
		method string
		fault  fakeserver.Fault
		want   codes.Code
		took   time.Duration
	}{
		{"refuse", "Search", fakeserver.Refuse(codes.PermissionDenied, "no"), codes.PermissionDenied, 0},
		{"drop", "Search", fakeserver.Drop(), codes.Unavailable, 0},
		{"slow", "Search", fakeserver.Slow(7 * time.Second), codes.Unimplemented, 7 * time.Second},
		{"refuse any", fakeserver.AnyMethod, fakeserver.Refuse(codes.Unavailable, "no"), codes.Unavailable, 0},
		{"reject any", fakeserver.AnyMethod, fakeserver.Reject(8, 49, "slow down"), codes.Unimplemented, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, c := start(t, fakeserver.Config{})
				srv.Fail(tt.method, tt.fault)
				begin := time.Now()

				_, err := search.Call(t.Context(), c, new(wire.QueryRequest))

				require.Equal(t, tt.want, status.Code(err), err)
				require.Equal(t, tt.took, time.Since(begin))
			})
		})
	}
}

func TestUnservedStream_IsCountedAndUnimplementedBeforeItsFirstMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t, fakeserver.Config{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()

		stream, err := c.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/"+wire.Service+"/CreateReplicateStream")
		require.NoError(t, err)
		err = stream.RecvMsg(new(wire.Status))

		require.Equal(t, codes.Unimplemented, status.Code(err))
		require.Zero(t, time.Since(begin))
		require.Equal(t, 1, srv.Count("CreateReplicateStream"))
	})
}

func TestOtherService_IsUnimplementedAndNotCounted(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	srv.Fail(fakeserver.AnyMethod, fakeserver.Refuse(codes.Unavailable, "no"))

	for _, method := range []string{"/grpc.health.v1.Health/Check", "/other.Service/GetLoadingProgress"} {
		err := c.Invoke(t.Context(), method, new(wire.GetLoadingProgressRequest), new(wire.Status))
		require.Equal(t, codes.Unimplemented, status.Code(err), method)
	}

	require.Zero(t, srv.Count(fakeserver.AnyMethod))
	require.Zero(t, srv.Count("GetLoadingProgress"))
	require.False(t, srv.LastRequest("GetLoadingProgress", new(wire.GetLoadingProgressRequest)))
}
