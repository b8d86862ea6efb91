package output

import (
	"fmt"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
	"github.com/milvuswait/milvuswait/internal/duration"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// done writes the result of a target.
func (c Config) done(t milvuswait.Target, p milvuswait.Progress, elapsed time.Duration, polls int) {
	k := c.kindOf(t)
	rows, doubt := "", k.Doubt(p)
	if _, total, ok := k.Rows(p); ok {
		rows = fmt.Sprintf("%d rows, ", total)
	}
	if doubt != "" {
		doubt = "; " + doubt
	}
	word := "polls"
	if polls == 1 {
		word = "poll"
	}
	Line(c.Stdout, fmt.Sprintf("%s: %s (%s%v, %d %s)%s", c.name(t), k.Finished, rows, duration.Round(elapsed), polls, word, doubt))
}

// mostInterrupted is how many targets are named that a signal ended: whoever sent it
// knows why, and the bars say how far each was.
const mostInterrupted = 10

// failures writes to stderr what failed, and what to do about it.
func (c Config) failures(report Report) {
	if report.Err == nil {
		return
	}
	told, aborted, interrupted := 0, 0, 0
	for i, o := range report.Outcomes {
		switch state(o.Err) {
		case stateComplete:
			continue
		case stateAborted:
			aborted++
			continue
		case stateSignal:
			if interrupted++; interrupted > mostInterrupted {
				continue
			}
		}
		told++
		c.failure(c.reason(o.Target, o.Err), report.Advice[i])
	}
	if told == 0 {
		c.failure(reason(report.Err), "")
	}
	if more := interrupted - mostInterrupted; more > 0 {
		Line(c.Stderr, fmt.Sprintf("milvus-wait: and %d more interrupted", more))
	}
	if aborted > 0 {
		Line(c.Stderr, fmt.Sprintf("milvus-wait: %d more not waited for to the end; --continue-on-error does", aborted))
	}
}

func (c Config) failure(reason, advice string) {
	Line(c.Stderr, "milvus-wait: "+reason)
	if advice != "" {
		Line(c.Stderr, "milvus-wait: hint: "+advice)
	}
	c.GitHub.annotate(c.Stderr, reason)
}

// reason returns why a target failed, or a poll for it. The target comes first in
// it, with all the names it has.
func (c Config) reason(t milvuswait.Target, err error) string {
	title := untrusted.Text(c.kindOf(t).Title(t))
	return strings.Replace(unprefixed(exit.Text(err)), t.String(), title, 1)
}

func reason(err error) string { return unprefixed(err.Error()) }

func unprefixed(text string) string { return strings.TrimPrefix(text, "milvuswait: ") }
