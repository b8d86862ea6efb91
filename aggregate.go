package milvuswait

import (
	"cmp"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Aggregate is an observer that adds up the updates of many targets, for one bar
// or one line of log over all of them. It is safe for concurrent use.
type Aggregate struct {
	mu      sync.Mutex
	total   int
	done    int
	failed  int
	pending map[Target]share
	elapsed time.Duration
}

// share is how far one target is.
type share struct {
	fraction float64
	eta      time.Duration
}

// NewAggregate returns an Aggregate over so many targets, duplicates counted once.
func NewAggregate(total int) *Aggregate {
	return &Aggregate{total: total, pending: make(map[Target]share)}
}

// Observe takes in an update.
func (a *Aggregate) Observe(u Update) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.elapsed = max(a.elapsed, u.Elapsed)
	switch {
	case !u.Final:
		a.pending[u.Target] = share{u.Fraction, u.ETA}
		return
	case u.Err == nil:
		a.done++
	default:
		a.failed++
	}
	delete(a.pending, u.Target)
}

// Summary is how far many targets are.
type Summary struct {
	Total   int // targets
	Done    int // complete
	Failed  int // ended otherwise
	Pending int // the rest, those included that were not polled yet

	// Fraction is the mean of the targets' fractions, from 0 to 1: 1 for what is
	// complete, and for what has failed too, since nothing more is to come of it.
	Fraction float64

	// Slowest is the pending target with the smallest fraction, and SlowestFraction
	// that; the zero Target and 1 if nothing is pending, or nothing was polled yet.
	Slowest         Target
	SlowestFraction float64

	// ETA is the longest of the pending targets'; 0 while that of any is unknown.
	ETA time.Duration

	Elapsed time.Duration // of the newest update
}

// Summary returns how far the targets are by now. It looks at every pending one:
// call it as often as somebody looks, not for every update.
func (a *Aggregate) Summary() Summary {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := Summary{
		Total: a.total, Done: a.done, Failed: a.failed, Pending: max(0, a.total-a.done-a.failed),
		SlowestFraction: 1, Elapsed: a.elapsed,
	}
	sum, known := float64(a.done+a.failed), len(a.pending) == s.Pending
	for t, p := range a.pending {
		sum += p.fraction
		if p.fraction < s.SlowestFraction || p.fraction == s.SlowestFraction && t.before(s.Slowest) {
			s.Slowest, s.SlowestFraction = t, p.fraction
		}
		known = known && p.eta > 0
		s.ETA = max(s.ETA, p.eta)
	}
	if !known {
		s.ETA = 0
	}
	s.Fraction = clamp(sum / float64(s.Total)) // of no targets 0
	return s
}

// before orders targets that are equally far, so that the slowest is the same
// every time.
func (t Target) before(other Target) bool {
	return other.kind == "" || cmp.Or(
		cmp.Compare(t.collection, other.collection), cmp.Compare(t.kind, other.kind), cmp.Compare(t.index, other.index),
		cmp.Compare(t.partitions, other.partitions), cmp.Compare(t.rows, other.rows)) < 0
}

// String returns the summary on one line, such as
//
//	37 of 40 done, 1 failed, 94%, slowest loading "docs" at 40%, 12s left
//
// Percentages are rounded down, and the first is 100 only if nothing is pending.
func (s Summary) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %d done", s.Done, s.Total)
	if s.Failed > 0 {
		fmt.Fprintf(&b, ", %d failed", s.Failed)
	}
	percent := wholePercent(s.Fraction)
	if s.Pending > 0 {
		percent = min(percent, 99) // all may be at 1 and settle
	}
	fmt.Fprintf(&b, ", %d%%", percent)
	if s.Slowest.kind != "" {
		fmt.Fprintf(&b, ", slowest %v at %d%%", s.Slowest, wholePercent(s.SlowestFraction))
	}
	if s.ETA >= time.Second {
		fmt.Fprintf(&b, ", %v left", s.ETA.Round(time.Second))
	}
	return b.String()
}

// wholePercent rounds a fraction down, bearing with floats: 100 * 0.29 is below 29.
func wholePercent(fraction float64) int { return int(100*fraction + 1e-9) }
