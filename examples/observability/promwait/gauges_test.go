package promwait_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/examples/observability/promwait"
	"github.com/milvuswait/milvuswait/fake"
)

func TestGauges_Limit(t *testing.T) {
	for _, tt := range []struct{ max, want int }{{0, 100}, {3, 3}, {-1, 0}} {
		t.Run(fmt.Sprint(tt.max), func(t *testing.T) {
			registry, m := newMetrics(t, promwait.Options{MaxTargets: tt.max})
			o := m.Observer()
			for i := range 1000 {
				o.Observe(milvuswait.Update{Target: milvuswait.Loading(fmt.Sprintf("c%d", i)), Polls: 1})
			}

			n, err := testutil.GatherAndCount(registry, "milvuswait_progress_ratio")
			require.NoError(t, err)
			require.Equal(t, tt.want, n)
		})
	}
}

// TestGauges_ManyWaitsForOneCollection runs concurrent waits during scrapes.
func TestGauges_ManyWaitsForOneCollection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry, m := newMetrics(t, promwait.Options{})
		p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.LoadOver(time.Minute))
		var waits sync.WaitGroup
		for range 20 {
			waits.Go(func() {
				_, err := milvuswait.WaitAll(t.Context(), p, []milvuswait.Target{milvuswait.Loading("docs")}, milvuswait.WithObserver(m.Observer()))
				require.NoError(t, err)
			})
		}

		ctx, stop := context.WithCancel(t.Context())
		var looks sync.WaitGroup
		looks.Go(func() {
			for ctx.Err() == nil {
				n, err := testutil.GatherAndCount(registry, "milvuswait_progress_ratio")
				require.NoError(t, err)
				require.LessOrEqual(t, n, 1)
				time.Sleep(time.Second)
			}
		})

		waits.Wait()
		stop()
		looks.Wait()

		polls := 0.0
		families, err := registry.Gather()
		require.NoError(t, err)
		for _, f := range families {
			switch f.GetName() {
			case "milvuswait_polls_total":
				for _, one := range f.GetMetric() {
					polls += one.GetCounter().GetValue()
				}
			case "milvuswait_wait_duration_seconds":
				require.EqualValues(t, 20, f.GetMetric()[0].GetHistogram().GetSampleCount())
			case "milvuswait_progress_ratio", "milvuswait_elapsed_seconds", "milvuswait_eta_seconds":
				t.Errorf("%s has outlived its wait", f.GetName())
			}
		}
		require.EqualValues(t, fakePolls(p), polls)
	})
}

// TestGauges_AllIndexes_AreOneSeries waits for two indexes. First b is behind, and after 6 minutes
// a, which stands still at half.
func TestGauges_AllIndexes_AreOneSeries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry, m := newMetrics(t, promwait.Options{})
		p := new(fake.Poller).Set(milvuswait.IndexBuilding("docs", "a"), fake.BuildOver(1000, 10*time.Minute).StallAt(50, 5*time.Minute)).
			Set(milvuswait.IndexBuilding("docs", "b"), fake.BuildOver(1000, 12*time.Minute))
		behind, indexes := map[string]bool{}, map[string]bool{}
		scrape := milvuswait.ObserverFunc(func(u milvuswait.Update) {
			behind[u.Progress.(milvuswait.IndexBuildingProgress).IndexName] = true
			families, err := registry.Gather()
			require.NoError(t, err)
			for _, family := range families {
				if family.GetName() == "milvuswait_progress_ratio" {
					require.Len(t, family.GetMetric(), 1)
					label := family.GetMetric()[0].GetLabel()[1]
					indexes[label.GetName()+"="+label.GetValue()] = true
				}
			}
		})

		_, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs", milvuswait.WithIndex(milvuswait.AllIndexes),
			milvuswait.WithObserver(milvuswait.Observers(m.Observer(), scrape)))

		require.NoError(t, err)
		require.Subset(t, slices.Collect(maps.Keys(behind)), []string{"a", "b"})
		require.Equal(t, map[string]bool{"index=*": true}, indexes)
	})
}

func TestGauges_WaitPanics_IsNotInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry, m := newMetrics(t, promwait.Options{})
		p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.LoadOver(time.Minute))
		fragile := milvuswait.ObserverFunc(func(u milvuswait.Update) {
			if u.Polls == 3 {
				panic("out of paper")
			}
		})

		require.PanicsWithValue(t, "out of paper", func() {
			o := m.Observer()
			defer o.End()
			_, _ = milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithObserver(milvuswait.Observers(o, fragile)))
		})

		require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP milvuswait_in_flight Waits that are under way.
# TYPE milvuswait_in_flight gauge
`+inFlight(0)+`# HELP milvuswait_waits_total Waits that have ended, by how.
# TYPE milvuswait_waits_total counter
`+ended("loading", "aborted")), "milvuswait_in_flight", "milvuswait_waits_total", "milvuswait_progress_ratio"))
	})
}
