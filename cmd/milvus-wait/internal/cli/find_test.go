package cli_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

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

func TestWhatIsFoundIsKeptBetweenAttempts(t *testing.T) {
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
