package fakeserver_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"

	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

func TestWhatLiteHasNot(t *testing.T) {
	srv, c := start(t, fakeserver.Config{Dialect: fakeserver.MilvusLite})

	_, err := c.AllocTimestamp(t.Context(), &milvuspb.AllocTimestampRequest{})
	require.Equal(t, codes.Unimplemented, status.Code(err))
	_, err = c.LoadPartitions(t.Context(), &milvuspb.LoadPartitionsRequest{})
	require.ErrorContains(t, err, "MilvusLite does not support LoadPartitions")
	_, err = c.ReleasePartitions(t.Context(), &milvuspb.ReleasePartitionsRequest{})
	require.ErrorContains(t, err, "MilvusLite does not support ReleasePartitions")

	require.Equal(t, 1, srv.Count("LoadPartitions"))
}

func TestLiteIsLoadedAndBuiltAtOnce(t *testing.T) {
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
	require.Equal(t, commonpb.IndexState_Finished, index.GetState())
	require.Equal(t, said{35, 35, "index already exists for field 'vec'; call drop_index first"}, done(t)(createIndex(t.Context(), c, "docs", "vec", "vidx")))

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

func TestPartitionsOfLite(t *testing.T) {
	srv, c := start(t, fakeserver.Config{Dialect: fakeserver.MilvusLite})
	srv.AddCollection("docs", "p1")
	drop := func(name string) said {
		return done(t)(c.DropPartition(t.Context(), &milvuspb.DropPartitionRequest{CollectionName: "docs", PartitionName: name}))
	}

	require.Equal(t, said{unexpected, 1, "p1"}, done(t)(c.CreatePartition(t.Context(), &milvuspb.CreatePartitionRequest{CollectionName: "docs", PartitionName: "p1"})))
	require.Equal(t, said{6, 6, "cannot remove default partition '_default'"}, drop("_default"))
	require.Equal(t, ok, drop("p1"), "although it is loaded")
	require.Equal(t, said{200, 200, "p1"}, drop("p1"))
	has, err := c.HasCollection(t.Context(), &milvuspb.HasCollectionRequest{DbName: "ghost", CollectionName: "docs"})
	require.NoError(t, err)
	require.Equal(t, said{0, 1, "database 'ghost' does not exist"}, of(has.GetStatus()))
}
