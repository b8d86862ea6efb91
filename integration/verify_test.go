package integration_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/integration/realserver"
)

// TestVerify loads a partition while another one is loaded. Milvus 2.3.5 reports 100 % seconds
// before its rows can be found, in 9 of 10 runs. Milvus 2.2 refuses this load.
func TestVerify(t *testing.T) {
	const rows, filter = 3000, "id == 7"
	on(t, []realserver.Release{realserver.Milvus23}, func(t *testing.T, s *site) {
		ctx := within(t, 3*time.Minute)
		docs := s.indexed(ctx, t, 2)
		for i, partition := range []string{"pA", "pB"} {
			require.NoError(t, s.ops.CreatePartition(ctx, docs, partition))
			require.NoError(t, s.ops.Insert(ctx, docs, partition, i*rows, rows))
		}
		s.flush(ctx, t, docs)
		waitForIndex(ctx, s.poller, docs).complete(t)
		require.NoError(t, s.ops.Load(ctx, docs, "pB"))
		waitForLoad(ctx, s.poller, docs, milvuswait.WithPartitions("pB")).complete(t)
		verifiedRow := s.report(t, "partition loaded beside another one, WithVerify")
		plainRow := s.report(t, "partition loaded beside another one, without WithVerify")

		require.NoError(t, s.ops.Load(ctx, docs, "pA"))
		seen := sight(ctx, s.watch.Found(docs, filter, 1, "pA"))
		plain := waitForLoad(ctx, s.poller, docs, milvuswait.WithPartitions("pA"))
		verified := waitForLoad(ctx, s.poller, docs, milvuswait.WithPartitions("pA"), milvuswait.WithVerify(s.poller.FindRow(filter)))
		plain.complete(t)
		verified.complete(t)

		truth := seen(t)
		verifiedRow.onTime(t, verified.timing, truth)
		plainRow.measure(t, plain.timing, truth)
	})
}
