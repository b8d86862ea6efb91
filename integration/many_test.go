package integration_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// TestMany waits for the indexes and loads of many collections at once, and for a missing
// one.
func TestMany(t *testing.T) {
	const collections = 40
	on(t, all, func(t *testing.T, s *site) {
		ctx := within(t, 5*time.Minute)
		r := s.report(t, fmt.Sprintf("WaitAll, index and load of %d collections, one unknown", collections))
		var targets []milvuswait.Target
		for range collections {
			docs := s.indexed(ctx, t, 1)
			require.NoError(t, s.ops.Load(ctx, docs))
			targets = append(targets, milvuswait.IndexBuilding(docs, vectorIndex), milvuswait.Loading(docs))
		}
		targets = append(targets, milvuswait.Loading("nope"))
		whole := milvuswait.NewAggregate(len(targets))
		start := time.Now()

		outcomes, err := milvuswait.WaitAll(ctx, s.poller, targets, milvuswait.WithContinueOnError(), milvuswait.WithObserver(whole))

		require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)
		require.Len(t, outcomes, 2*collections+1)
		polls := 0
		for _, o := range outcomes[:2*collections] {
			require.NoError(t, o.Err)
			require.True(t, o.Progress.Complete())
			if o.Target.Kind() == milvuswait.KindLoading {
				polls = max(polls, o.Polls)
				loaded, err := s.watch.Loaded(o.Target.Collection())(ctx)
				require.NoError(t, err)
				require.True(t, loaded)
			}
		}
		require.ErrorIs(t, outcomes[2*collections].Err, milvuswait.ErrCollectionNotFound)
		require.Equal(t, 2*collections, whole.Summary().Done)
		r.waited, r.polls, r.note = time.Since(start), polls, whole.Summary().String()
	})
}
