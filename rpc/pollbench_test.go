package rpc_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// calls is a generated client of conn.
type calls struct{ conn *grpc.ClientConn }

func (c calls) GetLoadingProgress(ctx context.Context, req *loadingRequest, opts ...grpc.CallOption) (*loadingResponse, error) {
	return wire.GetLoadingProgress.Call(ctx, c.conn, req, opts...)
}

func (c calls) DescribeIndex(ctx context.Context, req *indexRequest, opts ...grpc.CallOption) (*indexResponse, error) {
	return wire.DescribeIndex.Call(ctx, c.conn, req, opts...)
}

// BenchmarkPoll is one poll of a server in this process, over a connection and over a
// stub of it. The figures hold what both sides take.
func BenchmarkPoll(b *testing.B) {
	for _, descriptions := range []int{0, 1, 100} {
		s := &server{
			Loading: func(context.Context, *loadingRequest) (*loadingResponse, error) {
				return &loadingResponse{Status: &statusBody{}, Progress: 40}, nil
			},
			Index: func(context.Context, *indexRequest) (*indexResponse, error) {
				r := &indexResponse{Status: &statusBody{}}
				for i := range descriptions {
					r.IndexDescriptions = append(r.IndexDescriptions, &description{
						IndexName: fmt.Sprintf("index_%d", i), IndexID: int64(i), FieldName: "vector", State: 2,
						TotalRows: 1_000_000, IndexedRows: 400_000, PendingIndexRows: 600_000,
					})
				}
				return r, nil
			},
		}
		conn := connect(b, s)
		pollers := map[string]*rpc.Poller{"New": rpc.New(conn), "FromStub": rpc.FromStub(calls{conn})}
		for name, p := range pollers {
			poll, kind := polls[indexCall], fmt.Sprintf("index×%d", descriptions)
			if descriptions == 0 {
				poll, kind = polls[loadingCall], "loading"
			} else {
				poll = func(ctx context.Context, p *rpc.Poller) error {
					_, err := p.IndexBuildingProgress(ctx, "docs", "*")
					return err
				}
			}
			b.Run(kind+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					require.NoError(b, poll(b.Context(), p))
				}
			})
		}
	}
}
