package promwait_test

import (
	"context"
	"fmt"
	"log"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/examples/observability/promwait"
	"github.com/milvuswait/milvuswait/fake"
)

func ExampleNew() {
	registry := prometheus.NewRegistry()
	metrics, err := promwait.New(registry, promwait.Options{ConstLabels: prometheus.Labels{"database": "default"}})
	if err != nil {
		log.Fatal(err)
	}

	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Percents(0, 40, 100))
	o := metrics.Observer()
	defer o.End()
	_, err = milvuswait.WaitForLoadingComplete(context.Background(), p, "docs", milvuswait.WithObserver(o))
	if err != nil {
		log.Fatal(err)
	}

	families, err := registry.Gather()
	if err != nil {
		log.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if metric.GetCounter().GetValue() > 0 {
				fmt.Println(family.GetName(), metric.GetLabel()[1].GetValue(), metric.GetLabel()[2].GetValue(), metric.GetCounter().GetValue())
			}
		}
	}
	// Output:
	// milvuswait_polls_total loading ok 3
	// milvuswait_waits_total loading done 1
}
