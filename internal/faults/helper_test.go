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

// kind is a kind of wait.
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

// ofMany is the kind for the wait that is made for many targets.
func (k kind) ofMany() kind {
	k.name += " of WaitAll"
	k.wait = func(ctx context.Context, p milvuswait.Poller, opts ...milvuswait.Option) error {
		_, err := milvuswait.WaitAll(ctx, p, []milvuswait.Target{k.target}, opts...)
		return err
	}
	return k
}

var kinds = []kind{load, index, load.ofMany(), index.ofMany()}

// adapter is a way to a Poller. The connection is the test's to close.
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
			// All but WithBlock, and no call of Connect: the server need not be there.
			DialOptions: slices.Concat(client.DefaultGrpcOpts[1:], opts),
			DisableConn: true,
		})
		if err != nil {
			return nil, nil, err
		}
		return sdk.New(c), c, nil
	}},
}

// recommended returns the settings of a connection for waits.
func recommended() []grpc.DialOption {
	return append(rpc.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))
}

// each runs f for each kind of wait by each adapter.
func each(t *testing.T, f func(t *testing.T, k kind, a adapter)) {
	t.Helper()
	eachOf(t, kinds, f)
}

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

// rig is a wait's way to a server: over a bridge.
type rig struct {
	kind
	poller milvuswait.Poller
	conn   io.Closer
	bridge *bridge.Bridge
	server *server
	seen   fake.Observer
}

// inBubbles runs f for each kind of wait by each adapter, in a bubble, where the
// server answers as it is told.
func inBubbles(t *testing.T, answer func(ctx context.Context, n int) answer, f func(t *testing.T, r *rig), opts ...grpc.ServerOption) {
	t.Helper()
	each(t, func(t *testing.T, k kind, a adapter) {
		synctest.Test(t, func(t *testing.T) { f(t, bubble(t, k, a, answer, opts...)) })
	})
}

// bubble returns a rig in memory that ends with the bubble of the test.
func bubble(t *testing.T, k kind, a adapter, answer func(ctx context.Context, n int) answer, opts ...grpc.ServerOption) *rig {
	t.Helper()
	r, through := unconnected(t, k, answer, opts...)
	r.connect(t, a, "bufconn", through...)
	return r
}

// unconnected returns such a rig without a client, and the options for that.
func unconnected(t *testing.T, k kind, answer func(ctx context.Context, n int) answer, opts ...grpc.ServerOption) (*rig, []grpc.DialOption) {
	t.Helper()
	front, back := bufconn.Listen(1<<20), bufconn.Listen(1<<20)
	r := &rig{kind: k, server: newServer(answer)}
	milvustest.ServeOn(t, &r.server.Server, back, opts...)
	r.bridge = bridge.New(front, back.DialContext)
	t.Cleanup(r.bridge.Close)
	return r, milvustest.Through(front)
}

func (r *rig) connect(t *testing.T, a adapter, address string, opts ...grpc.DialOption) {
	t.Helper()
	var err error
	r.poller, r.conn, err = a.connect(t.Context(), address, opts...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.conn.Close() }) // again, maybe
}

// run waits, as the server sees it by r.server, and the caller by r.seen.
func (r *rig) run(ctx context.Context, opts ...milvuswait.Option) error {
	return r.wait(ctx, r.poller, append(opts, milvuswait.WithObserver(&r.seen))...)
}

// failures returns what the polls brought that failed and were got over.
func (r *rig) failures() (failures []error) {
	for _, u := range r.seen.Updates() {
		if u.Err != nil && !u.Final {
			failures = append(failures, u.Err)
		}
	}
	return failures
}

// steadily is a pace of a delay that is always the same.
func steadily(d time.Duration) milvuswait.Option {
	return milvuswait.WithBackoff(milvuswait.Backoff{Initial: d, Max: d, Jitter: milvuswait.NoJitter})
}
