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
	Progress    milvuswait.Progress // nil if the poll failed
	Err         error
	Transient   bool // a later poll may succeed, in spite of Err
	Listed      bool // from a list of all loads
	Checked     bool // Err is the result of a check of the load's state
	Interrupted bool // the end of the wait's context interrupted the poll

	Limit time.Duration // end of the poll's context; 0 if unknown
}

// Facts are the meaning of an answer, given the answers before it.
type Facts struct {
	Timeout   time.Duration       // timeout of the poll
	Known     milvuswait.Progress // from the newest successful poll; nil before
	Complete  bool
	Pending   bool          // the refresh may not have begun
	Unchanged time.Duration // time for which progress was the same, without failures
	Passes    bool          // the poll failed, and the failure does not end the wait by itself
	Settles   time.Duration // time at which a complete target has settled; negative if it is not complete

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
	seen []milvuswait.Progress // from every successful poll

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
	f := Facts{answer: a, deadline: w.o.Deadline, Settles: never, Timeout: w.timeout(a.Begin)}
	switch {
	case a.Interrupted:
	case a.Err != nil:
		w.judgeFailure(&f)
	default:
		w.judgeProgress(&f)
	}

	f.found = f.Cause
	success := f.Over && f.Cause == nil
	if w.o.Deadline > 0 && a.End >= w.o.Deadline && !a.Interrupted && !success {
		f.end(Deadline, context.DeadlineExceeded)
	}

	f.Known = w.known()
	if w.completeSince >= 0 {
		f.Settles = w.completeSince + w.unwatched + w.o.Settle
	}
	w.plan(&f)
	return f
}

func (f *Facts) end(r Rule, cause error) { f.Over, f.Rule, f.Cause = true, r, cause }

// judgeProgress judges the answer of a successful poll.
func (w *wait) judgeProgress(f *Facts) {
	a, p := f.answer, f.answer.Progress
	if a.Listed && w.known() != nil {
		p = w.kind.fromList(p, w.known())
	}
	if len(w.failures) > 0 {
		w.unwatched += a.End - w.failures[0].Begin
		w.failures = nil
	}
	w.patience = w.o.pollTimeout()
	watched := w.watched(a.End)

	// Progress: any change counts.
	if p != w.known() {
		w.changed = watched
	}
	w.seen = append(w.seen, p)
	w.pace.learn(a, w.kind.share(w.o, w.seen))
	f.Unchanged = watched - w.changed

	// Completeness, by the kind.
	f.Pending = w.kind.pending(w.o, a.End, w.seen)
	f.Complete = w.kind.complete(w.o, w.seen) && !f.Pending
	switch {
	case !f.Complete:
		w.completeSince = never
	case w.completeSince < 0:
		w.completeSince = watched
	}

	// The verdict. The first applicable case decides.
	f.Rule = w.kind.rule(w.o)
	failed, failure := w.kind.failure(p)
	switch {
	case failure != nil:
		f.end(failed, failure)
	case f.Complete:
		if w.o.Settle > 0 {
			f.Rule = Settle
		}
		f.Over = watched-w.completeSince >= w.o.Settle
	case w.o.Stall > 0 && !f.Pending && f.Unchanged >= w.o.Stall:
		f.end(Stall, milvuswait.ErrStalled)
	}
}
