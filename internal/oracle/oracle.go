package oracle

import (
	"context"
	"time"

	"github.com/milvuswait/milvuswait"
)

// never is the time of an event without one.
const never = time.Duration(-1)

// Options are the target and the options of a wait. Zero durations turn a rule off.
type Options struct {
	Target      milvuswait.Target
	Deadline    time.Duration
	Settle      time.Duration
	Stall       time.Duration
	Unreachable time.Duration
	Grace       time.Duration
	PollTimeout [2]time.Duration // first and maximum timeout of a poll; zero is the default
	Refresh     bool
	Criterion   milvuswait.IndexCriterion
	Segments    bool // the Poller is a SegmentLister
	Verify      bool // WithVerify is set

	Backoff milvuswait.Backoff        // without jitter; zero fields are the defaults
	Delay   func(n int) time.Duration // the n-th delay of a custom generator, from 0; replaces Backoff
}

// Complete judges p alone: the first progress of a wait, of any refresh that has begun.
func (o Options) Complete(p milvuswait.Progress) bool {
	return o.kind().complete(&o, []milvuswait.Progress{p})
}

// Begun reports whether p shows a load that has begun.
func (o Options) Begun(p milvuswait.Progress) bool { return o.kind().begun(p) }

// Answer is the outcome of one poll of a target. Times are since the start of the wait.
type Answer struct {
	Begin, End  time.Duration
	Progress    milvuswait.Progress // the newest of the poll; with Err, from an earlier request; nil if there was none
	Err         error
	Transient   bool // a later poll may succeed, in spite of Err
	Listed      bool // from a list of all loads
	Checked     bool // Err is the result of a check of the load's state
	Interrupted bool // the end of the wait's context interrupted the poll

	Requests []Request // requests for an index, in order; nil for a single DescribeIndex
	Shared   []Request // lists of segments for other indexes of the collection, known before this answer
	Verified *Verified // call of the function of WithVerify after the poll; nil if there was none

	Limit time.Duration // end of the poll's context; 0 if unknown
}

// Verified is the result of one call of the function of WithVerify.
type Verified struct {
	Begin     time.Duration
	End       time.Duration
	Err       error
	Transient bool
}

// Facts are the meaning of an answer, given the answers before it.
type Facts struct {
	Timeout   time.Duration       // timeout of the poll
	Known     milvuswait.Progress // from the newest successful poll; nil before
	Complete  bool
	Pending   bool          // the refresh may not have begun
	Awaits    bool          // the target looks complete, and waits for a flush
	Verifies  bool          // the function of WithVerify is called after the poll
	Unchanged time.Duration // time for which progress was the same, without failures
	Passes    bool          // the poll failed, and the failure does not end the wait by itself
	Settles   time.Duration // time at which a complete target has settled; negative if it is not complete

	Unconfirmed bool // the server cannot report all rows that are being flushed

	Over  bool  // the answer ends the wait
	Cause error // cause of the end; nil is success
	Rule  Rule  // decides whether the wait is over

	Least, Most time.Duration // bounds of the delay after the answer
	Next        time.Duration // time of the next poll; End if none is left
	Last        time.Duration // time of the last poll before End
	End         time.Duration // end of the wait without another answer: the deadline, or the end of the unreachable budget
	Silent      bool          // End is the end of the unreachable budget
	Confirms    bool          // the next poll confirms an absent answer: no list may cover it

	answer   Answer
	at       time.Duration // time of the verdict: the end of the poll, or of verify
	deadline time.Duration
	found    error           // cause without the deadline
	turns    []time.Duration // times at which the verdict can change without any event
}

// Judge returns the facts of every answer of one target. Answers are in the order of their
// ends. It is a pure function, and the only place that remembers earlier answers.
func Judge(o Options, answers []Answer) []Facts {
	w := newWait(&o)
	all := make([]Facts, len(answers))
	for i, a := range answers {
		all[i] = w.judge(a)
	}
	return all
}

// wait is the memory of Judge. The clocks of settle and stall exclude the time of failures:
// changed and completeSince are in watched time, which stands still while polls fail.
type wait struct {
	o    *Options
	kind kind
	seen []milvuswait.Progress // from every poll that brought one

	counted    []milvuswait.Progress // from successful polls without a flush to wait for
	flushes    flushes
	newest     Answer // answer that is judged
	unverified bool   // the last call of verify failed

	changed       time.Duration // watched time of the last change
	completeSince time.Duration // watched time; negative while not complete
	failures      []Answer      // since the last success, without lists that failed permanently
	unwatched     time.Duration // total time of failures that a success ended
	patience      time.Duration // timeout of the next poll, without the unreachable budget

	pace pace
}

func newWait(o *Options) *wait {
	k := o.kind()
	return &wait{o: o, kind: k, completeSince: never, patience: o.pollTimeout(), pace: newPace(o, k.initial())}
}

// watched returns the time until at, without the time of failures.
func (w *wait) watched(at time.Duration) time.Duration {
	if len(w.failures) > 0 {
		at = w.failures[0].Begin
	}
	return at - w.unwatched
}

func (w *wait) known() milvuswait.Progress {
	if len(w.seen) == 0 {
		return nil
	}
	return w.seen[len(w.seen)-1]
}

func (w *wait) judge(a Answer) Facts {
	f := Facts{answer: a, at: a.End, deadline: w.o.Deadline, Settles: never, Timeout: w.timeout(a.Begin)}
	w.newest = a
	w.flushes.add(a)
	switch {
	case a.Interrupted:
	case a.Err != nil:
		w.judgeFailure(&f)
	default:
		w.judgeProgress(&f)
	}

	f.found = f.Cause
	success := f.Over && f.Cause == nil
	if w.o.Deadline > 0 && f.at >= w.o.Deadline && !a.Interrupted && !success {
		f.end(Deadline, context.DeadlineExceeded)
	}

	f.Known, f.Unconfirmed = w.known(), w.unconfirmed()
	if w.completeSince >= 0 {
		f.Settles = w.completeSince + w.unwatched + w.o.Settle
	}
	w.plan(&f)
	return f
}

func (f *Facts) end(r Rule, cause error) { f.Over, f.Rule, f.Cause = true, r, cause }

// judgeProgress judges the answer of a successful poll.
func (w *wait) judgeProgress(f *Facts) {
	a := f.answer
	if len(w.failures) > 0 {
		w.unwatched += a.End - w.failures[0].Begin
		w.failures = nil
	}
	if !w.unverified { // otherwise verify may need the longer timeout
		w.patience = w.o.pollTimeout()
	}
	watched := w.watched(a.End)
	w.note(a, watched)

	// Completeness, by the kind and by the flushes before it.
	f.Awaits = w.awaitsFlush()
	f.Unchanged = watched - w.changed
	if !f.Awaits {
		w.counted = append(w.counted, w.known())
	}
	share := -1.0
	if !f.Awaits && !w.unverified {
		share = w.kind.share(w.o, w.counted)
	}
	w.pace.learn(a, share)

	f.Pending = w.kind.pending(w.o, a.End, w.seen)
	f.Complete = !f.Awaits && !f.Pending && w.kind.complete(w.o, w.counted)
	switch {
	case !f.Complete:
		w.completeSince, w.unverified = never, false
	case w.completeSince < 0:
		w.completeSince = watched
	}

	// The verdict. The first applicable case decides.
	f.Rule = w.kind.rule(w.o)
	if f.Awaits {
		f.Rule = flushFirst
	}
	failed, failure := w.kind.failure(w.known())
	switch {
	case failure != nil:
		f.end(failed, failure)
	case f.Complete && watched-w.completeSince >= w.o.Settle && w.o.Verify:
		w.judgeVerify(f)
	case f.Complete:
		if w.o.Settle > 0 {
			f.Rule = Settle
		}
		f.Over = watched-w.completeSince >= w.o.Settle
	case w.o.Stall > 0 && !f.Pending && f.Unchanged >= w.o.Stall:
		f.end(Stall, milvuswait.ErrStalled)
	}
}

// note records the progress of an answer. Any change counts, also one of the segments that an
// index waits for.
func (w *wait) note(a Answer, watched time.Duration) {
	changed := w.flushes.changed()
	if p := a.Progress; p != nil {
		p = w.kind.merge(a, w.known())
		changed = changed || p != w.known()
		w.seen = append(w.seen, p)
	}
	if changed {
		w.changed = watched
	}
}
