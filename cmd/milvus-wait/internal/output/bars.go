package output

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/patient"
)

// refresh is the time between two frames.
const refresh = 150 * time.Millisecond

// bars draws a screen on a terminal until it is closed. The cursor stays visible below the
// drawing, so there is nothing to restore.
type bars struct {
	*Screen
	terminal Terminal
	drawn    []string  // lines of the last frame
	drawnAt  time.Time // time of the last frame

	ended  chan struct{} // closed by close
	done   chan struct{} // closed after the last frame
	closed sync.Once
}

func newBars(c Config, targets []milvuswait.Target) *bars {
	b := &bars{
		Screen: NewScreen(c, targets), terminal: c.Terminal,
		ended: make(chan struct{}), done: make(chan struct{}),
	}
	go b.run()
	return b
}

// run draws frames until close, and then the last one.
func (b *bars) run() {
	defer close(b.done)
	ticker := time.NewTicker(refresh)
	defer ticker.Stop()
	continued := make(chan os.Signal, 1)
	notifyContinued(continued)
	defer signal.Stop(continued)

	for {
		select {
		case <-ticker.C:
			if time.Since(b.drawnAt) > 2*refresh && len(b.drawn) > 0 {
				b.awaitContinued(continued)
			}
			b.draw()
		case <-continued:
			b.drawn = nil
			b.draw()
		case <-b.ended:
			b.draw()
			return
		}
	}
}

// awaitContinued gives the signal of a continued process a moment to arrive: the ticker may be
// faster. The shell has written below the last frame then, so the next frame starts below.
func (b *bars) awaitContinued(continued <-chan os.Signal) {
	const moment = 20 * time.Millisecond
	select {
	case <-continued:
		b.drawn = nil
	case <-time.After(moment):
	}
}

// draw replaces the last frame line by line. Clearing the screen from the first line on would
// flicker. In tmux, it would also move the old frame into the history if it begins at the
// first line of the screen.
func (b *bars) draw() {
	const up, clearLine, clearBelow = "\x1b[%dA", "\x1b[K", "\x1b[J"
	width, height := b.terminal.size()
	lines := b.Lines(width-1, height) // some terminals wrap after the last column

	var frame strings.Builder
	frame.WriteString("\r") // the echo of a typed key moves the cursor
	if n := rowsOf(b.drawn, width); n > 0 {
		fmt.Fprintf(&frame, up, n)
	}
	for _, line := range lines {
		frame.WriteString(line + clearLine + "\n")
	}
	frame.WriteString(clearBelow)

	_, _ = io.WriteString(b.terminal.file, frame.String())
	b.drawn, b.drawnAt = lines, time.Now()
}

// rowsOf returns the number of rows that lines take on a terminal. A terminal that was made
// narrower wraps lines that have become too long.
func rowsOf(lines []string, width int) int {
	rows := 0
	for _, line := range lines {
		columns := runewidth.StringWidth(colors.ReplaceAllString(line, ""))
		rows += max(1, (columns+width-1)/max(1, width))
	}
	return rows
}

var colors = regexp.MustCompile("\x1b\\[[0-9;]*m")

// close draws the last frame and leaves it on the screen. It gives up on a stopped terminal,
// for example by ctrl-S.
func (b *bars) close() {
	b.closed.Do(func() {
		close(b.ended)
		select {
		case <-b.done:
		case <-time.After(patient.Grace):
		}
	})
}
