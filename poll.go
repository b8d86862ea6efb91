package milvuswait

import (
	"context"
	"fmt"
)

// AllIndexes, as the index of a wait or of a poll, stands for every index of
// the collection: the answer is that of the index which is furthest behind.
// Milvus allows letters, digits and underscores in index names, so that no
// index can be called so.
const AllIndexes = "*"

// A Poller asks a Milvus server, once a call, how far it is.
//
// Package rpc has the Poller for real servers, package sdk one for
// milvus-sdk-go/v2, package fake one for tests, and [PollerFuncs] makes one of
// two functions. Package milvuswaittest/pollertest checks one that you wrote. An
// implementation must be safe for concurrent use, return an error soon after ctx
// is done (any that passes; that of ctx is best), and report every failure of the
// server as an error, also those that came in the body of an answer: progress 0
// with a nil error means that the server itself said 0. No wait asks for empty
// names, but for the index.
//
// An error is taken to be passing, and the wait goes on polling, unless it is
// one of the package's sentinels (such as [ErrCollectionNotFound]) or was marked
// by [Permanent].
type Poller interface {
	// LoadingProgress returns how far the loading of the collection is, or, if
	// partitions are named, of those partitions together. A collection or
	// partition that is not loaded and not being loaded is ErrNotLoaded.
	LoadingProgress(ctx context.Context, collection string, partitions ...string) (LoadingProgress, error)

	// IndexBuildingProgress returns how far the named index of the collection
	// is. The empty name means the only index of the collection: several are
	// ErrAmbiguousIndex, none is ErrIndexNotFound. AllIndexes means the one that
	// is furthest behind.
	IndexBuildingProgress(ctx context.Context, collection, index string) (IndexBuildingProgress, error)
}

// A LoadStateChecker is a Poller that can tell "0 % because nothing was loaded"
// from "0 % so far". A wait for a load asks it once when progress has stood at 0
// for three polls, since milvus-lite answers 0 %, without an error, for a
// collection that was released: such a wait would never end.
type LoadStateChecker interface {
	// CheckLoadState returns nil if the collection (or, if partitions are named,
	// those partitions) is loading or loaded; ErrNotLoaded, ErrLoadFailed or one of
	// the sentinels for what is not found if it is not; and any other error, which
	// does not end the wait, if that cannot be told.
	CheckLoadState(ctx context.Context, collection string, partitions ...string) error
}

// A Lister is a Poller that can tell of all loads at once. WaitAll asks it so
// when two or more loads of whole collections are due together.
type Lister interface {
	// ListLoading returns the progress of every collection that is loading or
	// loaded, by name. It is no error that one is not there: that one is asked for
	// alone. Nor is it if nothing at all can be told: the map is empty then. The
	// caller reads the map later too, so that it may not be changed any more. After an
	// error that wraps errors.ErrUnsupported, the wait makes no more lists.
	ListLoading(ctx context.Context) (map[string]LoadingProgress, error)
}

// An IndexLister is a Poller that can tell of several indexes of one collection
// at once. WaitAll asks it so when it waits for two or more of them.
type IndexLister interface {
	// ListIndexBuilding returns, by one question to the server and in the order of
	// indexes, what IndexBuildingProgress would return for each of them. If every error
	// wraps errors.ErrUnsupported, the wait makes no more such lists.
	ListIndexBuilding(ctx context.Context, collection string, indexes []string) ([]IndexBuildingProgress, []error)
}

// PollerFuncs makes a Poller of two functions, for clients that this module has
// no adapter for. A wait that needs a function which is nil fails with ErrInvalid.
type PollerFuncs struct {
	Loading       func(ctx context.Context, collection string, partitions ...string) (LoadingProgress, error)
	IndexBuilding func(ctx context.Context, collection, index string) (IndexBuildingProgress, error)
}

var _ Poller = PollerFuncs{}

// LoadingProgress calls f.Loading.
func (f PollerFuncs) LoadingProgress(ctx context.Context, collection string, partitions ...string) (LoadingProgress, error) {
	if err := f.validate(KindLoading); err != nil {
		return LoadingProgress{}, err
	}
	return f.Loading(ctx, collection, partitions...)
}

// IndexBuildingProgress calls f.IndexBuilding.
func (f PollerFuncs) IndexBuildingProgress(ctx context.Context, collection, index string) (IndexBuildingProgress, error) {
	if err := f.validate(KindIndexBuilding); err != nil {
		return IndexBuildingProgress{}, err
	}
	return f.IndexBuilding(ctx, collection, index)
}

// validate says that f cannot poll targets of that kind.
func (f PollerFuncs) validate(kind Kind) error {
	switch {
	case kind == KindLoading && f.Loading == nil:
		return fmt.Errorf("%w: PollerFuncs.Loading is nil", ErrInvalid)
	case kind == KindIndexBuilding && f.IndexBuilding == nil:
		return fmt.Errorf("%w: PollerFuncs.IndexBuilding is nil", ErrInvalid)
	}
	return nil
}

// Permanent marks an error of a Poller as one that polling again cannot cure,
// such as a missing permission: the wait ends at once. The mark is invisible in
// the text, and errors.Is and errors.As see through it. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }
