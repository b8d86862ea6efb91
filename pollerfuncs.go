package milvuswait

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// PollerFuncs makes a Poller of functions, for clients without an adapter in this module.
// The first two are the methods of Poller: a wait that needs one that is nil fails with
// ErrInvalid. The others are the methods of the optional interfaces: if one is nil, its
// method returns an error that wraps errors.ErrUnsupported, and waits do without.
type PollerFuncs struct {
	Loading       func(ctx context.Context, collection string, partitions ...string) (LoadingProgress, error)
	IndexBuilding func(ctx context.Context, collection, index string) (IndexBuildingProgress, error)

	// LoadState is CheckLoadState.
	LoadState func(ctx context.Context, collection string, partitions ...string) error

	// LoadingList is ListLoading.
	LoadingList func(ctx context.Context) (map[string]LoadingProgress, error)

	// IndexBuildingList is ListIndexBuilding.
	IndexBuildingList func(ctx context.Context, collection string, indexes []string) (progress []IndexBuildingProgress, errs []error)
}

var (
	_ Poller           = PollerFuncs{}
	_ LoadStateChecker = PollerFuncs{}
	_ Lister           = PollerFuncs{}
	_ IndexLister      = PollerFuncs{}
)

// LoadingProgress calls f.Loading.
func (f PollerFuncs) LoadingProgress(ctx context.Context, collection string, partitions ...string) (LoadingProgress, error) {
	if f.Loading == nil {
		return LoadingProgress{}, errNoLoading
	}
	return f.Loading(ctx, collection, partitions...)
}

// IndexBuildingProgress calls f.IndexBuilding.
func (f PollerFuncs) IndexBuildingProgress(ctx context.Context, collection, index string) (IndexBuildingProgress, error) {
	if f.IndexBuilding == nil {
		return IndexBuildingProgress{}, errNoIndexBuilding
	}
	return f.IndexBuilding(ctx, collection, index)
}

// CheckLoadState calls f.LoadState.
func (f PollerFuncs) CheckLoadState(ctx context.Context, collection string, partitions ...string) error {
	if f.LoadState == nil {
		return unsupported("LoadState")
	}
	return f.LoadState(ctx, collection, partitions...)
}

// ListLoading calls f.LoadingList.
func (f PollerFuncs) ListLoading(ctx context.Context) (map[string]LoadingProgress, error) {
	if f.LoadingList == nil {
		return nil, unsupported("LoadingList")
	}
	return f.LoadingList(ctx)
}

// ListIndexBuilding calls f.IndexBuildingList.
func (f PollerFuncs) ListIndexBuilding(ctx context.Context, collection string, indexes []string) ([]IndexBuildingProgress, []error) {
	if f.IndexBuildingList == nil {
		return make([]IndexBuildingProgress, len(indexes)), slices.Repeat([]error{unsupported("IndexBuildingList")}, len(indexes))
	}
	return f.IndexBuildingList(ctx, collection, indexes)
}

// unsupported returns the error of an optional method whose field of PollerFuncs is nil.
func unsupported(field string) error {
	return fmt.Errorf("PollerFuncs.%s is nil: %w", field, errors.ErrUnsupported)
}

var (
	errNoLoading       = fmt.Errorf("%w: PollerFuncs.Loading is nil", ErrInvalid)
	errNoIndexBuilding = fmt.Errorf("%w: PollerFuncs.IndexBuilding is nil", ErrInvalid)
)
