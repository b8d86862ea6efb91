package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/examples/observability/otelwait"
	"github.com/milvuswait/milvuswait/examples/observability/promwait"
	"github.com/milvuswait/milvuswait/examples/observability/waterfall"
	"github.com/milvuswait/milvuswait/sdk"
)

// run waits with all observers attached and prints their results. It returns the error of
// the wait, joined with errors from the output.
func run(ctx context.Context, out io.Writer, s settings) (err error) {
	registry := prometheus.NewRegistry()
	metrics, err := promwait.New(registry, promwait.Options{})
	if err != nil {
		return err
	}

	spans := tracetest.NewInMemoryExporter()
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	meters := sdkmetric.NewMeterProvider() // set the reader of your exporter here
	otel, err := otelwait.New(tracers, meters)
	if err != nil {
		return err
	}
	defer func() {
		ctx := context.WithoutCancel(ctx)
		err = errors.Join(err, otel.Close(), tracers.Shutdown(ctx), meters.Shutdown(ctx))
	}()

	stop, err := serve(out, s.address, registry)
	if err != nil {
		return err
	}
	defer stop()

	waitErr := watch(ctx, out, s, func(ctx context.Context, p milvuswait.Poller, targets []milvuswait.Target) error {
		ctx, cancel := context.WithTimeout(ctx, s.timeout)
		defer cancel()
		ctx, span := tracers.Tracer("observability").Start(ctx, "nightly import")
		defer span.End()

		counting, tracing := metrics.Observer(), otel.Observer(ctx)
		defer counting.End()
		defer tracing.End()

		outcomes, err := milvuswait.WaitAll(ctx, p, targets, milvuswait.WithContinueOnError(),
			milvuswait.WithObserver(milvuswait.Observers(counting, tracing)))
		for _, o := range outcomes {
			fmt.Fprintf(out, "%v: %v, %d polls, %v\n", o.Target, o.Progress, o.Polls, resultOf(o.Err))
		}
		return err
	})

	if err := show(out, registry, spans.GetSpans().Snapshots(), s.trace); err != nil {
		return errors.Join(waitErr, err)
	}

	if s.serve > 0 {
		fmt.Fprintf(out, "serving for %v more\n", s.serve)
		select {
		case <-time.After(s.serve):
		case <-ctx.Done():
		}
	}
	return waitErr
}

// resultOf returns the text for the error of an outcome.
func resultOf(err error) string {
	if err != nil {
		return err.Error()
	}
	return "complete"
}

// watch calls wait with the targets from the settings or, if there are none, with the
// targets of the fake server.
func watch(ctx context.Context, out io.Writer, s settings, wait func(context.Context, milvuswait.Poller, []milvuswait.Target) error) error {
	uri, targets := s.uri, make([]milvuswait.Target, 0, len(s.collections))
	for _, name := range s.collections {
		targets = append(targets, milvuswait.Loading(name))
	}

	if len(targets) == 0 {
		server, err := startShow()
		if err != nil {
			return err
		}
		defer server.Close()
		uri, targets = server.Address(), showTargets
		fmt.Fprintln(out, "no collection is named: using a fake Milvus inside this process")
	}

	connecting, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	config := client.Config{Address: uri}
	if user, password, found := strings.Cut(s.token, ":"); found {
		config.Username, config.Password = user, password
	} else {
		config.APIKey = s.token
	}

	c, err := client.NewClient(connecting, config)
	if err != nil {
		return fmt.Errorf("connecting to %s: %w", uri, err)
	}
	defer c.Close()

	err = wait(ctx, sdk.New(c), targets)
	if len(s.collections) == 0 && ctx.Err() == nil {
		return asExpected(err)
	}
	return err
}

// serve serves the metrics at address. The function stop ends this.
func serve(out io.Writer, address string, registry *prometheus.Registry) (stop func(), err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w: -address: %w", errUsage, err)
	}

	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener) // returns after Close
	}()

	fmt.Fprintf(out, "metrics at http://%v/metrics\n", listener.Addr())
	return func() {
		_ = server.Close()
		<-done
	}, nil
}

// show prints the metrics other than 0, and the spans. It also draws the spans to the file
// picture, unless the name is empty.
func show(out io.Writer, registry *prometheus.Registry, spans []sdktrace.ReadOnlySpan, picture string) error {
	families, err := registry.Gather()
	if err != nil {
		return err
	}

	var text strings.Builder
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			return err
		}
	}
	for line := range strings.Lines(text.String()) {
		if !strings.HasSuffix(line, " 0\n") && !strings.Contains(line, "_bucket{") && !strings.HasPrefix(line, "# ") {
			fmt.Fprint(out, line)
		}
	}

	for _, span := range spans {
		fmt.Fprintf(out, "span %q: %d events, %v\n", span.Name(), len(span.Events()), span.EndTime().Sub(span.StartTime()).Round(time.Millisecond))
	}

	if picture == "" {
		return nil
	}
	file, err := os.Create(picture)
	if err != nil {
		return err
	}
	return errors.Join(waterfall.Draw(file, "A nightly import that waits for two indexes and three loads", spans), file.Close())
}
