package simulation

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
)

// Kind is what an Event is, in the order in which events of one instant follow from
// each other.
type Kind int

// The kinds of events.
const (
	Ended    Kind = iota // a poll, with its answer
	Checked              // the state of a load was asked for, right after a poll
	Told                 // an update came
	Started              // a poll
	Returned             // an outcome of one of the targets, in their order
	Over                 // the wait, with the errors that it joined
)

// Answer is what a poll brought: one of them, the other empty.
type Answer struct {
	Progress milvuswait.Progress
	Err      Class
}

// String returns the one that is there.
func (a Answer) String() string {
	if a.Err != "" {
		return string(a.Err)
	}
	return fields(a.Progress)
}

// fields returns all that is in p, of which its String leaves some out.
func fields(p milvuswait.Progress) string {
	switch p := p.(type) {
	case milvuswait.LoadingProgress:
		type plain milvuswait.LoadingProgress
		return fmt.Sprintf("%+v", plain(p))
	case milvuswait.IndexBuildingProgress:
		type plain milvuswait.IndexBuildingProgress
		return fmt.Sprintf("%+v", plain(p))
	}
	return "nothing"
}

// Event is one line of a Log.
type Event struct {
	At   time.Duration // since the wait began
	Kind Kind
	Line int // which it was as they came; no part of what Compare compares

	// Of Started and Ended.
	Poll    int                 // which, from 1, in the order of their starts
	Asked   []milvuswait.Target // for which targets; none in a list of loads
	Limit   time.Duration       // when its context ends at the latest; 0 is never
	Answers []Answer            // Ended: one for each of Asked, or one Err of the list
	Listed  map[string]Answer   // Ended: the list, by collection

	// Of Checked, Told and Returned.
	Target  milvuswait.Target
	Answer  Answer        // Told: what the observer got; Returned: the outcome's; both may have Progress and Err
	Last    Class         // of the poll before the end, beside Answer.Err
	Polls   int           // so far
	Elapsed time.Duration // as the update or outcome has it
	Next    time.Duration // Told: until the next poll
	Final   bool          // Told
	Odd     bool          // Told and Returned: the error says something else than what it came with

	// Of Over.
	Failed int  // how many errors were joined
	Offers bool // the Poller could be asked for lists and for the state of loads
}

// Log is what happened, in order.
type Log []Event

// order sorts a log by instants, and the events of one instant by what follows
// from what and then by target, and numbers the polls. Of events as they came each
// keeps its Line.
func (l Log) order(rank map[milvuswait.Target]int) {
	of := func(e Event) int {
		switch {
		case e.Kind != Started && e.Kind != Ended:
			return rank[e.Target]
		case len(e.Asked) > 0:
			return rank[e.Asked[0]]
		}
		return -1 // a list of all loads
	}
	for i := range l {
		l[i].Line = i + 1
	}
	slices.SortStableFunc(l, func(a, b Event) int {
		if a.Kind == Returned && b.Kind == Returned {
			return cmp.Compare(a.At, b.At) // outcomes stay as they came
		}
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Kind, b.Kind), cmp.Compare(of(a), of(b)))
	})
	numbers := map[int]int{}
	for i := range l {
		if e := &l[i]; e.Kind == Started {
			numbers[e.Poll] = len(numbers) + 1
		}
	}
	for i := range l {
		if e := &l[i]; e.Kind == Started || e.Kind == Ended {
			e.Poll = numbers[e.Poll]
		}
	}
}

// Compare returns what the first line is in which two logs differ, or nil.
func Compare(a, b Log) error {
	for i := range max(len(a), len(b)) {
		one, other := "nothing more", "nothing more"
		if i < len(a) {
			one = a[i].String()
		}
		if i < len(b) {
			other = b[i].String()
		}
		if one != other {
			return fmt.Errorf("line %d:\n  %s\n  %s", i+1, one, other)
		}
	}
	return nil
}

// About returns the lines about one target, at most so many, the last ones.
func (l Log) About(target milvuswait.Target, most int) string {
	var lines []string
	for _, e := range l {
		if e.Kind == Over || e.Target == target || slices.Contains(e.Asked, target) || (e.Kind == Started || e.Kind == Ended) && e.Asked == nil {
			lines = append(lines, "  "+e.String())
		}
	}
	if skipped := len(lines) - most; skipped > 0 {
		lines = append([]string{fmt.Sprintf("  … %d lines", skipped)}, lines[skipped:]...)
	}
	return strings.Join(lines, "\n")
}

// String returns the event as a line with everything that is in it.
func (e Event) String() string {
	head := e.At.String()
	switch e.Kind {
	case Started:
		return fmt.Sprintf("%s poll %d of %v starts, limit %v", head, e.Poll, e.about(), e.Limit)
	case Ended:
		return fmt.Sprintf("%s poll %d of %v ends: %v%s", head, e.Poll, e.about(), e.Answers, e.list())
	case Checked:
		return fmt.Sprintf("%s check of %v: %v", head, e.Target, e.Answer)
	case Told:
		what := "told"
		if e.Final {
			what = "told last"
		}
		return fmt.Sprintf("%s %s of %v: %s, next in %v", head, what, e.Target, e.news(), e.Next)
	case Returned:
		return fmt.Sprintf("%s outcome of %v: %s", head, e.Target, e.news())
	}
	return fmt.Sprintf("%s over, %d errors joined, lists %t", head, e.Failed, e.Offers)
}

// news returns what updates and outcomes have in common.
func (e Event) news() string {
	odd := ""
	if e.Odd {
		odd = ", which is not what the error says"
	}
	return fmt.Sprintf("%s, %q, last %q, %d polls in %v%s", fields(e.Answer.Progress), e.Answer.Err, e.Last, e.Polls, e.Elapsed, odd)
}

func (e Event) about() string {
	if e.Asked == nil {
		return "all loads"
	}
	names := make([]string, len(e.Asked))
	for i, t := range e.Asked {
		names[i] = t.String()
	}
	return strings.Join(names, " and ")
}

func (e Event) list() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(e.Listed)) {
		fmt.Fprintf(&b, " %s %v", name, e.Listed[name])
	}
	return b.String()
}
