package waterfall_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/milvuswait/milvuswait/examples/observability/waterfall"
)

func TestDraw(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	spans := tracetest.SpanStubs{
		{Name: "second", StartTime: at(5), EndTime: at(10), Status: trace.Status{Code: codes.Error},
			Attributes: []attribute.KeyValue{attribute.Int("milvuswait.polls", 7), attribute.String("error.type", "timed_out")},
			Events:     []trace.Event{{Name: "progress", Time: at(6)}, {Name: "poll failed", Time: at(7)}, {Name: "other", Time: at(8)}}},
		{Name: `<script>"&`, StartTime: at(0), EndTime: at(10)},
	}.Snapshots()
	var out strings.Builder

	require.NoError(t, waterfall.Draw(&out, "a < b", spans))

	drawn := out.String()
	decoder := xml.NewDecoder(strings.NewReader(drawn))
	for {
		_, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
	}
	require.NotContains(t, drawn, "<script>")
	require.NotContains(t, drawn, "%!")
	require.Contains(t, drawn, "a &lt; b")
	require.Less(t, strings.Index(drawn, "script"), strings.Index(drawn, ">second<"), "by start")
	// 10 s take 520 units, from 250 on.
	require.Contains(t, drawn, `<rect class="span" x="250.0" y="58" width="520.0" height="14" rx="2" fill="#9aa3b2"/>`)
	require.Contains(t, drawn, `<rect class="span" x="510.0" y="92" width="260.0" height="14" rx="2" fill="#c8372d"/>`)
	require.Contains(t, drawn, `<line class="progress" x1="562.0" y1="92" x2="562.0" y2="106"`)
	require.Contains(t, drawn, `<circle class="failed" cx="614.0" cy="99"`)
	require.Contains(t, drawn, "5.00 s, 7 polls, timed_out<")
	require.Equal(t, 1, strings.Count(drawn, `class="progress"`))
}

func TestDraw_NoSpans(t *testing.T) {
	require.EqualError(t, waterfall.Draw(io.Discard, "", nil), "waterfall: there are no spans")
}

func TestDraw_SpansWithoutDuration(t *testing.T) {
	now := time.Now()
	var out strings.Builder
	require.NoError(t, waterfall.Draw(&out, "", tracetest.SpanStubs{{StartTime: now, EndTime: now}}.Snapshots()))
	require.NotContains(t, out.String(), "NaN")
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestDraw_WriteFails(t *testing.T) {
	spans := tracetest.SpanStubs{{Name: "a"}}.Snapshots()
	require.EqualError(t, waterfall.Draw(broken{}, "", spans), "disk full")
}
