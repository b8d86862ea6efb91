package milvuswaittest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// history records the polls of one target for a failure report. The number of entries it
// keeps is bounded, so memory does not grow with the wait.
type history struct {
	first, last change
	recent      []change // latest changes after first, newest last
	changes     int      // number of all changes
	failed      int      // number of failed polls
	failures    []failure
	said        *milvuswait.ServerError // server's error in the final update
	polls       int
}

const (
	recentChanges  = 8
	recentFailures = 3
)

// change is a progress, with the time of the first poll that returned it.
type change struct {
	progress milvuswait.Progress
	at       time.Duration
}

// failure is a failed poll.
type failure struct {
	poll int
	at   time.Duration
	text string
}

// note records an update.
func (h *history) note(u milvuswait.Update) {
	if u.Final { // earlier errors did not end the wait
		errors.As(u.Err, &h.said)
	}

	if u.Err != nil && !u.Final {
		h.failed++
		h.failures = append(h.failures, failure{u.Polls, u.Elapsed, u.Err.Error()})
		h.failures = h.failures[max(0, len(h.failures)-recentFailures):]
	}

	h.polls = u.Polls
	if u.Progress == nil || u.Progress == h.last.progress {
		return
	}

	h.last = change{u.Progress, u.Elapsed}
	h.changes++
	if h.changes == 1 {
		h.first = h.last
		return
	}

	h.recent = append(h.recent, h.last)
	h.recent = h.recent[max(0, len(h.recent)-recentChanges):]
}

// lines returns the lines of a failure report that follow the error.
func (h *history) lines() []string {
	lines := []string{"progress: " + h.progress()}

	if h.failed > 0 {
		lines = append(lines, fmt.Sprintf("failed polls: %d of %d, the last of them:", h.failed, h.polls))
		for _, f := range h.failures {
			lines = append(lines, fmt.Sprintf("  poll %d after %v: %s", f.poll, rounded(f.at), f.text))
		}
	}

	if reason := failReason(h.last.progress); reason != "" {
		lines = append(lines, "the server's reason: "+untrusted.Text(reason))
	}
	if h.said != nil {
		lines = append(lines, "the server's reason: "+h.said.Error())
	}
	return lines
}

// failReason returns the server's reason in the progress of a failed index or import, or "".
func failReason(p milvuswait.Progress) string {
	switch p := p.(type) {
	case milvuswait.IndexBuildingProgress:
		return p.FailReason
	case milvuswait.ImportProgress:
		return p.FailReason
	}
	return ""
}

// progress returns the first and the latest changes in one line.
func (h *history) progress() string {
	if h.changes == 0 {
		return "none seen"
	}
	var seen []string
	for i, c := range append([]change{h.first}, h.recent...) {
		if omitted := h.changes - 1 - len(h.recent); i == 1 && omitted > 0 {
			seen = append(seen, fmt.Sprintf("%d more", omitted))
		}
		seen = append(seen, fmt.Sprintf("%v after %v", c.progress, rounded(c.at)))
	}
	return strings.Join(seen, "; ")
}

// rounded rounds to milliseconds, the precision of all messages.
func rounded(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
