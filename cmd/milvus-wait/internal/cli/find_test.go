package cli_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// flaky is a server of many collections with an index each. It fails the first request for
// every 20th collection.
type flaky struct {
	names []string
	mu    sync.Mutex
	asked map[string]int
}

func (f *flaky) ShowCollections(context.Context, *wire.ShowCollectionsRequest) (*wire.ShowCollectionsResponse, error) {
	return &wire.ShowCollectionsResponse{Status: &wire.Status{}, CollectionNames: f.names}, nil
}

func (f *flaky) DescribeIndex(_ context.Context, req *wire.DescribeIndexRequest) (*wire.DescribeIndexResponse, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked[req.GetCollectionName()]++
	if len(f.asked)%20 == 0 && f.asked[req.GetCollectionName()] == 1 {
		return nil, status.Error(codes.Unavailable, "later")
	}
	return &wire.DescribeIndexResponse{Status: &wire.Status{}, IndexDescriptions: []*wire.IndexDescription{
		{IndexName: "vidx", State: wire.IndexState_Finished, TotalRows: 1, IndexedRows: 1},
	}}, nil
}

func (f *flaky) rpcs() []grpc.MethodDesc {
	return []grpc.MethodDesc{wire.ShowCollections.Serve(f.ShowCollections), wire.DescribeIndex.Serve(f.DescribeIndex)}
}

func TestFind_Retries_KeepWhatWasFound(t *testing.T) {
	f := &flaky{asked: make(map[string]int)}
	for i := range 100 {
		f.names = append(f.names, fmt.Sprintf("c%03d", i))
	}

	code, stdout, stderr := run(map[string]string{"MILVUS_URI": serve(t, f)}, "index", "--all", "-q", "--timeout", "1m")

	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "c099/*: indexed")
	f.mu.Lock()
	defer f.mu.Unlock()
	questions := 0
	for _, n := range f.asked {
		questions += n
	}
	// One request to find each index, one more for each of the five failed ones, and one poll each.
	require.LessOrEqual(t, questions, 100+5+100)
}

// unmeasured is a server that lists all collections without percentages, as milvus-lite
// before 3.2 does.
type unmeasured struct {
	states map[string]wire.LoadState
	flaky  bool // fail the first request for each state

	mu     sync.Mutex
	asked  map[string]int
	listed int
}

func (u *unmeasured) ShowCollections(context.Context, *wire.ShowCollectionsRequest) (*wire.ShowCollectionsResponse, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.listed++
	return &wire.ShowCollectionsResponse{Status: &wire.Status{}, CollectionNames: slices.Collect(maps.Keys(u.states))}, nil
}

func (u *unmeasured) GetLoadState(_ context.Context, req *wire.GetLoadStateRequest) (*wire.GetLoadStateResponse, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.asked[req.GetCollectionName()]++
	if u.flaky && u.asked[req.GetCollectionName()] == 1 {
		return nil, status.Error(codes.Unavailable, "later")
	}
	return &wire.GetLoadStateResponse{Status: &wire.Status{}, State: u.states[req.GetCollectionName()]}, nil
}

func (u *unmeasured) GetLoadingProgress(context.Context, *wire.GetLoadingProgressRequest) (*wire.GetLoadingProgressResponse, error) {
	return &wire.GetLoadingProgressResponse{Status: &wire.Status{}, Progress: 100}, nil
}

func (u *unmeasured) rpcs() []grpc.MethodDesc {
	return []grpc.MethodDesc{wire.ShowCollections.Serve(u.ShowCollections), wire.GetLoadState.Serve(u.GetLoadState), wire.GetLoadingProgress.Serve(u.GetLoadingProgress)}
}

func TestLoadAll_ListWithoutPercentages_ChecksStates(t *testing.T) {
	const (
		loaded, loading = wire.LoadState_LoadStateLoaded, wire.LoadState_LoadStateLoading
		released        = wire.LoadState_LoadStateNotLoad
		dropped         = wire.LoadState_LoadStateNotExist
	)
	tests := []struct {
		name   string
		states map[string]wire.LoadState
		flaky  bool
		want   []string // names in the result; nil for an error
	}{
		{"loaded, loading and neither", map[string]wire.LoadState{"a": loaded, "b": loading, "c": released, "d": dropped}, false, []string{"a", "b"}},
		{"states that fail at first", map[string]wire.LoadState{"a": loaded, "c": released}, true, []string{"a"}},
		{"none is loaded", map[string]wire.LoadState{"c": released}, false, nil},
		{"no collection", nil, false, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			u := &unmeasured{states: tt.states, flaky: tt.flaky, asked: make(map[string]int)}

			code, stdout, stderr := run(map[string]string{"MILVUS_URI": serve(t, u)}, "load", "--all", "-q", "--timeout", "1m")

			if tt.want == nil {
				require.Equal(t, 1, code, stderr)
				require.Contains(t, stderr, "milvus-wait: there is nothing to wait for: no collection of the default database is loading or loaded; name those that will be\n")
				return
			}
			require.Zero(t, code, stderr)
			var found []string
			for line := range strings.Lines(stdout) {
				name, _, _ := strings.Cut(line, ": loaded")
				found = append(found, name)
			}
			require.ElementsMatch(t, tt.want, found)
		})
	}
}

// TestAll_NothingAtFirst_WaitsWithinGrace adds a target after the first empty list.
func TestAll_NothingAtFirst_WaitsWithinGrace(t *testing.T) {
	tests := []struct {
		args string
		add  func(*fakeserver.Server)
		want string
	}{
		{"load --all", func(s *fakeserver.Server) { s.Set(milvuswait.Loading("docs"), fake.Percents(100)) }, "docs: loaded"},
		{"index --all", func(s *fakeserver.Server) { s.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(10, 10)) }, "docs/*: indexed"},
	}
	for _, dialect := range []fakeserver.Dialect{fakeserver.Milvus23, fakeserver.Milvus22, fakeserver.MilvusLite} {
		for _, tt := range tests {
			t.Run(fmt.Sprintf("%s on %v", tt.args, dialect), func(t *testing.T) {
				s, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0", Dialect: dialect})
				require.NoError(t, err)
				t.Cleanup(s.Close)
				s.AddCollection("docs") // neither loaded nor indexed

				code, stdout, stderr := runUntil(": there is nothing to wait for: no collection of the default database", func() { tt.add(s) },
					map[string]string{"MILVUS_URI": s.Address()}, append(strings.Fields(tt.args), "--grace", "1h", "--timeout", "1m")...)

				require.Zero(t, code, stderr)
				require.Contains(t, stdout, tt.want)
			})
		}
	}
}

// TestAll_Nothing_EndsWithGrace has no target in the end.
func TestAll_Nothing_EndsWithGrace(t *testing.T) {
	s, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	s.AddCollection("docs")
	tests := []struct {
		args    string
		code    int
		want    string
		retries bool
	}{
		{"load --all", 1, "milvus-wait: there is nothing to wait for: no collection of the default database is loading or loaded", false},
		{"index --all", 1, "milvus-wait: there is nothing to wait for: no collection of the default database has an index", false},
		{"load --all --grace 200ms", 1, "milvus-wait: there is nothing to wait for: no collection of the default database is loading or loaded", true},
		{"index --all --grace 200ms", 1, "milvus-wait: there is nothing to wait for: no collection of the default database has an index", true},
		{"index --all --grace 1h --timeout 200ms", 124, "milvus-wait: asking for the indexes: timed out (no target is known yet), last error: there is nothing to wait for", true},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			code, _, stderr := run(map[string]string{"MILVUS_URI": s.Address()}, strings.Fields(tt.args)...)

			require.Equal(t, tt.code, code, stderr)
			require.Contains(t, stderr, tt.want)
			require.Equal(t, tt.retries, strings.Contains(stderr, "going on"), stderr)
		})
	}
}
