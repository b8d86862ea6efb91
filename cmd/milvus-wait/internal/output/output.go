// Package output shows people and programs how a wait goes and how it ended. The
// result goes to stdout and the progress to stderr.
package output

import (
	"fmt"
	"io"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/kind"
	"github.com/milvuswait/milvuswait/internal/duration"
)

// Format is the form of the result.
type Format string

// The formats.
const (
	Text  Format = "text"
	JSON  Format = "json"  // one document at the end
	JSONL Format = "jsonl" // an event a line
)

// Config says where to write, and how.
type Config struct {
	Stdout, Stderr io.Writer
	Format         Format
	Quiet          bool
	Verbose        bool // every poll
	Terminal       Terminal
	GitHub         GitHub
	Kind           *kind.Kind // row of all targets; nil for the rows of their kinds
}

// Report is how it all ended.
type Report struct {
	Outcomes []milvuswait.Outcome
	Advice   []string // beside each outcome, what to do about it, or ""
	Err      error    // nil if all is done
	Code     int      // to exit with
	Elapsed  time.Duration
}

// done returns how many targets are complete.
func (r Report) done() int {
	n := 0
	for _, o := range r.Outcomes {
		if o.Err == nil {
			n++
		}
	}
	return n
}

// A Reporter shows one wait.
type Reporter struct {
	config   Config
	observer milvuswait.Observer
	bars     *bars // nil without
}

// New returns the Reporter of a wait for these targets. Close it if Finish is not
// called.
func New(c Config, targets []milvuswait.Target) *Reporter {
	r := &Reporter{config: c}
	var observers []milvuswait.Observer
	if c.Format == JSONL {
		observers = append(observers, c.events())
	}
	switch {
	case c.Quiet:
	case c.Terminal.Bars && !c.Verbose:
		r.bars = newBars(c, targets)
		observers = append(observers, r.bars)
	default:
		observers = append(observers, newPlain(c))
	}
	if c.Format == Text && !r.underBars() {
		observers = append(observers, milvuswait.ObserverFunc(func(u milvuswait.Update) {
			if u.Final && u.Err == nil {
				c.done(u.Target, u.Progress, u.Elapsed, u.Polls)
			}
		}))
	}
	r.observer = milvuswait.Observers(observers...)
	return r
}

// Observer returns what the wait is to tell.
func (r *Reporter) Observer() milvuswait.Observer { return r.observer }

// Close leaves the terminal as it is to be. It may be called twice.
func (r *Reporter) Close() {
	if r.bars != nil {
		r.bars.close()
	}
}

// Finish shows how the wait ended.
func (r *Reporter) Finish(report Report) {
	r.Close()
	if r.config.Format == Text && r.underBars() {
		r.config.count(report)
	}
	r.config.Fail(report)
	r.config.Summarize(report)
}

// underBars reports whether the result is to stand right below the bars, which have
// said of every target what there is to say.
func (r *Reporter) underBars() bool { return r.bars != nil && r.config.Terminal.Stdout }

// count writes the result in a word.
func (c Config) count(report Report) {
	Line(c.Stdout, fmt.Sprintf("%d of %d done in %v", report.done(), len(report.Outcomes), duration.Round(report.Elapsed)))
}

// Fail shows how a command ended that may have had no wait at all.
func (c Config) Fail(report Report) {
	switch c.Format {
	case JSON:
		c.document(report)
	case JSONL:
		c.end(report)
	}
	c.failures(report)
}
