// Package promwait provides Prometheus metrics of waits.
//
//	metrics, err := promwait.New(registry, promwait.Options{})
//	…
//	o := metrics.Observer()
//	defer o.End()
//	_, err = milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithObserver(o))
//
// The label op is one of milvuswait.Kinds, such as "loading":
//
//	milvuswait_waits_total{op,result}                      counter; result is one of live.Results
//	milvuswait_wait_duration_seconds{op,result}            histogram
//	milvuswait_unconfirmed_total{op}                       counter; successful waits without proof
//	milvuswait_polls_total{op,result}                      counter; result is one of live.Polls
//	milvuswait_in_flight{op}                               gauge, waits
//	milvuswait_progress_ratio{op,collection,index}         gauge, 0 to 1
//	milvuswait_elapsed_seconds{op,collection,index}        gauge
//	milvuswait_eta_seconds{op,collection,index}            gauge, not there while unknown
//
// The gauges of a target are read from its waits at each scrape, and disappear with them.
// With several waits for the same target, the slowest counts. Jobs have no collection: the
// imports are one target, and so are the compactions.
//
// For a wait for AllIndexes, the label index is "*". No label names the index that is furthest
// behind, because it changes during the wait. Each change of a label would begin another
// series, and graphs and alerts would see several waits in place of one. Logs, errors and spans
// name this index.
//
// A wait is unconfirmed if its server cannot report rows that are still being flushed, and
// neither a flush mark nor the number of rows is set.
package promwait

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/examples/observability/live"
)

// Metrics holds the metrics of all waits of a process. Create it by [New]. It is safe for
// concurrent use.
type Metrics struct {
	waits      live.Waits
	maxTargets int

	ended       *prometheus.CounterVec
	unconfirmed *prometheus.CounterVec
	duration    *prometheus.HistogramVec
	polls       *prometheus.CounterVec

	inFlight, progress, elapsed, eta *prometheus.Desc
}

// New returns metrics registered at reg. It returns an error for invalid options, or if reg
// has metrics with the same names.
func New(reg prometheus.Registerer, o Options) (*Metrics, error) {
	o, err := o.resolve()
	if err != nil {
		return nil, err
	}

	opResult := []string{"op", "result"}
	target := []string{"op", "collection", "index"}
	name := func(s string) string { return prometheus.BuildFQName(o.Namespace, "", s) }
	desc := func(s, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name(s), help, labels, o.ConstLabels)
	}

	m := &Metrics{
		maxTargets: o.MaxTargets,
		ended: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: name("waits_total"), ConstLabels: o.ConstLabels,
			Help: "Waits that have ended, by how.",
		}, opResult),
		unconfirmed: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: name("unconfirmed_total"), ConstLabels: o.ConstLabels,
			Help: "Successful waits whose server cannot report rows that are still being flushed.",
		}, []string{"op"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: name("wait_duration_seconds"), ConstLabels: o.ConstLabels, Buckets: o.Buckets,
			Help: "Time that waits took, by how they ended.",
		}, opResult),
		polls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: name("polls_total"), ConstLabels: o.ConstLabels,
			Help: "Polls of waits, by what they brought.",
		}, opResult),
		inFlight: desc("in_flight", "Waits that are under way.", "op"),
		progress: desc("progress_ratio", "Finished share of the target, from 0 to 1.", target...),
		elapsed:  desc("elapsed_seconds", "Time since the wait that is under way began.", target...),
		eta:      desc("eta_seconds", "Time that is left at the mean rate; absent while unknown.", target...),
	}

	// Create all counters at 0. A counter that starts with its first failure would hide
	// this increase from rate().
	for _, op := range milvuswait.Kinds() {
		m.unconfirmed.WithLabelValues(string(op))
		for _, result := range live.Results() {
			m.ended.WithLabelValues(string(op), result)
		}
		for _, poll := range live.Polls() {
			m.polls.WithLabelValues(string(op), string(poll))
		}
	}

	if err := register(reg, m, o); err != nil {
		return nil, err
	}
	return m, nil
}

// Observer observes one call of a waiting function. Create it by [Metrics.Observer].
type Observer struct {
	of   *Metrics
	call *live.Call
}

// Observer returns an observer for one call of a waiting function. Create one per call. If
// concurrent calls share an observer, everything is counted correctly except the polls of
// shared targets.
func (m *Metrics) Observer() *Observer { return &Observer{of: m, call: m.waits.Call()} }

// Observe implements milvuswait.Observer.
func (o *Observer) Observe(u milvuswait.Update) {
	op, step := string(u.Target.Kind()), o.call.Take(u)
	o.of.polls.WithLabelValues(op, string(step.Poll)).Add(float64(step.Polls))
	if u.Final {
		result := live.Result(u.Err)
		o.of.ended.WithLabelValues(op, result).Inc()
		o.of.duration.WithLabelValues(op, result).Observe(u.Elapsed.Seconds())
		if u.Err == nil && u.Unconfirmed {
			o.of.unconfirmed.WithLabelValues(op).Inc()
		}
	}
}

// End counts waits that have ended by a recovered panic as aborted. Without it, they would
// stay in flight. Defer it before the call. After a regular return it does nothing.
func (o *Observer) End() {
	for _, u := range o.call.Unfinished() {
		o.Observe(u)
	}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	m.ended.Describe(out)
	m.unconfirmed.Describe(out)
	m.duration.Describe(out)
	m.polls.Describe(out)
	for _, desc := range []*prometheus.Desc{m.inFlight, m.progress, m.elapsed, m.eta} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	m.ended.Collect(out)
	m.unconfirmed.Collect(out)
	m.duration.Collect(out)
	m.polls.Collect(out)

	gauge := func(desc *prometheus.Desc, value float64, labels ...string) {
		metric, err := prometheus.NewConstMetric(desc, prometheus.GaugeValue, value, labels...)
		if err != nil {
			metric = prometheus.NewInvalidMetric(desc, err)
		}
		out <- metric
	}

	for op, n := range m.waits.Count() {
		gauge(m.inFlight, float64(n), string(op))
	}
	for _, r := range m.waits.Read(m.maxTargets) {
		labels := []string{string(r.Kind), r.Collection, r.Index}
		gauge(m.progress, r.Fraction, labels...)
		gauge(m.elapsed, r.Elapsed.Round(time.Millisecond).Seconds(), labels...)
		if r.ETA > 0 {
			gauge(m.eta, r.ETA.Seconds(), labels...)
		}
	}
}
