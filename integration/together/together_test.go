// Package together tests one program with go-api/v3, package rpc, the fake server,
// milvuswaittest and the activities for Temporal. protobuf panics at start if two of
// them register the same message. It is a module of its own, as a user's program is.
package together

import (
	"testing"

	"github.com/milvus-io/milvus-proto/go-api/v3/milvuspb"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/testsuite"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/integration/internal/importertest"
	"github.com/milvuswait/milvuswait/milvuswaittest"
	"github.com/milvuswait/milvuswait/rpc"
	"github.com/milvuswait/milvuswait/temporal/temporalwait"
)

func TestWaitsInOneProgram(t *testing.T) {
	conn, err := grpc.NewClient(importertest.Address(t), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	p := rpc.FromStub(milvuspb.NewMilvusServiceClient(conn))

	t.Run("rpc", func(t *testing.T) {
		collection, load := importertest.Fill(t, conn)
		importertest.Wait(t, p, collection, load)
	})

	t.Run("milvuswaittest", func(t *testing.T) {
		collection, load := importertest.Fill(t, conn)
		require.NoError(t, load(t.Context()))
		outcomes := milvuswaittest.RequireAll(t, p, targets(collection))
		require.Len(t, outcomes, 2)
	})

	t.Run("temporalwait", func(t *testing.T) {
		collection, load := importertest.Fill(t, conn)
		require.NoError(t, load(t.Context()))
		a := &temporalwait.Activities{Poller: p}
		env := new(testsuite.WorkflowTestSuite).NewTestActivityEnvironment()
		env.RegisterActivity(a)
		value, err := env.ExecuteActivity(a.WaitAll, temporalwait.Waits{Targets: temporalwait.On("", targets(collection)...)})
		require.NoError(t, err)
		var outcomes []temporalwait.Outcome
		require.NoError(t, value.Get(&outcomes))
		require.Len(t, outcomes, 2)
	})
}

func targets(collection string) []milvuswait.Target {
	return []milvuswait.Target{
		milvuswait.IndexBuilding(collection, importertest.Index).ExpectRows(importertest.Rows),
		milvuswait.Loading(collection),
	}
}
