// Package promwait has metrics of waits for Prometheus.
//
//	metrics, err := promwait.New(registry, promwait.Options{})
//	…
//	o := metrics.Observer()
//	defer o.End()
//	_, err = milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithObserver(o))
//
// They are, with op "loading" or "index_building":
//
//	milvuswait_waits_total{op,result}                      counter; result is one of live.Results
//	milvuswait_wait_duration_seconds{op,result}            histogram
//	milvuswait_polls_total{op,result}                      counter; result is one of live.Polls
//	milvuswait_in_flight{op}                               gauge, waits
//	milvuswait_progress_ratio{op,collection,index}         gauge, 0 to 1
//	milvuswait_elapsed_seconds{op,collection,index}        gauge
//	milvuswait_eta_seconds{op,collection,index}            gauge, not there while unknown
//
// The gauges of a collection are read from the waits when Prometheus asks and
// are gone with them. Of several waits for one thing the furthest behind counts.
package promwait

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/examples/observability/live"
)

// Metrics are the metrics of all waits of a process. They are made by [New] and
// safe for concurrent use.
type Metrics struct {
	waits      live.Waits
	maxTargets int

	ended    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	polls    *prometheus.CounterVec

	inFlight, progress, elapsed, eta *prometheus.Desc
}

// New returns metrics that are registered at reg. The error says what is wrong
// with the options, or that reg has such metrics already.
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
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: name("wait_duration_seconds"), ConstLabels: o.ConstLabels, Buckets: o.Buckets,
			Help: "Time that waits took, by how they ended.",
		}, opResult),
		polls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: name("polls_total"), ConstLabels: o.ConstLabels,
			Help: "Polls of waits, by what they brought.",
		}, opResult),
		inFlight: desc("in_flight", "Waits that are under way.", "op"),
		progress: desc("progress_ratio", "Share of what is waited for that is done, from 0 to 1.", target...),
		elapsed:  desc("elapsed_seconds", "Time since the wait that is under way began.", target...),
		eta:      desc("eta_seconds", "Time that is left at the mean rate; absent while unknown.", target...),
	}
	// A counter that appears with its first failure shows no increase of it.
	for _, op := range milvuswait.Kinds() {
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

// Observer is the observer of one call of a waiting function. It is made by
// [Metrics.Observer].
type Observer struct {
	of   *Metrics
	call *live.Call
}

// Observer returns an observer for one call of a waiting function: make one for
// each. Calls that run at once with the same observer count right, but for the
// polls of targets that they share.
func (m *Metrics) Observer() *Observer { return &Observer{of: m, call: m.waits.Call()} }

// Observe implements milvuswait.Observer.
func (o *Observer) Observe(u milvuswait.Update) {
	op, step := string(u.Target.Kind()), o.call.Take(u)
	o.of.polls.WithLabelValues(op, string(step.Poll)).Add(float64(step.Polls))
	if u.Final {
		result := live.Result(u.Err)
		o.of.ended.WithLabelValues(op, result).Inc()
		o.of.duration.WithLabelValues(op, result).Observe(u.Elapsed.Seconds())
	}
}

// End counts waits as aborted that have ended without saying so, by a panic that
// somebody recovers: without it they would be in flight for ever. Defer it before
// the call; it does nothing after one that returns.
func (o *Observer) End() {
	for _, u := range o.call.Unfinished() {
		o.Observe(u)
	}
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	m.ended.Describe(out)
	m.duration.Describe(out)
	m.polls.Describe(out)
	for _, desc := range []*prometheus.Desc{m.inFlight, m.progress, m.elapsed, m.eta} {
		out <- desc
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	m.ended.Collect(out)
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
