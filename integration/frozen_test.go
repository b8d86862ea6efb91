package integration_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// TestFrozenServer stops every process of a server during waits, without killing it, and lets
// it continue. Meanwhile connections stay open, and calls get no answer.
func TestFrozenServer(t *testing.T) {
	const rows = 40_000
	on(t, standalone, func(t *testing.T, shared *site) {
		shared.ours(t, "freezes its server")
		ctx := within(t, 10*time.Minute)
		s, err := launch(shared.server.Release())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.server.Close()) })
		building := s.report(t, "server frozen during an index wait and thawed")
		loading := s.report(t, "wait begun while the server of a loaded collection is frozen")
		loaded, docs := s.indexed(ctx, t, 2), s.indexed(ctx, t, 2)
		require.NoError(t, s.ops.Load(ctx, loaded))
		sight(ctx, s.watch.Loaded(loaded))(t)
		flushed := s.insert(ctx, t, docs, 0, rows)
		sight(ctx, flushed)(t)
		limit := milvuswait.WithPollTimeout(4*time.Second, time.Minute)
		indexWait := waitForIndex(ctx, s.poller, docs, milvuswait.WithExpectedRows(rows), limit)
		indexWait.midway(t, indexWait.polled)

		require.NoError(t, s.server.Freeze())
		lateWait := waitForLoad(ctx, s.poller, loaded, limit)
		indexWait.midway(t, indexWait.stumbled)
		lateWait.midway(t, lateWait.stumbled)
		require.NoError(t, s.server.Thaw())
		indexSeen := sight(ctx, s.watch.Indexed(docs, vectorIndex, rows))
		lateSeen := sight(ctx, s.watch.Loaded(loaded))

		lateWait.complete(t)
		indexWait.complete(t)
		loading.onTime(t, lateWait.timing, lateSeen(t))
		building.onTime(t, indexWait.timing, indexSeen(t))
	})
}
