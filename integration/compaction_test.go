package integration_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// TestCompaction merges many small segments, once with a drop meanwhile.
func TestCompaction(t *testing.T) {
	on(t, standalone, func(t *testing.T, s *site) {
		t.Run("complete", func(t *testing.T) {
			t.Parallel()
			compact(within(t, 2*time.Minute), t, s)
		})
		t.Run("dropped meanwhile", func(t *testing.T) {
			t.Parallel()
			compactDropped(within(t, 2*time.Minute), t, s)
		})
	})
}

func compact(ctx context.Context, t *testing.T, s *site) {
	docs, rows := s.fragmented(ctx, t)
	compactRow := s.report(t, "compaction of 6 segments")
	indexRow := s.report(t, "index after the compaction, without rows")

	id, err := s.ops.Compact(ctx, docs)
	require.NoError(t, err)
	mergedSeen, compactSeen := sight(ctx, s.watch.Merged(docs, 1)), sight(ctx, s.watch.Compacted(id))
	compacted := waitForTarget(ctx, s.poller, milvuswait.Compacting(id))
	compacted.complete(t)
	indexSeen := sight(ctx, s.watch.Indexed(docs, vectorIndex, int64(rows)))
	index := waitForIndex(ctx, s.poller, docs)
	index.complete(t)

	require.False(t, compacted.returned.Before(mergedSeen(t).NotBefore), "returned before the segments were merged")
	compactRow.onTime(t, compacted.timing, compactSeen(t))
	indexRow.onTime(t, index.timing, indexSeen(t))
	progress := compacted.progress.(milvuswait.CompactionProgress)
	compactRow.note = progress.String()
	require.Equal(t, milvuswait.CompactionProgress{State: milvuswait.CompactionStateCompleted, Completed: 1}, progress)
}

func compactDropped(ctx context.Context, t *testing.T, s *site) {
	docs, _ := s.fragmented(ctx, t)
	r := s.report(t, "collection dropped during its compaction")

	id, err := s.ops.Compact(ctx, docs)
	require.NoError(t, err)
	seen := sight(ctx, s.watch.Compacted(id))
	w := waitForTarget(ctx, s.poller, milvuswait.Compacting(id))
	require.NoError(t, s.ops.Drop(ctx, docs))

	reason := w.fails(t, milvuswait.ErrJobFailed)
	r.onTime(t, w.timing, seen(t))
	r.note = reason.Error()
	require.ErrorContains(t, w.err, "1 of 1 plans failed")
}

// TestCompactionOfNothing waits for compactions without plans: of an empty collection, and
// one that the server does not know. All servers report both as completed.
func TestCompactionOfNothing(t *testing.T) {
	on(t, all, func(t *testing.T, s *site) {
		ctx := within(t, time.Minute)
		r := s.report(t, "compaction of an empty collection, and unknown compaction: 0 plans")
		empty, err := s.ops.Compact(ctx, s.indexed(ctx, t, 1))
		require.NoError(t, err)
		for _, id := range []int64{max(empty, 1), 123456789} { // milvus-lite returns 0
			progress, err := milvuswait.WaitForCompactionComplete(ctx, s.poller, id)
			require.NoError(t, err)
			require.Equal(t, milvuswait.CompactionProgress{State: milvuswait.CompactionStateCompleted}, progress)
			r.note = progress.String()
		}
	})
}

// fragmented creates a collection of several small segments, with a complete index.
func (s *site) fragmented(ctx context.Context, t *testing.T) (collection string, rows int) {
	t.Helper()
	const segments, each = 6, 500
	docs := s.indexed(ctx, t, 1)
	for i := range segments {
		s.insert(ctx, t, docs, i*each, each)
	}
	waitForIndex(ctx, s.poller, docs).complete(t)
	return docs, segments * each
}
