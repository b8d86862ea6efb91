package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/rpc"
	"github.com/milvuswait/milvuswait/sdk"
)

// TestFallback_LoadingProgress covers clients without the generated stub. Their methods drop the
// server's status and report an unloaded or missing collection as 0 %. GetLoadState,
// HasCollection and HasPartition find the reason, as far as they must be called.
func TestFallback_LoadingProgress(t *testing.T) {
	t.Parallel()
	type answer[T any] struct {
		value T
		err   error
	}
	var (
		down     = status.Error(codes.Unavailable, "connection refused")
		denied   = status.Error(codes.PermissionDenied, "no")
		states   = func(s entity.LoadState) *answer[entity.LoadState] { return &answer[entity.LoadState]{value: s} }
		stateErr = func(err error) *answer[entity.LoadState] { return &answer[entity.LoadState]{err: err} }
		has      = func(yes bool) *answer[bool] { return &answer[bool]{value: yes} }
		hasErr   = func(err error) *answer[bool] { return &answer[bool]{err: err} }
	)

	tests := []struct {
		name       string
		partitions []string
		percent    int64
		err        error
		state      *answer[entity.LoadState] // nil: must not be called; so are the next two
		collection *answer[bool]
		partition  *answer[bool]
		want       error
	}{
		{name: "40 %", percent: 40},
		{name: "100 %", percent: 100},
		{name: "of partitions", percent: 100, partitions: []string{"p1", "p2"}},
		{name: "out of range", percent: -7},
		{name: "0 %, and loading", state: states(entity.LoadStateLoading)},
		{name: "0 %, and loaded by now", state: states(entity.LoadStateLoaded)},
		{name: "0 %, as it is not loaded", state: states(entity.LoadStateNotLoad), want: milvuswait.ErrNotLoaded},
		{name: "0 %, as there is no collection", state: states(entity.LoadStateNotExist), collection: has(false), want: milvuswait.ErrCollectionNotFound},
		{name: "0 %, and the state is an error", state: states(entity.LoadStateNotExist), collection: has(true), want: errTransient},
		{name: "0 %, and the check of the collection fails", state: states(entity.LoadStateNotExist), collection: hasErr(down), want: errTransient},
		{name: "0 %, and the checks of collection and partition fail", partitions: []string{"p1"}, state: states(entity.LoadStateNotExist), collection: hasErr(down), want: errTransient},
		{name: "0 %, and no permission to know", state: states(entity.LoadStateNotExist), collection: hasErr(denied), want: errPermanent},
		{name: "0 %, as there is no partition", partitions: []string{"p1"}, state: states(entity.LoadStateNotExist), collection: has(true), partition: has(false), want: milvuswait.ErrPartitionNotFound},
		{name: "0 %, and every partition is there", partitions: []string{"p1", "p2"}, state: states(entity.LoadStateNotExist), collection: has(true), partition: has(true), want: errTransient},
		{name: "0 %, and the check of the partition fails", partitions: []string{"p1"}, state: states(entity.LoadStateNotExist), collection: has(true), partition: hasErr(errors.New("request failed")), want: errTransient},
		{name: "0 %, and the state fails", state: stateErr(down), want: errTransient},
		{name: "unavailable", err: down, want: errTransient},
		{name: "no permission", err: denied, want: errPermanent},
		{name: "canceled by the server", err: context.Canceled, want: errTransient},
		{name: "the client was never connected", err: client.ErrClientNotReady, want: errPermanent},
		{name: "no collection, by the client", err: client.ErrCollectionNotExists{}, want: milvuswait.ErrCollectionNotFound},
		{name: "no partition, by the client", err: client.ErrPartitionNotExists{}, want: milvuswait.ErrPartitionNotFound},
		{name: "no collection, in the words of other versions", err: errors.New("collection not found[collection=docs]"), state: states(entity.LoadStateNotExist), collection: has(false), want: milvuswait.ErrCollectionNotFound},
		{name: "not loaded, in the words of other versions", err: errors.New("collection not loaded[collection=docs]"), state: states(entity.LoadStateNotLoad), want: milvuswait.ErrNotLoaded},
		{name: "an error without a known text", err: errors.New("Service failed"), state: states(entity.LoadStateLoading), want: errTransient},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := &mock{loading: func(collection string, partitions []string) (int64, error) {
				require.Equal(t, "docs", collection)
				require.Equal(t, tt.partitions, partitions)
				return tt.percent, tt.err
			}}

			if tt.state != nil {
				m.state = func(collection string, partitions []string) (entity.LoadState, error) {
					require.Equal(t, "docs", collection)
					require.Equal(t, tt.partitions, partitions)
					return tt.state.value, tt.state.err
				}
			}
			if tt.collection != nil {
				m.collection = func(string) (bool, error) { return tt.collection.value, tt.collection.err }
			}
			if tt.partition != nil {
				m.partition = func(_, partition string) (bool, error) {
					require.Contains(t, tt.partitions, partition)
					return tt.partition.value, tt.partition.err
				}
			}

			got, err := sdk.New(m).LoadingProgress(t.Context(), "docs", tt.partitions...)

			requireClass(t, tt.want, err)
			if tt.want == nil {
				require.Equal(t, milvuswait.LoadingProgress{Percent: tt.percent}, got)
			} else {
				require.Zero(t, got)
			}

			for _, ctx := range m.lastContexts {
				require.Equal(t, t.Context(), ctx)
			}
		})
	}
}

// TestFallback_Progress_IsOneCall shows that a poll is one call, unless the load is at
// 0 %.
func TestFallback_Progress_IsOneCall(t *testing.T) {
	t.Parallel()
	m := &mock{
		loading: func(string, []string) (int64, error) { return 40, nil },
		state:   func(string, []string) (entity.LoadState, error) { return entity.LoadStateLoading, nil },
		index:   func(string, string, ...client.IndexOption) (int64, int64, error) { return 10, 4, nil },
	}
	p := sdk.New(m)

	_, err := p.LoadingProgress(t.Context(), "docs")
	require.NoError(t, err)
	require.Equal(t, []string{"GetLoadingProgress"}, m.calls)

	_, err = p.IndexBuildingProgress(t.Context(), "docs", "vec")
	require.NoError(t, err)
	require.Equal(t, []string{"GetLoadingProgress", "GetIndexBuildProgress"}, m.calls)

	m.calls, m.loading = nil, func(string, []string) (int64, error) { return 0, nil }
	_, err = p.LoadingProgress(t.Context(), "docs")
	require.NoError(t, err)
	require.Equal(t, []string{"GetLoadingProgress", "GetLoadState"}, m.calls)
}

// TestFallback_IndexBuildingProgress covers the progress and the errors of
// GetIndexBuildProgress. It returns counts of rows only, so the state follows from them.
func TestFallback_IndexBuildingProgress(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name           string
		total, indexed int64
		err            error
		progress       milvuswait.IndexBuildingProgress
		want           error
	}{
		{"half", 10, 4, nil, milvuswait.IndexBuildingProgress{TotalRows: 10, IndexedRows: 4, State: milvuswait.IndexStateInProgress, IndexName: "vec"}, nil},
		{"one row short", 10, 9, nil, milvuswait.IndexBuildingProgress{TotalRows: 10, IndexedRows: 9, State: milvuswait.IndexStateInProgress, IndexName: "vec"}, nil},
		{"all", 10, 10, nil, milvuswait.IndexBuildingProgress{TotalRows: 10, IndexedRows: 10, State: milvuswait.IndexStateFinished, IndexName: "vec"}, nil},
		{"more than all", 10, 15, nil, milvuswait.IndexBuildingProgress{TotalRows: 10, IndexedRows: 15, State: milvuswait.IndexStateFinished, IndexName: "vec"}, nil},
		{"no rows", 0, 0, nil, milvuswait.IndexBuildingProgress{State: milvuswait.IndexStateFinished, IndexName: "vec"}, nil},
		{"failed", 0, 0, errors.New("index build failed: oom on\x1b[2J node 3"), milvuswait.IndexBuildingProgress{State: milvuswait.IndexStateFailed, FailReason: "oom on[2J node 3", IndexName: "vec"}, nil},
		{"no such index", 0, 0, errors.New("index not found[index=vec]"), milvuswait.IndexBuildingProgress{}, milvuswait.ErrIndexNotFound},
		{"no description", 0, 0, errors.New("index not found"), milvuswait.IndexBuildingProgress{}, milvuswait.ErrIndexNotFound},
		{"no such collection", 0, 0, errors.New("collection not found[collection=docs]"), milvuswait.IndexBuildingProgress{}, milvuswait.ErrCollectionNotFound},
		{"no such collection on 2.2", 0, 0, errors.New("can't find collection default:docs"), milvuswait.IndexBuildingProgress{}, milvuswait.ErrCollectionNotFound},
		{"rate limit", 0, 0, errors.New("rate limit exceeded[rate=1]"), milvuswait.IndexBuildingProgress{}, errTransient},
		{"not ready", 0, 0, errors.New("service not ready"), milvuswait.IndexBuildingProgress{}, errTransient},
		{"no status", 0, 0, client.ErrStatusNil, milvuswait.IndexBuildingProgress{}, errTransient},
		{"unavailable", 0, 0, status.Error(codes.Unavailable, "down"), milvuswait.IndexBuildingProgress{}, errTransient},
		{"no permission", 0, 0, fmt.Errorf("wrapped: %w", status.Error(codes.PermissionDenied, "no")), milvuswait.IndexBuildingProgress{}, errPermanent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := &mock{
				index: func(collection, field string, opts ...client.IndexOption) (int64, int64, error) {
					require.Equal(t, "docs", collection)
					require.Empty(t, field)
					require.Len(t, opts, 1)
					return tt.total, tt.indexed, tt.err
				},
				state:      func(string, []string) (entity.LoadState, error) { return entity.LoadStateNotExist, nil },
				collection: func(string) (bool, error) { return false, nil },
			}

			got, err := sdk.New(m).IndexBuildingProgress(t.Context(), "docs", "vec")

			requireClass(t, tt.want, err)
			require.Equal(t, tt.progress, got)
			require.Equal(t, tt.name == "no status", errors.Is(err, rpc.ErrMalformed))
		})
	}
}

// TestFallbackNeedsAName shows that the method of the SDK cannot report the only index or all
// indexes: the Poller returns ErrInvalid without a call.
func TestFallbackNeedsAName(t *testing.T) {
	t.Parallel()
	m := &mock{}
	for _, index := range []string{"", milvuswait.AllIndexes} {
		_, err := sdk.New(m).IndexBuildingProgress(t.Context(), "docs", index)

		requireClass(t, milvuswait.ErrInvalid, err)
		require.EqualError(t, err, "invalid argument: sdk: the index has to be named for a client that is no *client.GrpcClient")
	}
	require.Empty(t, m.calls)
}

func TestFallback_Errors(t *testing.T) {
	t.Parallel()
	m := &mock{
		loading: func(string, []string) (int64, error) { return 0, nil },
		state:   func(string, []string) (entity.LoadState, error) { return entity.LoadStateNotExist, nil },
		collection: func(string) (bool, error) {
			return true, nil
		},
		index: func(string, string, ...client.IndexOption) (int64, int64, error) {
			return 0, 0, errors.New("index not found[" + strings.Repeat("x", 1<<20) + "]")
		},
	}
	p := sdk.New(m)

	_, err := p.LoadingProgress(t.Context(), "docs")
	require.EqualError(t, err, "GetLoadState: unknown: LoadStateNotExist of a collection that exists: the SDK has dropped the server's error")

	_, err = p.IndexBuildingProgress(t.Context(), "docs", "vec")
	require.Less(t, len(err.Error()), 1200)
	var reported *milvuswait.ServerError
	require.ErrorAs(t, err, &reported)
	require.Equal(t, int32(1), reported.LegacyCode)
	require.Equal(t, "DescribeIndex", reported.Method)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	m.loading = func(string, []string) (int64, error) { return 0, status.Error(codes.Canceled, "context canceled") }
	_, err = p.LoadingProgress(ctx, "docs")
	require.ErrorIs(t, err, context.Canceled)
}

func TestFallback_CheckLoadState(t *testing.T) {
	t.Parallel()
	m := &mock{state: func(string, []string) (entity.LoadState, error) { return entity.LoadStateNotLoad, nil }}

	checker, ok := sdk.New(m).(milvuswait.LoadStateChecker)

	require.True(t, ok)
	require.ErrorIs(t, checker.CheckLoadState(t.Context(), "docs"), milvuswait.ErrNotLoaded)
}
