package faults_test

import (
	"context"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
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

var kinds = []kind{
	{"load", "GetLoadingProgress", milvuswait.Loading("docs"),
		func(ctx context.Context, p milvuswait.Poller, opts ...milvuswait.Option) error {
			_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", opts...)
			return err
		}},
	{"index", "DescribeIndex", milvuswait.IndexBuilding("docs", "vidx"),
		func(ctx context.Context, p milvuswait.Poller, opts ...milvuswait.Option) error {
			_, err := milvuswait.WaitForIndexBuildingComplete(ctx, p, "docs", append(opts, milvuswait.WithIndex("vidx"))...)
			return err
		}},
}

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
		return rpc.New(milvuspb.NewMilvusServiceClient(conn)), conn, nil
	}},
	{"sdk", func(ctx context.Context, address string, opts ...grpc.DialOption) (milvuswait.Poller, io.Closer, error) {
		c, err := client.NewClient(ctx, client.Config{
			Address:     address,
			DialOptions: append(client.DefaultGrpcOpts[1:len(client.DefaultGrpcOpts):len(client.DefaultGrpcOpts)], opts...), // all but WithBlock
			DisableConn: true,                                                                                               // which would need the server to be there
		})
		if err != nil {
			return nil, nil, err
		}
		return sdk.New(c), c, nil
	}},
}

// recommended are the settings that package rpc recommends.
func recommended() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: 10 * time.Second, Timeout: 10 * time.Second, PermitWithoutStream: true,
		}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: backoff.Config{
				BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 3 * time.Second,
			},
			MinConnectTimeout: 3 * time.Second,
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(16 << 20)),
	}
}

// each runs f for each kind of wait by each adapter.
func each(t *testing.T, f func(t *testing.T, k kind, a adapter)) {
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

// answer is what a poll is answered with: so many percent, unless it fails.
type answer struct {
	percent int64
	status  *commonpb.Status // nil for success
	err     error            // of gRPC
	blank   bool             // no status at all, and no more
}

func percent(n int64) answer { return answer{percent: n} }

func rejected(code int32, legacy commonpb.ErrorCode, reason string) answer {
	return answer{percent: 100, status: &commonpb.Status{Code: code, ErrorCode: legacy, Reason: reason}}
}

func refused(code codes.Code, message string) answer {
	return answer{percent: 100, err: status.Error(code, message)}
}

// server is a Milvus where "docs" is as far as it is told, and which remembers
// the polls.
type server struct {
	milvustest.Server
	answer func(ctx context.Context, n int) answer
	start  time.Time

	mu    sync.Mutex
	polls []*poll
}

// poll is a poll as the server sees it; times are since the server began.
type poll struct {
	began, ended time.Duration // ended is 0 while it is under way
	timeout      time.Duration // that came with it; 0 for none
	gaveUp       error         // of its context, when the answer was there
}

// newServer returns a server whose n-th poll, from 1, is answered so.
func newServer(f func(ctx context.Context, n int) answer) *server {
	s := &server{answer: f, start: time.Now()}
	s.Loading = func(ctx context.Context, _ *milvuspb.GetLoadingProgressRequest) (*milvuspb.GetLoadingProgressResponse, error) {
		a := s.poll(ctx)
		if a.blank {
			return &milvuspb.GetLoadingProgressResponse{}, nil
		}
		return &milvuspb.GetLoadingProgressResponse{Status: a.body(), Progress: a.percent, RefreshProgress: 100}, a.err
	}
	s.Index = func(ctx context.Context, req *milvuspb.DescribeIndexRequest) (*milvuspb.DescribeIndexResponse, error) {
		a := s.poll(ctx)
		if a.blank {
			return &milvuspb.DescribeIndexResponse{}, nil
		}
		state := commonpb.IndexState_InProgress
		if a.percent == 100 {
			state = commonpb.IndexState_Finished
		}
		return &milvuspb.DescribeIndexResponse{Status: a.body(), IndexDescriptions: []*milvuspb.IndexDescription{{
			IndexName: req.GetIndexName(), State: state, TotalRows: 100, IndexedRows: a.percent, PendingIndexRows: 100 - a.percent,
		}}}, a.err
	}
	return s
}

func (a answer) body() *commonpb.Status {
	if a.status != nil {
		return a.status
	}
	return &commonpb.Status{}
}

func (s *server) poll(ctx context.Context) answer {
	p := &poll{began: time.Since(s.start)}
	if deadline, ok := ctx.Deadline(); ok {
		p.timeout = time.Until(deadline)
	}
	s.mu.Lock()
	s.polls = append(s.polls, p)
	n := len(s.polls)
	s.mu.Unlock()
	a := s.answer(ctx, n)
	s.mu.Lock()
	defer s.mu.Unlock()
	p.ended, p.gaveUp = time.Since(s.start), ctx.Err()
	return a
}

// seen returns the polls so far.
func (s *server) seen() []poll {
	s.mu.Lock()
	defer s.mu.Unlock()
	polls := make([]poll, len(s.polls))
	for i, p := range s.polls {
		polls[i] = *p
	}
	return polls
}

// hang returns when the client has given up.
func hang(ctx context.Context) answer {
	<-ctx.Done()
	return answer{err: status.FromContextError(ctx.Err()).Err()}
}

// later answers after d, if the client has not given up before.
func later(ctx context.Context, d time.Duration, a answer) answer {
	select {
	case <-time.After(d):
		return a
	case <-ctx.Done():
		return hang(ctx)
	}
}

// steadily is a pace of a delay that is always the same.
func steadily(d time.Duration) milvuswait.Option {
	return milvuswait.WithBackoff(milvuswait.Backoff{Initial: d, Max: d, Jitter: milvuswait.NoJitter})
}

func loadState(state commonpb.LoadState) func(context.Context, *milvuspb.GetLoadStateRequest) (*milvuspb.GetLoadStateResponse, error) {
	return func(context.Context, *milvuspb.GetLoadStateRequest) (*milvuspb.GetLoadStateResponse, error) {
		return &milvuspb.GetLoadStateResponse{Status: &commonpb.Status{}, State: state}, nil
	}
}
