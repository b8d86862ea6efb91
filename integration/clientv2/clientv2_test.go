// Package clientv2 tests that the waits work through the stub of
// milvus/client/v2. It is a module of its own: that client cannot be in one build
// with milvus-sdk-go/v2, and brings a hundred modules.
package clientv2

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/milvus-io/milvus/client/v2/column"
	"github.com/milvus-io/milvus/client/v2/entity"
	"github.com/milvus-io/milvus/client/v2/index"
	"github.com/milvus-io/milvus/client/v2/milvusclient"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/rpc"
)

const (
	collection = "clientv2"
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

func TestWaitsThroughClientV2(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	c, err := milvusclient.New(ctx, &milvusclient.ClientConfig{Address: address(t)})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, c.DropCollection(ctx, milvusclient.NewDropCollectionOption(collection)))
		require.NoError(t, c.Close(ctx))
	})
	fill(ctx, t, c)
	p := rpc.FromStub(c.GetService())

	indexed, err := milvuswait.WaitForIndexBuildingComplete(ctx, p, collection,
		milvuswait.WithIndex("vidx"), milvuswait.WithExpectedRows(rows))
	require.NoError(t, err)
	require.Equal(t, int64(rows), indexed.IndexedRows)

	_, err = milvuswait.WaitForLoadingComplete(ctx, p, collection)
	require.ErrorIs(t, err, milvuswait.ErrNotLoaded)

	_, err = c.LoadCollection(ctx, milvusclient.NewLoadCollectionOption(collection))
	require.NoError(t, err)
	_, err = milvuswait.WaitForLoadingComplete(ctx, p, collection)
	require.NoError(t, err)

	_, err = milvuswait.WaitForLoadingComplete(ctx, p, "nope")
	require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)
}

// fill makes a collection with an index, and rows that are flushed but not waited
// for.
func fill(ctx context.Context, t *testing.T, c *milvusclient.Client) {
	t.Helper()
	schema := entity.NewSchema().
		WithField(entity.NewField().WithName("id").WithDataType(entity.FieldTypeInt64).WithIsPrimaryKey(true)).
		WithField(entity.NewField().WithName("vec").WithDataType(entity.FieldTypeFloatVector).WithDim(dimension))
	require.NoError(t, c.CreateCollection(ctx, milvusclient.NewCreateCollectionOption(collection, schema)))
	_, err := c.CreateIndex(ctx, milvusclient.NewCreateIndexOption(collection, "vec", index.NewHNSWIndex(entity.L2, 16, 100)).WithIndexName("vidx"))
	require.NoError(t, err)

	ids, vectors := make([]int64, rows), make([][]float32, rows)
	for i := range ids {
		ids[i], vectors[i] = int64(i), make([]float32, dimension)
		vectors[i][i%dimension] = 1
	}
	_, err = c.Insert(ctx, milvusclient.NewColumnBasedInsertOption(collection,
		column.NewColumnInt64("id", ids), column.NewColumnFloatVector("vec", dimension, vectors)))
	require.NoError(t, err)
	_, err = c.Flush(ctx, milvusclient.NewFlushOption(collection))
	require.NoError(t, err)
}
