// Package testsetup is a service that searches documents and, which is what it is
// here for, its tests: unit tests of its start with package fake, in virtual time,
// and a test on a real server.
package testsetup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"github.com/milvuswait/milvuswait"
)

// ErrNotReady: the collection is not loaded yet.
var ErrNotReady = errors.New("not ready")

// stallTimeout is longer than the 10 min after which Milvus itself gives up a load
// that gets nowhere, so that its reason comes first.
const stallTimeout = 15 * time.Minute

// Milvus is what the service needs of a client of milvus-sdk-go, which has it.
type Milvus interface {
	LoadCollection(ctx context.Context, collection string, async bool, opts ...client.LoadCollectionOption) error
	Search(ctx context.Context, collection string, partitions []string, expr string, outputFields []string,
		vectors []entity.Vector, vectorField string, metric entity.MetricType, topK int, param entity.SearchParam,
		opts ...client.SearchQueryOptionFunc) ([]client.SearchResult, error)
}

// Service searches one collection: of int64 keys and a field "vector" with an
// HNSW index. It is made by New.
type Service struct {
	milvus     Milvus
	poller     milvuswait.Poller
	collection string
	log        *slog.Logger
	loading    atomic.Pointer[milvuswait.Update] // nil before Start
}

// New returns a service that has to be started. The Poller is sdk.New of the
// client, but for tests.
func New(m Milvus, p milvuswait.Poller, collection string, log *slog.Logger) *Service {
	return &Service{milvus: m, poller: p, collection: collection, log: log}
}

// Start loads the collection and returns when it can be searched, or when ctx has
// ended.
func (s *Service) Start(ctx context.Context) error {
	if err := s.milvus.LoadCollection(ctx, s.collection, true); err != nil {
		return fmt.Errorf("loading %s: %w", s.collection, err)
	}
	keep := milvuswait.ObserverFunc(func(u milvuswait.Update) { s.loading.Store(&u) })
	_, err := milvuswait.WaitForLoadingComplete(ctx, s.poller, s.collection,
		milvuswait.WithStallTimeout(stallTimeout),
		milvuswait.WithObserver(milvuswait.Observers(keep, milvuswait.Log(s.log))))
	return err
}

// Ready returns nil if the collection is loaded, else an ErrNotReady that says how
// far it is: what a readiness probe wants to know.
func (s *Service) Ready() error {
	u := s.loading.Load()
	switch {
	case u == nil:
		return fmt.Errorf("%w: %s is not being loaded", ErrNotReady, s.collection)
	case u.Final && u.Err == nil:
		return nil
	case u.Err != nil:
		return fmt.Errorf("%w: %w", ErrNotReady, u.Err)
	}
	return fmt.Errorf("%w: loading %s, %v", ErrNotReady, s.collection, u.Progress)
}

// Search returns the keys of the k documents that are nearest to the vector, the
// nearest first, or ErrNotReady.
func (s *Service) Search(ctx context.Context, vector []float32, k int) ([]int64, error) {
	if err := s.Ready(); err != nil {
		return nil, err
	}
	param, err := entity.NewIndexHNSWSearchParam(max(64, k))
	if err != nil {
		return nil, err
	}
	results, err := s.milvus.Search(ctx, s.collection, nil, "", nil,
		[]entity.Vector{entity.FloatVector(vector)}, "vector", entity.L2, k, param)
	if err != nil {
		return nil, fmt.Errorf("searching %s: %w", s.collection, err)
	}
	if len(results) != 1 {
		return nil, fmt.Errorf("searching %s: %d results for one vector", s.collection, len(results))
	}
	if results[0].Err != nil {
		return nil, fmt.Errorf("searching %s: %w", s.collection, results[0].Err)
	}
	keys, ok := results[0].IDs.(*entity.ColumnInt64)
	if !ok {
		return nil, fmt.Errorf("searching %s: keys are %T and not int64", s.collection, results[0].IDs)
	}
	return keys.Data(), nil
}
