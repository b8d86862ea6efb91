package integration_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/entity"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/integration/milvusops"
	"github.com/milvuswait/milvuswait/integration/realserver"
)

// flushRounds are the rows that the rounds of TestRawFlush insert: one row, segments too
// small for an index, segments with one. The slow run has 20 rounds of other sizes.
var (
	flushRounds     = []int{3000, 1, 12_000}
	slowFlushRounds = []int{
		1, 7, 60, 500, 1000, 1023, 1024, 2049, 3000, 5000, 5000, 8000, 12_000, 20_000, 30_000, 40_000, 10, 100, 50_000, 2000,
	}
)

// TestRawFlush waits for an index right after Flush has returned, when the server still
// reports the index finished without the new rows.
func TestRawFlush(t *testing.T) {
	rounds := flushRounds
	if slow() {
		rounds = slowFlushRounds
	}
	on(t, standalone, func(t *testing.T, s *site) {
		ctx := within(t, time.Duration(len(rounds))*2*time.Minute)
		docs := s.indexed(ctx, t, 2)
		rows := 0
		for round, more := range rounds {
			t.Run(fmt.Sprintf("round %d, %d rows", round+1, more), func(t *testing.T) {
				plainRow := s.report(t, fmt.Sprintf("index right after Flush, without rows, round %d", round+1))
				markedRow := s.report(t, fmt.Sprintf("index right after Flush, WithFlush, round %d", round+1))
				flushRow := s.report(t, fmt.Sprintf("Flushing, round %d", round+1))
				flushed, mark := s.insertMarked(ctx, t, docs, rows, more)
				rows += more

				indexSeen := sight(ctx, s.watch.Indexed(docs, vectorIndex, int64(rows)))
				flushSeen := sight(ctx, flushed)
				plain := waitForIndex(ctx, s.poller, docs)
				marked := waitForIndex(ctx, s.poller, docs, milvuswait.WithFlush(mark))
				flush := waitForTarget(ctx, s.poller, milvuswait.Flushing(docs, mark))

				flush.complete(t)
				marked.complete(t)
				plain.complete(t)
				truth := indexSeen(t)
				flushRow.onTime(t, flush.timing, flushSeen(t))
				markedRow.onTime(t, marked.timing, truth)
				plainRow.onTime(t, plain.timing, truth)
				for _, w := range []*wait[milvuswait.IndexBuildingProgress]{plain, marked} {
					require.EqualValues(t, rows, w.progress.IndexedRows)
					require.False(t, w.unconfirmed)
				}
			})
		}
	})
}

// TestFlush waits for indexes during flushes. Each subtest has its own collection. They run
// in parallel, because most of the time they wait for the server.
func TestFlush(t *testing.T) {
	on(t, standalone, func(t *testing.T, s *site) {
		parts := []struct {
			name string
			run  func(ctx context.Context, t *testing.T, s *site)
		}{
			{"second writer", func(ctx context.Context, t *testing.T, s *site) {
				r := s.report(t, "index right after Flush beside a second writer, without rows")
				r.limit = 10 * time.Second // the wait ends only at a moment without pending rows
				flushBesideWriter(ctx, t, s, r, 200)
			}},
			{"second writer, RowsAtStart", func(ctx context.Context, t *testing.T, s *site) {
				r := s.report(t, "index right after Flush beside a second writer, RowsAtStart")
				flushBesideWriter(ctx, t, s, r, 1100, milvuswait.WithIndexCriterion(milvuswait.RowsAtStart)) // with an index of their own
			}},
			{"two in a row", flushTwice},
			{"several indexes", flushSeveralIndexes},
			{"only deletes", flushDeletes},
		}
		for _, part := range parts {
			t.Run(part.name, func(t *testing.T) {
				t.Parallel()
				part.run(within(t, 2*time.Minute), t, s)
			})
		}
	})
}

// flushBesideWriter waits for the rows of a flush while another client inserts a few rows
// and flushes every 2 s. The wait ends although some segment is always unflushed.
func flushBesideWriter(ctx context.Context, t *testing.T, s *site, r *row, few int, opts ...milvuswait.Option) {
	const rows = 20_000
	docs := s.indexed(ctx, t, 1) // the rows are in one segment, and counted together

	// The rows of the other client are fewer: they cannot be taken for these.
	writing, stop := context.WithCancel(ctx)
	begun, stopped := make(chan struct{}), make(chan struct{})
	defer func() { stop(); <-stopped }()
	go func() {
		defer close(stopped)
		for first := rows; first+few < 2*rows; first += few {
			if s.ops.Insert(writing, docs, "", first, few) == nil {
				_, _ = s.ops.Flush(writing, docs)
			}
			if first == rows {
				close(begun)
			}
			select {
			case <-time.After(2 * time.Second):
			case <-writing.Done():
				return
			}
		}
	}()
	<-begun
	s.insert(ctx, t, docs, 0, rows)

	seen := sight(ctx, s.watch.Counted(docs, vectorIndex, rows))
	w := waitForIndex(ctx, s.poller, docs, opts...)
	w.complete(t)

	select {
	case <-stopped:
		t.Fatal("the second writer has stopped before the wait ended")
	default:
	}
	r.onTime(t, w.timing, seen(t))
}

// flushTwice waits for each of two flushes, the second one called while the first is under
// way.
func flushTwice(ctx context.Context, t *testing.T, s *site) {
	const first, second = 3000, 2000
	docs := s.indexed(ctx, t, 2)
	firstRow := s.report(t, "index after the first of two flushes in a row")
	secondRow := s.report(t, "index after the second of two flushes in a row")
	markedRow := s.report(t, "index after the second of two flushes in a row, WithFlush")

	s.insert(ctx, t, docs, 0, first)
	firstSeen := sight(ctx, s.watch.Counted(docs, vectorIndex, first))
	one := waitForIndex(ctx, s.poller, docs)
	_, mark := s.insertMarked(ctx, t, docs, first, second)
	secondSeen := sight(ctx, s.watch.Indexed(docs, vectorIndex, first+second))
	two := waitForIndex(ctx, s.poller, docs)
	marked := waitForIndex(ctx, s.poller, docs, milvuswait.WithFlush(mark))

	one.complete(t)
	two.complete(t)
	marked.complete(t)
	firstRow.onTime(t, one.timing, firstSeen(t))
	truth := secondSeen(t)
	secondRow.onTime(t, two.timing, truth)
	markedRow.onTime(t, marked.timing, truth)
}

// flushSeveralIndexes waits in one WaitAll for two indexes of a collection, for both as
// AllIndexes, and for another collection.
func flushSeveralIndexes(ctx context.Context, t *testing.T, s *site) {
	const rows = 5000
	docs, other := s.indexed(ctx, t, 2), s.indexed(ctx, t, 1)
	require.NoError(t, s.ops.CreateNumberIndex(ctx, docs, numberIndex, s.numberKind()))
	cases := []struct {
		row    *row
		target milvuswait.Target
		watch  question
	}{
		{s.report(t, "WaitAll right after Flush, AllIndexes"),
			milvuswait.IndexBuilding(docs, milvuswait.AllIndexes), s.watch.Indexed(docs, "", rows)},
		{s.report(t, "WaitAll right after Flush, one of two indexes"),
			milvuswait.IndexBuilding(docs, vectorIndex), s.watch.Indexed(docs, vectorIndex, rows)},
		{s.report(t, "WaitAll right after Flush, the other index"),
			milvuswait.IndexBuilding(docs, numberIndex), s.watch.Indexed(docs, numberIndex, rows)},
		{s.report(t, "WaitAll right after Flush, another collection"),
			milvuswait.IndexBuilding(other, ""), s.watch.Indexed(other, "", rows)},
	}
	s.insert(ctx, t, docs, 0, rows)
	s.insert(ctx, t, other, 0, rows)

	timings := make(map[milvuswait.Target]*timing)
	var targets []milvuswait.Target
	var seen []func(t *testing.T) milvusops.Sighting
	for _, c := range cases {
		targets = append(targets, c.target)
		timings[c.target] = &timing{began: time.Now()}
		seen = append(seen, sight(ctx, c.watch))
	}
	outcomes, err := milvuswait.WaitAll(ctx, s.poller, targets, milvuswait.WithObserver(milvuswait.ObserverFunc(func(u milvuswait.Update) {
		tm := timings[u.Target]
		tm.observe(u)
		tm.returned = time.Now()
	})))

	require.NoError(t, err)
	for i, c := range cases {
		c.row.onTime(t, *timings[c.target], seen[i](t))
		require.EqualValues(t, rows, outcomes[i].Progress.(milvuswait.IndexBuildingProgress).IndexedRows)
		require.False(t, outcomes[i].Unconfirmed)
	}
}

// flushDeletes waits for a flush without new rows. Only its timestamp distinguishes it from
// a flush that is done; 2.2 and 2.3.0 return none.
func flushDeletes(ctx context.Context, t *testing.T, s *site) {
	if s.is22() || s.is(realserver.Milvus230) {
		return
	}
	const rows, deleted = 2000, 500
	flushRow := s.report(t, "Flushing, only deletes")
	indexRow := s.report(t, "index, only deletes, WithFlush")
	docs := s.indexed(ctx, t, 2)
	s.insert(ctx, t, docs, 0, rows)
	waitForIndex(ctx, s.poller, docs).complete(t)
	keys := make([]int64, deleted)
	for i := range keys {
		keys[i] = int64(i)
	}
	require.NoError(t, s.client(ctx, t).DeleteByPks(ctx, docs, "", entity.NewColumnInt64(milvusops.KeyField, keys)))

	flushed, mark := s.flush(ctx, t, docs)
	seen := sight(ctx, flushed)
	flush := waitForTarget(ctx, s.poller, milvuswait.Flushing(docs, mark))
	index := waitForIndex(ctx, s.poller, docs, milvuswait.WithFlush(mark))
	flush.complete(t)
	index.complete(t)

	require.Empty(t, mark.Segments)
	require.NotZero(t, mark.Timestamp)
	truth := seen(t)
	require.False(t, truth.NotBefore.IsZero(), "the flush was done at once: nothing was tested")
	flushRow.onTime(t, flush.timing, truth)
	indexRow.onTime(t, index.timing, truth)
}

// TestFlushLite waits for flushes of milvus-lite, which are done before Flush returns, and
// have an empty mark.
func TestFlushLite(t *testing.T) {
	const rows = 3000
	on(t, []realserver.Release{realserver.Lite32}, func(t *testing.T, s *site) {
		s.ours(t, "is about milvus-lite")
		ctx := within(t, time.Minute)
		docs := s.indexed(ctx, t, 1)
		for round := range 3 {
			_, mark := s.insertMarked(ctx, t, docs, round*rows, rows)
			require.Zero(t, mark)
			seen := sight(ctx, s.watch.Indexed(docs, vectorIndex, int64((round+1)*rows)))
			plain := waitForIndex(ctx, s.poller, docs)
			marked := waitForIndex(ctx, s.poller, docs, milvuswait.WithFlush(mark))
			flush := waitForTarget(ctx, s.poller, milvuswait.Flushing(docs, mark))
			flush.complete(t)
			plain.complete(t)
			marked.complete(t)

			truth := seen(t)
			s.report(t, fmt.Sprintf("index right after Flush, without rows, round %d", round+1)).onTime(t, plain.timing, truth)
			s.report(t, fmt.Sprintf("index right after Flush, WithFlush, round %d", round+1)).onTime(t, marked.timing, truth)
			require.False(t, plain.unconfirmed)
			require.False(t, marked.unconfirmed)
			require.EqualValues(t, (round+1)*rows, plain.progress.IndexedRows)
		}
	})
}
