package output

import (
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// columns has the widths of the parts of a line on the screen. All lines have the same, so
// that the bars are aligned.
type columns struct {
	width int  // width of the line
	name  int  // width of the name
	bar   int  // width of the bar; 0 for no bar
	word  bool // there is room for the state after the percentage
}

const (
	gap         = 2
	percentSize = len("100%")
	wordSize    = len("interrupted") // the longest state
	leastName   = 8
	leastBar    = 8
	mostBar     = 30
)

// fit returns the columns for lines of the given width and names of at most longest columns.
func fit(width, longest int) columns {
	c := columns{width: width}
	const beside = gap + percentSize + gap + wordSize

	if room := width - beside; room >= leastName {
		c.word = true
		c.name = min(longest, max(leastName, room-gap-leastBar))
		c.bar = min(room-c.name-gap, max(leastBar, width/4), mostBar)
		if c.bar < leastBar {
			c.bar, c.name = 0, min(longest, room)
		}
		return c
	}

	c.name = min(longest, leastName)
	return c
}

// bar returns a bar of the given width.
func bar(fraction float64, width int) string {
	inner := width - len("[]")
	full := min(inner, int(fraction*float64(inner)))
	filled := strings.Repeat("=", full)
	if full < inner && full > 0 {
		filled = filled[:full-1] + ">"
	}
	return "[" + pad(filled, inner) + "]"
}

// visible returns s without invisible characters, so that its columns can be counted.
func visible(s string) string { return untrusted.Text(s) }

// clip returns s in at most width columns.
func clip(s string, width int) string {
	mark := ".."
	if width <= len(mark) {
		mark = ""
	}
	return runewidth.Truncate(s, max(0, width), mark)
}

// pad returns s in at least width columns.
func pad(s string, width int) string { return runewidth.FillRight(s, width) }

// wrap returns s in at most a number of lines, broken at spaces. The last line is clipped.
func wrap(s string, width, most int) []string {
	var lines []string
	for len(lines) < most-1 && runewidth.StringWidth(s) > width {
		line := runewidth.Truncate(s, width, "")
		if line == "" {
			break // the screen is narrower than a character
		}
		if space := strings.LastIndexByte(line, ' '); space > 0 && s[len(line)] != ' ' {
			line = line[:space]
		}
		s = strings.TrimLeft(s[len(line):], " ")
		lines = append(lines, strings.TrimRight(line, " "))
	}
	return append(lines, clip(s, width))
}
