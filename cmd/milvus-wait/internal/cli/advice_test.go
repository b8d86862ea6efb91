package cli_test

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
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

func TestHints_IndexesNotListable_NameTheReason(t *testing.T) {
	missing := &wire.Status{Code: 700, ErrorCode: wire.ErrorCode_IndexNotExist, Reason: "index not found"}
	refused := &wire.Status{Code: 1401, ErrorCode: wire.ErrorCode_PermissionDenied, Reason: "not permitted"}
	tests := []struct {
		name    string
		answers []*wire.Status
		want    string
	}{
		{"there is none", []*wire.Status{missing}, `milvus-wait: hint: create it by create_index("docs", …), or use --grace if another process does`},
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

// latecomer is a server whose collection, partition, index or load is missing in the polls,
// and there afterwards.
type latecomer struct{ missing *wire.Status }

func (l *latecomer) GetLoadingProgress(context.Context, *wire.GetLoadingProgressRequest) (*wire.GetLoadingProgressResponse, error) {
	return &wire.GetLoadingProgressResponse{Status: l.missing}, nil
}

func (l *latecomer) GetLoadState(context.Context, *wire.GetLoadStateRequest) (*wire.GetLoadStateResponse, error) {
	return &wire.GetLoadStateResponse{Status: &wire.Status{}, State: wire.LoadState_LoadStateLoading}, nil
}

func (l *latecomer) ShowCollections(context.Context, *wire.ShowCollectionsRequest) (*wire.ShowCollectionsResponse, error) {
	return &wire.ShowCollectionsResponse{Status: &wire.Status{}, CollectionNames: []string{"docs", "docs2"}}, nil
}

func (l *latecomer) ShowPartitions(context.Context, *wire.ShowPartitionsRequest) (*wire.ShowPartitionsResponse, error) {
	return &wire.ShowPartitionsResponse{Status: &wire.Status{}, PartitionNames: []string{"p", "p2"}}, nil
}

func (l *latecomer) DescribeIndex(_ context.Context, req *wire.DescribeIndexRequest) (*wire.DescribeIndexResponse, error) {
	if req.GetTimestamp() > 0 { // a poll
		return &wire.DescribeIndexResponse{Status: l.missing}, nil
	}
	return &wire.DescribeIndexResponse{Status: &wire.Status{}, IndexDescriptions: []*wire.IndexDescription{{IndexName: "vidx"}}}, nil
}

func (l *latecomer) rpcs() []grpc.MethodDesc {
	return []grpc.MethodDesc{
		wire.GetLoadingProgress.Serve(l.GetLoadingProgress), wire.GetLoadState.Serve(l.GetLoadState), wire.ShowCollections.Serve(l.ShowCollections),
		wire.ShowPartitions.Serve(l.ShowPartitions), wire.DescribeIndex.Serve(l.DescribeIndex),
	}
}

func TestHints_TargetAppearedAfterPoll_DoNotProposeItsName(t *testing.T) {
	const appeared = "milvus-wait: hint: it is there now: run the command again, or use --grace\n"
	tests := []struct {
		args string
		code int32
		want string
	}{
		{"load docs", 100, appeared},
		{"load docs:p", 200, appeared},
		{"load docs:p,q", 200, "milvus-wait: hint: the partitions are \"p\" or \"p2\"\n"},
		{"load docs", 101, "milvus-wait: hint: its load has begun now: run the command again, or use --grace\n"},
		{"index docs/vidx", 700, appeared},
		{"index docs", 700, appeared},
		{"index docs/*", 700, appeared},
		{"index docs/cidx", 700, "milvus-wait: hint: the collection has \"vidx\"; name one of them, or all, 'docs/*'\n"},
		{"load doc", 100, "milvus-wait: hint: did you mean \"docs\" or \"docs2\"?\n"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			s := &latecomer{missing: &wire.Status{Code: tt.code, ErrorCode: wire.ErrorCode_UnexpectedError, Reason: "not there"}}
			if tt.code == 101 {
				s.missing.Reason = "collection not loaded"
			}

			code, _, stderr := run(map[string]string{"MILVUS_URI": serve(t, s)}, append(strings.Fields(tt.args), "-q")...)

			require.Equal(t, 1, code, stderr)
			require.Contains(t, stderr, tt.want)
		})
	}
}

// TestHints_Released_NameTheAlias releases a collection, as its polls see an alias that leads
// to another one now.
func TestHints_Released_NameTheAlias(t *testing.T) {
	s := start(t)
	s.Set(milvuswait.Loading("docs"), fake.Steps(
		fake.Step{Progress: milvuswait.LoadingProgress{Percent: 40}}, fake.Step{Err: milvuswait.ErrNotLoaded},
	))

	code, _, stderr := run(map[string]string{"MILVUS_URI": s.Address()}, "load", "docs", "-q")

	require.Equal(t, 1, code, stderr)
	require.Contains(t, stderr, "released during the wait")
	require.Contains(t, stderr, "milvus-wait: hint: call load_collection(\"docs\") again; if the name is an alias, it may lead to another collection now\n")
}
