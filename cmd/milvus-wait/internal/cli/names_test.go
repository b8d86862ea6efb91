package cli_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// garrulous is a server without the partition, and with long texts about it.
type garrulous struct {
	names []string
	err   error
}

func (*garrulous) GetLoadingProgress(context.Context, *wire.GetLoadingProgressRequest) (*wire.GetLoadingProgressResponse, error) {
	return &wire.GetLoadingProgressResponse{Status: &wire.Status{Code: 200, ErrorCode: wire.ErrorCode_UnexpectedError, Reason: "partition not found"}}, nil
}

func (g *garrulous) ShowPartitions(context.Context, *wire.ShowPartitionsRequest) (*wire.ShowPartitionsResponse, error) {
	return &wire.ShowPartitionsResponse{Status: &wire.Status{}, PartitionNames: g.names}, g.err
}

func (g *garrulous) rpcs() []grpc.MethodDesc {
	return []grpc.MethodDesc{wire.GetLoadingProgress.Serve(g.GetLoadingProgress), wire.ShowPartitions.Serve(g.ShowPartitions)}
}

func TestHint_ManyNames_IsShort(t *testing.T) {
	var many []string
	for i := range 4096 {
		many = append(many, fmt.Sprintf("p%04d", i))
	}
	tests := []struct {
		name   string
		server garrulous
		want   string
	}{
		{"many names", garrulous{names: many}, `the partitions are "p0000", .*, "p0015" or one of 4080 more$`},
		{"a long name", garrulous{names: []string{strings.Repeat("x", 1<<20), "y"}}, `the partitions are "x+… \(cut\)" or "y"$`},
		{"a long error", garrulous{err: status.Error(codes.Internal, strings.Repeat("x", 1<<20))}, `cannot be listed: rpc error: code = Internal desc = x+… \(cut\)$`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, _, stderr := run(map[string]string{"MILVUS_URI": serve(t, &tt.server)}, "load", "docs:nosuch", "-q")

			require.Equal(t, 1, code)
			require.Regexp(t, tt.want, strings.TrimSuffix(stderr, "\n"))
			require.Less(t, len(stderr), 3000)
		})
	}
}
