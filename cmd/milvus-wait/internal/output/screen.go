package output

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/kind"
)

// Screen is an observer that lays the state of all targets out in lines.
type Screen struct {
	config Config
	total  *milvuswait.Aggregate

	mu      sync.Mutex
	targets []milvuswait.Target // targets in their order, without duplicates
	rows    map[milvuswait.Target]*row
}

// NewScreen returns the Screen of a wait for targets.
func NewScreen(c Config, targets []milvuswait.Target) *Screen {
	s := &Screen{config: c, rows: make(map[milvuswait.Target]*row, len(targets))}
	for _, t := range targets {
		if s.rows[t] == nil {
			s.rows[t] = &row{name: c.name(t), kind: kind.Of(t)}
			s.targets = append(s.targets, t)
		}
	}
	s.total = milvuswait.NewAggregate(len(s.targets))
	return s
}

// Observe implements milvuswait.Observer.
func (s *Screen) Observe(u milvuswait.Update) {
	s.total.Observe(u)
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rows[u.Target]; r != nil {
		r.observe(u, s.config.Limits)
	}
}

// Lines returns at most height lines of at most width columns: a line for each target and, if
// there are several, a line for all. The line for all goes when all targets have ended and
// have a line. Below them, a note describes the outage of a target that is being retried. Two
// lines of the height stay free: for the cursor and for the command line.
func (s *Screen) Lines(width, height int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()

	room := max(1, height-2)
	if len(s.targets) > 1 {
		room--
	}
	note := s.note(width, min(mostNote, room-1))
	shown := s.choose(room - len(note))

	longest := 0
	for _, t := range shown {
		longest = max(longest, runewidth.StringWidth(s.rows[t].name))
	}

	columns := fit(width, longest)
	lines := make([]string, 0, len(shown)+1)
	for _, t := range shown {
		lines = append(lines, s.rows[t].line(s.config, columns))
	}

	total, hidden := s.total.Summary(), len(s.targets)-len(shown)
	switch {
	case hidden > 0 && total.Pending == 0:
		lines = append(lines, clip(fmt.Sprintf("%d more; in all %s", hidden, s.ended()), width))
	case hidden > 0:
		lines = append(lines, clip(visible(fmt.Sprintf("%d more; in all %v", hidden, total)), width))
	case len(s.targets) > 1 && total.Pending > 0:
		lines = append(lines, clip(visible(total.String()), width))
	}
	return append(lines, note...)
}

const (
	noteAfter = time.Second // minimum outage for a note: most polls that fail are followed by a success
	mostNote  = 5           // maximum lines of a note
)

// note returns at most a number of lines about the retried target with the least time left:
//
//	docs and 3 more: retrying, 1m5s so far, gives up in 3m55s: cannot connect to http://milvus:19530: …
//
// It returns nothing if no target has been retried for noteAfter.
func (s *Screen) note(width, most int) []string {
	var chosen *row
	var least time.Duration
	others := -1
	for _, t := range s.targets {
		r := s.rows[t]
		if now := r.elapsed(); r.outage.failing && now-r.outage.since >= noteAfter {
			left, known := r.outage.left(now, s.config.Limits)
			if !known {
				left = math.MaxInt64
			}
			if others++; chosen == nil || left < least {
				chosen, least = r, left
			}
		}
	}
	if chosen == nil || most < 1 {
		return nil
	}

	const mostName = 30 // the reason needs room too
	u, subject := chosen.update, ""
	switch name := clip(chosen.name, mostName); {
	case others > 0:
		subject = fmt.Sprintf("%s and %d more: ", name, others)
	case len(s.targets) > 1:
		subject = name + ": "
	}
	text := subject + "retrying" + chosen.outage.times(chosen.elapsed(), s.config.Limits) + ": " + s.config.reason(u.Target, u.Progress, u.Err)
	return wrap(visible(text), width, most)
}

// ended returns the number of targets in each final state. A percentage would not distinguish
// failed targets from finished ones.
func (s *Screen) ended() string {
	count := make(map[string]int)
	for _, t := range s.targets {
		count[state(s.rows[t].update.Err)]++
	}

	text := fmt.Sprintf("%d of %d done", count[stateComplete], len(s.targets))
	for _, other := range []string{stateFailed, stateTimedOut, stateSignal, stateAborted} {
		if count[other] > 0 {
			text += fmt.Sprintf(", %d %s", count[other], words(other))
		}
	}
	return text
}

// choose returns the targets to show in room lines, in their original order. It prefers failed
// targets, then other incomplete targets that have ended, then targets under way.
func (s *Screen) choose(room int) []milvuswait.Target {
	if room >= len(s.targets) {
		return s.targets
	}

	chosen := make(map[milvuswait.Target]bool, room)
	for _, wanted := range []func(milvuswait.Update) bool{
		func(u milvuswait.Update) bool { return u.Final && state(u.Err) == stateFailed },
		func(u milvuswait.Update) bool { return u.Final && u.Err != nil },
		func(u milvuswait.Update) bool { return !u.Final && u.Progress != nil },
		func(u milvuswait.Update) bool { return true },
	} {
		for _, t := range s.targets {
			if len(chosen) < room && wanted(s.rows[t].update) {
				chosen[t] = true
			}
		}
	}

	return slices.DeleteFunc(slices.Clone(s.targets), func(t milvuswait.Target) bool { return !chosen[t] })
}
