package integration_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/rpc"
)

const vectorIndex, numberIndex = "vidx", "nidx"

// collection creates an empty collection without an index. It is dropped at the end of the
// test.
func (s *site) collection(ctx context.Context, t *testing.T, shards int) string {
	t.Helper()
	name := fmt.Sprintf("milvuswait_%x", rand.Uint64())
	require.NoError(t, s.ops.CreateCollection(ctx, name, shards))
	t.Cleanup(func() {
		// The test may have dropped the collection already, and its context is done.
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		_ = s.ops.Release(ctx, name)
		_ = s.ops.Drop(ctx, name)
	})
	return name
}

// indexed creates an empty collection with an index of the vectors.
func (s *site) indexed(ctx context.Context, t *testing.T, shards int) string {
	t.Helper()
	name := s.collection(ctx, t, shards)
	require.NoError(t, s.ops.CreateVectorIndex(ctx, name, vectorIndex))
	return name
}

// collections are empty collections in different states.
type collections struct {
	bare  string // without an index
	docs  string // with an index, not loaded
	twice string // with two indexes
	parts string // partition p1 is loaded, p2 is not
}

func (s *site) collections(ctx context.Context, t *testing.T) collections {
	t.Helper()
	c := collections{bare: s.collection(ctx, t, 1), docs: s.indexed(ctx, t, 1), twice: s.indexed(ctx, t, 1), parts: s.indexed(ctx, t, 1)}
	require.NoError(t, s.ops.CreateNumberIndex(ctx, c.twice, numberIndex, s.numberKind()))
	require.NoError(t, s.ops.CreatePartition(ctx, c.parts, "p1"))
	require.NoError(t, s.ops.CreatePartition(ctx, c.parts, "p2"))
	if s.lite() {
		// milvus-lite loads every new collection, and cannot load partitions.
		require.NoError(t, s.ops.Release(ctx, c.docs))
	} else {
		require.NoError(t, s.ops.Load(ctx, c.parts, "p1"))
	}
	return c
}

// insert adds rows to the default partition and starts their flush. It returns the question
// whether the flush is done.
func (s *site) insert(ctx context.Context, t *testing.T, collection string, first, rows int) question {
	t.Helper()
	flushed, _ := s.insertMarked(ctx, t, collection, first, rows)
	return flushed
}

// insertMarked is insert, and returns the mark of the flush too.
func (s *site) insertMarked(ctx context.Context, t *testing.T, collection string, first, rows int) (flushed question, mark milvuswait.FlushMark) {
	t.Helper()
	start := time.Now()
	require.NoError(t, s.ops.Insert(ctx, collection, "", first, rows))
	inserted := time.Now()
	flushed, mark = s.flush(ctx, t, collection)
	t.Logf("%d rows inserted in %.1f s, Flush returned after %.2f s", rows, inserted.Sub(start).Seconds(), time.Since(inserted).Seconds())
	return flushed, mark
}

// flush starts a flush. It returns the question whether the flush is done, and its mark.
func (s *site) flush(ctx context.Context, t *testing.T, collection string) (flushed question, mark milvuswait.FlushMark) {
	t.Helper()
	response, err := s.ops.StartFlush(ctx, collection)
	require.NoError(t, err)
	mark, err = rpc.FlushMarkOf(response, collection)
	require.NoError(t, err)
	return s.watch.Flushed(response, collection), mark
}

// numberKind is the type of the server's index for numbers.
func (s *site) numberKind() string {
	if s.lite() {
		return "INVERTED"
	}
	return "STL_SORT"
}
