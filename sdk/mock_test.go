package sdk_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"github.com/milvuswait/milvuswait"
)

// mock is a client of which a test says what it answers. What it does not say
// panics, as does every method that no Poller has business with.
type mock struct {
	client.Client

	loading      func(collection string, partitions []string) (int64, error)
	state        func(collection string, partitions []string) (entity.LoadState, error)
	collection   func(collection string) (bool, error)
	partition    func(collection, partition string) (bool, error)
	index        func(collection, field string, opts ...client.IndexOption) (total, indexed int64, err error)
	calls        []string
	lastContexts []context.Context
}

func (m *mock) called(ctx context.Context, method string) {
	m.calls = append(m.calls, method)
	m.lastContexts = append(m.lastContexts, ctx)
}

func (m *mock) GetLoadingProgress(ctx context.Context, collection string, partitions []string) (int64, error) {
	m.called(ctx, "GetLoadingProgress")
	return m.loading(collection, partitions)
}

func (m *mock) GetLoadState(ctx context.Context, collection string, partitions []string) (entity.LoadState, error) {
	m.called(ctx, "GetLoadState")
	return m.state(collection, partitions)
}

func (m *mock) HasCollection(ctx context.Context, collection string) (bool, error) {
	m.called(ctx, "HasCollection")
	return m.collection(collection)
}

func (m *mock) HasPartition(ctx context.Context, collection, partition string) (bool, error) {
	m.called(ctx, "HasPartition")
	return m.partition(collection, partition)
}

func (m *mock) GetIndexBuildProgress(ctx context.Context, collection, field string, opts ...client.IndexOption) (total, indexed int64, err error) {
	m.called(ctx, "GetIndexBuildProgress")
	return m.index(collection, field, opts...)
}

// Passing, and marked by milvuswait.Permanent, for what has no sentinel.
var (
	errPassing   = errors.New("passing")
	errPermanent = errors.New("permanent")
)

var sentinels = []error{
	milvuswait.ErrCollectionNotFound, milvuswait.ErrPartitionNotFound, milvuswait.ErrIndexNotFound,
	milvuswait.ErrDatabaseNotFound, milvuswait.ErrAmbiguousIndex, milvuswait.ErrNotLoaded, milvuswait.ErrReleased,
	milvuswait.ErrLoadFailed, milvuswait.ErrIndexFailed, milvuswait.ErrInvalid,
}

// requireClass asserts that err has the sentinel want and no other, or none and
// ends a wait as want stands for; nil is success.
func requireClass(t *testing.T, want, err error) {
	t.Helper()
	if want == nil {
		require.NoError(t, err)
		return
	}
	require.Error(t, err)
	for _, sentinel := range sentinels {
		require.Equal(t, sentinel == want, errors.Is(err, sentinel), "%v in %v", sentinel, err)
	}
	require.Equal(t, want != errPassing, endsWait(err), "%v", err)
}

// endsWait reports whether a wait ends at once with an error of its Poller.
func endsWait(err error) bool {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	_, waitErr := milvuswait.WaitForLoadingComplete(ctx, milvuswait.PollerFuncs{
		Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{}, err
		},
	}, "docs", milvuswait.WithObserver(milvuswait.ObserverFunc(func(u milvuswait.Update) {
		if !u.Final {
			cancel()
		}
	})))
	return !errors.Is(waitErr, context.Canceled)
}
