package sdkv2

import (
	"context"
	"fmt"
	"testing"

	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/milvustest"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// BenchmarkPoll is one poll of a server in this process, over a connection and over the
// stub of go-api v2.4.10 on it. Index descriptions have the parameters of real servers. The
// figures include the work of both client and server.
func BenchmarkPoll(b *testing.B) {
	for _, descriptions := range []int{0, 1, 100} {
		s := &milvustest.Server{
			Loading: func(context.Context, *wire.GetLoadingProgressRequest) (*wire.GetLoadingProgressResponse, error) {
				return &wire.GetLoadingProgressResponse{Status: &wire.Status{}, Progress: 40}, nil
			},
			Index: func(context.Context, *wire.DescribeIndexRequest) (*wire.DescribeIndexResponse, error) {
				return describe(descriptions), nil
			},
		}

		conn := milvustest.Connect(b, s)
		for name, p := range map[string]*rpc.Poller{"New": rpc.New(conn), "FromStub": rpc.FromStub(milvuspb.NewMilvusServiceClient(conn))} {
			kind := fmt.Sprintf("index×%d", descriptions)
			poll := func() error {
				_, err := p.IndexBuildingProgress(b.Context(), "docs", milvuswait.AllIndexes)
				return err
			}
			if descriptions == 0 {
				kind = "loading"
				poll = func() error {
					_, err := p.LoadingProgress(b.Context(), "docs")
					return err
				}
			}

			b.Run(kind+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					require.NoError(b, poll())
				}
			})
		}
	}
}

func describe(n int) *wire.DescribeIndexResponse {
	r := &wire.DescribeIndexResponse{Status: &wire.Status{}}
	for i := range n {
		r.IndexDescriptions = append(r.IndexDescriptions, &wire.IndexDescription{
			IndexName: fmt.Sprintf("index_%d", i), IndexID: int64(i), FieldName: "vector", State: wire.IndexState_InProgress,
			TotalRows: 1_000_000, IndexedRows: 400_000, PendingIndexRows: 600_000,
			Params: []*wire.KeyValuePair{
				{Key: "index_type", Value: "HNSW"}, {Key: "metric_type", Value: "L2"}, {Key: "params", Value: `{"M":16,"efConstruction":200}`},
			},
		})
	}
	return r
}
