// Package otelwait has traces and metrics of waits for OpenTelemetry. It needs
// its API only, and uses no global provider.
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
// A span for every target, named such as "wait_for_loading docs", within that of
// the context; kind INTERNAL, since it covers many RPCs. These are beside it and
// not in it, if the client's connection is traced: an observer cannot change the
// context that polls have.
//
// Its events are "progress", for every tenth of the way, for a change of the
// index's state, and when progress fell; "poll failed", when polls begin to fail;
// and "poll succeeded", when they do not any more. There is none for polls that
// bring nothing new.
//
// # Metrics
//
//	milvuswait.wait.duration   histogram, s
//	milvuswait.polls           counter, {poll}; milvuswait.poll.result is one of live.Polls
//	milvuswait.wait.active     gauge, {wait}
//	milvuswait.progress        gauge, 1, of each collection and index that is waited for
//	milvuswait.eta             gauge, s, likewise, not there while unknown
//
// # Attributes
//
// db.system.name, db.operation.name ("wait_for_loading", "wait_for_index_building")
// and what New was given are on everything; error.type, one of live.Results, on
// spans and durations of waits that failed; db.collection.name and
// milvuswait.index on spans and on the gauges of a target.
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

// maxTargets is how many collections and indexes have gauges of their own at a
// time: those that wait longest.
const maxTargets = 100

// Instrumentation makes observers. It is made by [New] and safe for concurrent use.
type Instrumentation struct {
	waits  live.Waits
	tracer trace.Tracer
	attrs  []attribute.KeyValue

	duration metric.Float64Histogram
	polls    metric.Int64Counter
	gauges   metric.Registration
}

// New returns the instrumentation of all waits of a process. The attributes are
// on all spans and metrics: server.address, server.port and db.namespace, say.
//
// The error says that a provider is nil, an attribute has no key or one of the
// package's own, or what the meter said. Metrics or traces that are not wanted
// are those of the noop packages of OpenTelemetry.
func New(tp trace.TracerProvider, mp metric.MeterProvider, attrs ...attribute.KeyValue) (*Instrumentation, error) {
	if tp == nil || mp == nil {
		return nil, errors.New("otelwait: a provider is nil: use those of trace/noop and metric/noop for what is not wanted")
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

// Close takes the gauges off the meter. Spans of waits that are under way still
// end.
func (i *Instrumentation) Close() error { return i.gauges.Unregister() }

// Observer returns an observer for one call of a waiting function whose spans are
// within that of ctx: make one for each call.
func (i *Instrumentation) Observer(ctx context.Context) *Observer {
	return &Observer{of: i, ctx: ctx, call: i.waits.Call(), spans: make(map[milvuswait.Target]*span)}
}

func (i *Instrumentation) with(attrs ...attribute.KeyValue) []attribute.KeyValue {
	return slices.Concat(i.attrs, attrs)
}
