package output

import (
	"io"
	"os"
	"strconv"

	"golang.org/x/term"
)

// Terminal describes the terminals behind stdout and stderr.
type Terminal struct {
	Stdout bool // stdout is a terminal
	Bars   bool // stderr is a terminal for bars, without other output
	Color  bool // bars have colours
	Width  int  // maximum width, from COLUMNS; 0 for the width of the terminal

	file *os.File // stderr, if it is a file
}

// Detect returns the terminals behind stdout and stderr. There are no bars in a CI, with
// TERM=dumb, on terminals of unknown size, and with JSONL on the same terminal, whose events
// would tear the bars apart. NO_COLOR disables colours.
func Detect(stdout, stderr io.Writer, getenv func(string) string, format Format, noColor bool) Terminal {
	_, outIs := terminal(stdout)
	file, errIs := terminal(stderr)
	t := Terminal{Stdout: outIs, file: file}
	if !errIs || getenv("TERM") == "dumb" || isSet(getenv("CI")) || format == JSONL && outIs {
		return t
	}

	width, height := t.size()
	t.Bars = width > 0 && height > 0 && obeysEscapes(file)
	t.Color = t.Bars && !noColor && getenv("NO_COLOR") == ""
	if n, err := strconv.Atoi(getenv("COLUMNS")); err == nil && n > 0 {
		t.Width = n
	}
	return t
}

// size returns the current size of the terminal, or zeros if it is unknown.
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

// isSet reports whether the value of a variable such as CI means true.
func isSet(value string) bool { return value != "" && value != "0" && value != "false" }

// terminal returns the file of w, which may be wrapped, and reports whether it is a terminal.
func terminal(w io.Writer) (*os.File, bool) {
	if wrapper, ok := w.(interface{ Unwrap() io.Writer }); ok {
		w = wrapper.Unwrap()
	}
	file, ok := w.(*os.File)
	return file, ok && term.IsTerminal(int(file.Fd()))
}
