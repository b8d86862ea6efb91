// Package otelwait provides OpenTelemetry traces and metrics of waits. It depends only on
// the OpenTelemetry API, and does not use the global providers.
//
//	otel, err := otelwait.New(tracerProvider, meterProvider)
//	…
//	defer otel.Close()
//	o := otel.Observer(ctx)
//	defer o.End()
//	_, err = milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithObserver(o))
//
// # Spans
//
// Each target gets a span, for example "wait_for_loading docs". The parent is the span of
// the context. The kind is INTERNAL, because a wait covers many RPCs. The RPC spans of a
// traced client connection are siblings of this span, because an observer cannot change the
// context of the polls.
//
// The span has three kinds of events. "progress" marks each tenth, each change of the index
// state, each decrease, and the begin and end of a wait for a flush or for verify, which the
// attribute milvuswait.waiting_for names. "poll failed" marks the first failure in a row, and "poll
// succeeded" the next success. Polls without a change cause no event. In a wait for AllIndexes,
// milvuswait.index.behind of "progress" names the index that is furthest behind.
//
// # Metrics
//
//	milvuswait.wait.duration   histogram, s
//	milvuswait.polls           counter, {poll}; milvuswait.poll.result is one of live.Polls
//	milvuswait.wait.active     gauge, {wait}
//	milvuswait.progress        gauge, 1, of each collection and index that is waited for
//	milvuswait.eta             gauge, s, likewise, not there while unknown
//
// In the gauges of a wait for AllIndexes, milvuswait.index is "*". The index that is behind
// changes during the wait. Each change of an attribute would begin another series, and graphs
// and alerts would see several waits in place of one.
//
// # Attributes
//
// All spans and metrics have db.system.name, db.operation.name ("wait_for_" and the kind, such
// as "wait_for_loading") and the attributes passed to New. Spans and durations of failed waits
// have error.type, one of live.Results. Spans and the gauges of a target have
// db.collection.name and milvuswait.index, and spans of jobs milvuswait.job. A span has
// milvuswait.unconfirmed if the server cannot report rows that are still being flushed.
package otelwait

import (
	"context"
	"errors"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/examples/observability/live"
)

const scope = "github.com/milvuswait/milvuswait/examples/observability/otelwait"

// maxTargets is the maximum number of collections and indexes with gauges. The longest
// waits come first.
const maxTargets = 100

// Instrumentation creates observers. Create it by [New]. It is safe for concurrent use.
type Instrumentation struct {
	waits  live.Waits
	tracer trace.Tracer
	attrs  []attribute.KeyValue

	duration metric.Float64Histogram
	polls    metric.Int64Counter
	gauges   metric.Registration
}

// New returns the instrumentation for all waits of a process. The attributes are added to
// all spans and metrics: server.address, server.port or db.namespace, for example.
//
// It returns an error if a provider is nil, if an attribute is empty or has a key of this
// package, or if the meter fails. The keys of this package are db.system.name,
// db.operation.name, db.collection.name, error.type, and all with the prefix "milvuswait.". To disable traces or metrics, pass a provider from
// OpenTelemetry's noop packages.
func New(tp trace.TracerProvider, mp metric.MeterProvider, attrs ...attribute.KeyValue) (*Instrumentation, error) {
	if tp == nil || mp == nil {
		return nil, errors.New("otelwait: a provider is nil: use those of trace/noop and metric/noop to turn one off")
	}
	if err := checkAttributes(attrs); err != nil {
		return nil, err
	}

	i := &Instrumentation{
		tracer: tp.Tracer(scope),
		attrs:  append([]attribute.KeyValue{attribute.String(keySystem, "milvus")}, attrs...),
	}
	if err := i.makeMetrics(mp.Meter(scope)); err != nil {
		return nil, err
	}
	return i, nil
}

// Close unregisters the gauges from the meter. Running waits still end their spans.
func (i *Instrumentation) Close() error { return i.gauges.Unregister() }

// Observer returns an observer for one call of a waiting function. Its spans are children
// of the span in ctx. Create one per call.
func (i *Instrumentation) Observer(ctx context.Context) *Observer {
	return &Observer{of: i, ctx: ctx, call: i.waits.Call(), spans: make(map[milvuswait.Target]*span)}
}

// with returns attrs together with the attributes common to all spans and metrics.
func (i *Instrumentation) with(attrs ...attribute.KeyValue) []attribute.KeyValue {
	return slices.Concat(i.attrs, attrs)
}
