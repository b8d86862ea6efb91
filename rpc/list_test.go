package rpc_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// withFake runs f in a bubble with a fake server and a Poller for it.
func withFake(t *testing.T, config fakeserver.Config, f func(t *testing.T, server *fakeserver.Server, p *rpc.Poller)) {
	synctest.Test(t, func(t *testing.T) {
		server, err := fakeserver.Start(config)
		require.NoError(t, err)
		defer server.Close()

		conn, err := server.Dial()
		require.NoError(t, err)
		defer conn.Close()

		f(t, server, rpc.New(conn))
	})
}

// TestListLoading covers the list of each dialect. Milvus lists loading and loaded
// collections, milvus-lite all of them.
func TestListLoading(t *testing.T) {
	for _, dialect := range []fakeserver.Dialect{fakeserver.Milvus23, fakeserver.Milvus22, fakeserver.MilvusLite} {
		t.Run(dialect.String(), func(t *testing.T) {
			withFake(t, fakeserver.Config{Dialect: dialect}, func(t *testing.T, server *fakeserver.Server, p *rpc.Poller) {
				server.Set(milvuswait.Loading("loading"), fake.Percents(40))
				server.Set(milvuswait.Loading("loaded"), fake.Percents(100))
				server.Set(milvuswait.Loading("released"), nil)

				all, err := p.ListLoading(t.Context())

				require.NoError(t, err)
				require.Equal(t, int64(100), all["loaded"].Percent)

				released, listed := all["released"]
				if dialect == fakeserver.MilvusLite { // lists every collection, at 0 or 100 %
					require.True(t, listed)
					require.Zero(t, released.Percent)
				} else {
					require.False(t, listed)
					require.Equal(t, int64(40), all["loading"].Percent)
				}
			})
		})
	}
}

// TestListLoading_Failure_IsOfNoCollection shows that a failed list is never the failure of
// one collection: its error does not match ErrNotLoaded, despite the text.
func TestListLoading_Failure_IsOfNoCollection(t *testing.T) {
	tests := []struct {
		name  string
		fault fakeserver.Fault
		says  string
	}{
		{"by the body", fakeserver.Reject(65535, wire.ErrorCode_UnexpectedError, "collection not loaded[collection=docs]"), "ShowCollections: collection not loaded"},
		{"by gRPC", fakeserver.Refuse(codes.PermissionDenied, "no"), "ShowCollections: permission denied: no"},
		{"by nothing", fakeserver.Blank(), "ShowCollections: malformed answer: no status"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			withFake(t, fakeserver.Config{}, func(t *testing.T, server *fakeserver.Server, p *rpc.Poller) {
				server.Fail("ShowCollections", tt.fault)

				all, err := p.ListLoading(t.Context())

				require.ErrorContains(t, err, tt.says)
				require.NotErrorIs(t, err, milvuswait.ErrNotLoaded)
				require.Nil(t, all)
			})
		})
	}
}

// TestListLoading_WrongNumberOfPercentages_IsNil shows that a list with fewer or more
// percentages than names reports nothing: the map is nil. WaitAll then polls each collection
// individually.
func TestListLoading_WrongNumberOfPercentages_IsNil(t *testing.T) {
	tests := []struct {
		name     string
		percents []int64
	}{
		{"none, as milvus-lite before 3.2", nil},
		{"too few", []int64{100}},
		{"too many", []int64{100, 40, 100}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &stub{list: func(context.Context, *listRequest, ...grpc.CallOption) (*listResponse, error) {
				return &listResponse{Status: ok, CollectionNames: []string{"docs", "images"}, InMemoryPercentages: tt.percents}, nil
			}}

			all, err := rpc.FromStub(s).ListLoading(t.Context())

			require.NoError(t, err)
			require.Nil(t, all)
		})
	}
}

// TestListLoading_NothingLoaded_IsEmpty distinguishes a list without entries, which is empty,
// from a list without percentages, which is nil.
func TestListLoading_NothingLoaded_IsEmpty(t *testing.T) {
	t.Parallel()
	all, err := rpc.FromStub(answering(ok, nil)).ListLoading(t.Context())

	require.NoError(t, err)
	require.NotNil(t, all)
	require.Empty(t, all)
}

// TestListIndexBuilding shows that one DescribeIndex serves all indexes of a collection. A
// name that is missing in the response causes one more.
func TestListIndexBuilding(t *testing.T) {
	withFake(t, fakeserver.Config{}, func(t *testing.T, server *fakeserver.Server, p *rpc.Poller) {
		server.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(100, 40))
		server.Set(milvuswait.IndexBuilding("docs", "nidx"), fake.Rows(100, 100))

		progresses, errs := p.ListIndexBuilding(t.Context(), "docs", []string{"nidx", "vidx", "", milvuswait.AllIndexes})

		require.Equal(t, 1, server.Count("DescribeIndex"))
		require.Equal(t, int64(100), progresses[0].IndexedRows)
		require.Equal(t, int64(40), progresses[1].IndexedRows)
		require.ErrorIs(t, errs[2], milvuswait.ErrAmbiguousIndex)
		require.Equal(t, "vidx", progresses[3].IndexName, "the one furthest behind")

		_, errs = p.ListIndexBuilding(t.Context(), "docs", []string{"vidx", "nope"})
		require.NoError(t, errs[0])
		require.ErrorIs(t, errs[1], milvuswait.ErrIndexNotFound)
		require.Equal(t, 3, server.Count("DescribeIndex"), "a name that is not there is asked for alone")

		_, errs = p.ListIndexBuilding(t.Context(), "nope", []string{"vidx", "nidx"})
		require.ErrorIs(t, errs[0], milvuswait.ErrCollectionNotFound)
		require.ErrorIs(t, errs[1], milvuswait.ErrCollectionNotFound)
	})
}

// TestWaitAll_ManyLoads_UsesLists waits for 40 loads and three indexes at once. The loads
// end one second apart, the last one after 40 s. Lists replace most single polls.
func TestWaitAll_ManyLoads_UsesLists(t *testing.T) {
	withFake(t, fakeserver.Config{}, func(t *testing.T, server *fakeserver.Server, p *rpc.Poller) {
		var targets []milvuswait.Target
		for i := range 40 {
			target := milvuswait.Loading(fmt.Sprintf("c%d", i))
			server.Set(target, fake.LoadOver(time.Duration(i+1)*time.Second))
			targets = append(targets, target)
		}

		for _, index := range []string{"a", "b", "c"} {
			target := milvuswait.IndexBuilding("c0", index)
			server.Set(target, fake.BuildOver(1000, 20*time.Second))
			targets = append(targets, target.ExpectRows(1000))
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		start := time.Now()

		outcomes, err := milvuswait.WaitAll(ctx, p, targets)

		require.NoError(t, err)
		require.Len(t, outcomes, 43)
		require.Less(t, time.Since(start), 41*time.Second)

		// A list covers all loads until one is left. The last load is polled individually.
		require.Less(t, server.Count("GetLoadingProgress"), 20)
		require.Less(t, server.Count("ShowCollections"), 350)
		require.Less(t, server.Count("DescribeIndex"), 200)
	})
}

// TestListLoading_UnknownDatabase_IsDatabaseNotFound replays the responses of servers to a
// list of a database that does not exist.
func TestListLoading_UnknownDatabase_IsDatabaseNotFound(t *testing.T) {
	t.Parallel()
	for version, st := range map[string]*statusBody{
		"2.2.9, 2.2.10":    {ErrorCode: 1, Reason: "ShowCollections failed: database not exist: nope"},
		"2.2.12 to 2.2.16": {ErrorCode: 1, Reason: "ShowCollections failed: database:nope not found"},
		"2.3.0":            {ErrorCode: 1, Reason: "database:nope not found"},
		"2.3.1":            {ErrorCode: 1, Code: 65535, Reason: "database:nope not found"},
		"2.3.2 to 2.3.4":   {ErrorCode: 1, Code: 800, Reason: "database=nope: database not found"},
		"2.3.5":            {ErrorCode: 1, Code: 800, Reason: "database not found[database=nope]"},
		"milvus-lite":      noDBLite,
	} {
		_, err := rpc.FromStub(answering(st, nil)).ListLoading(t.Context())

		requireClass(t, milvuswait.ErrDatabaseNotFound, err)
		require.ErrorContains(t, err, st.Reason, version)
	}
}
