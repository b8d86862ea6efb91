package output

import (
	"math"
	"strconv"
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

// percent returns the percentage of a fraction, rounded down, so that 100 % means all.
func percent(fraction float64) int {
	const roundingError = 1e-9 // 0.29 is a little less than 29 %
	return int(100*fraction + roundingError)
}

// short returns n, with three digits and a unit if it is large: 950, 12.3k, 2.5M.
func short(n float64) string {
	if math.Abs(n) < 10_000 {
		return strconv.FormatFloat(n, 'f', 0, 64)
	}
	var unit string
	for _, unit = range []string{"k", "M", "G", "T", "P", "E"} {
		if n /= 1000; math.Abs(n) < 999.5 {
			break
		}
	}
	return strconv.FormatFloat(n, 'g', 3, 64) + unit
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
