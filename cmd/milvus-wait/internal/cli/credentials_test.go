package cli_test

import (
	"context"
	"encoding/base64"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// guarded is a server with a loading collection docs that checks the token of every call.
type guarded struct {
	refusal func(token string) (*wire.Status, error)
	rotate  func() string // called at the first call with 50 % or more, returns the new token

	mu       sync.Mutex
	token    string // accepted token
	progress int64  // progress of the load, more by 10 with each accepted call
	refused  int
	headers  map[string][]metadata.MD // headers of the calls, by method
}

// answer returns the status of a response, or an error instead.
func (g *guarded) answer(ctx context.Context) (*wire.Status, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.rotate != nil && g.progress >= 50 {
		g.token, g.rotate = g.rotate(), nil
	}

	md, _ := metadata.FromIncomingContext(ctx)
	method, _ := grpc.Method(ctx)
	if g.headers == nil {
		g.headers = make(map[string][]metadata.MD)
	}
	g.headers[path.Base(method)] = append(g.headers[path.Base(method)], md)

	token, _ := base64.StdEncoding.DecodeString(strings.Join(md.Get("authorization"), ""))
	if string(token) == g.token {
		g.progress = min(100, g.progress+10)
		return &wire.Status{}, nil
	}
	g.refused++
	return g.refusal(string(token))
}

func (g *guarded) percent() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.progress
}

func (g *guarded) GetLoadingProgress(ctx context.Context, req *wire.GetLoadingProgressRequest) (*wire.GetLoadingProgressResponse, error) {
	st, err := g.answer(ctx)
	if st.GetCode() == 0 && req.GetCollectionName() != "docs" {
		st = &wire.Status{Code: 100, ErrorCode: wire.ErrorCode_UnexpectedError, Reason: "collection not found"}
	}
	if st.GetCode() == 0 && slices.Contains(req.GetPartitionNames(), "missing") {
		st = &wire.Status{Code: 200, ErrorCode: wire.ErrorCode_UnexpectedError, Reason: "partition not found"}
	}
	return &wire.GetLoadingProgressResponse{Status: st, Progress: g.percent()}, err
}

func (g *guarded) GetLoadState(ctx context.Context, _ *wire.GetLoadStateRequest) (*wire.GetLoadStateResponse, error) {
	st, err := g.answer(ctx)
	return &wire.GetLoadStateResponse{Status: st, State: wire.LoadState_LoadStateLoading}, err
}

func (g *guarded) ShowCollections(ctx context.Context, _ *wire.ShowCollectionsRequest) (*wire.ShowCollectionsResponse, error) {
	st, err := g.answer(ctx)
	return &wire.ShowCollectionsResponse{Status: st, CollectionNames: []string{"docs"}, InMemoryPercentages: []int64{g.percent()}}, err //nolint:staticcheck // deprecated, but in use by servers
}

func (g *guarded) ShowPartitions(ctx context.Context, _ *wire.ShowPartitionsRequest) (*wire.ShowPartitionsResponse, error) {
	st, err := g.answer(ctx)
	return &wire.ShowPartitionsResponse{Status: st, PartitionNames: []string{"p"}}, err
}

func (g *guarded) DescribeIndex(ctx context.Context, req *wire.DescribeIndexRequest) (*wire.DescribeIndexResponse, error) {
	st, err := g.answer(ctx)
	if st.GetCode() == 0 && req.GetIndexName() == "missing" {
		st = &wire.Status{Code: 700, ErrorCode: wire.ErrorCode_IndexNotExist, Reason: "index not found"}
	}
	d := &wire.IndexDescription{IndexName: "vidx", State: wire.IndexState_InProgress, TotalRows: 100, IndexedRows: g.percent(), PendingIndexRows: 100 - g.percent()}
	if d.PendingIndexRows == 0 {
		d.State = wire.IndexState_Finished
	}
	return &wire.DescribeIndexResponse{Status: st, IndexDescriptions: []*wire.IndexDescription{d}}, err
}

// serve starts the server and returns its address.
func (g *guarded) serve(t *testing.T) string {
	t.Helper()
	return serve(t, g)
}

func (g *guarded) rpcs() []grpc.MethodDesc {
	return []grpc.MethodDesc{
		wire.GetLoadingProgress.Serve(g.GetLoadingProgress), wire.GetLoadState.Serve(g.GetLoadState), wire.ShowCollections.Serve(g.ShowCollections),
		wire.ShowPartitions.Serve(g.ShowPartitions), wire.DescribeIndex.Serve(g.DescribeIndex),
	}
}

// refusals are the ways in which servers refuse a user. They echo the token.
var refusals = map[string]func(token string) (*wire.Status, error){
	"Unauthenticated": func(token string) (*wire.Status, error) {
		return nil, status.Errorf(codes.Unauthenticated, "auth check failure: you sent %s", token)
	},
	"PermissionDenied": func(token string) (*wire.Status, error) {
		return nil, status.Errorf(codes.PermissionDenied, "PrivilegeLoad: permission deny to %s", token)
	},
	"Unknown of 2.2": func(token string) (*wire.Status, error) {
		return nil, status.Errorf(codes.Unknown, "auth check failure, please check username and password are correct: %s", token)
	},
	"code 1400": func(token string) (*wire.Status, error) {
		return &wire.Status{Code: 1400, ErrorCode: wire.ErrorCode_UnexpectedError, Reason: "not authenticated: " + token}, nil
	},
	"code 1401": func(token string) (*wire.Status, error) {
		return &wire.Status{Code: 1401, ErrorCode: wire.ErrorCode_UnexpectedError, Reason: "privilege not permitted: " + token}, nil
	},
	"PermissionDenied of 2.2": func(token string) (*wire.Status, error) {
		return &wire.Status{ErrorCode: wire.ErrorCode_PermissionDenied, Reason: "permission deny: " + token}, nil
	},
}

func write(t *testing.T, file, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
}

// TestCredentials_RotatedDuringWait_AreReadAgain rotates the credentials in the middle of a
// wait. The server echoes each refused token.
func TestCredentials_RotatedDuringWait_AreReadAgain(t *testing.T) {
	for name, refusal := range refusals {
		for _, args := range []string{
			"load docs", "load docs:p docs:q", "load --all", "index docs/vidx", "index docs/* docs/vidx docs", "index --all", "all docs",
		} {
			t.Run(name+" "+args, func(t *testing.T) {
				t.Parallel()
				file := filepath.Join(t.TempDir(), "token")
				write(t, file, "root:Before22")
				g := &guarded{refusal: refusal, token: "root:Before22", rotate: func() string {
					write(t, file, "root:After22")
					return "root:After22"
				}}

				code, stdout, stderr := run(map[string]string{"MILVUS_URI": g.serve(t)}, append(strings.Fields(args), "--token-file", file, "-v", "--timeout", "1m", "--interval", "1ms", "--max-interval", "2ms")...)

				require.Zero(t, code, stderr)
				require.Positive(t, g.refused)
				require.NotContains(t, stderr, "failed, going on", "the call is repeated at once")
				require.NotContains(t, stdout+stderr, "Before22")
				require.NotContains(t, stdout+stderr, "After22")
			})
		}
	}
}

// TestCredentials_PasswordFileAndSingleCalls_AreReadAgain has a file that changes after the
// start of the command, before its first call.
func TestCredentials_PasswordFileAndSingleCalls_AreReadAgain(t *testing.T) {
	for _, args := range []string{"load docs", "ready", "progress load docs", "progress index docs/vidx"} {
		t.Run(args, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "password")
			write(t, file, "Before22")
			var once sync.Once
			g := &guarded{token: "root:After22"}
			g.refusal = func(token string) (*wire.Status, error) {
				once.Do(func() { write(t, file, "After22\n") })
				return refusals["Unauthenticated"](token)
			}

			code, stdout, stderr := run(map[string]string{"MILVUS_URI": g.serve(t)},
				append(strings.Fields(args), "--user", "root", "--password-file", file, "--timeout", "1m")...)

			require.Zero(t, code, stderr)
			require.Equal(t, 1, g.refused)
			require.NotContains(t, stdout+stderr, "After22")
		})
	}
}

// TestCredentials_NewTokenRefusedToo_IsMasked checks that the mask knows a token before the
// server can echo it.
func TestCredentials_NewTokenRefusedToo_IsMasked(t *testing.T) {
	for name, refusal := range refusals {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "token")
			write(t, file, "root:Before22")
			g := &guarded{token: "root:neither"}
			g.refusal = func(token string) (*wire.Status, error) {
				write(t, file, "root:After22")
				return refusal(token)
			}

			code, stdout, stderr := run(map[string]string{"MILVUS_URI": g.serve(t)}, "load", "docs", "--token-file", file, "-v", "-o", "json")

			require.Equal(t, 1, code, stderr)
			require.GreaterOrEqual(t, g.refused, 2)
			require.Contains(t, stdout, "[secret]")
			require.NotContains(t, stdout+stderr, "Before22")
			require.NotContains(t, stdout+stderr, "After22")
		})
	}
}

// TestCredentials_NotReadableAgain_AreRefused has files without a new token.
func TestCredentials_NotReadableAgain_AreRefused(t *testing.T) {
	changes := map[string]func(t *testing.T, file string){
		"unchanged":     func(*testing.T, string) {},
		"missing":       func(t *testing.T, file string) { require.NoError(t, os.Remove(file)) },
		"empty":         func(t *testing.T, file string) { write(t, file, "") },
		"several lines": func(t *testing.T, file string) { write(t, file, "root:a\nroot:b") },
		"a directory": func(t *testing.T, file string) {
			require.NoError(t, os.Remove(file))
			require.NoError(t, os.Mkdir(file, 0o700))
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "token")
			write(t, file, "root:Before22")
			var once sync.Once
			g := &guarded{token: "root:After22"}
			g.refusal = func(token string) (*wire.Status, error) {
				once.Do(func() { change(t, file) })
				return refusals["Unauthenticated"](token)
			}

			code, _, stderr := run(map[string]string{"MILVUS_URI": g.serve(t)}, "load", "docs", "--token-file", file)

			require.Equal(t, 1, code, stderr)
			require.Contains(t, stderr, "hint: check the token")
			require.NotContains(t, stderr, "--token-file: ")
			require.Equal(t, 1, g.refused)
		})
	}
}

// TestCalls_HaveDatabaseAndCredentials checks the headers of all calls of all commands, also
// of lists and of hints.
func TestCalls_HaveDatabaseAndCredentials(t *testing.T) {
	tests := []struct {
		args    string
		methods []string // at least
	}{
		{"load docs:p", []string{"GetLoadingProgress"}},
		{"load docs docs:p", nil},
		{"load nosuch", []string{"GetLoadingProgress", "ShowCollections"}},
		{"load docs:missing", []string{"GetLoadingProgress", "ShowPartitions"}},
		{"load --all", []string{"ShowCollections", "GetLoadingProgress"}},
		{"index docs/vidx", []string{"DescribeIndex"}},
		{"index docs/missing", []string{"DescribeIndex"}},
		{"index --all", []string{"ShowCollections", "DescribeIndex"}},
		{"all docs", []string{"DescribeIndex", "GetLoadingProgress"}},
		{"progress load docs nosuch", []string{"GetLoadingProgress", "ShowCollections"}},
		{"progress index docs/vidx", []string{"DescribeIndex"}},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			g := &guarded{token: "root:hunter22"}

			_, _, stderr := run(map[string]string{"MILVUS_URI": g.serve(t), "MILVUS_TOKEN": "root:hunter22"}, append(strings.Fields(tt.args), "--db", "shop", "--timeout", "1m")...)

			require.Zero(t, g.refused, stderr)
			require.Subset(t, slices.Collect(maps.Keys(g.headers)), tt.methods)
			for method, calls := range g.headers {
				for _, md := range calls {
					require.Equal(t, []string{"shop"}, md.Get("dbname"), method)
				}
			}
		})
	}
}
