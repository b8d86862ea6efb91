package cli_test

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// numbered returns the names p000, p001 and so on.
func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("p%03d", i)
	}
	return names
}

func TestHints_ManyPartitions_NameThoseBehind(t *testing.T) {
	tests := []struct {
		name   string
		n      int
		behind []string
		args   string
		code   int
		want   string
	}{
		{"one of 100, in time", 100, []string{"p057"}, "--timeout 1s", 124, `the partition behind is "p057" at 40%`},
		{"one of 100, stalled", 100, []string{"p057"}, "--stall 300ms", 1, `the partition behind is "p057" at 40%; look into the server's logs; a longer --stall is more patient`},
		{"two of 100, in order", 100, []string{"p098", "p003"}, "--timeout 1s", 124, `the partitions behind are "p003" at 40%, "p098" at 40%`},
		{"20 of 100", 100, numbered(20), "--timeout 1s", 124, `the partitions behind are "p000" at 40%, ` + list(numbered(16)[1:], `"%s" at 40%%`) + ` and 4 more`},
		{"first of 1025", 1025, []string{"p001"}, "--stall 300ms", 1, `among the partitions behind is "p001" at 40%; look into the server's logs; a longer --stall is more patient`},
		{"last of 1025", 1025, []string{"p1024"}, "--stall 300ms", 1, `look into the server's logs; a longer --stall is more patient`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t)
			s.Set(milvuswait.Loading("big", numbered(tt.n)...), fake.Percents(100))
			s.Set(milvuswait.Loading("big", tt.behind...), fake.Percents(40))

			code, _, stderr := run(map[string]string{"MILVUS_URI": "http://" + s.Address()},
				append(strings.Fields(tt.args), "load", "-q", "big:"+strings.Join(numbered(tt.n), ","))...)

			require.Equal(t, tt.code, code, stderr)
			require.Contains(t, stderr, "milvus-wait: hint: "+tt.want+"\n")
		})
	}
}

// list returns the names in the format, with commas between them.
func list(names []string, format string) string {
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = fmt.Sprintf(format, name)
	}
	return strings.Join(texts, ", ")
}

func TestHints_ManyPartitions_LoadThoseNotLoaded(t *testing.T) {
	s := start(t)
	s.Set(milvuswait.Loading("big", numbered(100)...), fake.Percents(100))
	s.Set(milvuswait.Loading("big", "p057"), nil)

	code, _, stderr := run(map[string]string{"MILVUS_URI": "http://" + s.Address()}, "load", "-q", "big:"+strings.Join(numbered(100), ","))

	require.Equal(t, 1, code, stderr)
	require.Contains(t, stderr, `milvus-wait: hint: call load_partitions("big", ["p057"]), or use --grace if another process starts the load`+"\n")
}

// partly is a server with 100 partitions at 40 % that answers the requests for some of them
// alone, and leaves the others without an answer.
type partly struct {
	answered map[string]bool
	open     atomic.Int32 // requests without an answer
	most     atomic.Int32 // maximum of open
}

func (p *partly) GetLoadingProgress(ctx context.Context, req *wire.GetLoadingProgressRequest) (*wire.GetLoadingProgressResponse, error) {
	if names := req.GetPartitionNames(); len(names) == 1 && !p.answered[names[0]] {
		open := p.open.Add(1)
		defer p.open.Add(-1)
		for most := p.most.Load(); open > most && !p.most.CompareAndSwap(most, open); most = p.most.Load() {
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return &wire.GetLoadingProgressResponse{Status: &wire.Status{}, Progress: 40}, nil
}

func (p *partly) rpcs() []grpc.MethodDesc {
	return []grpc.MethodDesc{wire.GetLoadingProgress.Serve(p.GetLoadingProgress)}
}

// TestHints_PartitionsWithoutAnswer_NameTheOthers also waits for a second target, whose
// server is not reported as away because of the requests without an answer.
func TestHints_PartitionsWithoutAnswer_NameTheOthers(t *testing.T) {
	p := &partly{answered: map[string]bool{"p000": true, "p003": true}}

	code, _, stderr := run(map[string]string{"MILVUS_URI": serve(t, p)},
		"load", "-q", "--timeout", "500ms", "big:"+strings.Join(numbered(100), ","), "docs")

	require.Equal(t, 124, code, stderr)
	require.Contains(t, stderr, `milvus-wait: hint: among the partitions behind are "p000" at 40%, "p003" at 40%`+"\n")
	require.NotContains(t, stderr, "cannot connect")
	require.Positive(t, p.most.Load())
	require.LessOrEqual(t, p.most.Load(), int32(16))
}
