package temporalwait

import (
	"sync"
	"time"

	"github.com/milvuswait/milvuswait"
)

// Heartbeat is what the activities tell Temporal while they wait, and what the next
// attempt begins with if the worker is lost.
type Heartbeat struct {
	Attempt int32     `json:"attempt"`
	Began   time.Time `json:"began"` // when the first attempt began: the pace goes on from there

	// ClocksSince is when this attempt began. What is counted from the progress that
	// was seen began anew there: stall and settle times and the ETA.
	ClocksSince time.Time `json:"clocks_since"`

	Total    int     `json:"total"` // targets, equal ones counted once
	Done     int     `json:"done"`  // complete
	Failed   int     `json:"failed"`
	Fraction float64 `json:"fraction"` // of all targets, from 0 to 1

	// ETASeconds is the longest of the targets that are waited for; missing while
	// that of any is unknown.
	ETASeconds float64 `json:"eta_seconds,omitempty"`

	// Latest is the target that was polled last, with the error of the poll if it
	// failed and the wait goes on.
	Latest *Outcome `json:"latest,omitempty"`

	// Ended are the targets that no attempt waits for any more.
	Ended []Outcome `json:"ended,omitempty"`
}

// began returns when the first attempt began, as far as that can be, at now: h, nil if
// there was none, may be of a machine with another clock.
func (h *Heartbeat) began(now time.Time) time.Time {
	if h == nil || h.Began.IsZero() || h.Began.After(now) {
		return now
	}
	return h.Began
}

// ledger keeps what heartbeats tell.
type ledger struct {
	cluster string
	waited  time.Duration // before this attempt

	total   *milvuswait.Aggregate // of the targets that this attempt waits for
	resumed int                   // targets that it does not

	mu   sync.Mutex
	beat Heartbeat
}

// newLedger returns the ledger of an attempt for so many targets besides those that
// the attempt before has ended.
func newLedger(cluster string, begin Heartbeat, targets int) *ledger {
	return &ledger{
		cluster: cluster, waited: begin.ClocksSince.Sub(begin.Began), beat: begin,
		total: milvuswait.NewAggregate(targets), resumed: len(begin.Ended),
	}
}

// Observe takes in an update, of one wait.
func (l *ledger) Observe(u milvuswait.Update) {
	o := newOutcome(l.cluster, milvuswait.Outcome{Target: u.Target, Progress: u.Progress, Polls: u.Polls, Elapsed: u.Elapsed}, l.waited)
	switch {
	case u.Err == nil:
	case !u.Final:
		o.Error = describe(u.Err)
	default:
		o.Error = newFailure(u.Err)
		if !lasts(o.Error) {
			return // what ended it from outside tells nothing of it
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

// lasts reports whether a target that failed so is not waited for by another
// attempt: what was ended from outside is.
func lasts(f *Failure) bool { return !f.retryable() && f.Type != "milvuswait.ErrAborted" }

// now returns the heartbeat of this moment.
func (l *ledger) now() Heartbeat {
	s := l.total.Summary()
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.beat
	h.Ended = l.beat.Ended[:len(l.beat.Ended):len(l.beat.Ended)] // appended to, never changed
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
