// Not with the race detector, which needs many times the memory.

//go:build !race

package main

import (
	"bytes"
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/internal/usage"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// flood is a server with responses of the maximum size.
type flood struct {
	load  func() (*wire.GetLoadingProgressResponse, error)
	index *wire.DescribeIndexResponse
	list  *wire.ShowCollectionsResponse
}

func (f *flood) GetLoadingProgress(context.Context, *wire.GetLoadingProgressRequest) (*wire.GetLoadingProgressResponse, error) {
	return f.load()
}

func (f *flood) DescribeIndex(context.Context, *wire.DescribeIndexRequest) (*wire.DescribeIndexResponse, error) {
	return f.index, nil
}

func (f *flood) ShowCollections(context.Context, *wire.ShowCollectionsRequest) (*wire.ShowCollectionsResponse, error) {
	return f.list, nil
}

func (f *flood) rpcs() []grpc.MethodDesc {
	return []grpc.MethodDesc{wire.GetLoadingProgress.Serve(f.GetLoadingProgress), wire.DescribeIndex.Serve(f.DescribeIndex), wire.ShowCollections.Serve(f.ShowCollections)}
}

// TestMemoryIsBounded_HugeResponses checks the maximum resident memory of the command.
func TestMemoryIsBounded_HugeResponses(t *testing.T) {
	message := strings.Repeat("x", 15<<20)
	reason := func(size int) func() (*wire.GetLoadingProgressResponse, error) {
		text := strings.Repeat("x", size)
		return func() (*wire.GetLoadingProgressResponse, error) {
			return &wire.GetLoadingProgressResponse{Status: &wire.Status{Code: 1, ErrorCode: wire.ErrorCode_UnexpectedError, Reason: text}}, nil
		}
	}
	// Each takes two bytes in the response.
	empty := make([]*wire.IndexDescription, 2<<20-16)
	for i := range empty {
		empty[i] = new(wire.IndexDescription)
	}
	tests := []struct {
		name   string
		server *flood
		args   []string
		most   int // MiB
		said   string
	}{
		{"a gRPC message of 15 MiB", &flood{load: func() (*wire.GetLoadingProgressResponse, error) {
			return nil, status.Error(codes.Unavailable, message)
		}}, []string{"load", "docs", "-v"}, 400, "xxx"},
		{"a reason that is just taken", &flood{load: reason(4<<20 - 64)}, []string{"load", "docs", "-v"}, 150, "xxx"},
		{"a reason of 64 MiB", &flood{load: reason(64 << 20)}, []string{"load", "docs", "-v"}, 50, "received message larger than max"},
		{"2 million indexes", &flood{index: &wire.DescribeIndexResponse{Status: &wire.Status{}, IndexDescriptions: empty}}, []string{"index", "docs", "--unreachable", "20s"}, 600, "and 2097120 more"},
		{"collections without end", &flood{list: &wire.ShowCollectionsResponse{Status: &wire.Status{}, CollectionNames: make([]string, 8<<20-16)}}, []string{"load", "--all", "--unreachable", "20s"}, 1200, "there is nothing to wait for"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			server := grpc.NewServer()
			wire.Register(server, tt.server.rpcs()...)
			go func() { _ = server.Serve(listener) }()
			defer server.Stop()
			args := append([]string{tt.args[0], "--unreachable", "2s", "--interval", "10ms", "--max-interval", "20ms", "--timeout", "40s"}, tt.args[1:]...)
			cmd := command(t, listener.Addr().String(), args...)
			var written bytes.Buffer
			cmd.Stdout, cmd.Stderr = &written, &written
			require.NoError(t, cmd.Start())

			watched := make(chan int)
			go func() { watched <- mostMemory(cmd.Process.Pid) }()

			code := exitCode(t, cmd)

			most := <-watched
			t.Logf("%d MiB", most)
			require.Equal(t, 1, code)
			require.Contains(t, written.String(), tt.said)
			require.Positive(t, most)
			require.Less(t, most, tt.most)
			for line := range strings.Lines(written.String()) {
				require.Less(t, len(line), 3000)
			}
		})
	}
}

// mostMemory returns the maximum resident memory of the process, in MiB, as read before its
// end. wait4 is no use: its figure is at least the memory of this test process.
func mostMemory(pid int) int {
	most := 0
	for range time.Tick(5 * time.Millisecond) {
		u, err := usage.Of(pid)
		if err != nil || u.PeakRSS == 0 {
			break
		}
		most = max(most, int(u.PeakRSS>>20))
	}
	return most
}
