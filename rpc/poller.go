package rpc

import (
	"context"
	"fmt"
	"slices"

	grpc_retry "github.com/grpc-ecosystem/go-grpc-middleware/retry"
	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/typednil"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// Poller polls a Milvus server by gRPC. It is safe for concurrent use if its
// connection is, as every *grpc.ClientConn is. New and FromStub make one.
type Poller struct {
	// conn makes the calls with the call options. It is a function, because a
	// connection and call options hold credentials, which fmt would print.
	conn     invoke
	invalid  error // why there is no conn
	database string
	version  *versionCheck
}

var (
	_ milvuswait.Poller           = (*Poller)(nil)
	_ milvuswait.LoadStateChecker = (*Poller)(nil)
)

// Option is an option of New and FromStub.
type Option func(*config)

type config struct {
	database string
	call     []grpc.CallOption
}

// WithDatabase makes the Poller poll collections of the named database. It sets the
// database in the request, and in the dbname header unless the context of the poll
// has one: Milvus 2.2.9 to 2.6 look a collection up in the database of the request,
// but check the rights of the user in the database of the header. A name that is not
// printable ASCII is no name of a database and cannot be in a header: only the request
// has it.
//
// Without it, or with the empty name, the dbname header of the connection decides,
// which milvus-sdk-go, client/v2 and client/v3 set. If there is none, the server uses
// "default". Servers before 2.2.9 have no databases and ignore both.
func WithDatabase(name string) Option {
	return func(c *config) { c.database = name }
}

// WithCallOptions adds options to every call. Use it to switch off the retries of an
// interceptor: retry.Disable() of go-grpc-middleware/v2, for example. The retries of
// Milvus' own clients are switched off without it.
func WithCallOptions(opts ...grpc.CallOption) Option {
	return func(c *config) {
		for _, opt := range opts {
			if opt != nil {
				c.call = append(c.call, opt)
			}
		}
	}
}

// New returns a Poller that calls Milvus over conn: a *grpc.ClientConn, the Conn of a
// milvus-sdk-go client, or a wrapper of one. The caller closes conn.
//
// Interceptors on the connection see messages with Milvus' fields and getters, but not
// the types of go-api. Use FromStub for an interceptor that asserts those types.
//
// If conn is nil, or an interface around a nil pointer, every poll fails with
// milvuswait.ErrInvalid.
func New(conn grpc.ClientConnInterface, opts ...Option) *Poller {
	if typednil.Is(conn) {
		return &Poller{invalid: invalid("the connection is nil")}
	}
	return newPoller(conn, opts)
}

func newPoller(conn wire.Conn, opts []Option) *Poller {
	c := config{call: []grpc.CallOption{grpc_retry.Disable()}}
	for _, opt := range opts {
		if opt != nil {
			opt(&c)
		}
	}

	// Concurrent calls share the options, and interceptors append to them. Options of the
	// program follow ours, so that they apply.
	options := slices.Clip(c.call)
	large := slices.Clip(append([]grpc.CallOption{grpc.MaxCallRecvMsgSize(maxSegmentList)}, c.call...))
	return &Poller{database: c.database, version: new(versionCheck), conn: func(ctx context.Context, method string, req, resp any) error {
		if method == string(wire.GetPersistentSegmentInfo) {
			return conn.Invoke(ctx, method, req, resp, large...)
		}
		return conn.Invoke(ctx, method, req, resp, options...)
	}}
}

// invoke makes a unary call with the options of the Poller. It is a wire.Conn.
type invoke func(ctx context.Context, method string, req, resp any) error

// Invoke makes the call. A Poller passes no further options.
func (f invoke) Invoke(ctx context.Context, method string, req, resp any, _ ...grpc.CallOption) error {
	return f(ctx, method, req, resp)
}

// call makes an RPC for p. The caller has called check.
func call[Req, Resp any](ctx context.Context, p *Poller, method wire.Method[Req, Resp], req *Req) (*Resp, error) {
	return method.Call(wire.WithDatabase(ctx, p.database), p.conn, req)
}

// check returns why the Poller cannot poll, or nil.
func (p *Poller) check() error {
	if p == nil || p.conn == nil && p.invalid == nil {
		return invalid("the Poller has no connection: make it by New or FromStub")
	}
	return p.invalid
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: rpc: "+format, append([]any{milvuswait.ErrInvalid}, args...)...)
}

// LoadingProgress calls GetLoadingProgress. The package documents the errors, for loads.
// ErrNotLoaded of several partitions names one that is not loaded, found by GetLoadState.
func (p *Poller) LoadingProgress(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error) {
	if err := p.check(); err != nil {
		return milvuswait.LoadingProgress{}, err
	}

	resp, err := call(ctx, p, wire.GetLoadingProgress, &wire.GetLoadingProgressRequest{
		DbName: p.database, CollectionName: collection, PartitionNames: partitions,
	})
	f := checkResponse(getLoadingProgress, resp.GetStatus(), err)
	if resp != nil && resp.GetStatus() == nil && resp.GetProgress() == 100 {
		f = liteReportsNoLoad()
	}
	if f != nil {
		f = p.settled(ctx, f, collection, partitions)
		if f.class == notLoaded {
			f.err = p.namePartition(ctx, f.err, collection, partitions)
		}
		return milvuswait.LoadingProgress{}, f.error(ctx)
	}
	return milvuswait.LoadingProgress{Percent: resp.GetProgress(), RefreshPercent: resp.GetRefreshProgress()}, nil
}

// IndexBuildingProgress calls DescribeIndex for the named index, or for all if index is
// empty or milvuswait.AllIndexes. It passes the maximum timestamp, so that the state
// covers every flushed segment and not only segments older than the index. 2.2.16
// ignores the timestamp and reports Finished while rows are pending:
// milvuswait.ServerState is early there.
//
// If the response holds a single index, it is the result under any name: milvus-lite
// names every index after its field. Of several, the one with the name is the result: on
// milvus-lite 3.1 and 3.2, the one whose field has the name.
//
//   - ErrIndexNotFound: the response holds no index, or several and none of that name.
//   - ErrAmbiguousIndex: the name is empty, and the response holds several. The error
//     lists them.
//   - ErrInvalid: the server is older than Milvus 2.2.9, according to its GetVersion.
//
// The result for AllIndexes is the index of milvuswait.FurthestBehind. The package
// documents all other errors, for indexes.
func (p *Poller) IndexBuildingProgress(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error) {
	name := index
	if index == milvuswait.AllIndexes {
		name = ""
	}

	described, err := p.describe(ctx, collection, name)
	if err != nil {
		return milvuswait.IndexBuildingProgress{}, err
	}
	return p.chosen(ctx, described, index)
}

// CheckLoadState calls GetLoadState. It returns nil if the collection, or each of the
// named partitions, is loading or loaded, and ErrNotLoaded or ErrCollectionNotFound if
// it is not. If the call fails, the package documents the errors, for loads.
//
// Call it after a successful poll, as waits do: every server also returns NotExist when
// it fails to look the name up, and 2.2 returns NotLoad while its query coordinator is
// away.
func (p *Poller) CheckLoadState(ctx context.Context, collection string, partitions ...string) error {
	if err := p.check(); err != nil {
		return err
	}

	state, f := p.loadState(ctx, collection, partitions)
	if f != nil {
		return f.settledByText().error(ctx)
	}

	switch state {
	case wire.LoadState_LoadStateLoading, wire.LoadState_LoadStateLoaded:
		return nil
	case wire.LoadState_LoadStateNotLoad:
		err := p.namePartition(ctx, fmt.Errorf("%s: %v", getLoadState, state), collection, partitions)
		return withContextErr(ctx, fmt.Errorf("%w: %w", milvuswait.ErrNotLoaded, err))
	case wire.LoadState_LoadStateNotExist:
		return withContextErr(ctx, fmt.Errorf("%w: %s: %v", milvuswait.ErrCollectionNotFound, getLoadState, state))
	}
	return withContextErr(ctx, fmt.Errorf("%s: %w: load state %d", getLoadState, ErrMalformed, state))
}

// settled returns f. If its class is undecided, one GetLoadState decides it.
func (p *Poller) settled(ctx context.Context, f *failure, collection string, partitions []string) *failure {
	if f.class != undecided {
		return f
	}

	state, failed := p.loadState(ctx, collection, partitions)
	if failed != nil {
		state = noState
	}
	f.class = settle(f.reported.Code, f.reported.Reason, f.reported.Method, state)
	return f
}

func (p *Poller) loadState(ctx context.Context, collection string, partitions []string) (wire.LoadState, *failure) {
	resp, err := call(ctx, p, wire.GetLoadState, &wire.GetLoadStateRequest{
		DbName: p.database, CollectionName: collection, PartitionNames: partitions,
	})
	return resp.GetState(), checkResponse(getLoadState, resp.GetStatus(), err)
}
