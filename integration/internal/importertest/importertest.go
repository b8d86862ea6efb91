// Package importertest tests the waits of importers: nested modules, each with its own
// client of Milvus. They run on a fake server, or on the server of MILVUS_URI.
package importertest

import (
	"context"
	"crypto/rand"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/integration/milvusops"
	"github.com/milvuswait/milvuswait/integration/realserver"
)

// Each collection has one index and 2000 rows, flushed together. Milvus 2.3 builds no
// index for a segment of fewer than 1024 rows.
const (
	Index = "vidx"
	Rows  = 2000
)

// Address returns host and port of the server.
func Address(t *testing.T) string {
	t.Helper()
	if uri := os.Getenv(realserver.URIVariable); uri != "" {
		server, err := realserver.Attach(t.Context(), uri, os.Getenv(realserver.TokenVariable))
		require.NoError(t, err)
		if server.Token() != "" || strings.HasPrefix(server.URI(), "https:") {
			t.Skip("the clients of the importers are connected without TLS and credentials")
		}
		return server.Address()
	}
	return Fake(t).Address()
}

// Fake returns a fake server on the loopback interface. It is closed when the test ends.
func Fake(t *testing.T) *fakeserver.Server {
	t.Helper()
	server, err := fakeserver.Start(fakeserver.Config{
		Address:      "127.0.0.1:0",
		VisibleAfter: 300 * time.Millisecond,
		Build:        func(rows int64) fake.Script { return fake.BuildOver(rows, 300*time.Millisecond) },
	})
	require.NoError(t, err)
	t.Cleanup(server.Close)
	return server
}

// Name returns an unused name for a collection.
func Name() string { return "milvuswait_importer_" + rand.Text() }

// Fill creates a collection for Wait over conn. It returns the name, and a function to
// start the load. It drops the collection when the test ends.
func Fill(t *testing.T, conn *grpc.ClientConn) (collection string, load func(context.Context) error) {
	t.Helper()
	ctx, ops, name := t.Context(), milvusops.New(conn), Name()
	require.NoError(t, ops.CreateCollection(ctx, name, 1))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		require.NoError(t, ops.Release(ctx, name))
		require.NoError(t, ops.Drop(ctx, name))
	})

	require.NoError(t, ops.CreateVectorIndex(ctx, name, Index))
	require.NoError(t, ops.Insert(ctx, name, "", 0, Rows))
	_, err := ops.Flush(ctx, name)
	require.NoError(t, err)
	return name, func(ctx context.Context) error { return ops.Load(ctx, name) }
}

// Wait waits through p for the index and the load of a collection, and checks the
// errors for a collection before its load and for a missing one. The collection has
// the index and the rows, flushed, and is not loaded. Wait calls load to start the load.
func Wait(t *testing.T, p milvuswait.Poller, collection string, load func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	both := []milvuswait.Target{
		milvuswait.IndexBuilding(collection, Index).ExpectRows(Rows),
		milvuswait.Loading(collection),
	}

	_, err := milvuswait.WaitForLoadingComplete(ctx, p, collection)
	require.ErrorIs(t, err, milvuswait.ErrNotLoaded)
	_, err = milvuswait.WaitAll(ctx, p, both)
	require.ErrorIs(t, err, milvuswait.ErrNotLoaded)
	_, err = milvuswait.WaitForLoadingComplete(ctx, p, Name())
	require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)

	indexed, err := milvuswait.WaitForIndexBuildingComplete(ctx, p, collection,
		milvuswait.WithIndex(Index), milvuswait.WithExpectedRows(Rows))
	require.NoError(t, err)
	require.EqualValues(t, Rows, indexed.IndexedRows)

	require.NoError(t, load(ctx))
	loaded, err := milvuswait.WaitForLoadingComplete(ctx, p, collection)
	require.NoError(t, err)
	require.EqualValues(t, 100, loaded.Percent)
	outcomes, err := milvuswait.WaitAll(ctx, p, both)
	require.NoError(t, err)
	require.Len(t, outcomes, 2)
}

// PollOnce refuses all calls as unavailable, and checks that p makes one call per poll:
// the retries of its connection are off.
func PollOnce(t *testing.T, server *fakeserver.Server, p milvuswait.Poller) {
	t.Helper()
	server.Fail(fakeserver.AnyMethod, fakeserver.Refuse(codes.Unavailable, "away"))
	defer server.Heal()

	polls := map[string]func() error{
		"GetLoadingProgress": func() error {
			_, err := p.LoadingProgress(t.Context(), "docs")
			return err
		},
		"DescribeIndex": func() error {
			_, err := p.IndexBuildingProgress(t.Context(), "docs", Index)
			return err
		},
		"GetLoadState": func() error { return p.(milvuswait.LoadStateChecker).CheckLoadState(t.Context(), "docs") },
		"ShowCollections": func() error {
			_, err := p.(milvuswait.Lister).ListLoading(t.Context())
			return err
		},
	}

	for method, poll := range polls {
		before := server.Count(method)
		err := poll()
		require.Equal(t, codes.Unavailable, status.Code(err), "%s: %v", method, err)
		require.Equal(t, 1, server.Count(method)-before, method)
	}
}
