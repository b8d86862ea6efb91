package simulation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/oracle"
)

// CheckWork returns an error for the first promise that a log breaks, or nil. Truths come
// first: they compare the end of a wait with the world, and use no rule of the oracle.
func CheckWork(w *Work, l *WorkLog) error {
	for _, h := range l.histories(w) {
		for i, check := range workRules {
			if i > 0 && h.endsWithSibling() {
				break
			}
			if err := check.check(h, l); err != nil {
				return fmt.Errorf("broken rule: %s: %w\n%v of\n%v%s", check.name, err, h.target, w, h.tail(12))
			}
		}
	}
	return nil
}

var workRules = []struct {
	name  string
	check func(*workHistory, *WorkLog) error
}{
	{"one update a poll, and one final update", workUpdates},
	{"an index that is complete has the rows of every flush before it", indexIsTrue},
	{"a mark is flushed, and then indexed", markIsTrue},
	{"a job that failed never succeeds", jobIsTrue},
	{"a complete target was verified", verifiedIsTrue},
	{"a wait whose server cannot list segments is unconfirmed", unconfirmedIsTrue},
	{"a poll makes no more requests than it needs", requestsAreFew},
	{"segments are listed once for all indexes of a collection", listsAreShared},
	{"the verdict is the oracle's", workVerdicts},
	{"the times of polls are the oracle's", workTimes},
}

// workUpdates requires one final update, equal to the outcome.
func workUpdates(h *workHistory, l *WorkLog) error {
	finals := 0
	for _, u := range h.updates {
		if u.Final {
			finals++
		}
	}
	if finals != 1 || !h.final.Final {
		return fmt.Errorf("%d final updates of %d", finals, len(h.updates))
	}

	i := slices.Index(h.w.Targets, h.target)
	o := l.Outcomes[i]
	if o.Err != h.final.Err || o.Progress != h.final.Progress || o.Unconfirmed != h.final.Unconfirmed || o.Polls != h.final.Polls {
		return fmt.Errorf("the outcome is %+v, the final update %+v", o, h.final)
	}
	return nil
}

// described returns the newest successful request for the progress of the target.
func (h *workHistory) described() (r oracle.Request, found bool) {
	for _, a := range h.answers {
		for _, request := range a.Requests {
			if request.Progress != nil && request.Err == nil {
				r, found = request, true
			}
		}
	}
	return r, found
}

// succeeded reports whether the wait for an index succeeded with all that it depends on.
func (h *workHistory) succeeded() bool { return h.isIndex() && h.final.Err == nil }

// indexIsTrue requires that every segment that was sealed when the wait began was flushed
// before the last DescribeIndex, and is in its index. With RowsAtStart, its rows were counted
// for the baseline. Unconfirmed waits, and those by the state alone, do not promise it.
func indexIsTrue(h *workHistory, _ *WorkLog) error {
	if !h.succeeded() || h.w.Options.Criterion == milvuswait.ServerState || h.isUnlisted() {
		return nil
	}
	last, found := h.described()
	if !found {
		return errors.New("the progress was never requested")
	}

	d := h.w.data(h.target.Collection())
	i := slices.Index(d.Indexes, h.target.Index())
	for _, s := range d.Segments {
		late := s.Flushed > last.End || s.Built[i] > last.End && h.w.Options.Criterion == milvuswait.AllRows
		if s.Sealed <= 0 && late {
			return fmt.Errorf("segment %d was flushed at %v and built at %v, and the progress was requested at %v", s.ID, s.Flushed, s.Built[i], last.Begin)
		}
	}
	return nil
}

// isUnlisted reports whether the target does without a list of segments: the Poller or the
// server has none, or it was refused for 30 s.
func (h *workHistory) isUnlisted() bool {
	if !h.w.Options.Segments || h.w.Options.Unlisted {
		return true
	}

	var refused []time.Duration
	for _, a := range h.answers {
		for _, r := range slices.Concat(a.Shared, a.Requests) {
			if r.Of == oracle.ListSegments && r.Err == errRefused {
				refused = append(refused, r.End)
			}
		}
	}
	return len(refused) > 0 && slices.Max(refused)-slices.Min(refused) >= 30*time.Second-time.Second
}

// markIsTrue requires that the flush of the mark was done before the last DescribeIndex, and
// its segments are in the index.
func markIsTrue(h *workHistory, _ *WorkLog) error {
	mark, marked := h.target.FlushMark()
	if !h.succeeded() || !marked {
		return nil
	}

	last, _ := h.described()
	d := h.w.data(h.target.Collection())
	reported := slices.ContainsFunc(h.answers, func(a oracle.Answer) bool {
		return slices.ContainsFunc(a.Requests, func(r oracle.Request) bool { return r.Done && r.End <= last.Begin })
	})
	if !reported || !d.flushed(mark, last.Begin) {
		return fmt.Errorf("the flush was not reported done when the progress was requested, at %v", last.Begin)
	}

	i := slices.Index(d.Indexes, h.target.Index())
	for _, s := range d.Segments {
		if h.w.Options.Criterion == milvuswait.AllRows && slices.Contains(mark.Segments, s.ID) && s.Built[i] > last.End {
			return fmt.Errorf("segment %d of the mark was built at %v, and the progress was requested at %v", s.ID, s.Built[i], last.Begin)
		}
	}
	return nil
}

// jobIsTrue requires that no job succeeds of which a poll showed a failure, and that a failed
// import ends its wait at that poll.
func jobIsTrue(h *workHistory, _ *WorkLog) error {
	for i, a := range h.answers {
		failed, ended := false, i == len(h.answers)-1
		switch p := a.Progress.(type) {
		case milvuswait.ImportProgress:
			failed = p.State == milvuswait.ImportStateFailed || p.State == milvuswait.ImportStateFailedAndCleaned
		case milvuswait.CompactionProgress:
			failed, ended = p.Failed > 0 || p.TimedOut > 0, true
		}
		if failed && (h.final.Err == nil || !ended) {
			return fmt.Errorf("the poll at %v brought %v, and the wait ended at %v with %v", a.End, a.Progress, h.final.At, h.final.Err)
		}
	}
	return nil
}

// verifiedIsTrue requires that the last call of verify returned nil.
func verifiedIsTrue(h *workHistory, _ *WorkLog) error {
	if !h.w.Options.Verify || h.final.Err != nil {
		return nil
	}
	if v := h.answers[len(h.answers)-1].Verified; v == nil || v.Err != nil || v.End != h.final.At {
		return fmt.Errorf("it ended at %v after %+v", h.final.At, v)
	}
	return nil
}

// unconfirmedIsTrue requires the mark of a complete index that no list, no flush and no number
// of rows confirms, and no mark otherwise.
func unconfirmedIsTrue(h *workHistory, _ *WorkLog) error {
	if !h.succeeded() {
		return nil
	}

	mark, _ := h.target.FlushMark()
	want := h.facts[len(h.facts)-1].Unconfirmed
	never := mark.Timestamp > 0 || h.target.ExpectedRows() > 0 || h.w.Options.Criterion == milvuswait.ServerState
	always := !h.w.Options.Segments || h.w.Options.Unlisted
	if got := h.final.Unconfirmed; got != want || never && got || always && !never && !got {
		return fmt.Errorf("unconfirmed is %t", got)
	}
	return nil
}

// requestsAreFew requires that a poll of an index requests its progress, unless it waits for
// a flush, then asks for flushes, for segments once, and for the progress once more.
func requestsAreFew(h *workHistory, _ *WorkLog) error {
	if !h.isIndex() {
		return nil
	}
	for i, p := range h.polls {
		var b strings.Builder
		marks := 0
		for _, r := range p.Requests {
			b.WriteString(map[oracle.RequestKind]string{oracle.Describe: "D", oracle.FlushState: "F", oracle.ListSegments: "L"}[r.Of])
			if r.Of == oracle.FlushState {
				marks++
			}
		}

		all := b.String()
		rest := strings.TrimPrefix(all, "D")
		rest = strings.TrimLeft(rest, "FL")
		if rest != "" && rest != "D" || strings.Count(all, "L") > 1 || marks > len(h.w.siblings(h.target.Collection())) {
			return fmt.Errorf("the poll at %v made the requests %s", p.Begin, all)
		}
		if k := i - 1; h.alone && !strings.HasPrefix(all, "D") && (k < 0 || k >= len(h.facts) || !h.facts[k].Awaits) {
			return fmt.Errorf("the poll at %v made the requests %s, and no flush was waited for", p.Begin, all)
		}
		if h.alone && followsFlush(i, h) && strings.HasPrefix(all, "D") {
			return fmt.Errorf("the poll at %v made the requests %s, while a flush was waited for", p.Begin, all)
		}
	}
	return nil
}

// followsFlush reports whether the i-th poll follows one that waits for a flush.
func followsFlush(i int, h *workHistory) bool {
	return i > 0 && i-1 < len(h.facts) && h.facts[i-1].Awaits && h.answers[i-1].Err == nil
}

// listsAreShared requires that a collection is not asked for its segments any more once every
// segment of its first list is flushed.
func listsAreShared(h *workHistory, l *WorkLog) error {
	if !h.isIndex() {
		return nil
	}

	var left []int64
	listed, settled := false, time.Duration(-1)
	for _, p := range l.byEnd() {
		for _, r := range p.Requests {
			if p.Name != h.target.Collection() || r.Of != oracle.ListSegments {
				continue
			}
			if settled >= 0 && p.Begin > settled {
				return fmt.Errorf("segments were listed at %v, all were flushed at %v", r.Begin, settled)
			}
			if r.Err != nil {
				continue
			}

			if !listed {
				left, listed = slices.Clone(r.Unflushed), true
			}
			left = slices.DeleteFunc(left, func(id int64) bool { return !slices.Contains(r.Unflushed, id) })
			if len(left) == 0 && settled < 0 {
				settled = p.End
			}
		}
	}
	return nil
}

// workVerdicts requires that the wait goes on, and ends, as the oracle judges.
func workVerdicts(h *workHistory, l *WorkLog) error {
	aborted := errors.Is(h.final.Err, milvuswait.ErrAborted)
	if aborted {
		failed := func(o milvuswait.Outcome) bool {
			return o.Err != nil && !errors.Is(o.Err, milvuswait.ErrAborted) && o.Elapsed <= h.final.At
		}
		if h.w.Options.Continue || !slices.ContainsFunc(l.Outcomes, failed) {
			return fmt.Errorf("it was aborted at %v", h.final.At)
		}
	}

	for i := range h.facts {
		f, last := &h.facts[i], i == len(h.facts)-1
		if f.Over && !last {
			return f.CheckNext(h.next(i))
		}
		if last && !aborted {
			return f.CheckEnd(h.final.At, h.final.Err)
		}
	}
	return nil
}

// workTimes requires the timeouts and the times of polls of a single target: others share its
// polls, or the rate of requests.
func workTimes(h *workHistory, _ *WorkLog) error {
	if len(h.w.Targets) > 1 {
		return nil
	}
	for i := range h.facts {
		f := &h.facts[i]
		if err := f.CheckTimeout(h.answers[i].Limit); err != nil {
			return err
		}
		if f.Verifies != (h.answers[i].Verified != nil) && !errors.Is(h.final.Err, milvuswait.ErrAborted) {
			return fmt.Errorf("verify was called: %t, after the poll at %v", !f.Verifies, h.answers[i].Begin)
		}
		if i < len(h.facts)-1 {
			if err := f.CheckNext(h.next(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// tail returns the last answers about the target.
func (h *workHistory) tail(most int) string {
	var b strings.Builder
	for i, a := range h.answers[max(0, len(h.answers)-most):] {
		fmt.Fprintf(&b, "  %d: %v to %v: %v, %v, requests %+v, shared %+v, verified %+v\n", i, a.Begin, a.End, a.Progress, a.Err, a.Requests, a.Shared, a.Verified)
	}
	fmt.Fprintf(&b, "  ends at %v: %v, %v\n", h.final.At, h.final.Progress, h.final.Err)
	return b.String()
}
