package integration_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/integration/milvusops"
	"github.com/milvuswait/milvuswait/integration/realserver"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// TestWithDatabase_UserOfOneDatabase_MayPoll waits as a user whose rights are in one
// database. 2.3.5 checks the rights of a call in the database of its dbname header,
// and of the default database if there is no header, whatever the request names.
func TestWithDatabase_UserOfOneDatabase_MayPoll(t *testing.T) {
	const database, docs, index, rows = "shop", "docs", "vidx", 2000
	switch mode := os.Getenv(modeVariable); {
	case mode == "":
		t.Skipf("starts a server that checks users: set %s=1", modeVariable)
	case mode == "1" && os.Getenv(realserver.URIVariable) != "":
		t.Skipf("%s is set, and this test needs a server that checks users", realserver.URIVariable)
	}
	ctx := within(t, 10*time.Minute)
	server, err := realserver.LaunchSecured(ctx, realserver.Milvus23)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })

	root, err := server.Dial()
	require.NoError(t, err)
	t.Cleanup(func() { _ = root.Close() })
	ops := milvusops.New(root)
	require.NoError(t, ops.CreateDatabase(ctx, database))
	// 2.3.5 asks for Load where newer servers ask for GetLoadingProgress.
	createUser(ctx, t, server.Address(), "svc", "secret-1", database, "IndexDetail", "Load", "GetLoadState")
	shop := wire.WithDatabase(ctx, database)
	require.NoError(t, ops.CreateCollection(shop, docs, 1))
	require.NoError(t, ops.CreateVectorIndex(shop, docs, index))
	require.NoError(t, ops.Insert(shop, docs, "", 0, rows))
	flush, err := ops.StartFlush(shop, docs)
	require.NoError(t, err)
	mark, err := rpc.FlushMarkOf(flush, docs)
	require.NoError(t, err)
	require.NoError(t, ops.Load(shop, docs))

	svc, err := server.DialAs("svc:secret-1")
	require.NoError(t, err)
	t.Cleanup(func() { _ = svc.Close() })
	p := rpc.New(svc, rpc.WithDatabase(database))
	// The list of segments needs no privilege.
	targets := []milvuswait.Target{milvuswait.IndexBuilding(docs, index), milvuswait.Loading(docs)}

	outcomes, err := milvuswait.WaitAll(ctx, p, targets)

	require.NoError(t, err, "%v", outcomes)
	require.EqualValues(t, rows, outcomes[0].Progress.(milvuswait.IndexBuildingProgress).IndexedRows)
	require.False(t, outcomes[0].Unconfirmed)
	require.NoError(t, p.CheckLoadState(ctx, docs))

	t.Run("request alone is refused", func(t *testing.T) {
		_, err := wire.GetLoadingProgress.Call(ctx, svc, &wire.GetLoadingProgressRequest{DbName: database, CollectionName: docs})

		t.Log(err)
		require.Equal(t, codes.PermissionDenied, status.Code(err))
	})
	t.Run("header of the context wins", func(t *testing.T) {
		elsewhere := wire.WithDatabase(ctx, "default")

		_, err := milvuswait.WaitForLoadingComplete(elsewhere, p, docs)

		refusedAtOnce(t, err)
	})
	t.Run("another database is refused", func(t *testing.T) {
		_, err := milvuswait.WaitForLoadingComplete(ctx, rpc.New(svc), docs)

		refusedAtOnce(t, err)
	})
	t.Run("flush mark needs GetFlushState", func(t *testing.T) {
		_, err := milvuswait.WaitForIndexBuildingComplete(ctx, p, docs, milvuswait.WithFlush(mark))
		refusedAtOnce(t, err)

		createUser(ctx, t, server.Address(), "flusher", "secret-3", database, "IndexDetail", "GetFlushState")
		flusher, err := server.DialAs("flusher:secret-3")
		require.NoError(t, err)
		t.Cleanup(func() { _ = flusher.Close() })

		_, err = milvuswait.WaitForIndexBuildingComplete(ctx, rpc.New(flusher, rpc.WithDatabase(database)), docs, milvuswait.WithFlush(mark))
		require.NoError(t, err)
	})
	t.Run("FindRow needs Query", func(t *testing.T) {
		_, err := milvuswait.WaitForLoadingComplete(ctx, p, docs, milvuswait.WithVerify(p.FindRow("id == 7")))

		refusedAtOnce(t, err)
	})
	t.Run("user without rights is refused", func(t *testing.T) {
		createUser(ctx, t, server.Address(), "guest", "secret-2", database)
		guest, err := server.DialAs("guest:secret-2")
		require.NoError(t, err)
		t.Cleanup(func() { _ = guest.Close() })

		_, err = milvuswait.WaitForLoadingComplete(ctx, rpc.New(guest, rpc.WithDatabase(database)), docs)

		refusedAtOnce(t, err)
	})
	t.Run("wrong password is refused", func(t *testing.T) {
		stranger, err := server.DialAs("svc:wrong")
		require.NoError(t, err)
		t.Cleanup(func() { _ = stranger.Close() })

		_, err = milvuswait.WaitForIndexBuildingComplete(ctx, rpc.New(stranger, rpc.WithDatabase(database)), docs)

		t.Log(err)
		var e *milvuswait.Error
		require.ErrorAs(t, err, &e)
		require.Equal(t, 1, e.Polls)
		require.Contains(t, err.Error(), "auth")
	})
}

// refusedAtOnce checks that the first poll ended the wait because of a missing right.
func refusedAtOnce(t *testing.T, err error) {
	t.Helper()
	t.Log(err)
	require.Equal(t, codes.PermissionDenied, status.Code(err))
	var e *milvuswait.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, 1, e.Polls)
}

// createUser creates a user with a role of the same name, which has these privileges on
// every collection of the database.
func createUser(ctx context.Context, t *testing.T, address, name, password, database string, privileges ...string) {
	t.Helper()
	root, err := client.NewClient(ctx, client.Config{Address: address, Username: "root", Password: "Milvus"})
	require.NoError(t, err)
	defer root.Close()
	require.NoError(t, root.CreateCredential(ctx, name, password))
	require.NoError(t, root.CreateRole(ctx, name))
	require.NoError(t, root.AddUserRole(ctx, name, name))
	for _, privilege := range privileges {
		err := root.Grant(ctx, name, entity.PriviledegeObjectTypeCollection, "*", privilege, entity.WithOperatePrivilegeDatabase(database))
		require.NoError(t, err)
	}
}
