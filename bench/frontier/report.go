package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/milvuswait/milvuswait/bench/internal/chart"
	"github.com/milvuswait/milvuswait/internal/traces"
)

// report is what the replays showed.
type report struct {
	head    string
	paces   []pace
	results [][]traces.Wait // by pace
}

// summary is of many waits.
type summary struct {
	polls       float64 // mean
	mean        float64 // s late
	median, p95 float64 // s late
	relative95  float64 // late, as a share of how long it took
	relative50  float64 // the median of that share
}

func summarize(waits []traces.Wait) summary {
	var s summary
	var late, relative []float64
	for _, w := range waits {
		s.polls += float64(w.Polls) / float64(len(waits))
		s.mean += w.Late.Seconds() / float64(len(waits))
		late = append(late, w.Late.Seconds())
		relative = append(relative, float64(w.Late)/float64(w.Took))
	}
	s.median, s.p95 = quantile(late, 0.5), quantile(late, 0.95)
	s.relative50, s.relative95 = quantile(relative, 0.5), quantile(relative, 0.95)
	return s
}

// quantile sorts all, and returns the greatest of its lower share q.
func quantile[T cmp.Ordered](all []T, q float64) T {
	slices.Sort(all)
	return all[int(q*float64(len(all)-1))]
}

func (r report) table() string {
	var t strings.Builder
	fmt.Fprintf(&t, `# Lateness against polls

Written by %s.
%d waits at each pace: synthetic progress of loads and index builds, the families of internal/traces with equal weight,
from 50 ms to 30 min long, with round trips of 3 ms in the median. Every pace runs in this library's own loop, in
virtual time, and looks at once. They compare paces; they are no latencies of a server. "rel" is lateness as a share of
how long the load or build took.

| pace | polls, mean | late, mean | late p50 | late p95 | rel p50 | rel p95 |
|---|--:|--:|--:|--:|--:|--:|
`, r.head, len(r.results[0]))
	for i, p := range r.paces {
		s := summarize(r.results[i])
		name := p.name
		if name == ourDefault {
			name = "**" + name + "**"
		}
		fmt.Fprintf(&t, "| %s | %.0f | %.3f s | %.3f s | %.3f s | %.2f %% | %.1f %% |\n",
			name, s.polls, s.mean, s.median, s.p95, 100*s.relative50, 100*s.relative95)
	}
	t.WriteString("\nBy how long the load or build took: median of the lateness / p95 / polls in the mean.\n\n| took |")
	chosen := []int{0}
	for i, p := range r.paces {
		if strings.HasPrefix(p.name, "fixed 200") || strings.HasPrefix(p.name, "fixed 500") || strings.HasPrefix(p.name, "cenkalti/backoff, default") {
			chosen = append(chosen, i)
		}
	}
	for _, i := range chosen {
		fmt.Fprintf(&t, " %s |", r.paces[i].short)
	}
	t.WriteString("\n|---|" + strings.Repeat("--:|", len(chosen)) + "\n")
	limits := []time.Duration{0, time.Second, 5 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, time.Hour}
	for i, to := range limits[1:] {
		fmt.Fprintf(&t, "| %s |", between(limits[i], to))
		for _, pace := range chosen {
			var class []traces.Wait
			for _, w := range r.results[pace] {
				if w.Took >= limits[i] && w.Took < to {
					class = append(class, w)
				}
			}
			if len(class) == 0 {
				t.WriteString(" – |")
				continue
			}
			s := summarize(class)
			fmt.Fprintf(&t, " %.3f s / %.3f s / %.0f |", s.median, s.p95, s.polls)
		}
		t.WriteString("\n")
	}
	return t.String()
}

func between(from, to time.Duration) string {
	switch {
	case from == 0:
		return "under " + short(to)
	case to >= time.Hour:
		return "over " + short(from)
	}
	return short(from) + " to " + short(to)
}

func short(d time.Duration) string {
	if d >= time.Minute {
		return fmt.Sprintf("%g min", d.Minutes())
	}
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%g s", d.Seconds())
}

// draw writes the plot.
func (r report) draw(base string) error {
	mean, err := r.panel("Mean lateness", "s late, mean", func(s summary) float64 { return s.mean })
	if err != nil {
		return err
	}
	relative, err := r.panel("Lateness of the worst 5 %, as a share of how long it took", "% late, p95",
		func(s summary) float64 { return 100 * s.relative95 })
	if err != nil {
		return err
	}
	caption := strings.ReplaceAll(r.head, "`", "") + fmt.Sprintf(", %d waits at each pace; lower left is better", len(r.results[0]))
	return chart.Save(base, caption, [][]*plot.Plot{{mean, relative}}, 38*vg.Centimeter, 18*vg.Centimeter)
}

func (r report) panel(title, unit string, value func(summary) float64) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, "polls per wait, mean", unit
	p.Title.TextStyle.Font.Size, p.Title.Padding = 14, 8
	chart.LogX(p)
	chart.LogY(p)
	p.Legend.Top, p.Legend.YOffs = true, -4
	var labels chart.Labels
	least, most := math.Inf(1), math.Inf(-1)
	for i, pace := range r.paces {
		s := summarize(r.results[i])
		at := plotter.XY{X: s.polls, Y: value(s)}
		if pace.curve {
			labels.Curve = append(labels.Curve, at)
			continue
		}
		point, err := plotter.NewScatter(plotter.XYs{at})
		if err != nil {
			return nil, err
		}
		label := chart.Label{XY: at, Text: pace.short, Color: chart.Peers, Size: 10, Dot: 3}
		if pace.name == ourDefault {
			label.Color, label.Size, label.Dot = chart.Ours, 13, 6
		}
		labels.All = append(labels.All, label)
		point.GlyphStyle = draw.GlyphStyle{Color: label.Color, Radius: label.Dot, Shape: draw.CircleGlyph{}}
		least, most = math.Min(least, at.Y), math.Max(most, at.Y)
		p.Add(point)
	}
	line, err := plotter.NewLine(labels.Curve)
	if err != nil {
		return nil, err
	}
	line.Color, line.Width = chart.Ours, 1.5
	p.Add(line, labels)
	p.Legend.Add("milvuswait, Lateness 0.5 % (right) to 20 % (left)", line)
	p.Add(plotter.NewGrid())
	p.X.Min, p.X.Max = 5, 4000
	p.Y.Min, p.Y.Max = least/2, most*2
	return p, nil
}
