package main

import (
	"fmt"
	"html"
	"strings"

	"github.com/hinshun/vt10x"
)

// screen is a copy of the screen of a terminal.
type screen struct {
	title string
	rows  [][]vt10x.Glyph // rows without the empty ones at the end
}

func capture(title string, terminal vt10x.Terminal) screen {
	terminal.Lock()
	defer terminal.Unlock()

	s := screen{title: title}
	width, height := terminal.Size()
	used := 0
	for y := range height {
		row := make([]vt10x.Glyph, width)
		for x := range width {
			row[x] = terminal.Cell(x, y)
			if row[x].Char != ' ' {
				used = y + 1
			}
		}
		s.rows = append(s.rows, row)
	}

	s.rows = s.rows[:used]
	return s
}

// Sizes in the picture, in pixels.
const (
	cellWidth  = 8
	cellHeight = 18
	fontSize   = 13.3
	margin     = 16
	titleBar   = 30
	between    = 14
)

// colors are the colours of the states. Everything else has the colour of the text.
var colors = map[vt10x.Color]string{vt10x.Red: "#ff7b72", vt10x.Green: "#56d364", vt10x.Yellow: "#e3b341"}

// draw returns the screens as SVG, one below the other.
func draw(screens []screen) string {
	var b strings.Builder
	width, y := 2*margin+columns*cellWidth, 0
	for _, s := range screens {
		height := titleBar + margin + len(s.rows)*cellHeight
		fmt.Fprintf(&b, `<rect y="%d" width="%d" height="%d" rx="8" fill="#0d1117"/>`+"\n", y, width, height)
		for i, color := range []string{"#ff5f57", "#febc2e", "#28c840"} {
			fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="5" fill="%s"/>`+"\n", margin+6+18*i, y+titleBar/2, color)
		}
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle" fill="#8b949e">%s</text>`+"\n", width/2, y+titleBar/2+4, html.EscapeString(s.title))
		for i, row := range s.rows {
			drawRow(&b, row, y+titleBar+(i+1)*cellHeight-4)
		}
		y += height + between
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%[1]d" height="%[2]d" `+
		`font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="%v" fill="#e6edf3">`+
		"\n<title>milvus-wait demo --fail</title>\n%s</svg>\n", width, y-between, fontSize, b.String())
}

// drawRow writes the words of a row. Each word has the position and the width of its cells,
// whatever the font.
func drawRow(b *strings.Builder, row []vt10x.Glyph, y int) {
	for x := 0; x < len(row); {
		end := x
		for end < len(row) && row[end].Char != ' ' && row[end].FG == row[x].FG {
			end++
		}
		if end == x {
			x++
			continue
		}
		var word strings.Builder
		for _, cell := range row[x:end] {
			word.WriteRune(cell.Char)
		}
		fill := ""
		if color, ok := colors[row[x].FG]; ok {
			fill = fmt.Sprintf(` fill="%s"`, color)
		}
		fmt.Fprintf(b, `<text x="%d" y="%d" textLength="%d" lengthAdjust="spacingAndGlyphs"%s>%s</text>`+"\n",
			margin+x*cellWidth, y, (end-x)*cellWidth, fill, html.EscapeString(word.String()))
		x = end
	}
}
