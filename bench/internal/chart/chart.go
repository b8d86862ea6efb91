// Package chart draws the results of the benchmarks.
package chart

import (
	"image/color"
	"io"
	"math"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// The colors of the charts.
var (
	Ours  = color.RGBA{R: 0, G: 110, B: 180, A: 255}
	Peers = color.RGBA{R: 90, G: 90, B: 90, A: 255}
	Bad   = color.RGBA{R: 205, G: 40, B: 40, A: 255}
	Pale  = color.RGBA{R: 225, G: 225, B: 225, A: 255}
)

// Dot is one line of a dot chart.
type Dot struct {
	Name  string
	X     float64
	Label string // text of the value
	Bad   bool
	Ours  bool
}

func (d Dot) color() color.Color {
	switch {
	case d.Bad:
		return Bad
	case d.Ours:
		return Ours
	}
	return Peers
}

// Dots returns a dot chart, with the first line at the top. On a logarithmic axis, every X
// must be positive.
func Dots(title, unit string, log bool, dots []Dot) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text, p.X.Label.Text = title, unit
	p.Title.TextStyle.Font.Size, p.X.Label.TextStyle.Font.Size = 14, 11
	p.Title.Padding = 8
	least, most := 0.0, 0.0
	if log {
		LogX(p)
		least, most = math.Inf(1), math.Inf(-1)
	}

	for _, d := range dots {
		least, most = math.Min(least, d.X), math.Max(most, d.X)
	}

	names := make([]string, len(dots))
	for i, d := range dots {
		y := float64(len(dots) - 1 - i)
		names[len(dots)-1-i] = d.Name
		from := 0.0
		if log {
			from = least / 2
		}
		stem, err := plotter.NewLine(plotter.XYs{{X: from, Y: y}, {X: d.X, Y: y}})
		if err != nil {
			return nil, err
		}
		stem.Color, stem.Width = d.color(), 2
		point, err := plotter.NewScatter(plotter.XYs{{X: d.X, Y: y}})
		if err != nil {
			return nil, err
		}
		point.GlyphStyle = draw.GlyphStyle{Color: d.color(), Radius: 4, Shape: draw.CircleGlyph{}}
		label, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{{X: d.X, Y: y}}, Labels: []string{d.Label}})
		if err != nil {
			return nil, err
		}
		label.TextStyle[0].Color, label.TextStyle[0].Font.Size = d.color(), 10
		label.Offset = vg.Point{X: 7, Y: -3.5}
		if d.X < from { // the stem is on the right of the point
			label.Offset = vg.Point{X: -2, Y: 5}
		}
		p.Add(stem, point, label)
	}

	p.NominalY(names...)
	p.Y.Tick.Label.Font.Size = 11
	p.Y.Min, p.Y.Max = -0.6, float64(len(dots))-0.4

	// Leave room for the labels on the right.
	if log {
		p.X.Min, p.X.Max = least/2, most*math.Pow(2*most/least, 0.25)
	} else {
		room := 0.22 * (most - least)
		p.X.Min, p.X.Max = least-0.02*(most-least), most+room
	}

	return p, nil
}

// LogX makes the horizontal axis logarithmic.
func LogX(p *plot.Plot) { p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1} }

// LogY makes the vertical axis logarithmic.
func LogY(p *plot.Plot) { p.Y.Scale, p.Y.Tick.Marker = plot.LogScale{}, plot.LogTicks{Prec: -1} }

// Save writes rows of plots to base.png and base.svg, with a caption below them. All rows
// must have the same length; a nil plot leaves its place empty.
func Save(base, caption string, plots [][]*plot.Plot, width, height vg.Length) error {
	img := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(110), vgimg.UseBackgroundColor(color.White))
	drawAll(draw.New(img), caption, plots)
	if err := write(base+".png", vgimg.PngCanvas{Canvas: img}); err != nil {
		return err
	}
	svg := vgsvg.New(width, height)
	drawAll(draw.New(svg), caption, plots)
	return write(base+".svg", svg)
}

func drawAll(canvas draw.Canvas, caption string, plots [][]*plot.Plot) {
	const bottom = 0.8 * vg.Centimeter
	style := plot.New().X.Label.TextStyle
	style.Font.Size = font.Length(9)
	style.Color = Peers
	canvas.FillText(style, vg.Point{X: canvas.Min.X + canvas.Size().X/2, Y: canvas.Min.Y + bottom/2}, caption)
	tiles := draw.Tiles{
		Rows: len(plots), Cols: len(plots[0]), PadX: 8 * vg.Millimeter, PadY: 8 * vg.Millimeter,
		PadTop: 3 * vg.Millimeter, PadBottom: bottom + 3*vg.Millimeter, PadLeft: 3 * vg.Millimeter, PadRight: 5 * vg.Millimeter,
	}

	for i, row := range plot.Align(plots, tiles, canvas) {
		for j, place := range row {
			if plots[i][j] != nil {
				plots[i][j].Draw(place)
			}
		}
	}
}

func write(file string, from io.WriterTo) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	if _, err := from.WriteTo(f); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
