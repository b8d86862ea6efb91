// Package sdkv2 tests the waits of a program with milvus-sdk-go/v2. It is a separate module,
// as a user's program is: it must build with our requirements.
package sdkv2

import (
	"context"
	"testing"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/integration/internal/importertest"
	"github.com/milvuswait/milvuswait/internal/wire/wiretest"
	"github.com/milvuswait/milvuswait/rpc"
	"github.com/milvuswait/milvuswait/sdk"
)

const dimension = 8

// pollers make a Poller of a client.
var pollers = map[string]func(client.Client) milvuswait.Poller{
	"client":     sdk.New,
	"connection": func(c client.Client) milvuswait.Poller { return rpc.New(c.(*client.GrpcClient).Conn) },
}

func TestWaitsThroughMilvusSDKGo(t *testing.T) {
	c := connect(t, importertest.Address(t))
	for name, poller := range pollers {
		t.Run(name, func(t *testing.T) {
			collection := fill(t, c)
			importertest.Wait(t, poller(c), collection, func(ctx context.Context) error {
				return c.LoadCollection(ctx, collection, true)
			})
		})
	}
}

func TestPollsOnce(t *testing.T) {
	server := importertest.Fake(t)
	c := connect(t, server.Address())
	for name, poller := range pollers {
		t.Run(name, func(t *testing.T) { importertest.PollOnce(t, server, poller(c)) })
	}
}

func TestPollsOptionalCalls(t *testing.T) {
	for name, poller := range pollers {
		t.Run(name, func(t *testing.T) {
			importertest.PollOptional(t, func(t *testing.T, address string) *rpc.Poller {
				return poller(connect(t, address)).(*rpc.Poller)
			})
		})
	}
}

func TestMessagesAreThoseOfGoAPI(t *testing.T) { wiretest.CompareWithGoAPI(t) }

func connect(t *testing.T, address string) client.Client {
	t.Helper()
	c, err := client.NewClient(t.Context(), client.Config{Address: address})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	return c
}

// fill creates a collection with an index and flushed rows, and drops it when the test
// ends.
func fill(t *testing.T, c client.Client) (collection string) {
	t.Helper()
	ctx, collection := t.Context(), importertest.Name()
	schema := entity.NewSchema().WithName(collection).
		WithField(entity.NewField().WithName("id").WithDataType(entity.FieldTypeInt64).WithIsPrimaryKey(true)).
		WithField(entity.NewField().WithName("vec").WithDataType(entity.FieldTypeFloatVector).WithDim(dimension))
	require.NoError(t, c.CreateCollection(ctx, schema, entity.DefaultShardNumber))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, c.DropCollection(ctx, collection))
	})

	index, err := entity.NewIndexHNSW(entity.L2, 16, 100)
	require.NoError(t, err)
	require.NoError(t, c.CreateIndex(ctx, collection, "vec", index, true, client.WithIndexName(importertest.Index)))

	ids, vectors := make([]int64, importertest.Rows), make([][]float32, importertest.Rows)
	for i := range ids {
		ids[i], vectors[i] = int64(i), make([]float32, dimension)
		vectors[i][i%dimension] = 1
	}

	_, err = c.Insert(ctx, collection, "",
		entity.NewColumnInt64("id", ids), entity.NewColumnFloatVector("vec", dimension, vectors))
	require.NoError(t, err)
	require.NoError(t, c.Flush(ctx, collection, true))
	return collection
}
