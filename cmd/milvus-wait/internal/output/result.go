package output

import (
	"errors"
	"fmt"
	"strings"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/kind"
	"github.com/milvuswait/milvuswait/internal/duration"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// done writes the result of a complete target.
func (c Config) done(u milvuswait.Update) {
	k := kind.Of(u.Target)
	finished, amount, doubt := k.Finished, k.Amount(u.Progress), k.Doubt(u.Progress)
	if u.Unconfirmed {
		finished += ", unconfirmed"
	}
	if amount != "" {
		amount += ", "
	}
	if doubt != "" {
		doubt = "; " + doubt
	}

	word := "polls"
	if u.Polls == 1 {
		word = "poll"
	}

	Line(c.Stdout, fmt.Sprintf("%s: %s (%s%v, %d %s)%s", c.name(u.Target), finished, amount, duration.Round(u.Elapsed), u.Polls, word, doubt))
}

// mostInterrupted is the maximum number of lines for targets ended by a signal. Their reason
// is known, and the bars show their progress.
const mostInterrupted = 10

// Failures writes the reason for each failed target, and its hint, to stderr.
func (c Config) Failures(report Report) {
	if report.Err == nil {
		return
	}

	reported, aborted, interrupted := 0, 0, 0
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
		reported++
		c.failure(c.reason(o.Target, o.Progress, o.Err), report.Advice[i])
	}

	if reported == 0 {
		c.failure(Reason(report.Err), "")
	}
	if more := interrupted - mostInterrupted; more > 0 {
		Line(c.Stderr, fmt.Sprintf("milvus-wait: and %d more interrupted", more))
	}
	if aborted > 0 {
		Line(c.Stderr, fmt.Sprintf("milvus-wait: %d more not waited for to the end; --continue-on-error does", aborted))
	}
}

// failure writes a reason and a hint, if it is not "".
func (c Config) failure(reason, advice string) {
	Line(c.Stderr, "milvus-wait: "+reason)
	if advice != "" {
		Line(c.Stderr, "milvus-wait: hint: "+advice)
	}
	c.GitHub.annotate(c.Stderr, "error", reason)
}

// reason returns the text of the error of a target, or of one of its polls. The text begins
// with the title of the target. It names the part that the last progress is about.
func (c Config) reason(t milvuswait.Target, p milvuswait.Progress, err error) string {
	text := unprefixed(exit.Text(err))
	if rest, found := strings.CutPrefix(text, t.String()+":"); found {
		text = c.title(t) + ":" + rest
	}

	const last = ", last "
	if behind := part(t, p); behind != "" && !strings.Contains(text, behind) {
		text = strings.Replace(text, last+p.String(), last+with(behind, p.String()), 1)
	}
	return text
}

// text returns the text of the error of a wait, or "". Of several targets, it has the number
// of failed ones and the reasons of the first, in the form of the library's error.
func (c Config) text(r Report) string {
	const (
		maxShown = 10
		maxText  = longest / (maxShown + 1) // bytes per reason, so that all of them fit
	)
	if r.Err == nil {
		return ""
	}

	var reasons []string
	failed := 0
	for _, o := range r.Outcomes {
		if o.Err == nil || errors.Is(o.Err, milvuswait.ErrAborted) {
			continue
		}
		if len(r.Outcomes) == 1 {
			return c.reason(o.Target, o.Progress, o.Err)
		}
		if failed++; failed <= maxShown {
			reasons = append(reasons, untrusted.Cut(c.reason(o.Target, o.Progress, o.Err), maxText))
		}
	}

	if failed == 0 {
		return Reason(r.Err)
	}
	text := fmt.Sprintf("%d of %d targets failed: %s", failed, len(r.Outcomes), strings.Join(reasons, "; "))
	if more := failed - maxShown; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return text
}

// Reason returns the text of an error without the prefix of the library, and with "timed out"
// for an exceeded deadline.
func Reason(err error) string { return unprefixed(exit.Text(err)) }

func unprefixed(text string) string { return strings.TrimPrefix(text, "milvuswait: ") }
