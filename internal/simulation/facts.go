package simulation

import (
	"time"

	"github.com/milvuswait/milvuswait/internal/oracle"
)

// judge adds the oracle's facts to all entries of the target.
func (h *history) judge(o *Options) {
	answers := make([]oracle.Answer, len(h.entries))
	for i, e := range h.entries {
		a := e.answer
		answers[i] = oracle.Answer{
			Begin: e.start, End: e.end, Progress: a.Progress, Err: a.Err.asError(),
			Transient: !a.Err.permanent(), Listed: e.listed, Checked: e.check, Interrupted: a.Err == cut, Limit: e.limit,
		}
	}
	for i, f := range oracle.Judge(o.oracle(h), answers) {
		h.entries[i].Facts = f
	}
}

// oracle returns the options of the wait for one target, in the oracle's form.
func (o *Options) oracle(h *history) oracle.Options {
	all := oracle.Options{
		Target: h.target, Deadline: o.Deadline, Settle: o.Settle, Stall: o.Stall, Unreachable: o.Budget, Grace: o.Grace,
		PollTimeout: o.PollTime, Refresh: o.Refresh, Criterion: o.Criterion, Backoff: o.Backoff,
	}
	if o.Own != nil {
		all.Delay = func(n int) time.Duration { return o.Own.delay(h.rank, n) }
	}
	return all
}

// verdict returns the class of the end, if e ends the wait.
func (e *entry) verdict() Class { return classOf(e.Cause) }
