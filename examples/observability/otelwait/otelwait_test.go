package otelwait_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/examples/observability/otelwait"
	"github.com/milvuswait/milvuswait/fake"
)

type kit struct {
	*otelwait.Instrumentation
	tracers *sdktrace.TracerProvider
	spans   *tracetest.SpanRecorder
	reader  *sdkmetric.ManualReader
}

func newKit(t *testing.T, attrs ...attribute.KeyValue) kit {
	t.Helper()
	k := kit{spans: tracetest.NewSpanRecorder(), reader: sdkmetric.NewManualReader()}
	k.tracers = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(k.spans))
	otel, err := otelwait.New(k.tracers, sdkmetric.NewMeterProvider(sdkmetric.WithReader(k.reader)), attrs...)
	require.NoError(t, err)
	k.Instrumentation = otel
	return k
}

// read returns the metrics by name.
func (k kit) read(t *testing.T) map[string]metricdata.Metrics {
	t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(t, k.reader.Collect(t.Context(), &all))
	byName := make(map[string]metricdata.Metrics)
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			byName[m.Name] = m
		}
	}
	return byName
}

func attrsOf(s sdktrace.ReadOnlySpan) attribute.Set { return attribute.NewSet(s.Attributes()...) }

func eventNames(s sdktrace.ReadOnlySpan) []string {
	var names []string
	for _, e := range s.Events() {
		names = append(names, e.Name)
	}
	return names
}

func TestSpan_Load(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, attribute.String("server.address", "milvus"))
		p := new(fake.Poller).Set(milvuswait.Loading("docs", "eu"), fake.WithError(fake.LoadOver(10*time.Minute).FallAt(55, 15), errors.New("refused"), 3, 4))
		ctx, parent := k.tracers.Tracer("test").Start(t.Context(), "import")
		start := time.Now()

		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithPartitions("eu"), milvuswait.WithObserver(k.Observer(ctx)))

		require.NoError(t, err)
		require.Len(t, k.spans.Ended(), 1)
		s := k.spans.Ended()[0]
		require.Equal(t, "wait_for_loading docs", s.Name())
		require.Equal(t, trace.SpanKindInternal, s.SpanKind())
		require.Equal(t, parent.SpanContext().SpanID(), s.Parent().SpanID())
		require.Equal(t, codes.Unset, s.Status().Code)
		require.True(t, s.StartTime().Equal(start))
		require.True(t, s.EndTime().Equal(time.Now()))

		polls := 0
		for _, call := range p.Calls() {
			polls = max(polls, call.Poll)
		}
		require.Equal(t, attribute.NewSet(
			attribute.String("server.address", "milvus"),
			attribute.String("db.system.name", "milvus"),
			attribute.String("db.operation.name", "wait_for_loading"),
			attribute.String("db.collection.name", "docs"),
			attribute.StringSlice("milvuswait.partitions", []string{"eu"}),
			attribute.Int("milvuswait.polls", polls),
			attribute.Float64("milvuswait.progress", 1),
		), attrsOf(s))
		// One event at 0, then five up to 55 %, one for the decrease to 15 %, and nine from
		// there.
		require.Equal(t, append([]string{"progress", "poll failed", "poll succeeded"}, repeat("progress", 5+1+9)...), eventNames(s))
		for i, e := range s.Events()[1:] {
			require.False(t, e.Time.Before(s.Events()[i].Time), "events are in order of time")
		}
	})
}

func repeat(s string, n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = s
	}
	return all
}

func TestSpan_Index(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t)
		p := new(fake.Poller).Set(milvuswait.IndexBuilding("docs", "vidx"), fake.BuildOver(100, time.Minute).FailAt(50, "out of disk"))

		_, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs",
			milvuswait.WithIndex("vidx"), milvuswait.WithExpectedRows(100), milvuswait.WithObserver(k.Observer(t.Context())))

		require.ErrorIs(t, err, milvuswait.ErrIndexFailed)
		s := k.spans.Ended()[0]
		require.Equal(t, "wait_for_index_building docs", s.Name())
		require.False(t, s.Parent().IsValid())
		require.Equal(t, sdktrace.Status{Code: codes.Error, Description: err.Error()}, s.Status())
		set := attrsOf(s)
		for key, want := range map[attribute.Key]attribute.Value{
			"error.type":               attribute.StringValue("index_failed"),
			"milvuswait.index":         attribute.StringValue("vidx"),
			"milvuswait.expected_rows": attribute.Int64Value(100),
		} {
			got, ok := set.Value(key)
			require.True(t, ok, key)
			require.Equal(t, want, got, key)
		}
		last := s.Events()[len(s.Events())-1]
		answer := attribute.NewSet(last.Attributes...)
		text, _ := answer.Value("milvuswait.answer")
		require.Equal(t, "progress", last.Name)
		require.Contains(t, text.AsString(), "Failed", "the change of the state is an event")
	})
}

// TestEvents_AllIndexes_NameTheOneBehind requires the name of the index in every progress event.
func TestEvents_AllIndexes_NameTheOneBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t)
		p := new(fake.Poller).Set(milvuswait.IndexBuilding("docs", "a"), fake.Rows(100, 100)).
			Set(milvuswait.IndexBuilding("docs", "b"), fake.BuildOver(100, time.Minute))

		_, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs",
			milvuswait.WithIndex(milvuswait.AllIndexes), milvuswait.WithObserver(k.Observer(t.Context())))

		require.NoError(t, err)
		events := k.spans.Ended()[0].Events()
		require.NotEmpty(t, events)
		for _, e := range events[:len(events)-1] { // at the end, no index is behind
			set := attribute.NewSet(e.Attributes...)
			name, _ := set.Value("milvuswait.index.behind")
			require.Equal(t, "b", name.AsString())
		}
	})
}

// TestSpan_IndexAfterFlush_ShowsTheFlush waits for an index whose mark is flushed by the second
// poll, and for one whose server cannot list segments.
func TestSpan_IndexAfterFlush_ShowsTheFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t)
		polls := 0
		p := milvuswait.PollerFuncs{
			IndexBuilding: func(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
				return milvuswait.IndexBuildingProgress{State: milvuswait.IndexStateFinished}, nil
			},
			Flush: func(context.Context, string, milvuswait.FlushMark) (bool, error) {
				polls++
				return polls > 1, nil
			},
		}
		observe := func() milvuswait.Option { return milvuswait.WithObserver(k.Observer(t.Context())) }

		_, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs", milvuswait.WithFlush(milvuswait.FlushMark{Timestamp: 9}), observe())
		require.NoError(t, err)
		_, err = milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs", observe())
		require.NoError(t, err)

		marked, bare := k.spans.Ended()[0], k.spans.Ended()[1]
		require.Len(t, marked.Events(), 2)
		first, second := attribute.NewSet(marked.Events()[0].Attributes...), attribute.NewSet(marked.Events()[1].Attributes...)
		waiting, _ := first.Value("milvuswait.waiting_for")
		require.Equal(t, "flush", waiting.AsString())
		require.False(t, second.HasValue("milvuswait.waiting_for"))

		confirmed, unconfirmed := attrsOf(marked), attrsOf(bare)
		require.False(t, confirmed.HasValue("milvuswait.unconfirmed"))
		value, _ := unconfirmed.Value("milvuswait.unconfirmed")
		require.True(t, value.AsBool())
	})
}

// TestSpan_Job_HasItsNumberAsAttribute keeps numbers out of the names of spans and of metrics.
func TestSpan_Job_HasItsNumberAsAttribute(t *testing.T) {
	k := newKit(t)
	p := milvuswait.PollerFuncs{Import: func(context.Context, int64) (milvuswait.ImportProgress, error) {
		return milvuswait.ImportProgress{State: milvuswait.ImportStateFailed, FailReason: "no such file"}, nil
	}}

	_, err := milvuswait.WaitForImportComplete(t.Context(), p, 7, milvuswait.WithObserver(k.Observer(t.Context())))

	require.ErrorIs(t, err, milvuswait.ErrJobFailed)
	span := k.spans.Ended()[0]
	require.Equal(t, "wait_for_importing", span.Name())
	attrs := attrsOf(span)
	job, _ := attrs.Value("milvuswait.job")
	require.EqualValues(t, 7, job.AsInt64())
	reason, _ := attrs.Value("error.type")
	require.Equal(t, "job_failed", reason.AsString())
	require.False(t, attrs.HasValue("db.collection.name"))
}

func TestMetrics_Wait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t, attribute.String("db.namespace", "tenant"))
		p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.WithError(fake.Percents(0, 40, 40, 100), errors.New("blip"), 2))
		base := []attribute.KeyValue{attribute.String("db.system.name", "milvus"), attribute.String("db.namespace", "tenant")}
		with := func(attrs ...attribute.KeyValue) attribute.Set { return attribute.NewSet(append(attrs, base...)...) }
		op := attribute.String("db.operation.name", "wait_for_loading")
		docs := attribute.String("db.collection.name", "docs")

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithObserver(milvuswait.Observers(
			k.Observer(t.Context()),
			milvuswait.ObserverFunc(func(u milvuswait.Update) {
				if u.Polls != 3 {
					return
				}
				seen := k.read(t)
				metricdatatest.AssertEqual(t, metricdata.Metrics{
					Name: "milvuswait.progress", Unit: "1", Description: "Finished share of the target, from 0 to 1.",
					Data: metricdata.Gauge[float64]{DataPoints: []metricdata.DataPoint[float64]{{Attributes: with(op, docs), Value: 0.4}}},
				}, seen["milvuswait.progress"], metricdatatest.IgnoreTimestamp())
				metricdatatest.AssertHasAttributes(t, seen["milvuswait.eta"], append(base, op, docs)...)
				active := []metricdata.DataPoint[int64]{{Attributes: with(op), Value: 1}}
				for _, kind := range milvuswait.Kinds()[1:] {
					active = append(active, metricdata.DataPoint[int64]{Attributes: with(attribute.String("db.operation.name", "wait_for_"+string(kind)))})
				}
				metricdatatest.AssertEqual(t, metricdata.Gauge[int64]{DataPoints: active}, seen["milvuswait.wait.active"].Data.(metricdata.Gauge[int64]), metricdatatest.IgnoreTimestamp())
			}))))

		require.NoError(t, err)
		seen := k.read(t)
		require.NotContains(t, seen, "milvuswait.progress")
		require.NotContains(t, seen, "milvuswait.eta")
		metricdatatest.AssertEqual(t, metricdata.Metrics{
			Name: "milvuswait.polls", Unit: "{poll}", Description: "Polls of waits, by what they brought.",
			Data: metricdata.Sum[int64]{Temporality: metricdata.CumulativeTemporality, IsMonotonic: true, DataPoints: []metricdata.DataPoint[int64]{
				{Attributes: with(op, attribute.String("milvuswait.poll.result", "ok")), Value: 3},
				{Attributes: with(op, attribute.String("milvuswait.poll.result", "failed")), Value: 1},
			}},
		}, seen["milvuswait.polls"], metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars())
		metricdatatest.AssertEqual(t, metricdata.Metrics{
			Name: "milvuswait.wait.duration", Unit: "s", Description: "Time that waits took.",
			Data: metricdata.Histogram[float64]{Temporality: metricdata.CumulativeTemporality, DataPoints: []metricdata.HistogramDataPoint[float64]{{Attributes: with(op)}}},
		}, seen["milvuswait.wait.duration"], metricdatatest.IgnoreTimestamp(), metricdatatest.IgnoreExemplars(), metricdatatest.IgnoreValue())
	})
}

func TestMetrics_FailedWaits_HaveTheReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t)
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		defer cancel()
		p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Percents(40))

		_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithObserver(k.Observer(ctx)))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		duration := k.read(t)["milvuswait.wait.duration"]
		metricdatatest.AssertHasAttributes(t, duration, attribute.String("error.type", "timed_out"))
		points := duration.Data.(metricdata.Histogram[float64]).DataPoints
		require.Len(t, points, 1)
		require.EqualValues(t, 1, points[0].Count)
		require.InDelta(t, 90, points[0].Sum, 1e-9)

		require.NoError(t, k.Close())
		require.NotContains(t, k.read(t), "milvuswait.wait.active")
	})
}

// TestMetrics_ManyWaitsForOneCollection runs concurrent waits with one observer each.
func TestMetrics_ManyWaitsForOneCollection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t)
		p := new(fake.Poller).
			Set(milvuswait.Loading("docs"), fake.LoadOver(time.Minute)).
			Set(milvuswait.IndexBuilding("docs", "vidx"), fake.BuildOver(100, time.Minute))
		targets := []milvuswait.Target{milvuswait.Loading("docs"), milvuswait.IndexBuilding("docs", "vidx")}

		var waits sync.WaitGroup
		for range 10 {
			waits.Go(func() {
				_, err := milvuswait.WaitAll(t.Context(), p, targets, milvuswait.WithObserver(k.Observer(t.Context())))
				require.NoError(t, err)
			})
			time.Sleep(time.Second)
			k.read(t)
		}

		waits.Wait()
		require.Len(t, k.spans.Ended(), 20)
		require.Len(t, k.spans.Started(), 20)
		require.NotContains(t, k.read(t), "milvuswait.progress")
	})
}

// TestObserver_SharedByMistake shares one observer between concurrent waits for one target.
func TestObserver_SharedByMistake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t)
		p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.LoadOver(time.Minute))
		shared := k.Observer(t.Context())
		var waits sync.WaitGroup
		for range 10 {
			waits.Go(func() {
				_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithObserver(shared))
				require.NoError(t, err)
			})
		}

		waits.Wait()
		require.Equal(t, len(k.spans.Started()), len(k.spans.Ended()), "every span has ended")
		require.EqualValues(t, 10, k.read(t)["milvuswait.wait.duration"].Data.(metricdata.Histogram[float64]).DataPoints[0].Count)
	})
}

func TestSpan_WaitPanics_Ends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKit(t)
		p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.LoadOver(time.Minute))
		fragile := milvuswait.ObserverFunc(func(u milvuswait.Update) {
			if u.Polls == 3 {
				panic("out of paper")
			}
		})

		start := time.Now()
		require.PanicsWithValue(t, "out of paper", func() {
			o := k.Observer(t.Context())
			defer o.End()
			_, _ = milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithObserver(milvuswait.Observers(o, fragile)))
		})

		require.Len(t, k.spans.Ended(), 1)
		s := k.spans.Ended()[0]
		require.Equal(t, codes.Error, s.Status().Code)
		require.Contains(t, s.Attributes(), attribute.String("error.type", "aborted"))
		require.Equal(t, time.Since(start), s.EndTime().Sub(s.StartTime()))
		require.NotContains(t, k.read(t), "milvuswait.progress")
	})
}

func TestNew_InvalidArguments_AreNamed(t *testing.T) {
	const noProvider = "otelwait: a provider is nil: use those of trace/noop and metric/noop to turn one off"
	tests := []struct {
		name  string
		tp    trace.TracerProvider
		attrs []attribute.KeyValue
		want  string
	}{
		{"no tracer", nil, nil, noProvider},
		{"no key", tracenoop.NewTracerProvider(), []attribute.KeyValue{attribute.String("", "x")}, `otelwait: attribute 1 of 1, "", has no key or no value`},
		{"own key", tracenoop.NewTracerProvider(), []attribute.KeyValue{attribute.String("error.type", "x")}, `otelwait: attribute "error.type" is reserved`},
		{"key of an event", tracenoop.NewTracerProvider(), []attribute.KeyValue{attribute.String("milvuswait.index.behind", "x")}, `otelwait: attribute "milvuswait.index.behind" is reserved`},
		{"key of an answer", tracenoop.NewTracerProvider(), []attribute.KeyValue{attribute.String("milvuswait.answer", "x")}, `otelwait: attribute "milvuswait.answer" is reserved`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := otelwait.New(tt.tp, metricnoop.NewMeterProvider(), tt.attrs...)
			require.EqualError(t, err, tt.want)
		})
	}

	_, err := otelwait.New(tracenoop.NewTracerProvider(), nil)
	require.EqualError(t, err, noProvider)
}

func TestNew_NoopProviders_Work(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		otel, err := otelwait.New(tracenoop.NewTracerProvider(), metricnoop.NewMeterProvider())
		require.NoError(t, err)
		p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Percents(0, 100))
		_, err = milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithObserver(otel.Observer(t.Context())))
		require.NoError(t, err)
		require.NoError(t, otel.Close())
	})
}
