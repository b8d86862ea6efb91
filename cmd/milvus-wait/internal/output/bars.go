package output

import (
	"io"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/patient"
)

// bars draws a screen on a terminal, several times a second, until it is closed. The cursor
// stays visible below the drawing, so there is nothing to restore.
type bars struct {
	*Screen
	progress *mpb.Progress
	bar      *mpb.Bar
	drawn    []string // lines of the current frame, the first included
	closed   sync.Once
}

func newBars(c Config, targets []milvuswait.Target) *bars {
	b := &bars{Screen: NewScreen(c, targets)}
	b.progress = mpb.New(drawnOn(c.Terminal.file)...)

	// One bar of mpb is the whole screen. A bar for each of a thousand targets would need a
	// thousand goroutines, for forty lines.
	b.bar = b.progress.MustAdd(1, mpb.BarFillerFunc(b.first),
		mpb.BarFillerTrim(), mpb.BarExtender(mpb.BarFillerFunc(b.others), false))
	return b
}

// first draws the first line.
func (b *bars) first(w io.Writer, _ decor.Statistics) error {
	width, height := b.config.Terminal.size()
	b.drawn = b.Lines(width-1, height) // some terminals wrap after the last column
	if len(b.drawn) == 0 {
		return nil
	}
	_, err := io.WriteString(w, b.drawn[0])
	return err
}

// others draws the other lines.
func (b *bars) others(w io.Writer, _ decor.Statistics) error {
	if len(b.drawn) < 2 {
		return nil
	}
	_, err := io.WriteString(w, strings.Join(b.drawn[1:], "\n")+"\n")
	return err
}

// close draws the last frame and leaves it on the screen. It gives up on a stopped terminal,
// for example by ctrl-S.
func (b *bars) close() {
	b.closed.Do(func() {
		drawn := make(chan struct{})
		go func() {
			defer close(drawn)
			b.bar.SetCurrent(1)
			b.progress.Wait()
		}()
		select {
		case <-drawn:
		case <-time.After(patient.Grace):
		}
	})
}
