package integration_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// soon is how long a wait may take to see that its target is gone: the pace of
// the first second makes it 0.1 s.
const soon = 2 * time.Second

// TestGoneDuringAWait takes away what a wait is for, while it waits.
func TestGoneDuringAWait(t *testing.T) {
	t.Run("collection dropped under an index", func(t *testing.T) {
		on(t, all, func(t *testing.T, s *site) {
			r := s.report(t, "collection dropped during an index wait")
			ctx := within(t, time.Minute)
			docs := s.indexed(ctx, t, 1)
			require.NoError(t, s.ops.Release(ctx, docs)) // milvus-lite has loaded it
			w := waitForIndex(ctx, s.poller, docs, milvuswait.WithExpectedRows(1))
			w.midway(t, w.polled)

			require.NoError(t, s.ops.Drop(ctx, docs))
			gone := time.Now()

			r.gone(t, gone, w.fails(t, milvuswait.ErrCollectionNotFound), w.timing)
		})
	})
	t.Run("index dropped", func(t *testing.T) {
		on(t, standalone, func(t *testing.T, s *site) {
			r := s.report(t, "index dropped during its wait")
			ctx := within(t, time.Minute)
			docs := s.indexed(ctx, t, 1)
			w := waitForIndex(ctx, s.poller, docs, milvuswait.WithExpectedRows(1))
			w.midway(t, w.polled)

			require.NoError(t, s.ops.DropIndex(ctx, docs, vectorIndex))
			gone := time.Now()

			r.gone(t, gone, w.fails(t, milvuswait.ErrIndexNotFound), w.timing)
		})
	})
	t.Run("load released", func(t *testing.T) {
		on(t, standalone, func(t *testing.T, s *site) {
			r := s.report(t, "collection released during its load")
			ctx := within(t, time.Minute)
			docs := s.indexed(ctx, t, 2)
			require.NoError(t, s.ops.Load(ctx, docs))
			w := waitForLoad(ctx, s.poller, docs)
			w.midway(t, w.polled)

			require.NoError(t, s.ops.Release(ctx, docs))
			gone := time.Now()

			r.gone(t, gone, w.fails(t, milvuswait.ErrReleased), w.timing)
		})
	})
	t.Run("loading collection dropped", func(t *testing.T) {
		on(t, standalone, func(t *testing.T, s *site) {
			r := s.report(t, "collection released and dropped during its load")
			ctx := within(t, time.Minute)
			docs := s.indexed(ctx, t, 2)
			require.NoError(t, s.ops.Load(ctx, docs))
			w := waitForLoad(ctx, s.poller, docs)
			w.midway(t, w.polled)

			require.NoError(t, s.ops.Release(ctx, docs))
			require.NoError(t, s.ops.Drop(ctx, docs))
			gone := time.Now()

			// Whichever of the two a poll comes upon first.
			r.gone(t, gone, w.fails(t, milvuswait.ErrReleased, milvuswait.ErrCollectionNotFound), w.timing)
		})
	})
}

// gone checks that a wait ended soon after what it was for had gone.
func (r *row) gone(t *testing.T, at time.Time, reason error, tm timing) {
	t.Helper()
	late := tm.returned.Sub(at)
	r.late, r.waited, r.polls, r.note = &late, tm.took(), tm.polls, reason.Error()
	t.Logf("%s: returned %.3f s after it was gone", r.name, late.Seconds())
	require.Less(t, late, soon)
}
