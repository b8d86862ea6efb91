package main

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/milvuswait/milvuswait/bench/internal/chart"
	"github.com/milvuswait/milvuswait/internal/traces"
)

// draw writes the plot of the main set.
func (r report) draw(base string) error {
	main := r.sets[0]
	var panels []*plot.Plot
	for _, p := range []struct {
		title, unit string
		value       func(summary) float64
	}{
		{"Mean lateness", "s late, mean", func(s summary) float64 { return s.mean }},
		{"Lateness of the worst 5 %, as a share of the duration", "% late, p95", func(s summary) float64 { return 100 * s.relative95 }},
	} {
		panel, err := main.panel(p.title, p.unit, p.value)
		if err != nil {
			return err
		}
		panels = append(panels, panel)
	}

	caption := strings.ReplaceAll(r.head, "`", "") + fmt.Sprintf(", %d waits at each pace; lower left is better", len(main.traces))
	return chart.Save(base, caption, [][]*plot.Plot{panels}, 38*vg.Centimeter, 18*vg.Centimeter)
}

// panel plots a figure of all paces against their polls, with the frontiers of this library and
// of fixed intervals.
func (s *set) panel(title, unit string, value func(summary) float64) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, "polls per wait, mean", unit
	p.Title.TextStyle.Font.Size, p.Title.Padding = 14, 8
	chart.LogX(p)
	chart.LogY(p)
	p.Legend.Top, p.Legend.YOffs, p.Legend.Padding = true, -4, 4

	var labels chart.Labels
	least, most := math.Inf(1), math.Inf(-1)
	at := func(waits []traces.Wait) plotter.XY {
		f := summarize(waits)
		xy := plotter.XY{X: f.polls, Y: value(f)}
		least, most = math.Min(least, xy.Y), math.Max(most, xy.Y)
		return xy
	}

	for i, pace := range s.paces {
		if pace.setting {
			continue
		}
		xy := at(s.results[i])
		label := chart.Label{XY: xy, Text: pace.short, Color: chart.Peers, Size: 10, Dot: 3}
		if pace.name == ourDefault {
			label.Color, label.Size, label.Dot = chart.Ours, 13, 6
		}
		point, err := plotter.NewScatter(plotter.XYs{xy})
		if err != nil {
			return nil, err
		}
		point.GlyphStyle = draw.GlyphStyle{Color: label.Color, Radius: label.Dot, Shape: draw.CircleGlyph{}}
		labels.All = append(labels.All, label)
		p.Add(point)
	}

	// The frontiers have a point for each pair. In labels they are one curve, there and back, for
	// the names to keep clear of.
	ours, fixed, legend := s.frontiers(at)
	for _, f := range []struct {
		points plotter.XYs
		color  color.Color
		legend string
	}{
		{ours, chart.Ours, legend},
		{fixed, chart.Peers, "fixed intervals, 100 ms (right) to 2 s (left)"},
	} {
		line, err := plotter.NewLine(f.points)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = f.color, 1.5
		p.Add(line)
		p.Legend.Add(f.legend, line)
	}
	slices.Reverse(fixed)
	labels.Curve = append(slices.Clone(ours), fixed...)

	p.Add(labels, plotter.NewGrid())
	p.X.Min, p.X.Max = 5, 4000
	p.Y.Min, p.Y.Max = least/2, most*2
	return p, nil
}

// frontiers returns the points of this library and of the fixed intervals, and the range of
// Lateness.
func (s *set) frontiers(at func([]traces.Wait) plotter.XY) (ours, fixed plotter.XYs, legend string) {
	least, most := math.Inf(1), math.Inf(-1)
	for _, p := range s.pairs {
		fixed = append(fixed, at(p.fixed))
		if p.equal {
			ours = append(ours, at(p.ours))
			least, most = math.Min(least, p.lateness), math.Max(most, p.lateness)
		}
	}
	return ours, fixed, fmt.Sprintf("milvuswait, Lateness %.2f %% (right) to %.1f %% (left)", 100*least, 100*most)
}
