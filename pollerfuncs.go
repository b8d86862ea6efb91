package milvuswait

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// PollerFuncs makes a Poller of functions, for clients without an adapter in this module.
// The first two are the methods of Poller, the others those of the optional interfaces. A
// wait that needs a function that is nil fails with ErrInvalid. It does without the
// functions of lists and checks: the method of a function that is nil returns an error that
// wraps errors.ErrUnsupported.
type PollerFuncs struct {
	Loading       func(ctx context.Context, collection string, partitions ...string) (LoadingProgress, error)
	IndexBuilding func(ctx context.Context, collection, index string) (IndexBuildingProgress, error)

	// LoadState is CheckLoadState.
	LoadState func(ctx context.Context, collection string, partitions ...string) error

	// LoadingList is ListLoading.
	LoadingList func(ctx context.Context) (map[string]LoadingProgress, error)

	// IndexBuildingList is ListIndexBuilding.
	IndexBuildingList func(ctx context.Context, collection string, indexes []string) (progress []IndexBuildingProgress, errs []error)

	// Segments is UnflushedSegments. Without it, waits for indexes are unconfirmed.
	Segments func(ctx context.Context, collection string) ([]int64, error)

	// Flush is FlushDone, Import is ImportProgress, Compaction is CompactionProgress, and
	// Server is CheckServer.
	Flush      func(ctx context.Context, collection string, mark FlushMark) (bool, error)
	Import     func(ctx context.Context, job int64) (ImportProgress, error)
	Compaction func(ctx context.Context, id int64) (CompactionProgress, error)
	Server     func(ctx context.Context) error
}

var (
	_ Poller           = PollerFuncs{}
	_ LoadStateChecker = PollerFuncs{}
	_ Lister           = PollerFuncs{}
	_ IndexLister      = PollerFuncs{}
	_ SegmentLister    = PollerFuncs{}
	_ FlushPoller      = PollerFuncs{}
	_ ImportPoller     = PollerFuncs{}
	_ CompactionPoller = PollerFuncs{}
	_ ServerChecker    = PollerFuncs{}
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

// UnflushedSegments calls f.Segments.
func (f PollerFuncs) UnflushedSegments(ctx context.Context, collection string) ([]int64, error) {
	if f.Segments == nil {
		return nil, unsupported("Segments")
	}
	return f.Segments(ctx, collection)
}

// FlushDone calls f.Flush.
func (f PollerFuncs) FlushDone(ctx context.Context, collection string, mark FlushMark) (bool, error) {
	if f.Flush == nil {
		return false, unsupported("Flush")
	}
	return f.Flush(ctx, collection, mark)
}

// ImportProgress calls f.Import.
func (f PollerFuncs) ImportProgress(ctx context.Context, job int64) (ImportProgress, error) {
	if f.Import == nil {
		return ImportProgress{}, unsupported("Import")
	}
	return f.Import(ctx, job)
}

// CompactionProgress calls f.Compaction.
func (f PollerFuncs) CompactionProgress(ctx context.Context, id int64) (CompactionProgress, error) {
	if f.Compaction == nil {
		return CompactionProgress{}, unsupported("Compaction")
	}
	return f.Compaction(ctx, id)
}

// CheckServer calls f.Server.
func (f PollerFuncs) CheckServer(ctx context.Context) error {
	if f.Server == nil {
		return unsupported("Server")
	}
	return f.Server(ctx)
}

// unsupported returns the error of an optional method whose field of PollerFuncs is nil.
func unsupported(field string) error {
	return fmt.Errorf("PollerFuncs.%s is nil: %w", field, errors.ErrUnsupported)
}

var (
	errNoLoading       = fmt.Errorf("%w: PollerFuncs.Loading is nil", ErrInvalid)
	errNoSegmentLister = fmt.Errorf("the Poller does not implement SegmentLister: %w", errors.ErrUnsupported)
	errNoIndexBuilding = fmt.Errorf("%w: PollerFuncs.IndexBuilding is nil", ErrInvalid)
)
