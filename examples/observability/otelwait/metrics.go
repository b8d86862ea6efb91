package otelwait

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// makeMetrics creates the instruments, and registers the callback for the gauges.
func (i *Instrumentation) makeMetrics(meter metric.Meter) error {
	var errs [5]error
	i.duration, errs[0] = meter.Float64Histogram("milvuswait.wait.duration", metric.WithUnit("s"),
		metric.WithDescription("Time that waits took."),
		metric.WithExplicitBucketBoundaries(0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1200, 1800, 3600))
	i.polls, errs[1] = meter.Int64Counter("milvuswait.polls", metric.WithUnit("{poll}"),
		metric.WithDescription("Polls of waits, by what they brought."))

	active, err := meter.Int64ObservableGauge("milvuswait.wait.active", metric.WithUnit("{wait}"),
		metric.WithDescription("Waits that are under way."))
	errs[2] = err
	progress, err := meter.Float64ObservableGauge("milvuswait.progress", metric.WithUnit("1"),
		metric.WithDescription("Finished share of the target, from 0 to 1."))
	errs[3] = err
	eta, err := meter.Float64ObservableGauge("milvuswait.eta", metric.WithUnit("s"),
		metric.WithDescription("Time that is left at the mean rate; absent while unknown."))
	errs[4] = err
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}

	// The gauges are read from the running waits, so they end with their wait.
	i.gauges, err = meter.RegisterCallback(func(_ context.Context, out metric.Observer) error {
		for kind, n := range i.waits.Count() {
			out.ObserveInt64(active, int64(n), metric.WithAttributes(i.with(attribute.String(keyOperation, operation(kind)))...))
		}
		for _, r := range i.waits.Read(maxTargets) {
			attrs := metric.WithAttributes(i.with(ofTarget(r.Kind, r.Collection, r.Index)...)...)
			out.ObserveFloat64(progress, r.Fraction, attrs)
			if r.ETA > 0 {
				out.ObserveFloat64(eta, r.ETA.Seconds(), attrs)
			}
		}
		return nil
	}, active, progress, eta)
	return err
}
