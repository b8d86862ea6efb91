package simulation

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/oracle"
)

// workHistory holds the events of one target, in the form of the oracle.
type workHistory struct {
	w       *Work
	target  milvuswait.Target
	polls   []*WorkPoll // polls with this target, in the order of their ends
	answers []oracle.Answer
	facts   []oracle.Facts
	updates []WorkUpdate
	final   WorkUpdate
	alone   bool // no other target shares its polls
}

// histories returns the histories of all targets.
func (l *WorkLog) histories(w *Work) []*workHistory {
	var all []*workHistory
	for _, t := range w.Targets {
		h := &workHistory{w: w, target: t, alone: t.Kind() != milvuswait.KindIndexBuilding || len(w.siblings(t.Collection())) == 1}
		for _, u := range l.Updates {
			if u.Target == t {
				h.updates = append(h.updates, u)
				h.final = u
			}
		}

		h.gather(l)
		h.facts = oracle.Judge(h.options(), h.answers)
		all = append(all, h)
	}
	return all
}

// options returns the options of the wait as the oracle knows them.
func (h *workHistory) options() oracle.Options {
	o := &h.w.Options
	return oracle.Options{
		Target: h.target, Deadline: o.Deadline, Settle: o.Settle, Stall: o.Stall, Unreachable: o.Budget, Grace: o.Grace,
		Criterion: o.Criterion, Segments: o.Segments, Verify: o.Verify,
	}
}

// gather adds the polls that cover the target, and their answers. The lists of other polls of
// the collection become known with the next answer.
func (h *workHistory) gather(l *WorkLog) {
	var shared []oracle.Request
	for _, p := range l.byEnd() {
		switch {
		case p.Cut && !h.isCovered(p):
		case h.isCovered(p):
			h.polls = append(h.polls, p)
			if p.Cut {
				continue
			}
			a, later := h.answer(p)
			a.Shared, shared = shared, later
			h.answers = append(h.answers, a)
		case h.isIndex() && p.Name == h.target.Collection():
			for _, r := range p.Requests {
				if r.Of == oracle.ListSegments && !isFlush(p) {
					r.End = p.End
					shared = append(shared, r.Request)
				}
			}
		}
	}

	for _, call := range l.Verified {
		if call.Target != h.target {
			continue
		}
		for i, a := range slices.Backward(h.answers) {
			if a.End <= call.Begin {
				h.answers[i].Verified = &oracle.Verified{Begin: call.Begin, End: call.End, Err: call.Err, Transient: !errors.Is(call.Err, errRefused)}
				break
			}
		}
	}
}

func (h *workHistory) isIndex() bool { return h.target.Kind() == milvuswait.KindIndexBuilding }

// isFlush reports whether a poll is one of a flush, and not of an index.
func isFlush(p *WorkPoll) bool {
	return len(p.Covers) > 0 && p.Covers[0].Kind() == milvuswait.KindFlushing
}

// isCovered reports whether a poll is one of the target. A poll that asked for flushes only
// does not name its indexes: it is one of those that were updated at its end.
func (h *workHistory) isCovered(p *WorkPoll) bool {
	plain := h.target
	if h.isIndex() {
		plain = milvuswait.IndexBuilding(h.target.Collection(), h.target.Index())
	}
	if len(p.Covers) > 0 {
		return slices.Contains(p.Covers, plain)
	}
	if !h.isIndex() || p.Name != h.target.Collection() {
		return false
	}
	return h.alone || slices.ContainsFunc(h.updates, func(u WorkUpdate) bool { return u.At == p.End })
}

// answer returns the outcome of a poll for the target, and the lists that the poll made for
// siblings after the request that failed for the target.
func (h *workHistory) answer(p *WorkPoll) (a oracle.Answer, later []oracle.Request) {
	a = oracle.Answer{Begin: p.Begin, End: p.End, Limit: p.Limit}
	plain := h.target
	if h.isIndex() {
		plain = milvuswait.IndexBuilding(h.target.Collection(), h.target.Index())
	}

	err := h.failure(p)
	for _, r := range inOrder(p.Requests) {
		failed := r.Err != nil && !isUnsupported(r.Err)
		switch {
		case a.Err != nil:
			if r.Of == oracle.ListSegments {
				r.End = p.End
				later = append(later, r.Request)
			}
			continue
		case h.isIndex() && !h.concerns(r) || failed && !errors.Is(err, r.Err) && r.Of != oracle.ListSegments:
			continue // the request was for a sibling
		case failed && !errors.Is(err, r.Err): // a list for a sibling: all of them know its result
		case failed:
			a.Err, a.Transient = r.Err, r.Transient
		case r.Says[plain] != nil:
			r.Progress, a.Progress = r.Says[plain], r.Says[plain]
		}

		if h.isIndex() {
			a.Requests = append(a.Requests, r.Request)
		}
	}
	h.dropUnused(&a)
	return a, later
}

// dropUnused removes the last request of a shared poll if its progress is not the one in the
// update: it was made for a sibling.
func (h *workHistory) dropUnused(a *oracle.Answer) {
	i := slices.IndexFunc(h.updates, func(u WorkUpdate) bool { return u.At == a.End })
	n := len(a.Requests) - 1
	if h.alone || i < 0 || n < 1 || a.Requests[n].Progress == nil || h.updates[i].Progress == a.Progress {
		return
	}
	a.Requests, a.Progress = a.Requests[:n], nil
	for _, r := range a.Requests {
		if r.Progress != nil {
			a.Progress = r.Progress
		}
	}
}

// inOrder returns the requests of a poll in the order of a single target: its mark before the
// segments. A poll of several indexes asks for the segments first if another one has no mark.
func inOrder(requests []WorkRequest) []WorkRequest {
	all := slices.Clone(requests)
	for i := range all {
		for k := i; k > 0 && all[k].Of == oracle.FlushState && all[k-1].Of == oracle.ListSegments; k-- {
			all[k], all[k-1] = all[k-1], all[k]
		}
	}
	return all
}

// concerns reports whether a request for an index is not about the mark of a sibling.
func (h *workHistory) concerns(r WorkRequest) bool {
	mark, _ := h.target.FlushMark()
	return r.Of != oracle.FlushState || r.Mark.Timestamp == mark.Timestamp && slices.Equal(r.Mark.Segments, mark.Segments)
}

// failure returns the error of a poll for the target, or nil. Siblings share polls, and not
// every request of a poll is for each of them: the error in the update identifies the request.
func (h *workHistory) failure(p *WorkPoll) error {
	i := slices.IndexFunc(h.updates, func(u WorkUpdate) bool { return u.At == p.End })
	for _, r := range slices.Backward(p.Requests) {
		failed := r.Err != nil && !isUnsupported(r.Err)
		if failed && (h.alone || i >= 0 && (errors.Is(h.updates[i].Err, r.Err) || timedOut(h.updates[i].Err))) {
			return r.Err
		}
	}
	return nil
}

// timedOut reports whether an update has the error of a poll that timed out. It hides the
// error of the context.
func timedOut(err error) bool {
	return err != nil && strings.Contains(err.Error(), "poll timed out after ")
}

// endsWithSibling reports whether the last poll was cut, and shared: the request that was cut
// may be one for a sibling, so that the log does not show the answer for the target.
func (h *workHistory) endsWithSibling() bool {
	return !h.alone && len(h.polls) > 0 && h.polls[len(h.polls)-1].Cut
}

// next returns the time of the poll after the i-th answer, or the end of the facts if there
// is none.
func (h *workHistory) next(i int) time.Duration {
	for _, p := range h.polls {
		if p.Begin >= h.answers[i].End {
			return p.Begin
		}
	}
	return h.facts[i].End
}
