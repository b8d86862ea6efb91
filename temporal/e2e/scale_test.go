package e2e

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/temporal/temporalwait"
)

// TestWaitWorkflow_TenTimesTheTargets_TakesTenTimesTheCalls waits for 1000 and for 10 000
// loads with four workers. Each list covers all loads: if every chunk made its own lists, 10
// times the loads would cost 100 times the work.
func TestWaitWorkflow_TenTimesTheTargets_TakesTenTimesTheCalls(t *testing.T) {
	const over = 20 * time.Second
	polls := make(map[int]int)
	for _, n := range []int{1000, 10_000} {
		p := newPlace(t, fakeserver.Config{})
		for range 4 {
			p.process(t)
		}
		targets := make([]milvuswait.Target, n)
		for i := range targets {
			targets[i] = milvuswait.Loading(fmt.Sprintf("c%d", i))
			p.Set(targets[i], fake.LoadOver(over/2+over/2*time.Duration(i)/time.Duration(n)))
		}
		begin := time.Now()

		run := p.start(t, temporalwait.Request{Targets: temporalwait.On("", targets...)})
		r, err := result(t, run)

		took := time.Since(begin)
		require.NoError(t, err)
		require.Equal(t, temporalwait.Result{Total: n, Done: n}, r)
		require.Equal(t, each(temporalwait.On("", targets...)), p.completions(t, run))
		polls[n] = p.Count(fakeserver.AnyMethod)
		t.Logf("%d targets: %d RPCs, %d of them lists; %v for loads of %v; %d events", n,
			polls[n], p.Count("ShowCollections"), took.Round(10*time.Millisecond), over, len(p.history(t, run.GetID(), run.GetRunID())))
	}

	// While lists take longer than a second, as on a slow machine, targets are polled
	// individually: one or two polls each, instead of about a hundred without lists.
	require.LessOrEqual(t, polls[10_000], 10*max(polls[1000], 3*1000))
}
