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
//
// It counts each target of each call once: waits for equal targets by different calls are
// different targets, whether they run at once or one after another. Use a new Aggregate to
// restart the count.
type Aggregate struct {
	mu          sync.Mutex
	total       int
	done        int
	failed      int
	unconfirmed int // complete and unconfirmed
	pending     targetMap[share]
	elapsed     time.Duration
}

// share is the state of one target.
type share struct {
	fraction float64
	eta      time.Duration
}

// NewAggregate returns an Aggregate over a number of targets. Equal targets of one WaitAll
// count once. If more targets than total are observed, the total of the Summary is their
// number. A negative total is 0.
func NewAggregate(total int) *Aggregate {
	return &Aggregate{total: max(0, total)}
}

// Observe adds an update.
func (a *Aggregate) Observe(u Update) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.elapsed = max(a.elapsed, u.Elapsed)

	switch {
	case !u.Final:
		// A removed target had no final update, and will get none.
		a.failed += a.pending.set(u.key(), share{u.Fraction, u.ETA})
		return
	case u.Err == nil:
		a.done++
		if u.Unconfirmed {
			a.unconfirmed++
		}
	default:
		a.failed++
	}
	delete(a.pending.m, u.key())
}

// Summary is the state of many targets.
type Summary struct {
	Total   int // number of targets: that of NewAggregate, or more if more were observed
	Done    int // number of complete targets
	Failed  int // number of targets that ended with an error, or by a panic
	Pending int // number of all others, also of targets not polled yet

	// Unconfirmed is the number of complete targets that are Unconfirmed, see Update.
	Unconfirmed int

	// Fraction is the mean of the targets' fractions, from 0 to 1. Complete targets
	// count as 1, and failed targets too, since they make no more progress.
	Fraction float64

	// Slowest is the pending target with the smallest fraction, SlowestFraction. They are
	// the zero Target and 1 if nothing is pending, or nothing was polled yet.
	Slowest         Target
	SlowestFraction float64

	// ETA is the longest ETA of a pending target, or 0 while one of them is unknown.
	ETA time.Duration

	Elapsed time.Duration // time of the newest update
}

// Summary returns the state of the targets. It visits every pending target: call it when
// the summary is shown, not for every update.
func (a *Aggregate) Summary() Summary {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := Summary{Done: a.done, Failed: a.failed, Unconfirmed: a.unconfirmed, SlowestFraction: 1, Elapsed: a.elapsed}

	polled, sum, known := 0, 0.0, true
	for k, p := range a.pending.m {
		if k.isBroken() {
			s.Failed++
			continue
		}

		polled++
		sum += p.fraction
		if p.fraction < s.SlowestFraction || p.fraction == s.SlowestFraction && k.target.before(s.Slowest) {
			s.Slowest, s.SlowestFraction = k.target, p.fraction
		}
		known = known && p.eta > 0
		s.ETA = max(s.ETA, p.eta)
	}

	ended := s.Done + s.Failed
	s.Total = max(a.total, ended+polled)
	s.Pending = s.Total - ended
	if !known || polled < s.Pending {
		s.ETA = 0
	}
	s.Fraction = clamp((float64(ended) + sum) / float64(s.Total)) // 0 without targets
	return s
}

// before orders targets with equal fractions, so that the slowest is the same every time.
func (t Target) before(other Target) bool {
	return other.kind == "" || cmp.Or(
		cmp.Compare(t.collection, other.collection), cmp.Compare(t.kind, other.kind), cmp.Compare(t.index, other.index),
		cmp.Compare(t.partitions, other.partitions), cmp.Compare(t.mark, other.mark), cmp.Compare(t.rows, other.rows),
		cmp.Compare(t.job, other.job)) < 0
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
	if s.Unconfirmed > 0 {
		fmt.Fprintf(&b, ", %d unconfirmed", s.Unconfirmed)
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

// wholePercent rounds a fraction down, with a tolerance for floats: 100 * 0.29 is below
// 29.
func wholePercent(fraction float64) int { return int(100*fraction + 1e-9) }
