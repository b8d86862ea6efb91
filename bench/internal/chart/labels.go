package chart

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Label is the name of a point in a scatter plot.
type Label struct {
	plotter.XY
	Text  string
	Color color.Color
	Size  vg.Length // font size
	Dot   vg.Length // radius of the point
}

// Labels is a plotter of names. It writes each name on the side of its point where it covers
// the least of other names and of a curve. Earlier names choose first.
type Labels struct {
	All   []Label
	Curve plotter.XYs
}

// Plot writes the names.
func (l Labels) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	around := func(at plotter.XY, r vg.Length) vg.Rectangle {
		center := vg.Point{X: toX(at.X), Y: toY(at.Y)}
		return vg.Rectangle{Min: center.Sub(vg.Point{X: r, Y: r}), Max: center.Add(vg.Point{X: r, Y: r})}
	}

	var taken []vg.Rectangle
	for _, label := range l.All {
		taken = append(taken, around(label.XY, label.Dot))
	}

	const steps = 20
	for i := 1; i < len(l.Curve); i++ {
		from, to := around(l.Curve[i-1], 1), around(l.Curve[i], 1)
		for s := range steps {
			part := to.Min.Sub(from.Min).Scale(vg.Length(s) / steps)
			taken = append(taken, from.Add(part))
		}
	}

	for _, label := range l.All {
		style := p.X.Label.TextStyle
		style.Color, style.Font.Size = label.Color, label.Size
		style.XAlign, style.YAlign = draw.XLeft, draw.YBottom
		box := style.Rectangle(label.Text)
		size := box.Size()
		at, gap := around(label.XY, 0).Min, label.Dot+3
		var best vg.Rectangle
		least := vg.Length(-1)
		for _, side := range []vg.Point{
			{X: gap, Y: -size.Y / 2}, {X: -gap - size.X, Y: -size.Y / 2},
			{X: gap, Y: 2}, {X: gap, Y: -2 - size.Y}, {X: -gap - size.X, Y: 2}, {X: -gap - size.X, Y: -2 - size.Y},
			{X: -size.X / 2, Y: gap}, {X: -size.X / 2, Y: -gap - size.Y},
		} {
			place := vg.Rectangle{Min: at.Add(side), Max: at.Add(side).Add(size)}
			if place.Min.X < c.Min.X || place.Max.X > c.Max.X {
				continue
			}
			if covered := covers(place, taken); least < 0 || covered < least {
				best, least = place, covered
			}
		}
		taken = append(taken, best)
		c.FillText(style, best.Min.Sub(vg.Point{Y: box.Min.Y}), label.Text)
	}
}

// covers returns the area of the other rectangles that place covers.
func covers(place vg.Rectangle, others []vg.Rectangle) vg.Length {
	var area vg.Length
	for _, o := range others {
		x := min(place.Max.X, o.Max.X) - max(place.Min.X, o.Min.X)
		y := min(place.Max.Y, o.Max.Y) - max(place.Min.Y, o.Min.Y)
		if x > 0 && y > 0 {
			area += x * y
		}
	}
	return area
}
