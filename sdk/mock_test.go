package sdk_test

import (
	"context"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"github.com/milvuswait/milvuswait/internal/milvustest"
)

var (
	requireClass = milvustest.RequireClass
	errTransient = milvustest.ErrTransient
	errPermanent = milvustest.ErrPermanent
)

// mock is a client with one function for each method that a Poller calls. A nil function and
// every other method panic.
type mock struct {
	client.Client

	loading      func(collection string, partitions []string) (int64, error)
	state        func(collection string, partitions []string) (entity.LoadState, error)
	collection   func(collection string) (bool, error)
	partition    func(collection, partition string) (bool, error)
	index        func(collection, field string, opts ...client.IndexOption) (total, indexed int64, err error)
	segments     func(collection string) ([]*entity.Segment, error)
	imports      func(task int64) (*entity.BulkInsertTaskState, error)
	collections  func() ([]*entity.Collection, error)
	version      func() (string, error) // not among calls, and called on another goroutine
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

func (m *mock) GetPersistentSegmentInfo(ctx context.Context, collection string) ([]*entity.Segment, error) {
	m.called(ctx, "GetPersistentSegmentInfo")
	return m.segments(collection)
}

func (m *mock) GetBulkInsertState(ctx context.Context, task int64) (*entity.BulkInsertTaskState, error) {
	m.called(ctx, "GetBulkInsertState")
	return m.imports(task)
}

func (m *mock) ListCollections(ctx context.Context, _ ...client.ListCollectionOption) ([]*entity.Collection, error) {
	m.called(ctx, "ListCollections")
	return m.collections()
}

func (m *mock) GetVersion(context.Context) (string, error) { return m.version() }
