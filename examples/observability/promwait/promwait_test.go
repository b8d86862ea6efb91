package promwait_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/examples/observability/live"
	"github.com/milvuswait/milvuswait/examples/observability/promwait"
	"github.com/milvuswait/milvuswait/fake"
)

func newMetrics(t *testing.T, o promwait.Options) (*prometheus.Registry, *promwait.Metrics) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	m, err := promwait.New(registry, o)
	require.NoError(t, err)
	return registry, m
}

func TestOneWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry, m := newMetrics(t, promwait.Options{Buckets: []float64{60, 3600}})
		p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.WithError(fake.LoadOver(10*time.Minute), errors.New("blip"), 2))
		go func() {
			_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithObserver(m.Observer()))
			require.NoError(t, err)
		}()

		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP milvuswait_elapsed_seconds Time since the wait that is under way began.
# TYPE milvuswait_elapsed_seconds gauge
milvuswait_elapsed_seconds{collection="docs",index="",op="loading"} 300
# HELP milvuswait_in_flight Waits that are under way.
# TYPE milvuswait_in_flight gauge
`+inFlight(1)+`# HELP milvuswait_progress_ratio Finished share of the target, from 0 to 1.
# TYPE milvuswait_progress_ratio gauge
milvuswait_progress_ratio{collection="docs",index="",op="loading"} 0.49
`), "milvuswait_elapsed_seconds", "milvuswait_in_flight", "milvuswait_progress_ratio"))
		n, err := testutil.GatherAndCount(registry, "milvuswait_eta_seconds")
		require.NoError(t, err)
		require.Equal(t, 1, n)

		time.Sleep(6 * time.Minute)
		synctest.Wait()
		polls := fakePolls(p)
		require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(fmt.Sprintf(`
# HELP milvuswait_in_flight Waits that are under way.
# TYPE milvuswait_in_flight gauge
`+inFlight(0)+`# HELP milvuswait_polls_total Polls of waits, by what they brought.
# TYPE milvuswait_polls_total counter
%s# HELP milvuswait_waits_total Waits that have ended, by how.
# TYPE milvuswait_waits_total counter
%s`, pollsOfLoads(polls-1, 1), ended("loading", "done"))), "milvuswait_in_flight", "milvuswait_polls_total", "milvuswait_waits_total",
			"milvuswait_progress_ratio", "milvuswait_elapsed_seconds", "milvuswait_eta_seconds"))
		require.NoError(t, compareDuration(registry, "done", 600, 613))
	})
}

// ops returns the values of the label op, sorted.
func ops() []string {
	var all []string
	for _, kind := range slices.Sorted(slices.Values(milvuswait.Kinds())) {
		all = append(all, string(kind))
	}
	return all
}

// inFlight returns the text of milvuswait_in_flight with n loads and nothing else.
func inFlight(n int) string {
	var b strings.Builder
	for _, o := range ops() {
		count := 0
		if o == "loading" {
			count = n
		}
		fmt.Fprintf(&b, "milvuswait_in_flight{op=%q} %d\n", o, count)
	}
	return b.String()
}

// pollsOfLoads returns the text of milvuswait_polls_total with so many polls of loads.
func pollsOfLoads(ok, failed int) string {
	var b strings.Builder
	for _, o := range ops() {
		for _, result := range slices.Sorted(slices.Values(live.Polls())) {
			n := map[live.Poll]int{live.PollOK: ok, live.PollFailed: failed}[result]
			if o != "loading" {
				n = 0
			}
			fmt.Fprintf(&b, "milvuswait_polls_total{op=%q,result=%q} %d\n", o, result, n)
		}
	}
	return b.String()
}

// ended returns the text of milvuswait_waits_total after a single wait with the result.
func ended(op, result string) string {
	var b strings.Builder
	for _, o := range ops() {
		for _, r := range slices.Sorted(slices.Values(live.Results())) {
			n := 0
			if o == op && r == result {
				n = 1
			}
			fmt.Fprintf(&b, "milvuswait_waits_total{op=%q,result=%q} %d\n", o, r, n)
		}
	}
	return b.String()
}

// compareDuration checks the only duration histogram of loads.
func compareDuration(registry *prometheus.Registry, result string, from, to float64) error {
	families, err := registry.Gather()
	if err != nil {
		return err
	}
	for _, f := range families {
		if f.GetName() != "milvuswait_wait_duration_seconds" {
			continue
		}
		h := f.GetMetric()[0]
		if len(f.GetMetric()) != 1 || h.GetLabel()[1].GetValue() != result {
			return fmt.Errorf("durations are %v", f.GetMetric())
		}
		sum := h.GetHistogram().GetSampleSum()
		if h.GetHistogram().GetSampleCount() != 1 || sum < from || sum > to {
			return fmt.Errorf("duration is %v", h)
		}
		return nil
	}
	return errors.New("no durations")
}

// TestUnconfirmed_Successes_AreCounted observes complete indexes that may lack rows of a flush,
// and an import. The failure of an unconfirmed wait is no success.
func TestUnconfirmed_Successes_AreCounted(t *testing.T) {
	registry, m := newMetrics(t, promwait.Options{})
	o := m.Observer()
	for _, name := range []string{"a", "b"} {
		o.Observe(milvuswait.Update{Target: milvuswait.IndexBuilding(name, ""), Polls: 1, Unconfirmed: true})
		o.Observe(milvuswait.Update{Target: milvuswait.IndexBuilding(name, ""), Polls: 2, Unconfirmed: true, Final: true})
	}
	o.Observe(milvuswait.Update{Target: milvuswait.IndexBuilding("c", ""), Polls: 1, Unconfirmed: true, Err: milvuswait.ErrStalled, Final: true})
	o.Observe(milvuswait.Update{Target: milvuswait.Importing(7), Polls: 1, Final: true})

	var want strings.Builder
	for _, op := range ops() {
		n := 0
		if op == "index_building" {
			n = 2
		}
		fmt.Fprintf(&want, "milvuswait_unconfirmed_total{op=%q} %d\n", op, n)
	}
	require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP milvuswait_unconfirmed_total Successful waits whose server cannot report rows that are still being flushed.
# TYPE milvuswait_unconfirmed_total counter
`+want.String()), "milvuswait_unconfirmed_total"))
}

func TestLint(t *testing.T) {
	registry, m := newMetrics(t, promwait.Options{ConstLabels: prometheus.Labels{"database": "default"}})
	o := m.Observer()
	o.Observe(milvuswait.Update{Target: milvuswait.Loading("docs"), Polls: 1, Fraction: 0.4, ETA: time.Minute})
	o.Observe(milvuswait.Update{Target: milvuswait.Loading("images"), Polls: 1, Final: true})

	problems, err := testutil.GatherAndLint(registry)

	require.NoError(t, err)
	require.Empty(t, problems)

	n, err := testutil.GatherAndCount(registry)
	require.NoError(t, err)
	kinds := len(milvuswait.Kinds())
	require.Equal(t, kinds*(len(live.Results())+3+1+1)+3+1, n, "waits, polls, unconfirmed and in flight, gauges of docs, the duration of images")
}

func TestNew_InvalidOptions_AreNamed(t *testing.T) {
	tests := []struct {
		name string
		o    promwait.Options
		want string
	}{
		{"namespace", promwait.Options{Namespace: "9 lives"}, `promwait: namespace "9 lives": want letters, digits and _, and no digit first`},
		{"no buckets", promwait.Options{Buckets: []float64{}}, "promwait: no buckets: leave them nil for the defaults"},
		{"bucket of 0", promwait.Options{Buckets: []float64{0, 1}}, "promwait: bucket 1 is 0 s: want more than 0"},
		{"bucket that is no number", promwait.Options{Buckets: []float64{1, math.NaN()}}, "promwait: bucket 2 is NaN s: want more than 0"},
		{"buckets out of order", promwait.Options{Buckets: []float64{5, 1}}, "promwait: bucket 2 is 1 s, not more than the one before, 5 s"},
		{"own label", promwait.Options{ConstLabels: prometheus.Labels{"op": "x"}}, `promwait: constant label "op": the metrics have a label of that name`},
		{"label name", promwait.Options{ConstLabels: prometheus.Labels{"a-b": "x"}}, `promwait: constant label "a-b": want letters, digits and _, no digit first, and not __`},
		{"two at once", promwait.Options{Namespace: "-", Buckets: []float64{-1}},
			"promwait: namespace \"-\": want letters, digits and _, and no digit first\npromwait: bucket 1 is -1 s: want more than 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := promwait.New(prometheus.NewRegistry(), tt.o)
			require.EqualError(t, err, tt.want)
			require.Nil(t, m)
		})
	}
}

func TestNew_FailingRegisterers(t *testing.T) {
	_, err := promwait.New(nil, promwait.Options{})
	require.EqualError(t, err, "promwait: the registerer is nil")

	registry, _ := newMetrics(t, promwait.Options{})
	_, err = promwait.New(registry, promwait.Options{})
	require.EqualError(t, err, `promwait: metrics of namespace "milvuswait" are registered already: use one Metrics for all waits`)
	_, err = promwait.New(registry, promwait.Options{Namespace: "other"})
	require.NoError(t, err)
}

// fakePolls returns the number of polls recorded by p, without load state checks.
func fakePolls(p *fake.Poller) int {
	n := 0
	for _, call := range p.Calls() {
		if call.Poll > 0 {
			n++
		}
	}
	return n
}
