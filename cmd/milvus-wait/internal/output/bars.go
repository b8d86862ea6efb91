package output

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

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
	drawn    int // lines of the last frame

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

	for {
		select {
		case <-ticker.C:
			b.draw()
		case <-b.ended:
			b.draw()
			return
		}
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
	if b.drawn > 0 {
		fmt.Fprintf(&frame, up, b.drawn)
	}
	for _, line := range lines {
		frame.WriteString(line + clearLine + "\n")
	}
	frame.WriteString(clearBelow)

	_, _ = io.WriteString(b.terminal.file, frame.String())
	b.drawn = len(lines)
}

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
