package rpc_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/rpc"
)

// TestNotLoaded_Partitions_NamesOne loads all partitions except some. The error names the
// first of these, by at most eight GetLoadState for 100 partitions.
func TestNotLoaded_Partitions_NamesOne(t *testing.T) {
	var all []string
	for i := range 100 {
		all = append(all, fmt.Sprintf("p%02d", i))
	}

	for _, dialect := range []fakeserver.Dialect{fakeserver.Milvus23, fakeserver.Milvus22} {
		for _, unloaded := range [][]string{{"p00"}, {"p37"}, {"p99"}, {"p50", "p51", "p98"}} {
			t.Run(fmt.Sprint(dialect, unloaded), func(t *testing.T) {
				withFake(t, fakeserver.Config{Dialect: dialect}, func(t *testing.T, server *fakeserver.Server, p *rpc.Poller) {
					server.AddCollection("docs", all...)
					for _, partition := range all {
						server.Set(milvuswait.Loading("docs", partition), fake.Percents(100))
					}
					for _, partition := range unloaded {
						server.Set(milvuswait.Loading("docs", partition), nil)
					}

					_, err := p.LoadingProgress(t.Context(), "docs", all...)
					requireClass(t, milvuswait.ErrNotLoaded, err)
					require.ErrorContains(t, err, `not loaded: partition "`+unloaded[0]+`": GetLoadingProgress: `)
					require.LessOrEqual(t, server.Count(stateCall), 9) // on 2.2, one more settles the failure

					err = p.CheckLoadState(t.Context(), "docs", all...)
					requireClass(t, milvuswait.ErrNotLoaded, err)
					require.EqualError(t, err, `not loaded: partition "`+unloaded[0]+`": GetLoadState: LoadStateNotLoad`)
				})
			})
		}
	}
}

// TestNotLoaded_PartitionIsNotFound_StaysAsItIs covers single partitions, which need no
// search, and searches without a result.
func TestNotLoaded_PartitionIsNotFound_StaysAsItIs(t *testing.T) {
	t.Parallel()
	const text = "not loaded: GetLoadingProgress: partition not loaded[partition=47] (code 201)"
	unloaded := &statusBody{ErrorCode: 1, Code: 201, Reason: "partition not loaded[partition=47]"}
	tests := []struct {
		name       string
		partitions []string
		state      *stateResponse
		calls      int
	}{
		{"no partition", nil, &stateResponse{Status: ok, State: notLoad}, 0},
		{"one", []string{"a"}, &stateResponse{Status: ok, State: notLoad}, 0},
		{"loaded meanwhile", []string{"a", "b"}, &stateResponse{Status: ok, State: loaded}, 2},
		{"gone meanwhile", []string{"a", "b"}, &stateResponse{Status: ok, State: notExist}, 1},
		{"no permission", []string{"a", "b"}, &stateResponse{Status: &statusBody{Code: 1401}}, 1},
		{"too many", make([]string, 1025), &stateResponse{Status: ok, State: notLoad}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			s := answering(unloaded, nil)
			s.state = func(context.Context, *stateRequest, ...grpc.CallOption) (*stateResponse, error) {
				calls++
				return tt.state, nil
			}

			_, err := rpc.FromStub(s).LoadingProgress(t.Context(), "docs", tt.partitions...)

			requireClass(t, milvuswait.ErrNotLoaded, err)
			require.EqualError(t, err, text)
			require.Equal(t, tt.calls, calls)
		})
	}
}

// TestNotLoaded_StateFails_CountsAsNotLoaded covers servers whose GetLoadState fails with
// the code of a partition that is not loaded.
func TestNotLoaded_StateFails_CountsAsNotLoaded(t *testing.T) {
	t.Parallel()
	unloaded := &statusBody{ErrorCode: 1, Code: 201, Reason: "partition=47: partition not loaded"}

	_, err := rpc.FromStub(answering(unloaded, nil)).LoadingProgress(t.Context(), "docs", "a\x1b", "b")

	requireClass(t, milvuswait.ErrNotLoaded, err)
	require.ErrorContains(t, err, `partition "a": GetLoadingProgress: `)
}

// TestNotLoaded_StateHangs_IsNotDelayedLong shows that the search for the partition takes
// at most a second.
func TestNotLoaded_StateHangs_IsNotDelayedLong(t *testing.T) {
	withFake(t, fakeserver.Config{}, func(t *testing.T, server *fakeserver.Server, p *rpc.Poller) {
		server.AddCollection("docs", "a", "b")
		server.Fail(stateCall, fakeserver.Hang())
		start := time.Now()

		_, err := p.LoadingProgress(t.Context(), "docs", "a", "b")

		requireClass(t, milvuswait.ErrNotLoaded, err)
		require.NotErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, time.Second, time.Since(start))
	})
}
