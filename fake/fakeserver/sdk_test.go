package fakeserver_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

// A typical program of milvus-sdk-go, from the first connection on.
func TestSDK(t *testing.T) {
	for _, dialect := range []fakeserver.Dialect{fakeserver.Milvus23, fakeserver.Milvus22, fakeserver.MilvusLite, fakeserver.Milvus26} {
		for _, where := range []string{"127.0.0.1:0", ""} {
			t.Run(dialect.String()+" at "+where, func(t *testing.T) {
				t.Parallel()
				srv, err := fakeserver.Start(fakeserver.Config{Address: where, Dialect: dialect})
				require.NoError(t, err)
				defer srv.Close()
				config := client.Config{Address: srv.Address()}
				if where == "" {
					config = client.Config{Address: "fakeserver", DialOptions: srv.DialOptions()}
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				c, err := client.NewClient(ctx, config)
				require.NoError(t, err)
				defer func() { require.NoError(t, c.Close()) }()

				var name []client.IndexOption
				if dialect != fakeserver.MilvusLite { // milvus-lite names the index otherwise, and the SDK would wait forever
					name = append(name, client.WithIndexName("vidx"))
				}
				useSDK(ctx, t, c, name)

				require.Equal(t, 1, srv.Count("Connect"))
				require.Equal(t, 1, srv.Count("Insert"))
			})
		}
	}
}

func useSDK(ctx context.Context, t *testing.T, c client.Client, indexName []client.IndexOption) {
	t.Helper()
	const rows, dim = 3000, 8
	version, err := c.GetVersion(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, version)
	schema := entity.NewSchema().WithName("docs").
		WithField(entity.NewField().WithName("id").WithDataType(entity.FieldTypeInt64).WithIsPrimaryKey(true)).
		WithField(entity.NewField().WithName("vec").WithDataType(entity.FieldTypeFloatVector).WithDim(dim))
	require.NoError(t, c.CreateCollection(ctx, schema, 2))
	has, err := c.HasCollection(ctx, "docs")
	require.NoError(t, err)
	require.True(t, has)

	keys, vectors := make([]int64, rows), make([][]float32, rows)
	for i := range rows {
		keys[i], vectors[i] = int64(i), make([]float32, dim)
	}
	inserted, err := c.Insert(ctx, "docs", "", entity.NewColumnInt64("id", keys), entity.NewColumnFloatVector("vec", dim, vectors))
	require.NoError(t, err)
	require.Equal(t, rows, inserted.Len())
	require.NoError(t, c.Flush(ctx, "docs", false))
	statistics, err := c.GetCollectionStatistics(ctx, "docs")
	require.NoError(t, err)
	require.Equal(t, "3000", statistics["row_count"])

	index, err := entity.NewIndexHNSW(entity.L2, 8, 64)
	require.NoError(t, err)
	require.NoError(t, c.CreateIndex(ctx, "docs", "vec", index, false, indexName...))
	total, indexed, err := c.GetIndexBuildProgress(ctx, "docs", "vec")
	require.NoError(t, err)
	require.Equal(t, []int64{rows, rows}, []int64{total, indexed})
	described, err := c.DescribeIndex(ctx, "docs", "vec")
	require.NoError(t, err)
	require.Equal(t, 1, len(described))

	require.NoError(t, c.LoadCollection(ctx, "docs", false))
	percent, err := c.GetLoadingProgress(ctx, "docs", nil)
	require.NoError(t, err)
	require.EqualValues(t, 100, percent)
	state, err := c.GetLoadState(ctx, "docs", nil)
	require.NoError(t, err)
	require.Equal(t, entity.LoadStateLoaded, state)
	collections, err := c.ListCollections(ctx)
	require.NoError(t, err)
	require.Equal(t, "docs", collections[0].Name)

	require.NoError(t, c.CreatePartition(ctx, "docs", "p1"))
	has, err = c.HasPartition(ctx, "docs", "p1")
	require.NoError(t, err)
	require.True(t, has)
	require.NoError(t, c.ReleaseCollection(ctx, "docs"))
	require.NoError(t, c.DropIndex(ctx, "docs", "vec", indexName...))
	require.NoError(t, c.DropCollection(ctx, "docs"))
	has, err = c.HasCollection(ctx, "docs")
	require.NoError(t, err)
	require.False(t, has)
}
