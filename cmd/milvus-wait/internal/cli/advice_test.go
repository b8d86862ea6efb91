package cli_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
)

// silent is a server that knows no collection, and does not say which there are.
type silent struct {
	milvuspb.UnimplementedMilvusServiceServer
	allowed chan time.Duration // that ShowCollections was given
}

func (*silent) GetLoadingProgress(context.Context, *milvuspb.GetLoadingProgressRequest) (*milvuspb.GetLoadingProgressResponse, error) {
	return &milvuspb.GetLoadingProgressResponse{Status: &commonpb.Status{Code: 100, ErrorCode: commonpb.ErrorCode_UnexpectedError, Reason: "collection not found"}}, nil
}

func (s *silent) ShowCollections(ctx context.Context, _ *milvuspb.ShowCollectionsRequest) (*milvuspb.ShowCollectionsResponse, error) {
	until, _ := ctx.Deadline()
	s.allowed <- time.Until(until)
	<-ctx.Done()
	return nil, ctx.Err()
}

// serve returns the address of the server.
func serve(t *testing.T, s milvuspb.MilvusServiceServer) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	milvuspb.RegisterMilvusServiceServer(server, s)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return "http://" + listener.Addr().String()
}

func TestHintsDoNotOutliveTheTimeout(t *testing.T) {
	const rounding = 10 * time.Millisecond // of grpc-timeout
	tests := []struct {
		name    string
		args    []string
		code    int
		allowed time.Duration
	}{
		{"the time was up", []string{"--grace", "1h", "--timeout", "1s"}, 124, 200 * time.Millisecond},
		{"little time is left", []string{"--timeout", "1500ms"}, 1, 1500 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &silent{allowed: make(chan time.Duration, 1)}

			code, _, stderr := run(map[string]string{"MILVUS_URI": serve(t, s)}, append([]string{"load", "nosuch", "-q"}, tt.args...)...)

			require.Equal(t, tt.code, code, stderr)
			require.Len(t, s.allowed, 1)
			require.LessOrEqual(t, <-s.allowed, tt.allowed+rounding)
		})
	}
}
