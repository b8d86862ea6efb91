// Package clientv2 tests the waits through the stub of milvus/client/v2, with the newest
// go-api/v2. It is a separate module: that client cannot be in one build with
// milvus-sdk-go/v2, and brings a hundred modules.
package clientv2

import (
	"context"
	"testing"
	"time"

	_ "github.com/milvus-io/milvus-proto/go-api/v2/milvuspb" // newer than the client's requirement
	"github.com/milvus-io/milvus/client/v2/column"
	"github.com/milvus-io/milvus/client/v2/entity"
	"github.com/milvus-io/milvus/client/v2/index"
	"github.com/milvus-io/milvus/client/v2/milvusclient"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/integration/internal/importertest"
	"github.com/milvuswait/milvuswait/internal/wire/wiretest"
	"github.com/milvuswait/milvuswait/rpc"
)

const dimension = 8

func TestWaitsThroughClientV2(t *testing.T) {
	c := connect(t, importertest.Address(t))
	collection := fill(t, c)
	importertest.Wait(t, rpc.FromStub(c.GetService()), collection, func(ctx context.Context) error {
		_, err := c.LoadCollection(ctx, milvusclient.NewLoadCollectionOption(collection))
		return err
	})
}

func TestPollsOnce(t *testing.T) {
	server := importertest.Fake(t)
	importertest.PollOnce(t, server, rpc.FromStub(connect(t, server.Address()).GetService()))
}

func TestPollsOptionalCalls(t *testing.T) {
	importertest.PollOptional(t, func(t *testing.T, address string) *rpc.Poller {
		return rpc.FromStub(connect(t, address).GetService())
	})
}

func TestClosedClient_IsInvalid(t *testing.T) {
	c := connect(t, importertest.Fake(t).Address())
	require.NoError(t, c.Close(t.Context()))

	_, err := milvuswait.WaitForLoadingComplete(t.Context(), rpc.FromStub(c.GetService()), "docs")

	require.ErrorIs(t, err, milvuswait.ErrInvalid)
	require.ErrorContains(t, err, "the stub is nil")
}

func TestMessagesAreThoseOfGoAPI(t *testing.T) { wiretest.CompareWithGoAPI(t) }

func connect(t *testing.T, address string) *milvusclient.Client {
	t.Helper()
	c, err := milvusclient.New(t.Context(), &milvusclient.ClientConfig{Address: address})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close(context.Background())) })
	return c
}

// fill creates a collection with an index and flushed rows, and drops it when the test
// ends.
func fill(t *testing.T, c *milvusclient.Client) (collection string) {
	t.Helper()
	ctx, collection := t.Context(), importertest.Name()
	schema := entity.NewSchema().
		WithField(entity.NewField().WithName("id").WithDataType(entity.FieldTypeInt64).WithIsPrimaryKey(true)).
		WithField(entity.NewField().WithName("vec").WithDataType(entity.FieldTypeFloatVector).WithDim(dimension))
	require.NoError(t, c.CreateCollection(ctx, milvusclient.NewCreateCollectionOption(collection, schema)))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, c.DropCollection(ctx, milvusclient.NewDropCollectionOption(collection)))
	})
	_, err := c.CreateIndex(ctx, milvusclient.NewCreateIndexOption(collection, "vec", index.NewHNSWIndex(entity.L2, 16, 100)).
		WithIndexName(importertest.Index))
	require.NoError(t, err)

	ids, vectors := make([]int64, importertest.Rows), make([][]float32, importertest.Rows)
	for i := range ids {
		ids[i], vectors[i] = int64(i), make([]float32, dimension)
		vectors[i][i%dimension] = 1
	}
	_, err = c.Insert(ctx, milvusclient.NewColumnBasedInsertOption(collection,
		column.NewColumnInt64("id", ids), column.NewColumnFloatVector("vec", dimension, vectors)))
	require.NoError(t, err)
	_, err = c.Flush(ctx, milvusclient.NewFlushOption(collection))
	require.NoError(t, err)
	return collection
}
