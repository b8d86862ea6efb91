package fakeserver_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

const (
	unexpected  = wire.ErrorCode_UnexpectedError
	notExists   = wire.ErrorCode_CollectionNotExists
	indexAbsent = wire.ErrorCode_IndexNotExist
	metaFailed  = wire.ErrorCode_MetaFailed
)

// IDs in the order of creation: collections and partitions, then indexes.
const (
	docsID    = 100 // "docs": no load, no index
	defaultID = 101 // partition _default of docs
	goneID    = 102 // "gone": dropped
	loadedID  = 104 // "loaded": two indexes, 42 %
)

func build(srv *fakeserver.Server) {
	srv.AddCollection("docs")
	srv.AddCollection("gone")
	srv.Drop("gone")
	srv.Set(milvuswait.IndexBuilding("loaded", "vidx"), fake.Rows(100, 40))
	srv.Set(milvuswait.IndexBuilding("loaded", "second"), fake.Rows(100, 100))
	srv.Set(milvuswait.Loading("loaded"), fake.Percents(42))
	srv.Set(milvuswait.Loading("docs"), nil)
}

// The texts are those of real servers, with other IDs.
func TestResponses_OfEachDialect(t *testing.T) {
	const v23, v22, lite, v26 = fakeserver.Milvus23, fakeserver.Milvus22, fakeserver.MilvusLite, fakeserver.Milvus26
	absent := map[fakeserver.Dialect]body{
		v23:  {notExists, 100, "collection not found[database=default][collection=nope]"},
		v22:  {unexpected, 0, "code: UnexpectedError, reason: code: CollectionNotExists, reason: can't find collection default:nope"},
		lite: {notExists, 100, "collection 'nope' does not exist"},
	}
	dropped := map[fakeserver.Dialect]body{
		v23:  {notExists, 100, fmt.Sprintf("collection not found[collection=%d]", goneID)},
		v22:  {unexpected, 0, fmt.Sprintf("code: UnexpectedError, reason: code: CollectionNotExists, reason: can't find collection: %d", goneID)},
		lite: {notExists, 100, "collection 'gone' does not exist"},
	}
	noIndex := map[fakeserver.Dialect]body{
		v23:  {indexAbsent, 700, "index not found[collection=docs]"},
		v22:  {indexAbsent, 0, fmt.Sprintf("index doesn't exist, collectionID %d", docsID)},
		lite: {wire.ErrorCode_IllegalRowRecord, 700, "no index on collection 'docs'"},
	}
	all := map[fakeserver.Dialect]body{}
	tests := []struct {
		name string
		ask  func(*testing.T, grpc.ClientConnInterface) body
		want map[fakeserver.Dialect]body
	}{
		{"unknown collection, GetLoadingProgress", func(t *testing.T, c grpc.ClientConnInterface) body {
			return of(loadingProgress(t, c, "nope").GetStatus())
		}, absent},
		{"unknown collection, DescribeIndex", func(t *testing.T, c grpc.ClientConnInterface) body {
			return of(describeIndex(t, c, "nope", "", 0).GetStatus())
		}, absent},
		{"unknown collection, ShowCollections by name", func(t *testing.T, c grpc.ClientConnInterface) body {
			return of(inMemory(t, c, "nope").GetStatus())
		}, map[fakeserver.Dialect]body{v23: absent[v23], v22: absent[v22], lite: ok}},
		{"unknown collection, GetLoadState", func(t *testing.T, c grpc.ClientConnInterface) body {
			r := loadState(t, c, "nope")
			require.Equal(t, wire.LoadState_LoadStateNotExist, r.GetState())
			return of(r.GetStatus())
		}, all},
		{"unknown collection, DescribeCollection", func(t *testing.T, c grpc.ClientConnInterface) body {
			r, err := wire.DescribeCollection.Call(t.Context(), c, &wire.DescribeCollectionRequest{CollectionName: "nope"})
			require.NoError(t, err)
			return of(r.GetStatus())
		}, map[fakeserver.Dialect]body{
			v23:  {unexpected, 100, "can't find collection collection not found[database=default][collection=nope]"},
			v22:  {unexpected, 0, "code: CollectionNotExists, reason: can't find collection default:nope"},
			lite: absent[lite],
		}},
		{"unknown collection, HasPartition", func(t *testing.T, c grpc.ClientConnInterface) body {
			r, err := wire.HasPartition.Call(t.Context(), c, &wire.HasPartitionRequest{CollectionName: "nope", PartitionName: "p1"})
			require.NoError(t, err)
			return of(r.GetStatus())
		}, map[fakeserver.Dialect]body{
			v23:  absent[v23],
			v22:  {unexpected, 0, "HasPartition failed: code: CollectionNotExists, reason: can't find collection default:nope"},
			lite: absent[lite],
		}},
		{"dropped, GetLoadingProgress", func(t *testing.T, c grpc.ClientConnInterface) body {
			return of(loadingProgress(t, c, "gone").GetStatus())
		}, dropped},
		{"dropped, DescribeIndex", func(t *testing.T, c grpc.ClientConnInterface) body {
			return of(describeIndex(t, c, "gone", "", 0).GetStatus())
		}, dropped},
		{"not loaded, GetLoadingProgress", func(t *testing.T, c grpc.ClientConnInterface) body {
			r := loadingProgress(t, c, "docs")
			require.Zero(t, r.GetProgress())
			return of(r.GetStatus())
		}, map[fakeserver.Dialect]body{
			v23:  {unexpected, 101, fmt.Sprintf("collection not loaded[collection=%d]", docsID)},
			v22:  {unexpected, 0, fmt.Sprintf("collection %d has not been loaded to memory or load failed", docsID)},
			lite: ok,
		}},
		{"not loaded, GetLoadState", func(t *testing.T, c grpc.ClientConnInterface) body {
			r := loadState(t, c, "docs")
			require.Equal(t, wire.LoadState_LoadStateNotLoad, r.GetState())
			return of(r.GetStatus())
		}, all},
		{"not loaded, ShowCollections by name", func(t *testing.T, c grpc.ClientConnInterface) body {
			return of(inMemory(t, c, "docs").GetStatus())
		}, map[fakeserver.Dialect]body{
			v23:  {unexpected, 65535, "collection not loaded[collection=docs]"},
			v22:  {unexpected, 0, "collection docs has not been loaded to memory or load failed"},
			lite: ok,
		}},
		{"unknown partition, GetLoadingProgress", func(t *testing.T, c grpc.ClientConnInterface) body {
			return of(loadingProgress(t, c, "loaded", "nopart").GetStatus())
		}, map[fakeserver.Dialect]body{
			v23:  {metaFailed, 200, "partition not found[partition=nopart]"},
			v22:  {unexpected, 0, "partition is not exist: nopart"},
			lite: ok,
		}},
		{"unknown partition, GetLoadState", func(t *testing.T, c grpc.ClientConnInterface) body {
			return of(loadState(t, c, "loaded", "nopart").GetStatus())
		}, map[fakeserver.Dialect]body{v23: {metaFailed, 200, "partition not found[partition=nopart]"}, v22: ok, lite: ok}},
		{"partition not loaded, GetLoadingProgress", func(t *testing.T, c grpc.ClientConnInterface) body {
			return of(loadingProgress(t, c, "docs", "_default").GetStatus())
		}, map[fakeserver.Dialect]body{
			v23:  {unexpected, 201, fmt.Sprintf("partition not loaded[partition=%d]", defaultID)},
			v22:  {unexpected, 0, "fail to show partitions from the querycoord, invalid data num"},
			lite: ok,
		}},
		{"no index", func(t *testing.T, c grpc.ClientConnInterface) body {
			return of(describeIndex(t, c, "docs", "", 0).GetStatus())
		}, noIndex},
		{"unknown index", func(t *testing.T, c grpc.ClientConnInterface) body {
			return of(describeIndex(t, c, "loaded", "nope", 0).GetStatus())
		}, map[fakeserver.Dialect]body{
			v23:  {indexAbsent, 700, "index not found[indexName=nope]"},
			v22:  {indexAbsent, 0, fmt.Sprintf("index doesn't exist, collectionID %d", loadedID)},
			lite: ok, // milvus-lite returns all indexes
		}},
		{"load without index", func(t *testing.T, c grpc.ClientConnInterface) body {
			return done(t)(load(t.Context(), c, "docs"))
		}, map[fakeserver.Dialect]body{
			v23:  noIndex[v23],
			v22:  {unexpected, 0, noIndex[v22].reason},
			lite: ok,
		}},
		{"refresh during a load", func(t *testing.T, c grpc.ClientConnInterface) body {
			return done(t)(wire.LoadCollection.Call(t.Context(), c, &wire.LoadCollectionRequest{CollectionName: "loaded", Refresh: true}))
		}, map[fakeserver.Dialect]body{
			v23: {unexpected, 101, fmt.Sprintf("collection not fully loaded: collection not loaded[collection=%d]", loadedID)},
			v22: {unexpected, 0, "a collection must be fully loaded before refreshing"},
		}},
		{"drop of an index in use", func(t *testing.T, c grpc.ClientConnInterface) body {
			return done(t)(wire.DropIndex.Call(t.Context(), c, &wire.DropIndexRequest{CollectionName: "loaded", IndexName: "vidx"}))
		}, map[fakeserver.Dialect]body{
			v23:  {unexpected, 65535, "index cannot be dropped, collection is loaded, please release it first"},
			v22:  {unexpected, 0, "index cannot be dropped, collection is loaded, please release it first"},
			lite: {6, 6, "index cannot be dropped on loaded collection; call release() first"},
		}},
		{"unknown database, ShowCollections", func(t *testing.T, c grpc.ClientConnInterface) body {
			r, err := wire.ShowCollections.Call(t.Context(), c, &wire.ShowCollectionsRequest{DbName: "ghost"})
			require.NoError(t, err)
			return of(r.GetStatus())
		}, map[fakeserver.Dialect]body{
			v23:  {unexpected, 800, "database not found[database=ghost]"},
			v22:  {unexpected, 0, "ShowCollections failed: database:ghost not found"},
			lite: {0, 1, "database 'ghost' does not exist"},
		}},
		{"unknown database in the metadata, GetLoadingProgress", func(t *testing.T, c grpc.ClientConnInterface) body {
			ctx := metadata.AppendToOutgoingContext(t.Context(), "dbname", "ghost")
			r, err := wire.GetLoadingProgress.Call(ctx, c, &wire.GetLoadingProgressRequest{CollectionName: "nope"})
			require.NoError(t, err)
			return of(r.GetStatus())
		}, map[fakeserver.Dialect]body{
			v23:  {notExists, 100, "collection not found[database=ghost][collection=nope]"},
			v22:  {unexpected, 0, "code: UnexpectedError, reason: code: CollectionNotExists, reason: can't find collection ghost:nope"},
			lite: {6, 6, "database 'ghost' does not exist"},
		}},
		{"unknown database, GetLoadState", func(t *testing.T, c grpc.ClientConnInterface) body {
			r, err := wire.GetLoadState.Call(t.Context(), c, &wire.GetLoadStateRequest{DbName: "ghost", CollectionName: "nope"})
			require.NoError(t, err)
			require.Equal(t, wire.LoadState_LoadStateNotExist, r.GetState())
			return of(r.GetStatus())
		}, map[fakeserver.Dialect]body{lite: {6, 6, "database 'ghost' does not exist"}}},
	}
	for dialect, like := range map[fakeserver.Dialect]fakeserver.Dialect{v23: v23, v22: v22, lite: lite, v26: v23} {
		srv, c := start(t, fakeserver.Config{Dialect: dialect})
		build(srv)
		for _, tt := range tests {
			t.Run(dialect.String()+": "+tt.name, func(t *testing.T) {
				require.Equal(t, tt.want[like], tt.ask(t, c))
			})
		}
	}
}

func TestVersion_OfEachDialect_IsReported(t *testing.T) {
	for dialect, want := range map[fakeserver.Dialect]string{
		fakeserver.Milvus23: "v2.3.5", fakeserver.Milvus22: "v2.2.16", fakeserver.MilvusLite: "milvus_lite-3.2.2",
		fakeserver.Milvus26: "v2.6.18",
	} {
		t.Run(want, func(t *testing.T) {
			_, c := start(t, fakeserver.Config{Dialect: dialect})

			version, err := wire.GetVersion.Call(t.Context(), c, &wire.GetVersionRequest{})
			require.NoError(t, err)
			connected, err := wire.Connect.Call(t.Context(), c, &wire.ConnectRequest{})
			require.NoError(t, err)

			require.Equal(t, want, version.GetVersion())
			require.NotEmpty(t, connected.GetServerInfo().GetBuildTags())
		})
	}
	require.Equal(t, "Dialect(7)", fakeserver.Dialect(7).String())
}

// TestVersion_OfConfig_IsReported shows that Config.Version replaces the version of the
// dialect, in both calls that report it.
func TestVersion_OfConfig_IsReported(t *testing.T) {
	t.Parallel()
	srv, c := start(t, fakeserver.Config{Dialect: fakeserver.Milvus22, Version: "v2.2.8"})

	version, err := wire.GetVersion.Call(t.Context(), c, &wire.GetVersionRequest{})
	require.NoError(t, err)
	require.Equal(t, "v2.2.8", version.GetVersion())
	info, err := wire.Connect.Call(t.Context(), c, &wire.ConnectRequest{})
	require.NoError(t, err)
	require.Equal(t, "v2.2.8", info.GetServerInfo().GetBuildTags())
	require.Equal(t, 1, srv.Count("GetVersion"))
}
