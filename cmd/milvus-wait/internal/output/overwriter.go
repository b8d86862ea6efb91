package output

import (
	"bytes"
	"io"
	"math"
	"os"
	"runtime"

	"github.com/vbauerster/mpb/v8"
)

// drawnOn returns the options of mpb for a terminal.
func drawnOn(terminal *os.File) []mpb.ContainerOption {
	if runtime.GOOS == "windows" { // mpb draws without escape sequences there
		return []mpb.ContainerOption{mpb.WithOutput(terminal)}
	}
	return []mpb.ContainerOption{
		mpb.WithOutput(overwriter{terminal}),
		mpb.WithAutoRefresh(),
		mpb.WithWidth(math.MaxInt16), // also the height, for a writer that is not a file
	}
}

// An overwriter replaces the frames of mpb line by line. mpb clears the screen from the first
// line of the old frame. If this is the first line of the screen, tmux starts a new screen and
// moves the old one into its history.
type overwriter struct{ w io.Writer }

// Write writes a frame.
func (o overwriter) Write(frame []byte) (int, error) {
	const clearLine, clearBelow = "\x1b[K", "\x1b[J"

	text := frame
	if up, lines, again := bytes.Cut(frame, []byte(clearBelow)); again {
		text = append(bytes.Clone(up), bytes.ReplaceAll(lines, []byte("\n"), []byte(clearLine+"\n"))...)
		text = append(text, clearBelow...)
	}
	_, err := o.w.Write(text)
	return len(frame), err
}
