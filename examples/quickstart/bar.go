package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
)

// newBar returns an observer that draws the progress of a wait: on a terminal over and over
// on one line, elsewhere on a new line per change.
func newBar(out io.Writer) milvuswait.Observer {
	if isTerminal(out) {
		return milvuswait.ObserverFunc(func(u milvuswait.Update) {
			fmt.Fprintf(out, "\r%s\x1b[K", draw(u))
			if u.Final {
				fmt.Fprintln(out)
			}
		})
	}
	return milvuswait.OnChange(milvuswait.ObserverFunc(func(u milvuswait.Update) { fmt.Fprintln(out, draw(u)) }))
}

func draw(u milvuswait.Update) string {
	const width = 24
	done := int(u.Fraction * width)
	line := fmt.Sprintf("%-14s [%s%s] %3d%%", u.Target.Kind(), strings.Repeat("#", done), strings.Repeat(".", width-done), int(100*u.Fraction+1e-9)) // 100 * 0.29 is below 29

	if p, ok := u.Progress.(milvuswait.IndexBuildingProgress); ok {
		line += fmt.Sprintf("  %d of %d rows, state %v", p.IndexedRows, p.TotalRows, p.State)
	}

	switch {
	case u.Final && u.Err == nil:
		line += fmt.Sprintf("  complete after %d polls", u.Polls)
	case u.Err != nil:
		line += fmt.Sprintf("  %v", u.Err)
	case u.WaitingFor != "":
		line += fmt.Sprintf("  waiting for %s", u.WaitingFor)
	case u.ETA >= time.Second:
		line += fmt.Sprintf("  about %v left", u.ETA.Round(time.Second))
	}
	return line
}

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
