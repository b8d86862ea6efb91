// Package testsetup is an example of tests. It contains a service that searches documents,
// unit tests of its start with package fake in virtual time, and a test on a real server.
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

// ErrNotReady is in the error of a service whose collection is not loaded yet.
var ErrNotReady = errors.New("not ready")

// stallTimeout exceeds the 10 min after which Milvus ends a stalled load itself. So the wait
// returns the reason of Milvus.
const stallTimeout = 15 * time.Minute

// Milvus is the part of milvus-sdk-go's client.Client that the service uses.
type Milvus interface {
	LoadCollection(ctx context.Context, collection string, async bool, opts ...client.LoadCollectionOption) error
	Search(ctx context.Context, collection string, partitions []string, expr string, outputFields []string,
		vectors []entity.Vector, vectorField string, metric entity.MetricType, topK int, param entity.SearchParam,
		opts ...client.SearchQueryOptionFunc) ([]client.SearchResult, error)
}

// Service searches one collection, with int64 keys and an HNSW index of the field "vector".
// New makes one.
type Service struct {
	milvus     Milvus
	poller     milvuswait.Poller
	collection string
	log        *slog.Logger
	loading    atomic.Pointer[milvuswait.Update] // nil before Start
}

// New returns a service for the collection. The caller must start it. Except in tests, the
// Poller is sdk.New of the client.
func New(m Milvus, p milvuswait.Poller, collection string, log *slog.Logger) *Service {
	return &Service{milvus: m, poller: p, collection: collection, log: log}
}

// Start loads the collection. It returns nil once the collection is loaded, and an error if
// the load fails or ctx ends.
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

// Ready returns nil if the collection is loaded, and otherwise ErrNotReady with the progress
// of the load. Use it for a readiness probe.
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

// Search returns the keys of the k documents nearest to the vector, the nearest first. It
// returns ErrNotReady before the collection is loaded.
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
