package integration_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/milvuswaittest"
	"github.com/milvuswait/milvuswait/milvuswaittest/pollertest"
)

// TestPoller creates a collection as the tests of a user would, and runs package pollertest
// on package rpc.
func TestPoller(t *testing.T) {
	const rows = 2000
	on(t, standalone, func(t *testing.T, s *site) {
		ctx := within(t, 2*time.Minute)
		c := s.collections(ctx, t)
		docs := s.indexed(ctx, t, 1)
		require.NoError(t, s.ops.CreatePartition(ctx, docs, "p1"))
		s.insert(ctx, t, docs, 0, rows)
		tb := milvuswaittest.Within(t, 2*time.Minute)
		indexed := milvuswaittest.RequireIndexed(tb, s.poller, docs, rows, milvuswait.WithIndex(vectorIndex))
		require.NoError(t, s.ops.Load(ctx, docs))
		milvuswaittest.RequireLoaded(tb, s.poller, docs)
		milvuswaittest.RequireAll(tb, s.poller, []milvuswait.Target{
			milvuswait.Loading(docs, "p1"), milvuswait.IndexBuilding(docs, milvuswait.AllIndexes).ExpectRows(rows),
		})
		require.EqualValues(t, rows, indexed.IndexedRows)

		pollertest.Run(t, s.poller, pollertest.World{
			Collection: docs, Index: vectorIndex, Rows: rows, Partitions: []string{"_default", "p1"},
			NotLoaded: c.docs, NoIndex: c.bare, Several: c.twice, Indexes: []string{vectorIndex, numberIndex},
		})
	})
}
