package otelwait_test

import (
	"context"
	"fmt"
	"log"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/examples/observability/otelwait"
	"github.com/milvuswait/milvuswait/fake"
)

func ExampleNew() {
	ctx := context.Background()
	spans := tracetest.NewInMemoryExporter() // replace it by a custom exporter
	tracerProvider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	meterProvider := sdkmetric.NewMeterProvider()
	otel, err := otelwait.New(tracerProvider, meterProvider, attribute.String("server.address", "milvus"), attribute.Int("server.port", 19530))
	if err != nil {
		log.Fatal(err)
	}
	defer otel.Close()

	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Percents(0, 40, 100))
	o := otel.Observer(ctx)
	defer o.End()
	_, err = milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithObserver(o))
	if err != nil {
		log.Fatal(err)
	}
	for _, span := range spans.GetSpans() {
		fmt.Println(span.Name, len(span.Events))
	}
	// Output: wait_for_loading docs 3
}
