package cli_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// silent is a server without collections that never answers the request for a list.
type silent struct {
	allowed chan time.Duration // timeouts of ShowCollections
}

func (*silent) GetLoadingProgress(context.Context, *wire.GetLoadingProgressRequest) (*wire.GetLoadingProgressResponse, error) {
	return &wire.GetLoadingProgressResponse{Status: &wire.Status{Code: 100, ErrorCode: wire.ErrorCode_UnexpectedError, Reason: "collection not found"}}, nil
}

func (s *silent) ShowCollections(ctx context.Context, _ *wire.ShowCollectionsRequest) (*wire.ShowCollectionsResponse, error) {
	until, _ := ctx.Deadline()
	s.allowed <- time.Until(until)
	<-ctx.Done()
	return nil, ctx.Err()
}

func (s *silent) rpcs() []grpc.MethodDesc {
	return []grpc.MethodDesc{wire.GetLoadingProgress.Serve(s.GetLoadingProgress), wire.ShowCollections.Serve(s.ShowCollections)}
}

// serve returns the address of the server.
func serve(t *testing.T, s interface{ rpcs() []grpc.MethodDesc }) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	wire.Register(server, s.rpcs()...)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return "http://" + listener.Addr().String()
}

func TestHintsDoNotOutliveTheTimeout(t *testing.T) {
	const rounding = 10 * time.Millisecond // rounding of the header grpc-timeout
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

// flickering is a server with other answers about an index for each request.
type flickering struct {
	mu      sync.Mutex
	answers []*wire.Status // answers in their order; the last repeats
}

func (f *flickering) DescribeIndex(context.Context, *wire.DescribeIndexRequest) (*wire.DescribeIndexResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	st := f.answers[0]
	f.answers = f.answers[min(1, len(f.answers)-1):]
	return &wire.DescribeIndexResponse{Status: st}, nil
}

func (f *flickering) rpcs() []grpc.MethodDesc {
	return []grpc.MethodDesc{wire.DescribeIndex.Serve(f.DescribeIndex)}
}

func TestHintsAboutIndexesThatCannotBeListed(t *testing.T) {
	missing := &wire.Status{Code: 700, ErrorCode: wire.ErrorCode_IndexNotExist, Reason: "index not found"}
	refused := &wire.Status{Code: 1401, ErrorCode: wire.ErrorCode_PermissionDenied, Reason: "not permitted"}
	tests := []struct {
		name    string
		answers []*wire.Status
		want    string
	}{
		{"there is none", []*wire.Status{missing}, `milvus-wait: hint: create it by create_index("docs", …), or say --grace if somebody is about to`},
		{"the list is refused", []*wire.Status{missing, refused}, "milvus-wait: hint: check the name of the index; the indexes that there are cannot be listed: DescribeIndex: not permitted (code 1401)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, _, stderr := run(map[string]string{"MILVUS_URI": serve(t, &flickering{answers: tt.answers})}, "index", "docs/vidx", "-q")

			require.Equal(t, 1, code, stderr)
			require.Contains(t, stderr, tt.want+"\n")
		})
	}
}
