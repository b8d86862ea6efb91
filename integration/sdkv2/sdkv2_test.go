// Package sdkv2 tests that a program of milvus-sdk-go/v2 can wait by this module.
// It is a module of its own, as that program is: what ours asks of other modules
// must leave it buildable.
package sdkv2

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/sdk"
)

const (
	collection = "sdkv2"
	dimension  = 8
	rows       = 2000
)

// address is MILVUS_URI, or that of a fake server.
func address(t *testing.T) string {
	if uri := os.Getenv("MILVUS_URI"); uri != "" {
		return uri
	}
	server, err := fakeserver.Start(fakeserver.Config{
		Address:      "127.0.0.1:0",
		VisibleAfter: 300 * time.Millisecond,
		Build:        func(rows int64) fake.Script { return fake.BuildOver(rows, 300*time.Millisecond) },
	})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server.Address()
}

func TestWaitsThroughMilvusSDKGo(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c, err := client.NewClient(ctx, client.Config{Address: address(t)})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, c.DropCollection(ctx, collection))
		require.NoError(t, c.Close())
	})
	fill(ctx, t, c)
	p := sdk.New(c)
	index := milvuswait.IndexBuilding(collection, "vidx").ExpectRows(rows)

	_, err = milvuswait.WaitAll(ctx, p, []milvuswait.Target{index, milvuswait.Loading(collection)})
	require.ErrorIs(t, err, milvuswait.ErrNotLoaded)

	indexed, err := milvuswait.WaitForIndexBuildingComplete(ctx, p, collection,
		milvuswait.WithIndex("vidx"), milvuswait.WithExpectedRows(rows))
	require.NoError(t, err)
	require.Equal(t, int64(rows), indexed.IndexedRows)

	require.NoError(t, c.LoadCollection(ctx, collection, true))
	outcomes, err := milvuswait.WaitAll(ctx, p, []milvuswait.Target{index, milvuswait.Loading(collection)})
	require.NoError(t, err)
	require.Len(t, outcomes, 2)

	_, err = milvuswait.WaitForLoadingComplete(ctx, p, "nope")
	require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)
}

// fill makes a collection with an index, and rows that are flushed but not waited
// for.
func fill(ctx context.Context, t *testing.T, c client.Client) {
	t.Helper()
	schema := entity.NewSchema().WithName(collection).
		WithField(entity.NewField().WithName("id").WithDataType(entity.FieldTypeInt64).WithIsPrimaryKey(true)).
		WithField(entity.NewField().WithName("vec").WithDataType(entity.FieldTypeFloatVector).WithDim(dimension))
	require.NoError(t, c.CreateCollection(ctx, schema, entity.DefaultShardNumber))
	index, err := entity.NewIndexHNSW(entity.L2, 16, 100)
	require.NoError(t, err)
	require.NoError(t, c.CreateIndex(ctx, collection, "vec", index, true, client.WithIndexName("vidx")))

	ids, vectors := make([]int64, rows), make([][]float32, rows)
	for i := range ids {
		ids[i], vectors[i] = int64(i), make([]float32, dimension)
		vectors[i][i%dimension] = 1
	}
	_, err = c.Insert(ctx, collection, "",
		entity.NewColumnInt64("id", ids), entity.NewColumnFloatVector("vec", dimension, vectors))
	require.NoError(t, err)
	require.NoError(t, c.Flush(ctx, collection, true))
}
