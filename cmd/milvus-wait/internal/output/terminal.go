package output

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// Terminal is what stdout and stderr are connected to.
type Terminal struct {
	Stdout bool // is a terminal
	Bars   bool // stderr is one that can show bars, and nothing else is to be shown there
	Color  bool
	Width  int // no more than that, as COLUMNS asks for; 0 for that of the terminal

	file *os.File // stderr, if it is a file
}

// Detect looks at what the command writes to and at the environment: CI is for
// lines, TERM=dumb and terminals of unknown size for lines too, and NO_COLOR for
// bars without colours. Events of JSONL on the same terminal as bars would tear
// them apart.
func Detect(stdout, stderr io.Writer, getenv func(string) string, format Format, noColor bool) Terminal {
	_, outIs := terminal(stdout)
	file, errIs := terminal(stderr)
	t := Terminal{Stdout: outIs, file: file}
	if !errIs || getenv("TERM") == "dumb" || isSet(getenv("CI")) || format == JSONL && outIs {
		return t
	}
	width, height := t.size()
	t.Bars = width > 0 && height > 0
	t.Color = t.Bars && !noColor && getenv("NO_COLOR") == "" && obeysColors(file)
	if n, err := strconv.Atoi(getenv("COLUMNS")); err == nil && n > 0 {
		t.Width = n
	}
	return t
}

// size returns how much fits the terminal now, or zeros if it does not say.
func (t Terminal) size() (width, height int) {
	width, height, err := term.GetSize(int(t.file.Fd()))
	if err != nil {
		return 0, 0
	}
	if t.Width > 0 {
		width = min(width, t.Width)
	}
	return width, height
}

// isSet reports whether the variable of a CI says that this is one.
func isSet(value string) bool { return value != "" && value != "0" && value != "false" }

// terminal returns w, or what it wraps, as a file if that is a terminal.
func terminal(w io.Writer) (*os.File, bool) {
	if wrapper, ok := w.(interface{ Unwrap() io.Writer }); ok {
		w = wrapper.Unwrap()
	}
	file, ok := w.(*os.File)
	return file, ok && term.IsTerminal(int(file.Fd()))
}
