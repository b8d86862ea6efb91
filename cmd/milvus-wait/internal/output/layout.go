package output

import (
	"math"
	"strconv"
	"strings"

	"github.com/mattn/go-runewidth"

	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// columns says how wide the parts of a line on the screen are, the same for all
// lines, so that bars stand below each other.
type columns struct {
	width int // of the line
	name  int
	bar   int  // 0 without
	word  bool // there is room for the state beside the percentage
}

const (
	gap         = 2
	percentSize = len("100%")
	wordSize    = len("interrupted") // the longest there is
	leastName   = 8
	leastBar    = 8
	mostBar     = 30
)

// fit returns the columns for lines of that width and names of no more than
// longest.
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

// bar returns a bar of that width.
func bar(fraction float64, width int) string {
	inner := width - len("[]")
	full := min(inner, int(fraction*float64(inner)))
	filled := strings.Repeat("=", full)
	if full < inner && full > 0 {
		filled = filled[:full-1] + ">"
	}
	return "[" + pad(filled, inner) + "]"
}

// percent returns the percentage of a fraction, rounded down: nothing is done
// before it is.
func percent(fraction float64) int {
	const roundingError = 1e-9 // 0.29 is a little less than 29 %
	return int(100*fraction + roundingError)
}

// short returns n to three digits where it is large: 950, 12.3k, 2.5M.
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

// visible returns a text whose columns can be counted.
func visible(s string) string { return untrusted.Text(s) }

// clip returns s in no more than width columns.
func clip(s string, width int) string {
	mark := ".."
	if width <= len(mark) {
		mark = ""
	}
	return runewidth.Truncate(s, max(0, width), mark)
}

// pad returns s in no less than width columns.
func pad(s string, width int) string { return runewidth.FillRight(s, width) }
