package integration_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/integration/realserver"
)

// TestEmpty waits for collections without rows.
func TestEmpty(t *testing.T) {
	on(t, all, func(t *testing.T, s *site) {
		ctx := within(t, 2*time.Minute)
		t.Run("index", func(t *testing.T) {
			r := s.report(t, "index of an empty collection")
			docs := s.indexed(ctx, t, 2)

			w := waitForIndex(ctx, s.poller, docs)
			w.complete(t)

			r.waited, r.polls, r.note = w.took(), w.polls, w.progress.String()
			require.Equal(t, 1, w.polls)
			require.Zero(t, w.progress.TotalRows)
		})
		t.Run("load", func(t *testing.T) {
			r := s.report(t, "load of an empty collection")
			docs := s.indexed(ctx, t, 2)
			require.NoError(t, s.ops.Load(ctx, docs))

			seen := sight(ctx, s.watch.Loaded(docs))
			w := waitForLoad(ctx, s.poller, docs)
			w.complete(t)

			r.onTime(t, w.timing, seen(t))
		})
		t.Run("load of a partition", func(t *testing.T) {
			if s.lite() {
				return // milvus-lite cannot load partitions
			}
			r := s.report(t, "load of one partition of two, WithPartitions")
			docs := s.indexed(ctx, t, 2)
			require.NoError(t, s.ops.CreatePartition(ctx, docs, "p1"))
			require.NoError(t, s.ops.Load(ctx, docs, "p1"))

			seen := sight(ctx, s.watch.Loaded(docs, "p1"))
			w := waitForLoad(ctx, s.poller, docs, milvuswait.WithPartitions("p1"))
			w.complete(t)

			r.onTime(t, w.timing, seen(t))
		})
	})
}

// TestLite waits for the index and the load of milvus-lite, which are complete when the calls
// return.
func TestLite(t *testing.T) {
	const rows = 10_000
	on(t, []realserver.Release{realserver.Lite32}, func(t *testing.T, s *site) {
		s.ours(t, "is about milvus-lite")
		ctx := within(t, 2*time.Minute)
		docs := s.indexed(ctx, t, 1)
		s.insert(ctx, t, docs, 0, rows)

		t.Run("index", func(t *testing.T) {
			r := s.report(t, "index right after Flush, 10 000 rows, WithExpectedRows")
			seen := sight(ctx, s.watch.Indexed(docs, "", rows))
			w := waitForIndex(ctx, s.poller, docs, milvuswait.WithExpectedRows(rows))
			w.complete(t)
			r.onTime(t, w.timing, seen(t))
			require.EqualValues(t, rows, w.progress.IndexedRows)
		})
		t.Run("load", func(t *testing.T) {
			r := s.report(t, "load after a release")
			require.NoError(t, s.ops.Release(ctx, docs))
			require.NoError(t, s.ops.Load(ctx, docs))
			seen := sight(ctx, s.watch.Loaded(docs))
			w := waitForLoad(ctx, s.poller, docs)
			w.complete(t)
			r.onTime(t, w.timing, seen(t))
		})
	})
}
