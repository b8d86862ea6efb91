// Package waterfall draws the spans of a trace as a waterfall diagram, in the style of
// tracing tools.
package waterfall

import (
	"cmp"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace"
)

// Dimensions of the picture in pixels.
const (
	width, labels, right = 960, 250, 190 // width of the picture, the names, and the captions
	row, top, bar        = 34, 58, 14
	plot                 = width - labels - right
)

// Draw writes the spans as an SVG: a bar for each, from its start to its end, blue after a
// success and red after an error. A tick marks each "progress" event, a dot each failed
// poll. The numbers come from the spans. Draw returns an error if there are no spans.
func Draw(out io.Writer, title string, spans []trace.ReadOnlySpan) error {
	if len(spans) == 0 {
		return errors.New("waterfall: there are no spans")
	}

	spans = slices.Clone(spans)
	slices.SortStableFunc(spans, func(a, b trace.ReadOnlySpan) int {
		return cmp.Or(a.StartTime().Truncate(time.Millisecond).Compare(b.StartTime().Truncate(time.Millisecond)),
			cmp.Compare(b.EndTime().UnixNano(), a.EndTime().UnixNano()))
	})

	p := picture{start: spans[0].StartTime(), end: spans[0].EndTime()}
	for _, s := range spans {
		p.end = maxTime(p.end, s.EndTime())
		if s.StartTime().Before(p.start) {
			p.start = s.StartTime()
		}
	}

	height := top + row*len(spans) + 34
	p.printf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %[1]d %[2]d" font-family="sans-serif" font-size="12">`, width, height)
	p.printf(`<rect width="%d" height="%d" fill="#ffffff"/>`, width, height)
	p.printf(`<text x="12" y="24" font-size="15" fill="#1f2430">%s</text>`, escape(title))
	p.axis(height - 30)

	for i, s := range spans {
		p.span(top+row*i, s)
	}
	p.printf(`<text x="%d" y="%d" fill="#5b6270">| progress   <tspan fill="#e07b00">●</tspan> a poll failed   <tspan fill="#c8372d">■</tspan> ended with an error</text>`, labels, height-10)
	p.printf(`</svg>`)
	_, err := io.WriteString(out, p.String())
	return err
}

// picture is an SVG in progress, and its time range.
type picture struct {
	strings.Builder
	start, end time.Time
}

func (p *picture) printf(format string, args ...any) {
	fmt.Fprintf(&p.Builder, format+"\n", args...)
}

// x returns the horizontal position of a time.
func (p *picture) x(t time.Time) float64 {
	return labels + plot*float64(t.Sub(p.start))/float64(max(1, p.end.Sub(p.start)))
}

// axis draws the time axis and its grid.
func (p *picture) axis(bottom int) {
	const parts = 5
	for i := range parts + 1 {
		at := p.end.Sub(p.start) * time.Duration(i) / parts
		x := p.x(p.start.Add(at))
		p.printf(`<line x1="%.1[1]f" y1="%[2]d" x2="%.1[1]f" y2="%[3]d" stroke="#e3e6eb"/>`, x, top-10, bottom)
		p.printf(`<text x="%.1f" y="%d" text-anchor="middle" fill="#5b6270">%.1f s</text>`, x, top-16, at.Seconds())
	}
}

// span draws the name, the bar, the events and the caption of a span.
func (p *picture) span(y int, s trace.ReadOnlySpan) {
	indent, fill := 12, "#3b73c9"
	if s.Parent().IsValid() {
		indent = 28
	} else {
		fill = "#9aa3b2"
	}
	if s.Status().Code == codes.Error {
		fill = "#c8372d"
	}

	from, to := p.x(s.StartTime()), p.x(s.EndTime())
	p.printf(`<text x="%d" y="%d" fill="#1f2430">%s</text>`, indent, y+12, escape(s.Name()))
	p.printf(`<rect class="span" x="%.1f" y="%d" width="%.1f" height="%d" rx="2" fill="%s"/>`, from, y, max(1, to-from), bar, fill)
	for _, e := range s.Events() {
		switch x := p.x(e.Time); e.Name {
		case "progress":
			p.printf(`<line class="progress" x1="%.1[1]f" y1="%[2]d" x2="%.1[1]f" y2="%[3]d" stroke="#ffffff" stroke-width="1.5"/>`, x, y, y+bar)
		case "poll failed":
			p.printf(`<circle class="failed" cx="%.1f" cy="%d" r="4" fill="#e07b00" stroke="#ffffff"/>`, x, y+bar/2)
		}
	}

	p.printf(`<text x="%.1f" y="%d" fill="#5b6270">%s</text>`, to+8, y+12, escape(caption(s)))
}

// caption returns the text to the right of a bar: the duration, the number of polls and the error.
func caption(s trace.ReadOnlySpan) string {
	parts := []string{fmt.Sprintf("%.2f s", s.EndTime().Sub(s.StartTime()).Seconds())}
	for _, key := range []attribute.Key{"milvuswait.polls", "error.type"} {
		for _, attr := range s.Attributes() {
			switch {
			case attr.Key != key:
			case key == "error.type":
				parts = append(parts, attr.Value.String())
			default:
				parts = append(parts, attr.Value.String()+" polls")
			}
		}
	}
	return strings.Join(parts, ", ")
}

// escape returns s with XML special characters escaped.
func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder never fails
	return b.String()
}

func maxTime(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
