package integration_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/integration/realserver"
	"github.com/milvuswait/milvuswait/sdk"
)

// TestBuildAndLoad follows a collection of 100 000 rows in two segments from its first flush
// to its last load. Each subtest needs the ones before.
func TestBuildAndLoad(t *testing.T) {
	const first, second = 100_000, 20_000
	on(t, standalone, func(t *testing.T, s *site) {
		ctx := within(t, 10*time.Minute)
		docs := s.indexed(ctx, t, 2)
		milvus := s.client(ctx, t)

		if !t.Run("index right after flush", func(t *testing.T) {
			r := s.report(t, "index right after Flush, 100 000 rows, WithExpectedRows")
			withoutRows := s.report(t, "index right after Flush, 100 000 rows, without rows")
			byCommand := s.report(t, "milvus-wait index --rows right after Flush, 100 000 rows")
			_, err := binary.path() // build before the flush: the build takes seconds
			require.NoError(t, err)
			s.insert(ctx, t, docs, 0, first)

			seen := sight(ctx, s.watch.Indexed(docs, vectorIndex, first))
			command := s.command(t, "index", docs+"/"+vectorIndex, "--rows", strconv.Itoa(first), "--timeout", "5m", "-o", "json")
			expecting := waitForIndex(ctx, s.poller, docs, milvuswait.WithExpectedRows(first))
			plain := waitForIndex(ctx, s.poller, docs)
			byState := waitForIndex(ctx, s.poller, docs, milvuswait.WithIndexCriterion(milvuswait.ServerState))
			expecting.complete(t)
			plain.complete(t)
			byState.complete(t)

			truth := seen(t)
			r.onTime(t, expecting.timing, truth)
			command.exits(t, 0)
			require.Equal(t, indexed(docs, vectorIndex, first), command.document(t))
			byCommand.onTime(t, command.timing, truth)
			require.Equal(t, milvuswait.IndexBuildingProgress{
				TotalRows: first, IndexedRows: first, State: milvuswait.IndexStateFinished, IndexName: vectorIndex,
			}, expecting.progress)
			if !s.like(standalone) {
				return
			}
			withoutRows.onTime(t, plain.timing, truth)
			require.Equal(t, expecting.progress, plain.progress)
			// The state does not count rows that are being flushed.
			r = s.report(t, "index right after Flush, WithIndexCriterion(ServerState): returns early")
			r.early(t, byState.timing, truth)
			r.note = byState.progress.String()
			require.Less(t, byState.progress.IndexedRows, int64(first))
		}) {
			return
		}

		t.Run("second batch", func(t *testing.T) {
			bySDK := s.report(t, "index, second batch of 20 000 rows, WithExpectedRows, through milvus-sdk-go")
			afterFlush := s.report(t, "index, second batch, after GetFlushState is true, without WithExpectedRows")
			flushed := s.insert(ctx, t, docs, first, second)

			seen := sight(ctx, s.watch.Indexed(docs, vectorIndex, first+second))
			expecting := waitForIndex(ctx, sdk.New(milvus), docs, milvuswait.WithExpectedRows(first+second))
			sight(ctx, flushed)(t)
			plain := waitForIndex(ctx, s.poller, docs, milvuswait.WithIndex(vectorIndex))
			byState := waitForIndex(ctx, s.poller, docs, milvuswait.WithIndexCriterion(milvuswait.ServerState))
			expecting.complete(t)
			plain.complete(t)
			byState.complete(t)

			truth := seen(t)
			bySDK.onTime(t, expecting.timing, truth)
			afterFlush.onTime(t, plain.timing, truth)
			require.EqualValues(t, first+second, plain.progress.IndexedRows)
			const name = "index, second batch, after GetFlushState is true, WithIndexCriterion(ServerState)"
			switch {
			case s.is(realserver.Milvus23):
				s.report(t, name).onTime(t, byState.timing, truth)
			case s.is(realserver.Milvus22):
				// 2.2.16 considers only rows older than the index, for every timestamp.
				r := s.report(t, name+": returns early")
				r.early(t, byState.timing, truth)
				r.note = byState.progress.String()
			}
		})

		t.Run("two indexes", func(t *testing.T) {
			every := s.report(t, "AllIndexes, right after CreateIndex of a second one")
			named := s.report(t, "WithIndex, two indexes")
			ambiguous := s.report(t, "two indexes, none named: ErrAmbiguousIndex")
			require.NoError(t, s.ops.CreateNumberIndex(ctx, docs, numberIndex, s.numberKind()))

			seen := sight(ctx, s.watch.Indexed(docs, "", first+second))
			both := waitForIndex(ctx, s.poller, docs, milvuswait.WithIndex(milvuswait.AllIndexes), milvuswait.WithExpectedRows(first+second))
			one := waitForIndex(ctx, s.poller, docs, milvuswait.WithIndex(vectorIndex))
			none := waitForIndex(ctx, s.poller, docs)

			ambiguous.note = none.fails(t, milvuswait.ErrAmbiguousIndex).Error()
			ambiguous.polls = none.polls
			require.Equal(t, 1, none.polls)
			one.complete(t)
			require.Equal(t, 1, one.polls)
			require.Equal(t, vectorIndex, one.progress.IndexName)
			named.polls = one.polls
			both.complete(t)
			every.onTime(t, both.timing, seen(t))
		})

		load := func(t *testing.T, name string, p milvuswait.Poller, opts ...milvuswait.Option) {
			r := s.report(t, name)
			require.NoError(t, s.ops.Load(ctx, docs))
			seen := sight(ctx, s.watch.Loaded(docs))
			loaded := waitForLoad(ctx, p, docs, opts...)
			loaded.complete(t)
			r.onTime(t, loaded.timing, seen(t))
			require.EqualValues(t, 100, loaded.progress.Percent)
		}
		t.Run("load", func(t *testing.T) { load(t, "load of two segments", s.poller) })
		t.Run("refresh", func(t *testing.T) {
			if s.is22() {
				return // 2.2.16 has no refresh: the call takes 30 s, and reports nothing
			}
			r := s.report(t, "refresh of a loaded collection, WithRefresh")
			require.NoError(t, s.ops.Refresh(ctx, docs))
			seen := sight(ctx, s.watch.Refreshed(docs))
			refreshed := waitForLoad(ctx, s.poller, docs, milvuswait.WithRefresh())
			refreshed.complete(t)
			r.onTime(t, refreshed.timing, seen(t))
			require.EqualValues(t, 100, refreshed.progress.RefreshPercent)
		})
		require.NoError(t, s.ops.Release(ctx, docs))
		t.Run("load through milvus-sdk-go", func(t *testing.T) {
			load(t, "load of two segments, through milvus-sdk-go", sdk.New(milvus))
		})
	})
}
