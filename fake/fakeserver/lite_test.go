package fakeserver_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

func TestLite_MissingCalls_AreUnimplemented(t *testing.T) {
	srv, c := start(t, fakeserver.Config{Dialect: fakeserver.MilvusLite})

	_, err := wire.AllocTimestamp.Call(t.Context(), c, &wire.AllocTimestampRequest{})
	require.Equal(t, codes.Unimplemented, status.Code(err))
	_, err = wire.LoadPartitions.Call(t.Context(), c, &wire.LoadPartitionsRequest{})
	require.ErrorContains(t, err, "MilvusLite does not support LoadPartitions")
	_, err = wire.ReleasePartitions.Call(t.Context(), c, &wire.ReleasePartitionsRequest{})
	require.ErrorContains(t, err, "MilvusLite does not support ReleasePartitions")

	require.Equal(t, 1, srv.Count("LoadPartitions"))
}

func TestLite_LoadsAndBuilds_AreCompleteAtOnce(t *testing.T) {
	srv, c := start(t, fakeserver.Config{Dialect: fakeserver.MilvusLite})
	srv.AddRows("docs", 1000)
	require.EqualValues(t, 100, loadingProgress(t, c, "docs").GetProgress())
	s, err := release(t.Context(), c, "docs")
	succeeds(t, s, err)
	require.EqualValues(t, 100, loadingProgress(t, c, "docs").GetProgress(), "without an index it stays loaded")

	s, err = createIndex(t.Context(), c, "docs", "vec", "vidx")
	succeeds(t, s, err)
	index := describeIndex(t, c, "docs", "vidx", 0).GetIndexDescriptions()[0]
	require.Equal(t, "vec", index.GetIndexName())
	require.EqualValues(t, 1000, index.GetIndexedRows())
	require.Equal(t, wire.IndexState_Finished, index.GetState())
	require.Equal(t, body{35, 35, "index already exists for field 'vec'; call drop_index first"}, done(t)(createIndex(t.Context(), c, "docs", "vec", "vidx")))

	s, err = release(t.Context(), c, "docs")
	succeeds(t, s, err)
	r := loadingProgress(t, c, "docs")
	require.Equal(t, ok, of(r.GetStatus()))
	require.Zero(t, r.GetProgress())
	require.Equal(t, []int64{0}, inMemory(t, c, "docs", "nope").InMemoryPercentages)
	s, err = load(t.Context(), c, "docs")
	succeeds(t, s, err)
	require.EqualValues(t, 100, loadingProgress(t, c, "docs", "ignored").GetProgress())
	require.Zero(t, loadingProgress(t, c, "docs").GetRefreshProgress())
}

func TestLite_Partitions(t *testing.T) {
	srv, c := start(t, fakeserver.Config{Dialect: fakeserver.MilvusLite})
	srv.AddCollection("docs", "p1")
	drop := func(name string) body {
		return done(t)(wire.DropPartition.Call(t.Context(), c, &wire.DropPartitionRequest{CollectionName: "docs", PartitionName: name}))
	}

	require.Equal(t, body{unexpected, 1, "p1"}, done(t)(wire.CreatePartition.Call(t.Context(), c, &wire.CreatePartitionRequest{CollectionName: "docs", PartitionName: "p1"})))
	require.Equal(t, body{6, 6, "cannot remove default partition '_default'"}, drop("_default"))
	require.Equal(t, ok, drop("p1"), "although it is loaded")
	require.Equal(t, body{200, 200, "p1"}, drop("p1"))
	has, err := wire.HasCollection.Call(t.Context(), c, &wire.HasCollectionRequest{DbName: "ghost", CollectionName: "docs"})
	require.NoError(t, err)
	require.Equal(t, body{0, 1, "database 'ghost' does not exist"}, of(has.GetStatus()))
}
