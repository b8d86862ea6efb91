package rpc_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// versionStub is a stub with GetVersion.
type versionStub struct {
	*stub
	version func() (*versionResponse, error)
}

func (s versionStub) GetVersion(context.Context, *versionRequest, ...grpc.CallOption) (*versionResponse, error) {
	return s.version()
}

// TestVersion_FromStub covers stubs: only a version that is too old matters. A mock that
// panics or ends the goroutine, because it does not expect the call, changes nothing.
func TestVersion_FromStub(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		version func() (*versionResponse, error)
		calls   int // after five polls
	}{
		{"answers", func() (*versionResponse, error) { return &versionResponse{Status: ok, Version: "v2.4.1"}, nil }, 1},
		{"panics", func() (*versionResponse, error) { panic("unexpected call") }, 1},
		{"dereferences nil", func() (*versionResponse, error) {
			var s *stub
			_, err := s.list(context.Background(), nil)
			return nil, err
		}, 1},
		{"ends the goroutine", func() (*versionResponse, error) { runtime.Goexit(); return nil, nil }, 1},
		{"returns nothing", func() (*versionResponse, error) { return nil, nil }, 1},
		{"fails", func() (*versionResponse, error) { return nil, errors.New("odd") }, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			p := rpc.FromStub(versionStub{describing(rows("v", finished, 1, 1, 0)), func() (*versionResponse, error) {
				calls++
				return tt.version()
			}})

			for range 5 {
				require.NoError(t, polls[indexCall](t.Context(), p))
			}

			require.Equal(t, tt.calls, calls)
		})
	}

	p := rpc.FromStub(versionStub{describing(rows("v", finished, 1, 1, 0)), func() (*versionResponse, error) {
		return &versionResponse{Status: ok, Version: "v2.2.8"}, nil
	}})
	require.EqualError(t, polls[indexCall](t.Context(), p), tooOld228)
}

// TestVersion_PollPanics_EndsTheRequest shows that a panic of DescribeIndex leaves no
// GetVersion behind: the bubble would not end.
func TestVersion_PollPanics_EndsTheRequest(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{Version: func(ctx context.Context, _ *versionRequest) (*versionResponse, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}}
		p := rpc.New(connect(t, s, grpc.WithUnaryInterceptor(
			func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoker grpc.UnaryInvoker, opts ...grpc.CallOption) error {
				if method == string(wire.DescribeIndex) {
					panic("a bug")
				}
				return invoker(ctx, method, req, reply, cc, opts...)
			},
		)))

		require.PanicsWithValue(t, "a bug", func() { _ = polls[indexCall](t.Context(), p) })
	})
}
