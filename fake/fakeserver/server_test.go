package fakeserver_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

func TestRestart_InMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t, fakeserver.Config{})
		srv.Set(milvuswait.Loading("docs"), fake.LoadOver(40*time.Minute))
		require.Zero(t, loadingProgress(t, c, "docs").GetProgress())

		srv.Stop()
		srv.Stop()
		code, _, _ := poll(t.Context(), c)
		require.Equal(t, codes.Unavailable, code)
		time.Sleep(10 * time.Minute)
		require.NoError(t, srv.Restart())

		r, err := wire.GetLoadingProgress.Call(t.Context(), c, &wire.GetLoadingProgressRequest{CollectionName: "docs"}, grpc.WaitForReady(true))
		require.NoError(t, err)
		require.GreaterOrEqual(t, r.GetProgress(), int64(25), "the load went on")
		require.LessOrEqual(t, r.GetProgress(), int64(30), "and gRPC connects again within 2 min")
		require.NoError(t, srv.Restart(), "without a stop")
		srv.Close()
		srv.Close()
		require.EqualError(t, srv.Restart(), "fakeserver: the server is closed")
	})
}

func TestRestartKeepsThePort(t *testing.T) {
	srv, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	defer srv.Close()
	srv.Set(milvuswait.Loading("docs"), fake.Percents(1, 2, 3))
	address, c := srv.Address(), overTCP(t, srv, grpc.WithDefaultCallOptions(grpc.WaitForReady(true)))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ask := func() int64 {
		for {
			r, err := wire.GetLoadingProgress.Call(ctx, c, &wire.GetLoadingProgressRequest{CollectionName: "docs"})
			if err == nil {
				return r.GetProgress()
			}
			// sent before the client saw the connection break
			require.Equal(t, codes.Unavailable, status.Code(err))
		}
	}
	for want := range 3 {
		require.EqualValues(t, want+1, ask())

		srv.Stop()
		require.Equal(t, address, srv.Address())
		require.NoError(t, srv.Restart())
		require.Equal(t, address, srv.Address())
	}
	require.Equal(t, 3, srv.Count(progressMethod))
}

func TestClose_LeavesNoGoroutine(t *testing.T) {
	before := runtime.NumGoroutine()
	for range 5 {
		srv, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
		require.NoError(t, err)
		conn, err := grpc.NewClient(srv.Address(), plaintext()...)
		require.NoError(t, err)
		_ = loadState(t, conn, "docs")
		srv.Close()
		require.NoError(t, conn.Close())
	}
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, 10*time.Second, 10*time.Millisecond)
}

func TestDatabases(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	srv.In("tenant").Set(milvuswait.Loading("docs"), fake.Percents(70))
	srv.Set(milvuswait.Loading("docs"), fake.Percents(30))
	s, err := wire.CreateDatabase.Call(t.Context(), c, &wire.CreateDatabaseRequest{DbName: "made"})
	succeeds(t, s, err)
	require.Equal(t, body{unexpected, 65535, "database already exist: made"},
		done(t)(wire.CreateDatabase.Call(t.Context(), c, &wire.CreateDatabaseRequest{DbName: "made"})))
	ask := func(header, request string) int64 {
		ctx := metadata.AppendToOutgoingContext(t.Context(), "dbname", header)
		r, err := wire.GetLoadingProgress.Call(ctx, c, &wire.GetLoadingProgressRequest{DbName: request, CollectionName: "docs"})
		require.NoError(t, err)
		return r.GetProgress()
	}

	require.EqualValues(t, 30, ask("", ""))
	require.EqualValues(t, 70, ask("tenant", ""))
	require.EqualValues(t, 70, ask("", "tenant"))
	require.EqualValues(t, 70, ask("tenant", "tenant"))
	ctx := metadata.AppendToOutgoingContext(t.Context(), "dbname", "tenant")
	_, err = wire.GetLoadingProgress.Call(ctx, c, &wire.GetLoadingProgressRequest{DbName: "default", CollectionName: "docs"})
	require.Equal(t, codes.InvalidArgument, status.Code(err))
	require.ErrorContains(t, err, `the request is for database "default", and its dbname header for "tenant"`)
	made, err := wire.CreateDatabase.Call(ctx, c, &wire.CreateDatabaseRequest{DbName: "other"})
	succeeds(t, made, err)
	names, err := wire.ListDatabases.Call(t.Context(), c, &wire.ListDatabasesRequest{})
	require.NoError(t, err)
	require.Equal(t, []string{"default", "made", "other", "tenant"}, names.GetDbNames())
	require.Equal(t, 4, len(names.GetCreatedTimestamp()))
}

func TestConcurrentUse(t *testing.T) {
	const clients, calls = 8, 50
	srv, c := start(t, fakeserver.Config{})
	// A script may change the server: no lock is held during its call.
	srv.Set(milvuswait.Loading("docs"), fake.ScriptFunc(func(poll int, _ time.Duration) fake.Step {
		srv.AddRows("docs", 1)
		return fake.Step{Progress: milvuswait.LoadingProgress{Percent: int64(poll % 100)}}
	}))
	srv.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(10, 4))
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			name := fmt.Sprint("own", i)
			for range calls {
				_, _ = wire.GetLoadingProgress.Call(t.Context(), c, &wire.GetLoadingProgressRequest{CollectionName: "docs"})
				_, _ = wire.GetLoadState.Call(t.Context(), c, &wire.GetLoadStateRequest{CollectionName: "docs"})
				_, _ = wire.DescribeIndex.Call(t.Context(), c, &wire.DescribeIndexRequest{CollectionName: "docs"})
				_, _ = wire.DescribeCollection.Call(t.Context(), c, &wire.DescribeCollectionRequest{CollectionName: "docs"})
				_, _ = wire.ShowCollections.Call(t.Context(), c, &wire.ShowCollectionsRequest{Type: wire.ShowType_InMemory})
				_, _ = wire.ShowPartitions.Call(t.Context(), c, &wire.ShowPartitionsRequest{CollectionName: "docs"})
				srv.Set(milvuswait.Loading(name, "p1"), fake.Percents(1))
				srv.Set(milvuswait.IndexBuilding("docs", name), fake.Rows(1, 1))
				srv.Set(milvuswait.IndexBuilding("docs", name), nil)
				srv.Drop(name)
				srv.Fail("HasCollection", fakeserver.Hang())
				srv.Heal("HasCollection")
				_, _ = srv.Count(fakeserver.AnyMethod), srv.LastRequest("DescribeIndex", new(wire.DescribeIndexRequest))
			}
		})
	}
	wg.Wait()

	require.Equal(t, clients*calls, srv.Count(progressMethod))
	require.Equal(t, 6*clients*calls, srv.Count(fakeserver.AnyMethod))
}

func TestHealth_IsReported(t *testing.T) {
	_, c := start(t, fakeserver.Config{})

	health, err := wire.CheckHealth.Call(t.Context(), c, &wire.CheckHealthRequest{})
	require.NoError(t, err)
	require.True(t, health.GetIsHealthy())
	states, err := wire.GetComponentStates.Call(t.Context(), c, &wire.GetComponentStatesRequest{})
	require.NoError(t, err)
	require.Equal(t, "proxy", states.GetState().GetRole())
	first, err := wire.AllocTimestamp.Call(t.Context(), c, &wire.AllocTimestampRequest{})
	require.NoError(t, err)
	require.NotZero(t, first.GetTimestamp())
}
