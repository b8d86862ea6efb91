package output

import (
	"bytes"
	"io"
	"math"
	"os"
	"runtime"

	"github.com/vbauerster/mpb/v8"
)

// drawnOn has mpb draw on a terminal.
func drawnOn(terminal *os.File) []mpb.ContainerOption {
	if runtime.GOOS == "windows" { // where mpb draws without escape sequences
		return []mpb.ContainerOption{mpb.WithOutput(terminal)}
	}
	return []mpb.ContainerOption{
		mpb.WithOutput(overwriter{terminal}),
		mpb.WithAutoRefresh(),
		mpb.WithWidth(math.MaxInt16), // and height, of what is no file
	}
}

// An overwriter has mpb's frames replace each other line by line. Mpb clears the
// screen from the first line of the old one on: where that is the first line of all,
// tmux takes it for a new screen, and moves the old one into its history.
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
