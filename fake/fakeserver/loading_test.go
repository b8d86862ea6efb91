package fakeserver_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

func TestLoad_FollowsTheScriptOfConfig(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t, fakeserver.Config{Load: fake.LoadOver(40 * time.Minute)})
		srv.Set(milvuswait.IndexBuilding("docs", ""), fake.Rows(0, 0))
		s, err := load(t.Context(), c, "docs")
		succeeds(t, s, err)

		var percents []int64
		var states []wire.LoadState
		for range 5 {
			percents = append(percents, loadingProgress(t, c, "docs").GetProgress())
			states = append(states, loadState(t, c, "docs").GetState())
			time.Sleep(10 * time.Minute)
		}

		const loading, loaded = wire.LoadState_LoadStateLoading, wire.LoadState_LoadStateLoaded
		require.Equal(t, []int64{0, 25, 50, 75, 100}, percents)
		require.Equal(t, []wire.LoadState{loading, loading, loading, loading, loaded}, states)
		s, err = load(t.Context(), c, "docs")
		succeeds(t, s, err)
		require.EqualValues(t, 100, loadingProgress(t, c, "docs").GetProgress(), "a second load changes nothing")
		s, err = release(t.Context(), c, "docs")
		succeeds(t, s, err)
		require.EqualValues(t, 101, loadingProgress(t, c, "docs").GetStatus().GetCode())
	})
}

func TestLoad_ScriptByPolls_CountsPollsOnly(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	srv.Set(milvuswait.Loading("docs"), fake.Percents(0, 40, 100))

	for _, want := range []int64{0, 40, 100, 100} {
		_ = loadState(t, c, "docs") // not a poll
		require.Equal(t, want, loadingProgress(t, c, "docs").GetProgress())
	}
}

func TestLoad_ScriptWithDelay_DelaysPollsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t, fakeserver.Config{})
		srv.Set(milvuswait.Loading("docs"), fake.WithDelay(fake.Percents(40), time.Minute))
		begin := time.Now()

		require.EqualValues(t, 40, loadingProgress(t, c, "docs").GetProgress())
		require.Equal(t, time.Minute, time.Since(begin))
		require.Equal(t, wire.LoadState_LoadStateLoading, loadState(t, c, "docs").GetState())
		require.Equal(t, []int64{40}, inMemory(t, c).InMemoryPercentages)
		require.Equal(t, time.Minute, time.Since(begin), "neither the state nor a list takes the time of the script")
	})
}

func TestPartitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t, fakeserver.Config{Load: fake.LoadOver(10 * time.Second)})
		srv.AddCollection("docs", "p1", "p2")
		srv.Set(milvuswait.IndexBuilding("docs", ""), fake.Rows(0, 0))
		p := func(names ...string) *wire.LoadPartitionsRequest {
			return &wire.LoadPartitionsRequest{CollectionName: "docs", PartitionNames: names}
		}
		require.EqualValues(t, 200, done(t)(wire.LoadPartitions.Call(t.Context(), c, p("p1", "nopart"))).code)
		s, err := wire.LoadPartitions.Call(t.Context(), c, p("p1"))
		succeeds(t, s, err)
		time.Sleep(10 * time.Second)

		require.EqualValues(t, 100, loadingProgress(t, c, "docs", "p1").GetProgress())
		require.EqualValues(t, 201, loadingProgress(t, c, "docs", "p1", "p2").GetStatus().GetCode())
		require.Equal(t, wire.LoadState_LoadStateNotLoad, loadState(t, c, "docs", "p1", "p2").GetState())
		require.EqualValues(t, 100, loadingProgress(t, c, "docs").GetProgress(), "only the requested partitions count")

		s, err = load(t.Context(), c, "docs")
		succeeds(t, s, err)
		require.EqualValues(t, 33, loadingProgress(t, c, "docs").GetProgress(), "one of three is there already")
		require.EqualValues(t, 100, loadingProgress(t, c, "docs", "p1").GetProgress())
		require.Zero(t, loadingProgress(t, c, "docs", "p2").GetProgress())
		time.Sleep(10 * time.Second)
		require.EqualValues(t, 100, loadingProgress(t, c, "docs").GetProgress())

		releasing := func(names ...string) (*wire.Status, error) {
			return wire.ReleasePartitions.Call(t.Context(), c, &wire.ReleasePartitionsRequest{CollectionName: "docs", PartitionNames: names})
		}
		s, err = releasing("p2")
		succeeds(t, s, err)
		require.EqualValues(t, 201, loadingProgress(t, c, "docs", "p2").GetStatus().GetCode())
		require.EqualValues(t, 100, loadingProgress(t, c, "docs").GetProgress())
		s, err = load(t.Context(), c, "docs")
		succeeds(t, s, err)
		require.EqualValues(t, 66, loadingProgress(t, c, "docs").GetProgress(), "the rest is loaded again")
		s, err = releasing("_default", "p1", "p2")
		succeeds(t, s, err)
		require.EqualValues(t, 101, loadingProgress(t, c, "docs").GetStatus().GetCode())
	})
}

func TestPartitions_On22_AreNotLoadedBesideTheCollection(t *testing.T) {
	srv, c := start(t, fakeserver.Config{Dialect: fakeserver.Milvus22})
	srv.AddCollection("docs", "p1")
	srv.Set(milvuswait.IndexBuilding("docs", ""), fake.Rows(0, 0))
	loading := &wire.LoadPartitionsRequest{CollectionName: "docs", PartitionNames: []string{"p1"}}
	s, err := wire.LoadPartitions.Call(t.Context(), c, loading)
	succeeds(t, s, err)
	const mismatched = "err=load the partition after load collection is not supported[LoadParameterMismatched]"
	require.Equal(t, body{wire.ErrorCode_IllegalArgument, 0, "failed to load collection, " + mismatched}, done(t)(load(t.Context(), c, "docs")))

	s, err = release(t.Context(), c, "docs")
	succeeds(t, s, err)
	s, err = load(t.Context(), c, "docs")
	succeeds(t, s, err)

	require.Equal(t, body{wire.ErrorCode_IllegalArgument, 0, "failed to load partitions, " + mismatched}, done(t)(wire.LoadPartitions.Call(t.Context(), c, loading)))
	require.Equal(t,
		body{unexpected, 0, "failed to release partitions, err=releasing some partitions after load collection is not supported[LoadParameterMismatched]"},
		done(t)(wire.ReleasePartitions.Call(t.Context(), c, &wire.ReleasePartitionsRequest{CollectionName: "docs", PartitionNames: []string{"p1"}})))
}

func TestRefresh(t *testing.T) {
	tests := []struct {
		dialect              fakeserver.Dialect
		before, under, after int64
	}{
		{fakeserver.Milvus23, 100, 0, 100},
		{fakeserver.Milvus22, 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.dialect.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, c := start(t, fakeserver.Config{Dialect: tt.dialect, Load: fake.LoadOver(10 * time.Second)})
				srv.Set(milvuswait.IndexBuilding("docs", ""), fake.Rows(0, 0))
				refresh := func() (*wire.Status, error) {
					return wire.LoadCollection.Call(t.Context(), c, &wire.LoadCollectionRequest{CollectionName: "docs", Refresh: true})
				}
				require.NotEqual(t, ok, done(t)(refresh()), "it is not loaded")
				s, err := load(t.Context(), c, "docs")
				succeeds(t, s, err)
				require.NotEqual(t, ok, done(t)(refresh()), "it is only being loaded")
				require.Equal(t, tt.before, loadingProgress(t, c, "docs").GetRefreshProgress())
				time.Sleep(10 * time.Second)

				s, err = refresh()

				succeeds(t, s, err)
				r := loadingProgress(t, c, "docs")
				require.Equal(t, []int64{100, tt.under}, []int64{r.GetProgress(), r.GetRefreshProgress()})
				time.Sleep(10 * time.Second)
				require.Equal(t, tt.after, loadingProgress(t, c, "docs").GetRefreshProgress())
			})
		})
	}
}

func TestShowCollections_InMemory_ListsLoadedOnes(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	srv.Set(milvuswait.Loading("half"), fake.Percents(50))
	srv.Set(milvuswait.Loading("full"), fake.Percents(100))
	srv.Set(milvuswait.Loading("failing"), fake.Steps(fake.Step{Err: milvuswait.ErrLoadFailed}))
	srv.AddCollection("released")

	loaded := inMemory(t, c)
	every, err := wire.ShowCollections.Call(t.Context(), c, &wire.ShowCollectionsRequest{})
	require.NoError(t, err)

	require.Equal(t, []string{"half", "full"}, loaded.GetCollectionNames())
	require.Equal(t, []int64{50, 100}, loaded.InMemoryPercentages)
	require.Equal(t, []bool{false, true}, loaded.GetQueryServiceAvailable())
	require.Equal(t, []string{"half", "full", "failing", "released"}, every.GetCollectionNames())
	require.Empty(t, every.InMemoryPercentages)
}

func TestScript_Errors_BecomeResponses(t *testing.T) {
	tests := []struct {
		name      string
		err       error
		dialect   fakeserver.Dialect
		want      body
		wantState wire.LoadState
		stateBody body
	}{
		{"not loaded", milvuswait.ErrNotLoaded, fakeserver.Milvus23, body{unexpected, 101, "collection not loaded[collection=100]"}, wire.LoadState_LoadStateNotLoad, ok},
		{"released", milvuswait.ErrReleased, fakeserver.Milvus22, body{unexpected, 0, "collection 100 has not been loaded to memory or load failed"}, wire.LoadState_LoadStateNotLoad, ok},
		{"dropped", milvuswait.ErrCollectionNotFound, fakeserver.Milvus23, body{notExists, 100, "collection not found[collection=100]"}, wire.LoadState_LoadStateNotExist, ok},
		{"database dropped", milvuswait.ErrDatabaseNotFound, fakeserver.Milvus23, body{unexpected, 800, "database not found[database=default]"}, wire.LoadState_LoadStateNotExist, body{unexpected, 800, "database not found[database=default]"}},
		{"index dropped", milvuswait.ErrIndexNotFound, fakeserver.Milvus23, body{indexAbsent, 700, "index not found[collection=docs]"}, wire.LoadState_LoadStateNotExist, body{indexAbsent, 700, "index not found[collection=docs]"}},
		{"load failed", milvuswait.ErrLoadFailed, fakeserver.Milvus23, body{wire.ErrorCode_InsufficientMemoryToLoad, 3, "show collection failed: load failed"}, wire.LoadState_LoadStateNotExist, body{wire.ErrorCode_InsufficientMemoryToLoad, 3, "show collection failed: load failed"}},
		{"load failed on 2.2", milvuswait.ErrLoadFailed, fakeserver.Milvus22, body{wire.ErrorCode_InsufficientMemoryToLoad, 0, "load failed"}, wire.LoadState_LoadStateNotExist, body{wire.ErrorCode_InsufficientMemoryToLoad, 0, "load failed"}},
		{"codes of its own", &milvuswait.ServerError{Code: 8, LegacyCode: 49, Reason: "slow down"}, fakeserver.Milvus23, body{wire.ErrorCode_RateLimit, 8, "slow down"}, wire.LoadState_LoadStateNotExist, body{wire.ErrorCode_RateLimit, 8, "slow down"}},
		{"anything", errors.New("oops"), fakeserver.Milvus23, body{unexpected, 65535, "oops"}, wire.LoadState_LoadStateNotExist, body{unexpected, 65535, "oops"}},
		{"anything on 2.2", errors.New("oops"), fakeserver.Milvus22, body{unexpected, 0, "oops"}, wire.LoadState_LoadStateNotLoad, ok},
		{"anything on lite", errors.New("oops"), fakeserver.MilvusLite, body{0, 1, "oops"}, wire.LoadState_LoadStateNotExist, body{0, 1, "oops"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			srv, c := start(t, fakeserver.Config{Dialect: tt.dialect})
			srv.Set(milvuswait.Loading("docs"), fake.Steps(fake.Step{Err: tt.err}))

			state := loadState(t, c, "docs")

			require.Equal(t, tt.want, of(loadingProgress(t, c, "docs").GetStatus()))
			require.Equal(t, tt.stateBody, of(state.GetStatus()))
			require.Equal(t, tt.wantState, state.GetState())
		})
	}
}

func TestScript_ErrorOfGRPC_IsUnchanged(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	srv.Set(milvuswait.Loading("docs"), fake.Steps(fake.Step{Err: status.Error(codes.PermissionDenied, "no")}))

	_, err := wire.GetLoadingProgress.Call(t.Context(), c, &wire.GetLoadingProgressRequest{CollectionName: "docs"})
	require.Equal(t, codes.PermissionDenied, status.Code(err))
	_, err = wire.GetLoadState.Call(t.Context(), c, &wire.GetLoadStateRequest{CollectionName: "docs"})
	require.Equal(t, codes.PermissionDenied, status.Code(err))
}

func TestScript_OfAnotherKind_IsUnexpected(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	srv.Set(milvuswait.Loading("docs"), fake.Rows(1, 1))

	require.Equal(t, body{unexpected, 65535, `fakeserver: a script of "docs" returned milvuswait.IndexBuildingProgress, the progress of another kind`},
		of(loadingProgress(t, c, "docs").GetStatus()))
}

func TestSet_Partitions(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	srv.Set(milvuswait.Loading("docs"), fake.Percents(100))
	srv.Set(milvuswait.Loading("docs", "p1", "p2"), fake.Percents(10))
	require.EqualValues(t, 40, loadingProgress(t, c, "docs").GetProgress())
	srv.Set(milvuswait.Loading("docs", "p1", "p2"), nil)
	require.EqualValues(t, 100, loadingProgress(t, c, "docs").GetProgress())
	require.EqualValues(t, 201, loadingProgress(t, c, "docs", "p2").GetStatus().GetCode())
	srv.Set(milvuswait.Loading("docs"), fake.Percents(70))
	require.EqualValues(t, 70, loadingProgress(t, c, "docs", "p2").GetProgress(), "a new load is one of everything")

	shown, err := wire.ShowPartitions.Call(t.Context(), c, &wire.ShowPartitionsRequest{CollectionName: "docs", Type: wire.ShowType_InMemory})
	require.NoError(t, err)
	require.Equal(t, []string{"_default", "p1", "p2"}, shown.GetPartitionNames())
	require.Equal(t, []int64{70, 70, 70}, shown.InMemoryPercentages)
}
