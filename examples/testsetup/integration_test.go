package testsetup_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/examples/testsetup"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/milvuswaittest"
	"github.com/milvuswait/milvuswait/sdk"
)

const dimension = 16

// TestService runs on the server of MILVUS_URI. Without it, the test runs on a fake server and
// omits the search.
func TestService(t *testing.T) {
	ctx := t.Context()
	c, real := connect(ctx, t)
	vectors := make([][]float32, 3000)
	for i := range vectors {
		vectors[i] = make([]float32, dimension)
		for j := range vectors[i] {
			vectors[i][j] = rand.Float32()
		}
	}
	collection := newCollection(ctx, t, c, vectors)
	service := testsetup.New(c, sdk.New(c), collection, slog.New(slog.NewTextHandler(t.Output(), nil)))
	require.ErrorIs(t, service.Ready(), testsetup.ErrNotReady)

	starting, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	require.NoError(t, service.Start(starting))

	require.NoError(t, service.Ready())
	t.Run("search", func(t *testing.T) {
		if !real {
			t.Skip("the fake Milvus has no search: set MILVUS_URI to the address of a server")
		}
		keys, err := service.Search(ctx, vectors[7], 3)
		require.NoError(t, err)
		require.Len(t, keys, 3)
		require.EqualValues(t, 7, keys[0])
	})
}

// connect returns a client for the server of MILVUS_URI, or of a fake one.
func connect(ctx context.Context, t *testing.T) (c client.Client, real bool) {
	config := client.Config{Address: os.Getenv("MILVUS_URI")}
	real = config.Address != ""
	if !real {
		srv, err := fakeserver.Start(fakeserver.Config{})
		require.NoError(t, err)
		t.Cleanup(srv.Close)
		config.Address, config.DialOptions = "fakeserver", srv.DialOptions()
	}
	token := os.Getenv("MILVUS_TOKEN") // an API key or "user:password"
	if user, password, found := strings.Cut(token, ":"); found {
		config.Username, config.Password = user, password
	} else {
		config.APIKey = token
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, err := client.NewClient(ctx, config)
	require.NoError(t, err, "connecting to MILVUS_URI=%s", config.Address)
	t.Cleanup(func() { c.Close() })
	return c, real
}

// newCollection creates a collection with these vectors, indexed, and the keys 0, 1, …. It
// returns the name. The collection is dropped at the end of the test.
func newCollection(ctx context.Context, t *testing.T, c client.Client, vectors [][]float32) string {
	collection := fmt.Sprintf("testsetup_%08x", rand.Uint32())
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second) // t.Context has ended
		defer cancel()
		require.NoError(t, c.DropCollection(ctx, collection))
	})
	schema := entity.NewSchema().WithName(collection).
		WithField(entity.NewField().WithName("id").WithDataType(entity.FieldTypeInt64).WithIsPrimaryKey(true)).
		WithField(entity.NewField().WithName("vector").WithDataType(entity.FieldTypeFloatVector).WithDim(dimension))
	require.NoError(t, c.CreateCollection(ctx, schema, 2))
	hnsw, err := entity.NewIndexHNSW(entity.L2, 16, 100)
	require.NoError(t, err)
	require.NoError(t, c.CreateIndex(ctx, collection, "vector", hnsw, true))

	keys := make([]int64, len(vectors))
	for i := range keys {
		keys[i] = int64(i)
	}
	_, err = c.Insert(ctx, collection, "", entity.NewColumnInt64("id", keys), entity.NewColumnFloatVector("vector", dimension, vectors))
	require.NoError(t, err)
	require.NoError(t, c.Flush(ctx, collection, true))
	milvuswaittest.RequireIndexed(t, sdk.New(c), collection, int64(len(vectors)))
	return collection
}
