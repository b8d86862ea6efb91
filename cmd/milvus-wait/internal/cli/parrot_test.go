package cli_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
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

	"github.com/milvuswait/milvuswait/internal/untrusted"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// formsOf returns the forms of a secret in texts of a server, or of a proxy before it.
func formsOf(s string) []string {
	inJSON, _ := json.Marshal(s)
	forms := []string{s, fmt.Sprintf("%q", s), fmt.Sprintf("%+q", s), string(inJSON), url.QueryEscape(s), url.PathEscape(s)}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		encoded := e.EncodeToString([]byte(s))
		forms = append(forms, encoded, url.QueryEscape(encoded), url.PathEscape(encoded))
	}
	for i, form := range forms {
		forms[i] = strings.Trim(form, `"`)
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// parrot is a server that echoes the received credentials in one place of its responses.
type parrot struct {
	place string

	mu    sync.Mutex
	calls int
}

// heard returns every form of the received credentials and of the password in them.
func heard(ctx context.Context) []string {
	md, _ := metadata.FromIncomingContext(ctx)
	header := strings.Join(md.Get("authorization"), " ")
	token, _ := base64.StdEncoding.DecodeString(header)
	forms := append(formsOf(string(token)), header)
	if _, password, found := strings.Cut(string(token), ":"); found {
		forms = append(forms, formsOf(password)...)
	}
	return forms
}

// answer returns the status of a response, or an error instead.
func (p *parrot) answer(ctx context.Context, fine *wire.Status) (*wire.Status, error) {
	said := "you sent authorization: " + strings.Join(heard(ctx), " and ")
	switch p.place {
	case "gRPC message":
		return nil, status.Error(codes.Unauthenticated, said)
	case "gRPC details":
		st, err := status.New(codes.PermissionDenied, "see the details").WithDetails(&wire.Status{Reason: said})
		if err != nil {
			return nil, err
		}
		return nil, st.Err()
	case "passing gRPC message":
		return nil, status.Error(codes.Unavailable, said)
	case "cut gRPC message":
		return nil, status.Error(codes.Unavailable, p.cut(ctx))
	case "reason":
		return &wire.Status{Code: 1401, ErrorCode: wire.ErrorCode_PermissionDenied, Reason: said}, nil
	case "passing reason":
		return &wire.Status{Code: 8, ErrorCode: wire.ErrorCode_RateLimit, Reason: said}, nil
	case "cut reason":
		return &wire.Status{Code: 8, ErrorCode: wire.ErrorCode_RateLimit, Reason: p.cut(ctx)}, nil
	case "detail":
		return &wire.Status{Code: 1401, ErrorCode: wire.ErrorCode_PermissionDenied, Detail: said}, nil
	}
	return fine, nil
}

// cut returns a text in which a secret crosses the maximum length. Each call moves it by seven
// bytes, so that the calls soon cover all positions.
func (p *parrot) cut(ctx context.Context) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calls++
	forms := heard(ctx)
	// Both the message and the error around it are cut. The words of the error are shorter than this.
	const words = 64
	form := forms[p.calls%len(forms)]
	return strings.Repeat(".", untrusted.MaxText-7*p.calls%(len(form)+words)) + form + strings.Repeat(".", untrusted.MaxText)
}

func (p *parrot) GetLoadingProgress(ctx context.Context, _ *wire.GetLoadingProgressRequest) (*wire.GetLoadingProgressResponse, error) {
	fine := &wire.Status{}
	switch p.place {
	case "names of collections":
		fine = &wire.Status{Code: 100, ErrorCode: wire.ErrorCode_UnexpectedError, Reason: "collection not found"}
	case "names of partitions":
		fine = &wire.Status{Code: 200, ErrorCode: wire.ErrorCode_UnexpectedError, Reason: "partition not found"}
	}
	st, err := p.answer(ctx, fine)
	return &wire.GetLoadingProgressResponse{Status: st, Progress: 100}, err
}

func (p *parrot) GetLoadState(ctx context.Context, _ *wire.GetLoadStateRequest) (*wire.GetLoadStateResponse, error) {
	st, err := p.answer(ctx, &wire.Status{})
	return &wire.GetLoadStateResponse{Status: st, State: wire.LoadState_LoadStateLoaded}, err
}

func (p *parrot) ShowCollections(ctx context.Context, _ *wire.ShowCollectionsRequest) (*wire.ShowCollectionsResponse, error) {
	names, percents := []string{"docs"}, []int64{100}
	if p.place == "names of collections" {
		for i, form := range heard(ctx) {
			names, percents = append(names, form, "docs"+form), append(percents, 100, int64(i))
		}
	}
	st, err := p.answer(ctx, &wire.Status{})
	return &wire.ShowCollectionsResponse{Status: st, CollectionNames: names, InMemoryPercentages: percents}, err //nolint:staticcheck // deprecated, but in use by servers
}

func (p *parrot) ShowPartitions(ctx context.Context, _ *wire.ShowPartitionsRequest) (*wire.ShowPartitionsResponse, error) {
	st, err := p.answer(ctx, &wire.Status{})
	return &wire.ShowPartitionsResponse{Status: st, PartitionNames: heard(ctx)}, err
}

func (p *parrot) DescribeIndex(ctx context.Context, _ *wire.DescribeIndexRequest) (*wire.DescribeIndexResponse, error) {
	described := []*wire.IndexDescription{{IndexName: "vidx", State: wire.IndexState_Finished}}
	switch p.place {
	case "names of indexes":
		for _, form := range heard(ctx) {
			described = append(described, &wire.IndexDescription{IndexName: form, State: wire.IndexState_InProgress, TotalRows: 1})
		}
	case "reason of an index":
		described[0].State, described[0].IndexStateFailReason = wire.IndexState_Failed, strings.Join(heard(ctx), " and ")
	}
	st, err := p.answer(ctx, &wire.Status{})
	return &wire.DescribeIndexResponse{Status: st, IndexDescriptions: described}, err
}

func (p *parrot) GetImportState(ctx context.Context, _ *wire.GetImportStateRequest) (*wire.GetImportStateResponse, error) {
	st, err := p.answer(ctx, &wire.Status{})
	response := &wire.GetImportStateResponse{Status: st, State: wire.ImportState_ImportCompleted}
	if p.place == "reason of an import" {
		response.State = wire.ImportState_ImportFailed
		response.Infos = []*wire.KeyValuePair{{Key: "failed_reason", Value: strings.Join(heard(ctx), " and ")}}
	}
	return response, err
}

func (p *parrot) Query(ctx context.Context, _ *wire.QueryRequest) (*wire.QueryResults, error) {
	st, err := p.answer(ctx, &wire.Status{})
	return &wire.QueryResults{Status: st}, err
}

func (p *parrot) rpcs() []grpc.MethodDesc {
	return []grpc.MethodDesc{
		wire.GetLoadingProgress.Serve(p.GetLoadingProgress), wire.GetLoadState.Serve(p.GetLoadState), wire.ShowCollections.Serve(p.ShowCollections),
		wire.ShowPartitions.Serve(p.ShowPartitions), wire.DescribeIndex.Serve(p.DescribeIndex),
		wire.GetImportState.Serve(p.GetImportState), wire.Query.Serve(p.Query),
	}
}

// TestOutput_ServerEchoesCredentials_HasNoSecret calls a server that echoes credentials, by every command
// and with every format.
func TestOutput_ServerEchoesCredentials_HasNoSecret(t *testing.T) {
	places := []string{
		"gRPC message", "gRPC details", "passing gRPC message", "cut gRPC message", "reason", "passing reason", "cut reason", "detail",
		"names of collections", "names of partitions", "names of indexes", "reason of an index",
		"reason of an import",
	}
	commands := []string{
		"load dosc", "load Docs", "load docs:p", "load --all", "index docs", "index docs/x", "index docs/*", "index --all", "all docs",
		"progress load dosc", "progress index docs", "ready", "import 4711", "load docs --verify true",
	}
	for token, part := range map[string]string{`root:Tr0ub4dor&3%41"\'größe+/=`: "Tr0ub4dor", "db_0123456789abcdef": "0123456789"} {
		for _, place := range places {
			t.Run(token[:4]+" in "+place, func(t *testing.T) {
				t.Parallel()
				s := &parrot{place: place}
				summary := filepath.Join(t.TempDir(), "summary.md")
				env := map[string]string{
					"MILVUS_URI": serve(t, s), "MILVUS_TOKEN": token, "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": summary,
				}
				secrets := append(formsOf(token), part)
				if _, password, found := strings.Cut(token, ":"); found {
					secrets = append(secrets, formsOf(password)...)
				}
				forms, timeout := []string{"", "-v", "-q", "-o json", "-o jsonl", "-o jsonl -v"}, "200ms"
				if strings.HasPrefix(place, "passing") || strings.HasPrefix(place, "cut") {
					forms, timeout = []string{"-v", "-o json", "-o jsonl -v"}, "100ms" // for transient failures
				}
				var written strings.Builder
				for _, command := range commands {
					if place == "names of collections" && strings.HasSuffix(command, "--all") {
						continue // names of targets are not masked
					}
					for _, form := range forms {
						args := append(strings.Fields(command), strings.Fields(form)...)
						args = append(args, "--timeout", timeout)
						if !strings.HasPrefix(command, "ready") && !strings.HasPrefix(command, "progress") {
							args = append(args, "--interval", "1ms", "--max-interval", "2ms")
						}

						_, stdout, stderr := run(env, args...)

						written.WriteString(stdout + stderr)
						for _, s := range secrets {
							require.NotContains(t, stdout+stderr, s, "milvus-wait %s", strings.Join(args, " "))
							if strings.HasPrefix(place, "cut") && len(s) > 8 {
								require.NotContains(t, stdout+stderr, "..."+s[:4], "milvus-wait %s", strings.Join(args, " "))
							}
						}
					}
				}
				require.Equal(t, place != "gRPC details", strings.Contains(written.String(), "[secret]"), "is it echoed?")
				table, err := os.ReadFile(summary)
				require.NoError(t, err)
				for _, s := range secrets {
					require.NotContains(t, string(table), s)
				}
			})
		}
	}
}
