package temporalwait

import (
	"sync"
	"time"

	"github.com/milvuswait/milvuswait"
)

// Heartbeat is the progress that an activity records at Temporal during a wait. If the
// worker is lost, the next attempt resumes from it.
type Heartbeat struct {
	Attempt int32     `json:"attempt"`
	Began   time.Time `json:"began"` // start of the first attempt, from which the pace is computed

	// ClocksSince is the start of this attempt. The stall and settle times and the ETA are
	// measured from here, because they depend on observed progress.
	ClocksSince time.Time `json:"clocks_since"`

	Total    int     `json:"total"` // targets, equal ones counted once
	Done     int     `json:"done"`  // complete
	Failed   int     `json:"failed"`
	Fraction float64 `json:"fraction"` // completed share of all targets, from 0 to 1

	// ETASeconds is the longest ETA of the unfinished targets. It is missing while one of
	// them is unknown.
	ETASeconds float64 `json:"eta_seconds,omitempty"`

	// Latest is the most recently polled target. It has the poll's error if the poll failed
	// and the wait goes on.
	Latest *Outcome `json:"latest,omitempty"`

	// Ended lists the targets that need no further attempt.
	Ended []Outcome `json:"ended,omitempty"`
}

// began returns the start of the first attempt, at most now. A nil h means there was no
// earlier attempt. The clock of another machine may be ahead, so a time after now is
// replaced by now.
func (h *Heartbeat) began(now time.Time) time.Time {
	if h == nil || h.Began.IsZero() || h.Began.After(now) {
		return now
	}
	return h.Began
}

// ledger is an observer that collects the contents of the heartbeats.
type ledger struct {
	cluster string
	waited  time.Duration // before this attempt

	total   *milvuswait.Aggregate // covers the targets of this attempt
	resumed int                   // number of targets ended by earlier attempts

	mu   sync.Mutex
	beat Heartbeat
}

// newLedger returns a ledger for an attempt at the given number of targets. It does not
// include the targets that earlier attempts have ended.
func newLedger(cluster string, begin Heartbeat, targets int) *ledger {
	return &ledger{
		cluster: cluster, waited: begin.ClocksSince.Sub(begin.Began), beat: begin,
		total: milvuswait.NewAggregate(targets), resumed: len(begin.Ended),
	}
}

// Observe records an update of a wait.
func (l *ledger) Observe(u milvuswait.Update) {
	o := newOutcome(l.cluster, milvuswait.Outcome{Target: u.Target, Progress: u.Progress, Polls: u.Polls, Elapsed: u.Elapsed, Unconfirmed: u.Unconfirmed}, l.waited)
	switch {
	case u.Err == nil:
	case !u.Final:
		o.Error = describe(u.Err)
	default:
		o.Error = newFailure(u.Err)
		if !lasts(o.Error) {
			return // ended from outside: this is no result of the target
		}
	}

	l.total.Observe(u)
	l.mu.Lock()
	defer l.mu.Unlock()
	if u.Final {
		l.beat.Ended = append(l.beat.Ended, o)
	}
	l.beat.Latest = &o
}

// lasts reports whether a failure is final, so that no other attempt waits for the target.
// Failures caused from outside, such as a deadline, an interruption or an abort, are not.
func lasts(f *Failure) bool { return !f.retryable() && f.Type != "milvuswait.ErrAborted" }

// now returns the current heartbeat.
func (l *ledger) now() Heartbeat {
	s := l.total.Summary()
	l.mu.Lock()
	defer l.mu.Unlock()

	h := l.beat
	h.Ended = l.beat.Ended[:len(l.beat.Ended):len(l.beat.Ended)] // safe to share: only appended to
	h.Total = l.resumed + s.Total
	for _, o := range h.Ended {
		if o.Error == nil {
			h.Done++
		} else {
			h.Failed++
		}
	}

	h.Fraction = (float64(l.resumed) + s.Fraction*float64(s.Total)) / float64(max(1, h.Total))
	h.ETASeconds = s.ETA.Seconds()
	return h
}
