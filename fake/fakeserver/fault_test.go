package fakeserver_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

const progressMethod = "GetLoadingProgress"

// poll polls "docs" and returns the gRPC code, the status in the body, and the duration.
func poll(ctx context.Context, c grpc.ClientConnInterface) (codes.Code, body, time.Duration) {
	begin := time.Now()
	r, err := wire.GetLoadingProgress.Call(ctx, c, &wire.GetLoadingProgressRequest{CollectionName: "docs"})
	return status.Code(err), of(r.GetStatus()), time.Since(begin)
}

func TestFaults(t *testing.T) {
	const limit = time.Minute
	tests := []struct {
		name     string
		faults   []fakeserver.Fault
		wantCode codes.Code
		wantBody body
		wantTook time.Duration
	}{
		{"none", nil, codes.OK, ok, 0},
		{"hang", []fakeserver.Fault{fakeserver.Hang()}, codes.DeadlineExceeded, ok, limit},
		{"slow", []fakeserver.Fault{fakeserver.Slow(7 * time.Second)}, codes.OK, ok, 7 * time.Second},
		{"too slow", []fakeserver.Fault{fakeserver.Slow(time.Hour)}, codes.DeadlineExceeded, ok, limit},
		{"drop", []fakeserver.Fault{fakeserver.Drop()}, codes.Unavailable, ok, 0},
		{"refuse", []fakeserver.Fault{fakeserver.Refuse(codes.Unauthenticated, "who?")}, codes.Unauthenticated, ok, 0},
		{"reject", []fakeserver.Fault{fakeserver.Reject(8, wire.ErrorCode_RateLimit, "slow down")}, codes.OK, body{wire.ErrorCode_RateLimit, 8, "slow down"}, 0},
		{"slow twice, then the first of the others", []fakeserver.Fault{
			fakeserver.Slow(time.Second), fakeserver.Reject(8, 49, "slow down"), fakeserver.Slow(2 * time.Second), fakeserver.Drop(),
		}, codes.OK, body{wire.ErrorCode_RateLimit, 8, "slow down"}, 3 * time.Second},
		{"hangs do not add up", []fakeserver.Fault{fakeserver.Hang(), fakeserver.Hang()}, codes.DeadlineExceeded, ok, limit},
		{"another call", []fakeserver.Fault{fakeserver.Drop().On(2, 3)}, codes.OK, ok, 0},
	}
	for _, tt := range tests {
		for _, method := range []string{progressMethod, fakeserver.AnyMethod} {
			t.Run(tt.name+" "+method, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					srv, c := start(t, fakeserver.Config{})
					srv.Set(milvuswait.Loading("docs"), fake.Percents(40))
					srv.Fail(method, tt.faults...)
					ctx, cancel := context.WithTimeout(t.Context(), limit)
					defer cancel()

					code, got, took := poll(ctx, c)

					require.Equal(t, tt.wantCode, code)
					require.Equal(t, tt.wantBody, got)
					require.Equal(t, tt.wantTook, took)
					require.Equal(t, 1, srv.Count(progressMethod))
				})
			})
		}
	}
}

func TestFault_OnSomeCalls_LeavesTheOthers(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	srv.Set(milvuswait.Loading("docs"), fake.Percents(1, 2, 3, 4, 5))
	_, _, _ = poll(t.Context(), c)
	srv.Fail(progressMethod, fakeserver.Refuse(codes.Aborted, "").On(2), fakeserver.Blank().On(3, 4))

	var got []codes.Code
	for range 5 {
		code, _, _ := poll(t.Context(), c)
		got = append(got, code)
	}

	require.Equal(t, []codes.Code{codes.OK, codes.Aborted, codes.OK, codes.OK, codes.OK}, got, "counted from Fail on")
	require.EqualValues(t, 4, loadingProgress(t, c, "docs").GetProgress(), "faulty calls are no polls")
	require.Equal(t, 7, srv.Count(progressMethod))
}

func TestHeal(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	for _, method := range []string{progressMethod, fakeserver.AnyMethod} {
		srv.Fail(method, fakeserver.Refuse(codes.Aborted, method))
	}
	ask := func() string {
		_, err := wire.GetLoadingProgress.Call(t.Context(), c, &wire.GetLoadingProgressRequest{CollectionName: "docs"})
		return status.Convert(err).Message()
	}
	require.Equal(t, progressMethod, ask())
	srv.Heal(progressMethod)
	require.Equal(t, fakeserver.AnyMethod, ask())
	srv.Heal()
	require.Empty(t, ask())
}

// Reject and Blank work for every method.
func TestRejectAndBlank_EveryMethod(t *testing.T) {
	for _, reject := range []bool{true, false} {
		srv, c := start(t, fakeserver.Config{})
		want := ok
		if reject {
			want = body{1, 5, "internal"}
			srv.Fail(fakeserver.AnyMethod, fakeserver.Reject(5, 1, "internal"))
		} else {
			srv.Fail(fakeserver.AnyMethod, fakeserver.Blank())
		}
		require.Equal(t, want, done(t)(load(t.Context(), c, "docs")))
		require.Equal(t, want, of(loadState(t, c, "docs").GetStatus()))
		require.Equal(t, want, of(describeIndex(t, c, "docs", "", 0).GetStatus()))
		states, err := wire.GetComponentStates.Call(t.Context(), c, &wire.GetComponentStatesRequest{})
		require.NoError(t, err)
		require.Equal(t, want, of(states.GetStatus()))
		require.Equal(t, reject, states.GetStatus() != nil)
	}
}

func TestHang_CanceledCall_Ends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t, fakeserver.Config{})
		srv.Fail(progressMethod, fakeserver.Hang())
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)

		code, _, took := poll(ctx, c)

		require.Equal(t, codes.Canceled, code)
		require.Equal(t, 3*time.Second, took)
	})
}

func TestHang_StoppedServer_Ends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t, fakeserver.Config{})
		srv.Fail(progressMethod, fakeserver.Hang())
		time.AfterFunc(3*time.Second, srv.Stop)

		code, _, took := poll(t.Context(), c)

		require.Equal(t, codes.Unavailable, code)
		require.Equal(t, 3*time.Second, took)
	})
}

func TestDrop_BreaksTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t, fakeserver.Config{})
		srv.Set(milvuswait.Loading("docs"), fake.WithDelay(fake.Percents(40), fake.Forever))
		srv.Fail("GetLoadState", fakeserver.Drop())
		var code codes.Code
		go func() { code, _, _ = poll(t.Context(), c) }()
		synctest.Wait()

		_, err := wire.GetLoadState.Call(t.Context(), c, &wire.GetLoadStateRequest{CollectionName: "docs"})
		synctest.Wait()

		require.Equal(t, codes.Unavailable, status.Code(err))
		require.Equal(t, codes.Unavailable, code, "the other call on the connection breaks too")
		srv.Heal()
		require.Equal(t, ok, of(loadState(t, c, "docs").GetStatus()), "the client connects again")
	})
}

func TestKeepalive_IdleClient_StaysConnected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, err := fakeserver.Start(fakeserver.Config{})
		require.NoError(t, err)
		defer srv.Close()
		conn, err := srv.Dial(
			grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: 10 * time.Second, PermitWithoutStream: true}),
			grpc.WithIdleTimeout(0),
		)
		require.NoError(t, err)
		defer func() { require.NoError(t, conn.Close()) }()
		_ = loadState(t, conn, "docs")
		synctest.Wait() // the state follows the answer
		require.Equal(t, connectivity.Ready, conn.GetState())
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()

		require.False(t, conn.WaitForStateChange(ctx, connectivity.Ready))

		_ = loadState(t, conn, "docs")
	})
}

func TestLastRequest(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	require.False(t, srv.LastRequest("DescribeIndex", new(wire.DescribeIndexRequest)))

	describeIndex(t, c, "docs", "vidx", 7)

	last, lastOfAny := &wire.DescribeIndexRequest{FieldName: "overwritten"}, new(wire.DescribeIndexRequest)
	require.True(t, srv.LastRequest("DescribeIndex", last))
	require.True(t, proto.Equal(&wire.DescribeIndexRequest{CollectionName: "docs", IndexName: "vidx", Timestamp: 7}, last), last)
	require.True(t, srv.LastRequest(fakeserver.AnyMethod, lastOfAny))
	require.True(t, proto.Equal(last, lastOfAny))
	require.Equal(t, 1, srv.Count(fakeserver.AnyMethod))
}

func TestFaults_InvalidArguments_Panic(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	tests := []struct {
		name string
		do   func()
		want string
	}{
		{"negative", func() { fakeserver.Slow(-1) }, "fakeserver: Slow: -1ns is negative"},
		{"refusal that is none", func() { fakeserver.Refuse(codes.OK, "") }, "fakeserver: Refuse: the code is OK"},
		{"call 0", func() { fakeserver.Hang().On(1, 0) }, "fakeserver: On: [1 0] are no numbers of calls, the first one is 1"},
		{"no call", func() { fakeserver.Hang().On() }, "fakeserver: On: [] are no numbers of calls, the first one is 1"},
		{"Fail", func() { srv.Fail("GetLoadingProgres") }, `fakeserver: Fail: Milvus has no RPC "GetLoadingProgres"`},
		{"Heal", func() { srv.Heal("") }, `fakeserver: Heal: Milvus has no RPC ""`},
		{"Count", func() { srv.Count("load") }, `fakeserver: Count: Milvus has no RPC "load"`},
		{"LastRequest", func() { srv.LastRequest("load", new(wire.LoadCollectionRequest)) }, `fakeserver: LastRequest: Milvus has no RPC "load"`},
		{"no message", func() { srv.LastRequest("Connect", "text") }, "fakeserver: LastRequest: into is nil or not a protobuf message: string"},
		{"nil message", func() { srv.LastRequest("Connect", (*wire.ConnectRequest)(nil)) }, "fakeserver: LastRequest: into is nil or not a protobuf message: *wire.ConnectRequest"},
		{
			"another message", func() {
				_, _ = wire.GetVersion.Call(t.Context(), c, new(wire.GetVersionRequest))
				srv.LastRequest("GetVersion", new(wire.ConnectRequest))
			},
			"fakeserver: LastRequest: the request is a GetVersionRequest, and into is a ConnectRequest",
		},
		{"unserved", func() { srv.Fail("Search", fakeserver.Reject(1, 1, "no")) }, "fakeserver: Fail: Search is not served: use Refuse"},
		{"unserved, blank", func() { srv.Fail("Search", fakeserver.Slow(1), fakeserver.Blank()) }, "fakeserver: Fail: Search is not served: use Refuse"},
		{"negative rows", func() { srv.AddRows("docs", -1) }, "fakeserver: AddRows: -1 is negative"},
		{"zero target", func() { srv.Set(milvuswait.Target{}, fake.Percents(1)) }, "fakeserver: Set: the zero Target"},
		{
			"all indexes", func() { srv.Set(milvuswait.IndexBuilding("docs", milvuswait.AllIndexes), nil) },
			"fakeserver: Set: AllIndexes is for asking, set a script for each index",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.PanicsWithValue(t, tt.want, tt.do)
		})
	}
}
