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

// Kind is the kind of an Event. The order of the kinds is the order of cause and effect
// within one instant.
type Kind int

// The kinds of events.
const (
	Ended    Kind = iota // a poll ended with an answer
	Checked              // the state of a load was requested, directly after a poll
	Told                 // an update arrived
	Started              // a poll started
	Returned             // an outcome of a target was returned, in the order of the targets
	Over                 // the wait returned, with its joined errors
)

// Answer is the result of a poll: a progress or an error, the other being empty.
type Answer struct {
	Progress milvuswait.Progress
	Err      Class
}

// String returns the error, or the progress if there is no error.
func (a Answer) String() string {
	if a.Err != "" {
		return string(a.Err)
	}
	return fields(a.Progress)
}

// fields returns all fields of p. Its String method omits some.
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
	Line int // original position; not compared by Compare

	// Fields of Started and Ended.
	Poll    int                 // number of the poll, from 1, in the order of the starts
	Asked   []milvuswait.Target // polled targets; empty for a list of loads
	Limit   time.Duration       // end of the poll's context at the latest; 0 means no limit
	Answers []Answer            // Ended: one for each of Asked, or one Err of the list
	Listed  map[string]Answer   // Ended: the list, by collection

	// Fields of Checked, Told and Returned.
	Target  milvuswait.Target
	Answer  Answer        // Told: from the update; Returned: from the outcome; both may have Progress and Err
	Last    Class         // error of the last poll before the end, in addition to Answer.Err
	Polls   int           // number of polls so far
	Elapsed time.Duration // from the update or outcome
	Next    time.Duration // Told: delay until the next poll
	Final   bool          // Told
	Odd     bool          // Told and Returned: the fields of the error contradict the update or outcome

	// Fields of Over.
	Failed int  // number of joined errors
	Offers bool // the Poller supported lists and load states
}

// Log is the list of all events, in order.
type Log []Event

// order sorts a log by time, within an instant by kind and then by target, and numbers the
// polls. Line keeps each event's original position.
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

// Compare returns an error with the first different line of two logs, or nil if they are
// equal.
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

// About returns the last lines about one target, at most most of them.
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

// String returns the event as a line with all its fields.
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
		what := "update"
		if e.Final {
			what = "final update"
		}
		return fmt.Sprintf("%s %s of %v: %s, next in %v", head, what, e.Target, e.news(), e.Next)
	case Returned:
		return fmt.Sprintf("%s outcome of %v: %s", head, e.Target, e.news())
	}
	return fmt.Sprintf("%s over, %d errors joined, lists %t", head, e.Failed, e.Offers)
}

// news returns the fields common to updates and outcomes.
func (e Event) news() string {
	odd := ""
	if e.Odd {
		odd = ", which contradicts the error"
	}
	return fmt.Sprintf("%s, %q, last %q, %d polls in %v%s", fields(e.Answer.Progress), e.Answer.Err, e.Last, e.Polls, e.Elapsed, odd)
}

// about returns the names of the polled targets.
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

// list returns the list of an Ended event, sorted by collection.
func (e Event) list() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(e.Listed)) {
		fmt.Fprintf(&b, " %s %v", name, e.Listed[name])
	}
	return b.String()
}
