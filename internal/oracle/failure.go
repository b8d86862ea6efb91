package oracle

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
)

const (
	confirmAfter = 100 * time.Millisecond // from the end of an absent answer to the confirming poll
	refusedFor   = 30 * time.Second       // from the first refusal to the one that ends a wait
	leastTimeout = 50 * time.Millisecond  // timeout of a poll just before the end of the budget
)

// class is the meaning of a failed poll.
type class int

const (
	transient class = iota // nothing is known
	absent                 // the target is not there
	refusal                // the server refuses the call, or the user
	decisive               // the target cannot become complete
	unlisted               // the server refuses the list of segments, see flushes.unlisted
)

// sentinels are the errors of classified failures. If several match an error, the first counts.
var sentinels = []struct {
	err   error
	class class
}{
	{milvuswait.ErrReleased, decisive}, {milvuswait.ErrLoadFailed, decisive}, {milvuswait.ErrNotLoaded, absent},
	{milvuswait.ErrIndexFailed, decisive}, {milvuswait.ErrDatabaseNotFound, absent}, {milvuswait.ErrCollectionNotFound, absent},
	{milvuswait.ErrPartitionNotFound, absent}, {milvuswait.ErrIndexNotFound, absent}, {milvuswait.ErrAmbiguousIndex, decisive},
	{milvuswait.ErrJobNotFound, absent}, {milvuswait.ErrJobFailed, decisive},
	{milvuswait.ErrStalled, decisive}, {milvuswait.ErrUnreachable, decisive}, {milvuswait.ErrAborted, decisive},
	{milvuswait.ErrInvalid, decisive},
}

// sentinelOf returns the class of an error that is not transient, and the sentinel that counts,
// or nil.
func sentinelOf(err error) (class, error) {
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.class, s.err
		}
	}
	return refusal, nil
}

// Absent reports whether the start grace tolerates err: the target is not there, not loaded,
// or its load failed.
func Absent(err error) bool {
	c, sentinel := sentinelOf(err)
	return c == absent || sentinel == milvuswait.ErrLoadFailed
}

func (a Answer) class() class {
	if a.Transient {
		return transient
	}
	c, _ := sentinelOf(a.Err)
	if n := len(a.Requests); c == refusal && n > 0 && a.Requests[n-1].Of == ListSegments {
		return unlisted
	}
	return c
}

func (a Answer) timedOut() bool { return a.Err != nil && a.Limit > 0 && a.End >= a.Limit }

// judgeFailure judges the answer of a failed poll.
func (w *wait) judgeFailure(f *Facts) {
	a := f.answer
	if a.Listed && a.class() != transient {
		return // a list may be refused where individual polls are allowed
	}

	rule, believed := w.believes(a)
	w.note(a, min(w.watched(a.Begin), w.watched(a.End)))
	if believed {
		f.end(w.permanentCause(a, rule))
		return
	}

	// Tolerated. The start of the first failure stops the clocks.
	f.Passes, f.Rule = true, rule
	w.failures = append(w.failures, a)
	w.pace.forget()
	if a.timedOut() && !a.Listed {
		w.patience = min(2*w.patience, w.o.maxPollTimeout())
	}
	f.Confirms = a.class() == absent && !w.inGrace(a)

	// A list that failed decides nothing: an individual poll follows.
	if w.budgetCounts() && a.End >= w.budgetEnd() && !a.Listed {
		f.end(Unreachable, milvuswait.ErrUnreachable)
	}
}

// believes reports whether a failure ends the wait, and the deciding rule.
func (w *wait) believes(a Answer) (Rule, bool) {
	c := a.class()
	earlier, found := w.first(c)

	// An absent answer after progress in the same poll contradicts it; a refusal does not.
	isFirst := len(w.seen) == 0 && len(w.failures) == 0 && (a.Progress == nil || c != absent)
	switch {
	case c == transient:
		return Transient, false
	case c == unlisted:
		return flushFirst, false
	case w.inGrace(a):
		return Grace, false
	case c == decisive, isFirst:
		if a.End == w.o.Grace && Absent(a.Err) {
			return Grace, true
		}
		return Permanent, true
	case c == absent:
		return Confirm, found && a.Begin-earlier.End >= confirmAfter
	}

	return Refused, found && a.End-earlier.End >= refusedFor
}

// first returns the first failure of a class since the last success.
func (w *wait) first(c class) (Answer, bool) {
	i := slices.IndexFunc(w.failures, func(a Answer) bool { return a.class() == c })
	if i < 0 {
		return Answer{}, false
	}
	return w.failures[i], true
}

// inGrace reports whether the start grace tolerates a failure. A load that failed after it
// had begun is not one of an earlier load.
func (w *wait) inGrace(a Answer) bool {
	_, sentinel := sentinelOf(a.Err)
	failedNow := sentinel == milvuswait.ErrLoadFailed && w.begun()
	return !a.Transient && Absent(a.Err) && a.End < w.o.Grace && !failedNow
}

func (w *wait) begun() bool { return slices.ContainsFunc(w.seen, w.kind.begun) }

// unchanged returns the time without a change of progress before the first failure since the
// last success, a included. A permanent failure is an answer: until it, nothing was unseen.
func (w *wait) unchanged(a Answer) time.Duration {
	first := append(slices.Clone(w.failures), a)[0]
	until := first.End
	if first.class() == transient {
		until = first.Begin
	}
	return until - w.unwatched - w.changed
}

// silentSince returns the start of the first transient failure since the last answer, or never.
// A permanent failure is an answer.
func (w *wait) silentSince() time.Duration {
	since := never
	for _, a := range slices.Backward(w.failures) {
		if a.class() != transient {
			break
		}
		since = a.Begin
	}
	return since
}

// budgetEnd returns the end of the unreachable budget, far in the future while it does not run.
func (w *wait) budgetEnd() time.Duration {
	since := w.silentSince()
	if w.o.Unreachable == 0 || since < 0 {
		return math.MaxInt64
	}
	return since + w.o.Unreachable
}

// budgetCounts reports whether the unreachable budget ends the wait before the deadline does.
func (w *wait) budgetCounts() bool {
	end := w.budgetEnd()
	return end < math.MaxInt64 && (w.o.Deadline == 0 || end < w.o.Deadline)
}

// timeout returns the timeout of a poll that starts at a time: it ends with the budget, which
// this poll begins if it is the first one without an answer.
func (w *wait) timeout(begin time.Duration) time.Duration {
	if w.o.Unreachable == 0 {
		return w.patience
	}
	end := begin + w.o.Unreachable
	if w.silentSince() >= 0 {
		end = w.budgetEnd()
	}
	return min(w.patience, max(end-begin, leastTimeout))
}

func (o *Options) pollTimeout() time.Duration {
	if o.PollTimeout[0] == 0 {
		return 10 * time.Second
	}
	return o.PollTimeout[0]
}

func (o *Options) maxPollTimeout() time.Duration {
	if o.PollTimeout[1] == 0 {
		return time.Minute
	}
	return o.PollTimeout[1]
}
