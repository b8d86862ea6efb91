package rpc

import (
	"context"
	"fmt"

	grpc_retry "github.com/grpc-ecosystem/go-grpc-middleware/retry"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/typednil"
)

const (
	getLoadingProgress = "GetLoadingProgress"
	getLoadState       = "GetLoadState"
	describeIndex      = "DescribeIndex"
)

// Poller asks a Milvus server by gRPC. It has no state, and is safe for
// concurrent use if its client is, as every generated one is.
//
// The zero Poller has no client: see New.
type Poller struct {
	client   milvuspb.MilvusServiceClient
	database string
}

var (
	_ milvuswait.Poller           = (*Poller)(nil)
	_ milvuswait.LoadStateChecker = (*Poller)(nil)
)

// Option is an option of New.
type Option func(*Poller)

// WithDatabase makes the Poller ask for collections of the database with that
// name. Without it, or with the empty name, the request leaves the choice to the
// connection's dbname header, which milvus-sdk-go and client/v2 set, and where
// that is absent to the server, which takes "default".
//
// Where both are given, newer servers prefer the request and older ones the
// header. Servers before 2.2.9 know no databases and ignore both.
func WithDatabase(name string) Option {
	return func(p *Poller) { p.database = name }
}

// New returns a Poller that asks through client, which stays the caller's to
// close. Every poll of a Poller whose client is nil, or an interface around a
// nil pointer, fails with milvuswait.ErrInvalid.
func New(client milvuspb.MilvusServiceClient, opts ...Option) *Poller {
	p := &Poller{}
	if !typednil.Is(client) {
		p.client = client
	}
	for _, opt := range opts {
		if opt != nil {
			opt(p)
		}
	}
	return p
}

// check returns why the Poller cannot ask at all, or nil.
func (p *Poller) check() error {
	if p == nil || p.client == nil {
		return fmt.Errorf("%w: rpc: the Poller has no client", milvuswait.ErrInvalid)
	}
	return nil
}

// LoadingProgress asks GetLoadingProgress. Its errors are those of the package,
// for loads.
func (p *Poller) LoadingProgress(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error) {
	if err := p.check(); err != nil {
		return milvuswait.LoadingProgress{}, err
	}
	resp, err := p.client.GetLoadingProgress(ctx, &milvuspb.GetLoadingProgressRequest{
		DbName: p.database, CollectionName: collection, PartitionNames: partitions,
	}, grpc_retry.Disable())
	if f := failed(getLoadingProgress, resp != nil, resp.GetStatus(), err); f != nil {
		return milvuswait.LoadingProgress{}, p.settled(ctx, f, collection, partitions).error(ctx)
	}
	return milvuswait.LoadingProgress{Percent: resp.GetProgress(), RefreshPercent: resp.GetRefreshProgress()}, nil
}

// IndexBuildingProgress asks DescribeIndex for the named index, or for all if
// index is empty or milvuswait.AllIndexes, with the greatest timestamp, so that
// the state covers every flushed segment and not only those that are older than
// the index. 2.2.16 ignores it and says Finished while rows are pending, so that
// milvuswait.ServerState is early there.
//
// A single index that the server answers with is taken for the named one
// whatever it is called: milvus-lite calls every index by its field's name. Among
// several the name decides; if none has it the error is ErrIndexNotFound. Several
// for the empty name are ErrAmbiguousIndex, which lists them, and none at all is
// ErrIndexNotFound. Of AllIndexes a failed one is furthest behind, then one that
// is not finished, then one that is not complete, then the one with the least
// share of rows done; of equals the first by name. The other errors are those of
// the package, for indexes.
func (p *Poller) IndexBuildingProgress(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error) {
	name := index
	if index == milvuswait.AllIndexes {
		name = ""
	}
	described, err := p.describe(ctx, collection, name)
	if err != nil {
		return milvuswait.IndexBuildingProgress{}, err
	}
	return chosen(ctx, described, index)
}

// CheckLoadState asks GetLoadState. It returns nil if the collection (or, if
// partitions are named, each of those partitions) is loading or loaded,
// ErrNotLoaded or ErrCollectionNotFound if it is not, and for a GetLoadState
// that failed the errors of the package, for loads.
//
// NotExist is also what every server answers when it failed to look the name up,
// and NotLoad what 2.2 answers while its query coordinator is away: ask after a
// poll that succeeded, as waits do.
func (p *Poller) CheckLoadState(ctx context.Context, collection string, partitions ...string) error {
	if err := p.check(); err != nil {
		return err
	}
	state, f := p.loadState(ctx, collection, partitions)
	if f != nil {
		if f.class == unsettled {
			f.class = settle(f.said.Code, f.said.Reason, getLoadState, noState)
		}
		return f.error(ctx)
	}
	switch state {
	case commonpb.LoadState_LoadStateLoading, commonpb.LoadState_LoadStateLoaded:
		return nil
	case commonpb.LoadState_LoadStateNotLoad:
		return during(ctx, fmt.Errorf("%w: %s: %v", milvuswait.ErrNotLoaded, getLoadState, state))
	case commonpb.LoadState_LoadStateNotExist:
		return during(ctx, fmt.Errorf("%w: %s: %v", milvuswait.ErrCollectionNotFound, getLoadState, state))
	}
	return during(ctx, fmt.Errorf("%s: %w: load state %d", getLoadState, ErrMalformed, state))
}

// settled returns f, classified by one GetLoadState where its codes and text did
// not do.
func (p *Poller) settled(ctx context.Context, f *failure, collection string, partitions []string) *failure {
	if f.class != unsettled {
		return f
	}
	state, failed := p.loadState(ctx, collection, partitions)
	if failed != nil {
		state = noState
	}
	f.class = settle(f.said.Code, f.said.Reason, f.said.Method, state)
	return f
}

func (p *Poller) loadState(ctx context.Context, collection string, partitions []string) (commonpb.LoadState, *failure) {
	resp, err := p.client.GetLoadState(ctx, &milvuspb.GetLoadStateRequest{
		DbName: p.database, CollectionName: collection, PartitionNames: partitions,
	}, grpc_retry.Disable())
	return resp.GetState(), failed(getLoadState, resp != nil, resp.GetStatus(), err)
}
