// Package output shows the progress and the result of a wait to people and programs. The
// result goes to stdout and the progress to stderr.
package output

import (
	"fmt"
	"io"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/duration"
)

// Format is the format of the result.
type Format string

// The formats of the result.
const (
	Text  Format = "text"
	JSON  Format = "json"  // one document at the end
	JSONL Format = "jsonl" // one event per line
)

// Config has the outputs and their settings.
type Config struct {
	Stdout, Stderr io.Writer
	Format         Format
	Quiet          bool
	Verbose        bool // show every poll
	Terminal       Terminal
	GitHub         GitHub
	Address        string // address of the server, the name of the target Serving
	Limits         Limits
}

// Report is the result of a command.
type Report struct {
	Outcomes []milvuswait.Outcome
	Advice   []string // hint for each outcome, or ""
	Err      error    // nil if all targets are complete
	Code     int      // exit code
	Elapsed  time.Duration
}

// done returns the number of complete targets.
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
	bars     *bars // nil for no bars
}

// New returns the Reporter of a wait for targets. Call Finish or Close at the end.
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
				c.done(u)
			}
		}))
	}

	r.observer = milvuswait.Observers(observers...)
	return r
}

// Observer returns the observer for the wait.
func (r *Reporter) Observer() milvuswait.Observer { return r.observer }

// Close draws the last frame of the bars. It may be called several times.
func (r *Reporter) Close() {
	if r.bars != nil {
		r.bars.close()
	}
}

// Finish shows the result of the wait.
func (r *Reporter) Finish(report Report) {
	r.Close()
	if r.config.Format == Text && r.underBars() {
		r.config.count(report)
	}
	r.config.conclude(report, r.config.text(report))
	r.config.Failures(report)
	r.config.warn(report)
	r.config.Summarize(report)
}

// underBars reports whether the result stands right below the bars, which show every target
// already.
func (r *Reporter) underBars() bool { return r.bars != nil && r.config.Terminal.Stdout }

// count writes the result as one line.
func (c Config) count(report Report) {
	Line(c.Stdout, fmt.Sprintf("%d of %d done in %v", report.done(), len(report.Outcomes), duration.Round(report.Elapsed)))
}

// Fail shows the result of a command that failed before its wait. Every outcome has the error
// of the report.
func (c Config) Fail(report Report) {
	if c.Format == JSONL {
		for _, o := range report.Outcomes {
			c.event(milvuswait.Update{Target: o.Target, Elapsed: o.Elapsed, Err: o.Err, Final: true})
		}
	}

	text := Reason(report.Err)
	c.conclude(report, text)
	c.failure(text, "")
}

// conclude writes a result with the text of its error in JSON.
func (c Config) conclude(report Report, text string) {
	switch c.Format {
	case JSON:
		c.document(report, text)
	case JSONL:
		c.end(report, text)
	}
}
