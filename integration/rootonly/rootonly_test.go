// Package rootonly tests a program that has its own client and imports only the root package.
// It is a separate module, as a user's program is. Its go.mod shows the cost: two modules.
package rootonly

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/milvuswaittest"
	"github.com/milvuswait/milvuswait/milvuswaittest/pollertest"
)

// client is a client without an adapter in this module.
func client(load time.Duration) milvuswait.Poller {
	p := new(fake.Poller).
		Set(milvuswait.Loading("docs"), fake.LoadOver(load)).
		Set(milvuswait.IndexBuilding("docs", "vidx"), fake.BuildOver(1000, load))
	return milvuswait.PollerFuncs{Loading: p.LoadingProgress, IndexBuilding: p.IndexBuildingProgress}
}

func TestWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, start := client(40*time.Minute), time.Now()

		outcomes := milvuswaittest.RequireAll(t, p, []milvuswait.Target{
			milvuswait.Loading("docs"),
			milvuswait.IndexBuilding("docs", "vidx").ExpectRows(1000),
		})

		for _, o := range outcomes {
			if o.Err != nil || !o.Progress.Complete() {
				t.Errorf("%v: %v, %v", o.Target, o.Progress, o.Err)
			}
		}
		if took := time.Since(start); len(outcomes) != 2 || took < 40*time.Minute || took > 41*time.Minute {
			t.Errorf("%d outcomes after %v", len(outcomes), took)
		}
	})
}

func TestPoller(t *testing.T) {
	pollertest.Run(t, client(0), pollertest.World{Collection: "docs", Index: "vidx", Rows: 1000})
}
