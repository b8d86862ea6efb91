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

// recorder is a TB with a record of its calls.
type recorder struct{ defects, logs []string }

func (r *recorder) Helper()           {}
func (r *recorder) Log(args ...any)   { r.logs = append(r.logs, fmt.Sprint(args...)) }
func (r *recorder) Error(args ...any) { r.defects = append(r.defects, fmt.Sprint(args...)) }

// run returns the reports of the suite for p.
func run(p milvuswait.Poller, w pollertest.World) *recorder {
	r := new(recorder)
	pollertest.Run(r, p, w)
	return r
}

type (
	loadingFunc  = func(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error)
	buildingFunc = func(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error)
)

// spoiled is a correct Poller with a defect in one method.
type spoiled struct {
	good     func() milvuswait.Poller // a function: Run must not find a wrapped Poller
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

// loading adds a defect to LoadingProgress.
func loading(f func(good loadingFunc, ctx context.Context, collection string, partitions []string) (milvuswait.LoadingProgress, error)) spoiled {
	return spoiled{loading: func(good loadingFunc) loadingFunc {
		return func(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error) {
			return f(good, ctx, collection, partitions)
		}
	}}
}

// building adds a defect to IndexBuildingProgress.
func building(f func(good buildingFunc, ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error)) spoiled {
	return spoiled{building: func(good buildingFunc) buildingFunc {
		return func(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error) {
			return f(good, ctx, collection, index)
		}
	}}
}
