package integration_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/integration/milvusops"
	"github.com/milvuswait/milvuswait/integration/realserver"
)

// TestRestart kills a server during waits, and starts it again on its port and data. Loads
// are complete again after half a minute: first, the session of the killed server expires.
func TestRestart(t *testing.T) {
	const rows, few = 40_000, 5_000
	on(t, standalone, func(t *testing.T, shared *site) {
		shared.ours(t, "kills its server")
		ctx := within(t, 10*time.Minute)
		s, err := launch(shared.server.Release())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.server.Close()) })
		building := s.report(t, "server killed during an index wait and started again")
		halfway := s.report(t, "server killed during a load and started again")
		away := s.report(t, "wait begun while the server of a loaded collection is away")
		unwritten := s.report(t, "server killed between Flush and writing, index wait without rows begun before")
		unwrittenAfter := s.report(t, "server killed between Flush and writing, index wait without rows begun when it is back")

		for _, r := range []*row{building, halfway, away, unwritten, unwrittenAfter} {
			r.limit += 6 * time.Second // the connection is tried every 3 s, and the first call may find the server not ready
		}

		loaded, half, docs, fresh := s.indexed(ctx, t, 2), s.indexed(ctx, t, 2), s.indexed(ctx, t, 2), s.indexed(ctx, t, 2)
		s.insert(ctx, t, loaded, 0, few)
		s.insert(ctx, t, half, 0, few)
		sight(ctx, s.watch.Indexed(loaded, vectorIndex, few))(t)
		sight(ctx, s.watch.Indexed(half, vectorIndex, few))(t)
		require.NoError(t, s.ops.Load(ctx, loaded))
		sight(ctx, s.watch.Loaded(loaded))(t)
		flushed := s.insert(ctx, t, docs, 0, rows)
		sight(ctx, flushed)(t)
		require.NoError(t, s.ops.Load(ctx, half))
		indexWait := waitForIndex(ctx, s.poller, docs, milvuswait.WithExpectedRows(rows))
		loadWait := waitForLoad(ctx, s.poller, half)
		indexWait.midway(t, indexWait.polled)
		loadWait.midway(t, loadWait.polled)
		freshFlushed, mark := s.insertMarked(ctx, t, fresh, 0, few)
		freshWait := waitForIndex(ctx, s.poller, fresh)
		freshWait.midway(t, freshWait.polled)

		require.NoError(t, s.server.Kill())
		ready := s.awaitReady(ctx, t)
		lateWait := waitForLoad(ctx, s.poller, loaded)
		indexWait.midway(t, indexWait.stumbled)
		loadWait.midway(t, loadWait.stumbled)
		lateWait.midway(t, lateWait.stumbled)
		start := time.Now()
		require.NoError(t, s.server.Start(ctx))
		t.Logf("started again in %.1f s", time.Since(start).Seconds())
		ready(t)
		indexSeen := sight(ctx, s.watch.Indexed(docs, vectorIndex, rows))
		loadSeen := sight(ctx, s.watch.Loaded(half))
		lateSeen := sight(ctx, s.watch.Loaded(loaded))
		// For half a minute, the server reports the index as finished without the rows.
		freshSeen := sight(ctx, s.watch.Indexed(fresh, vectorIndex, few))
		freshAfter := waitForIndex(ctx, s.poller, fresh)
		markedAfter := s.flushAfterRestart(ctx, t, fresh, mark, freshFlushed)

		if s.is(realserver.Milvus22) {
			// The restarted server has forgotten unfinished loads.
			halfway.note = loadWait.fails(t, milvuswait.ErrReleased).Error()
			halfway.waited, halfway.polls = loadWait.took(), loadWait.polls
			require.ErrorIs(t, s.poller.CheckLoadState(ctx, half), milvuswait.ErrNotLoaded)
		} else {
			loadWait.complete(t)
			halfway.onTime(t, loadWait.timing, loadSeen(t))
		}
		lateWait.complete(t)
		indexWait.complete(t)
		away.onTime(t, lateWait.timing, lateSeen(t))
		building.onTime(t, indexWait.timing, indexSeen(t))

		freshWait.complete(t)
		freshAfter.complete(t)
		truth := freshSeen(t)
		unwritten.onTime(t, freshWait.timing, truth)
		unwrittenAfter.onTime(t, freshAfter.timing, truth)
		markedAfter(t, truth)
	})
}

// flushAfterRestart waits for an index WithFlush of a mark from before the restart. Milvus
// 2.3.5 reports such a flush done up to a minute after it counts the rows.
func (s *site) flushAfterRestart(ctx context.Context, t *testing.T, docs string, mark milvuswait.FlushMark, flushed question) (check func(t *testing.T, indexed milvusops.Sighting)) {
	if !slow() {
		return func(*testing.T, milvusops.Sighting) {}
	}
	r := s.report(t, "server killed between Flush and writing, WithFlush")
	seen := sight(ctx, flushed)
	w := waitForIndex(ctx, s.poller, docs, milvuswait.WithFlush(mark))
	return func(t *testing.T, truth milvusops.Sighting) {
		w.complete(t)
		if done := seen(t); done.NotAfter.After(truth.NotAfter) {
			truth = done
		}
		r.onTime(t, w.timing, truth)
	}
}
