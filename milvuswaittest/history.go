package milvuswaittest

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// history is what the polls of one target brought, as far as a failure tells it:
// memory does not grow with the wait.
type history struct {
	first, last change
	recent      []change // after first, the newest at the end
	changes     int      // all of them
	failed      int      // polls
	failures    []failure
	said        *milvuswait.ServerError // of the final error
	polls       int
}

const (
	recentChanges  = 8
	recentFailures = 3
)

// change is a progress and when it was first seen.
type change struct {
	progress milvuswait.Progress
	at       time.Duration
}

// failure is a poll that failed.
type failure struct {
	poll int
	at   time.Duration
	text string
}

// note keeps what u brings.
func (h *history) note(u milvuswait.Update) {
	if u.Final { // what was said before is over
		errors.As(u.Err, &h.said)
	}
	if u.Err != nil && !u.Final {
		h.failed++
		h.failures = append(h.failures, failure{u.Polls, u.Elapsed, oneLine(u.Err)})
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

// lines returns what a failure tells beside its error.
func (h *history) lines() []string {
	lines := []string{"progress: " + h.progress()}
	if h.failed > 0 {
		lines = append(lines, fmt.Sprintf("failed polls: %d of %d, the last of them:", h.failed, h.polls))
		for _, f := range h.failures {
			lines = append(lines, fmt.Sprintf("  poll %d after %v: %s", f.poll, rounded(f.at), f.text))
		}
	}
	if p, ok := h.last.progress.(milvuswait.IndexBuildingProgress); ok && p.FailReason != "" {
		lines = append(lines, "the server's reason: "+untrusted.Text(p.FailReason))
	}
	if h.said != nil {
		lines = append(lines, "the server's reason: "+h.said.Error())
	}
	return lines
}

// progress returns the changes in one line.
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

// rounded leaves what is worth reading of a time.
func rounded(d time.Duration) time.Duration { return d.Round(time.Millisecond) }
