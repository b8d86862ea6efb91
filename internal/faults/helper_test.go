package faults_test

import (
	"context"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/milvus-io/milvus-sdk-go/v2/client"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/internal/bridge"
	"github.com/milvuswait/milvuswait/internal/milvustest"
	"github.com/milvuswait/milvuswait/rpc"
	"github.com/milvuswait/milvuswait/sdk"
)

// kind is one of the functions to wait by, with its target.
type kind struct {
	name   string
	method string // the RPC of its polls
	target milvuswait.Target
	wait   func(ctx context.Context, p milvuswait.Poller, opts ...milvuswait.Option) error
}

var (
	load = kind{"load", "GetLoadingProgress", milvuswait.Loading("docs"),
		func(ctx context.Context, p milvuswait.Poller, opts ...milvuswait.Option) error {
			_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", opts...)
			return err
		}}
	index = kind{"index", "DescribeIndex", milvuswait.IndexBuilding("docs", "vidx"),
		func(ctx context.Context, p milvuswait.Poller, opts ...milvuswait.Option) error {
			_, err := milvuswait.WaitForIndexBuildingComplete(ctx, p, "docs", append(opts, milvuswait.WithIndex("vidx"))...)
			return err
		}}
)

// ofMany returns the kind with WaitAll instead, for the same target.
func (k kind) ofMany() kind {
	k.name += " of WaitAll"
	k.wait = func(ctx context.Context, p milvuswait.Poller, opts ...milvuswait.Option) error {
		_, err := milvuswait.WaitAll(ctx, p, []milvuswait.Target{k.target}, opts...)
		return err
	}
	return k
}

var kinds = []kind{load, index, load.ofMany(), index.ofMany()}

// adapter creates a Poller with its connection. The test closes the connection.
type adapter struct {
	name    string
	connect func(ctx context.Context, address string, opts ...grpc.DialOption) (milvuswait.Poller, io.Closer, error)
}

var adapters = []adapter{
	{"rpc", func(_ context.Context, address string, opts ...grpc.DialOption) (milvuswait.Poller, io.Closer, error) {
		conn, err := grpc.NewClient("passthrough:///"+address, append(recommended(), opts...)...)
		if err != nil {
			return nil, nil, err
		}
		return rpc.New(conn), conn, nil
	}},
	{"sdk", func(ctx context.Context, address string, opts ...grpc.DialOption) (milvuswait.Poller, io.Closer, error) {
		c, err := client.NewClient(ctx, client.Config{
			Address: address,
			// All defaults except WithBlock, and no Connect: the server may be away.
			DialOptions: slices.Concat(client.DefaultGrpcOpts[1:], opts),
			DisableConn: true,
		})
		if err != nil {
			return nil, nil, err
		}
		return sdk.New(c), c, nil
	}},
}

// recommended returns the recommended options of a connection for waits.
func recommended() []grpc.DialOption {
	return append(rpc.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))
}

// each runs f for each kind of wait by each adapter.
func each(t *testing.T, f func(t *testing.T, k kind, a adapter)) {
	t.Helper()
	eachOf(t, kinds, f)
}

// eachOf runs f for each of kinds by each adapter.
func eachOf(t *testing.T, kinds []kind, f func(t *testing.T, k kind, a adapter)) {
	t.Helper()
	for _, k := range kinds {
		for _, a := range adapters {
			t.Run(k.name+" by "+a.name, func(t *testing.T) {
				t.Parallel()
				f(t, k, a)
			})
		}
	}
}

// rig is a Poller with its connection to a server over a bridge.
type rig struct {
	kind
	poller milvuswait.Poller
	conn   io.Closer
	bridge *bridge.Bridge
	server *server
	seen   fake.Observer
}

// inBubbles runs f for each kind of wait by each adapter, in a bubble. The server's n-th
// response is answer(ctx, n).
func inBubbles(t *testing.T, answer func(ctx context.Context, n int) answer, f func(t *testing.T, r *rig), opts ...grpc.ServerOption) {
	t.Helper()
	each(t, func(t *testing.T, k kind, a adapter) {
		synctest.Test(t, func(t *testing.T) { f(t, bubble(t, k, a, answer, opts...)) })
	})
}

// bubble returns a rig in memory. It is closed at the end of the test.
func bubble(t *testing.T, k kind, a adapter, answer func(ctx context.Context, n int) answer, opts ...grpc.ServerOption) *rig {
	t.Helper()
	r, through := unconnected(t, k, answer, opts...)
	r.connect(t, a, "bufconn", through...)
	return r
}

// unconnected returns a rig in memory without a client, and the options to connect one.
func unconnected(t *testing.T, k kind, answer func(ctx context.Context, n int) answer, opts ...grpc.ServerOption) (*rig, []grpc.DialOption) {
	t.Helper()
	front, back := bufconn.Listen(1<<20), bufconn.Listen(1<<20)

	r := &rig{kind: k, server: newServer(answer)}
	milvustest.ServeOn(t, &r.server.Server, back, opts...)
	r.bridge = bridge.New(front, back.DialContext)
	t.Cleanup(r.bridge.Close)

	return r, milvustest.Through(front)
}

// connect creates the Poller of r for the server at address.
func (r *rig) connect(t *testing.T, a adapter, address string, opts ...grpc.DialOption) {
	t.Helper()
	var err error
	r.poller, r.conn, err = a.connect(t.Context(), address, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.conn.Close() }) // the test may have closed it already
}

// run waits. r.server records its polls, and r.seen its updates.
func (r *rig) run(ctx context.Context, opts ...milvuswait.Option) error {
	return r.wait(ctx, r.poller, append(opts, milvuswait.WithObserver(&r.seen))...)
}

// failures returns the errors of the polls that the wait tolerated.
func (r *rig) failures() (failures []error) {
	for _, u := range r.seen.Updates() {
		if u.Err != nil && !u.Final {
			failures = append(failures, u.Err)
		}
	}
	return failures
}

// steadily sets a delay of exactly d between polls.
func steadily(d time.Duration) milvuswait.Option {
	return milvuswait.WithBackoff(milvuswait.Backoff{Initial: d, Max: d, Jitter: milvuswait.NoJitter})
}
