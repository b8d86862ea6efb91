package pollertest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/milvuswaittest/pollertest"
)

var (
	_ pollertest.TB = (*testing.T)(nil)
	_ pollertest.TB = testing.TB(nil)
)

var errRefused = errors.New("connection refused")

// recorder is a test that keeps what it is told.
type recorder struct{ defects, logs []string }

func (r *recorder) Helper()           {}
func (r *recorder) Log(args ...any)   { r.logs = append(r.logs, fmt.Sprint(args...)) }
func (r *recorder) Error(args ...any) { r.defects = append(r.defects, fmt.Sprint(args...)) }

// run returns what a test of p would have been told.
func run(p milvuswait.Poller, w pollertest.World) *recorder {
	r := new(recorder)
	pollertest.Run(r, p, w)
	return r
}

type (
	loadingFunc  = func(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error)
	buildingFunc = func(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error)
)

// spoiled is a good Poller with a defect in one of its methods.
type spoiled struct {
	good     func() milvuswait.Poller // not a field that Run sees as a wrapped Poller
	loading  func(good loadingFunc) loadingFunc
	building func(good buildingFunc) buildingFunc
}

func (s spoiled) LoadingProgress(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error) {
	if s.loading != nil {
		return s.loading(s.good().LoadingProgress)(ctx, collection, partitions...)
	}
	return s.good().LoadingProgress(ctx, collection, partitions...)
}

func (s spoiled) IndexBuildingProgress(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error) {
	if s.building != nil {
		return s.building(s.good().IndexBuildingProgress)(ctx, collection, index)
	}
	return s.good().IndexBuildingProgress(ctx, collection, index)
}

// loading spoils LoadingProgress.
func loading(f func(good loadingFunc, ctx context.Context, collection string, partitions []string) (milvuswait.LoadingProgress, error)) spoiled {
	return spoiled{loading: func(good loadingFunc) loadingFunc {
		return func(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error) {
			return f(good, ctx, collection, partitions)
		}
	}}
}

// building spoils IndexBuildingProgress.
func building(f func(good buildingFunc, ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error)) spoiled {
	return spoiled{building: func(good buildingFunc) buildingFunc {
		return func(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error) {
			return f(good, ctx, collection, index)
		}
	}}
}
