package simulation

import (
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
)

func endsOnce(v *evidence) *breach {
	return each(v, func(h *history) *breach {
		finals := 0
		for _, e := range h.told {
			if e.Final {
				finals++
			}
		}
		if finals != 1 || !h.told[len(h.told)-1].Final {
			return broken(h, "%d final updates of %d", finals, len(h.told))
		}
		return nil
	})
}

func successIsComplete(v *evidence) *breach {
	return each(v, func(h *history) *breach {
		if h.final.Answer.Err != "" {
			return nil
		}
		if e := h.last(); e == nil || !h.ends(e) || e.answer.Err != "" || !e.complete || e.completeFor < v.s.Options.Settle {
			return broken(h, "it succeeded at %v", h.final.At)
		}
		return nil
	})
}

func completeEnds(v *evidence) *breach {
	return eachEntry(v, func(h *history, e *entry) *breach {
		if e.complete && e.verdict == "" && e.completeFor >= v.s.Options.Settle && (!h.ends(e) || h.final.Answer.Err != "") {
			return broken(h, "poll %d, at %v, was complete, it ended at %v with %q", e.number, e.end, h.final.At, h.final.Answer.Err)
		}
		return nil
	})
}

func successIsTrue(v *evidence) *breach {
	if v.s.Options.Criterion != milvuswait.AllRows {
		return nil // those do not need all of it
	}
	return each(v, func(h *history) *breach {
		if h.final.Answer.Err != "" || len(h.entries) == 0 {
			return nil
		}
		e := h.last()
		for _, at := range v.s.changes(h.target, e.start, e.end) {
			if v.s.complete(h.target, at) {
				return nil
			}
		}
		return broken(h, "it was not complete from %v to %v", e.start, e.end)
	})
}

func permanentEnds(v *evidence) *breach {
	return eachEntry(v, func(h *history, e *entry) *breach {
		if e.verdict == "" {
			return nil
		}
		got := h.final.Answer.Err
		// It comes too late where the others are being aborted already.
		late := slices.ContainsFunc(v.histories, func(other *history) bool {
			over := other == v.givenUp() || other.final.Answer.Err == unreachable
			return other != h && over && other.final.At <= e.end && (got == aborted || got == unreachable)
		})
		if !h.ends(e) || got != e.verdict && !late {
			return broken(h, "poll %d at %v said %v, it ended at %v with %q", e.number, e.end, e.answer, h.final.At, got)
		}
		return nil
	})
}

func endsHaveReasons(v *evidence) *breach {
	return each(v, func(h *history) *breach {
		switch h.final.Answer.Err {
		case "", deadline, canceled, aborted, unreachable, stalled:
			return nil // they have rules of their own
		}
		if e := h.last(); e == nil || !h.ends(e) || e.verdict != h.final.Answer.Err {
			return broken(h, "it ended at %v with %q", h.final.At, h.final.Answer.Err)
		}
		return nil
	})
}

func deadlineEnds(v *evidence) *breach {
	o := &v.s.Options
	limit, want := o.limit(), deadline
	if limit != o.Deadline {
		want = canceled
	}
	return each(v, func(h *history) *breach {
		got := h.final.Answer.Err
		timely := limit > 0 && h.final.At == limit
		if limit > 0 && h.final.At > limit {
			return broken(h, "it ended at %v, the context at %v", h.final.At, limit)
		}
		if (got == want) != timely && !(timely && got == "") || got != want && (got == deadline || got == canceled) {
			return broken(h, "it ended at %v with %q, the context at %v", h.final.At, got, limit)
		}
		return nil
	})
}

func unreachableEnds(v *evidence) *breach {
	budget := v.s.Options.Budget
	b := eachEntry(v, func(h *history, e *entry) *breach {
		if budget > 0 && e.passes() && !e.tolerated && e.failingFor >= budget && !e.silent && !h.ends(e) {
			return broken(h, "polls failed for %v at %v, it ended at %v", e.failingFor, e.end, h.final.At)
		}
		if h.ends(e) && e.passes() && e.failingFor >= budget && budget > 0 && h.final.Answer.Err == "" {
			return broken(h, "it succeeded after %v of failures", e.failingFor)
		}
		return nil
	})
	if b != nil {
		return b
	}
	return each(v, func(h *history) *breach {
		if h.final.Answer.Err != unreachable {
			return nil
		}
		if e := h.last(); budget > 0 && e != nil && h.ends(e) && e.passes() && e.failingFor >= budget {
			return nil
		}
		// Nor need a target be asked if nobody was answered.
		if answered := v.answered(h.final.At); budget == 0 || h.final.At-answered < budget {
			return broken(h, "it ended at %v, the server answered last at %v", h.final.At, answered)
		}
		return nil
	})
}

// answered returns when the server last answered anybody until then, be it that
// something cannot be.
func (v *evidence) answered(until time.Duration) time.Duration {
	var last time.Duration
	for _, p := range v.polls {
		if p.ended == 0 || p.end > until {
			continue
		}
		good := p.listed != nil
		for _, a := range p.answers {
			good = good || a.Err == "" || a.Err.ends()
		}
		if good {
			last = max(last, p.end)
		}
	}
	return last
}

func stallEnds(v *evidence) *breach {
	stall := v.s.Options.Stall
	stands := func(e *entry) bool {
		return stall > 0 && e.answer.Err == "" && e.verdict == "" && !e.complete && !e.unasked && e.unchangedFor >= stall
	}
	b := eachEntry(v, func(h *history, e *entry) *breach {
		if stands(e) && (!h.ends(e) || h.final.Answer.Err == "") {
			return broken(h, "nothing had changed for %v at %v, it ended at %v", e.unchangedFor, e.end, h.final.At)
		}
		return nil
	})
	if b != nil {
		return b
	}
	return each(v, func(h *history) *breach {
		if e := h.last(); h.final.Answer.Err == stalled && (e == nil || !h.ends(e) || !stands(e)) {
			return broken(h, "it ended at %v", h.final.At)
		}
		return nil
	})
}

// siblingsEnd: without WithContinueOnError the first failure aborts whatever goes
// on, as soon as its polls in flight are back.
func siblingsEnd(v *evidence) *breach {
	first := v.givenUp()
	failures := 0
	for _, h := range v.histories {
		// Of those that one list serves, all may have come to their stop, and one has failed by it.
		stopped := v.stopped(h) && (v.s.Options.Continue || h == first)
		if class := h.final.Answer.Err; class != "" && (class != aborted || stopped) {
			failures++
		}
	}
	if len(v.over) == 1 && v.over[0].Failed != failures {
		return broken(nil, "%d failures were joined, there are %d", v.over[0].Failed, failures)
	}
	return each(v, func(h *history) *breach {
		class := h.final.Answer.Err
		if class == aborted && !v.stopped(h) && (first == nil || h.final.At < first.final.At) {
			return broken(h, "it was aborted at %v", h.final.At)
		}
		if first == nil || h == first || h.final.At < first.final.At {
			return nil
		}
		all := first.final.Answer.Err == unreachable && class == unreachable
		late := h.final.At > v.idle(first.final.At)
		if late || class != "" && class != aborted && !all {
			return broken(h, "it ended at %v with %q, but %v had failed at %v", h.final.At, class, first.target, first.final.At)
		}
		return nil
	})
}

// givenUp returns the target whose failure ends the others, nil if there is none.
func (v *evidence) givenUp() *history {
	var first *history
	for _, h := range v.histories {
		switch class := h.final.Answer.Err; {
		case v.s.Options.Continue, class == "", class == deadline, class == canceled, class == aborted && !v.stopped(h):
		case first == nil || h.final.At < first.final.At:
			first = h
		}
	}
	return first
}

// stopped reports whether a generator of the caller's has ended the wait for h.
func (v *evidence) stopped(h *history) bool {
	own := v.s.Options.Own
	return own != nil && own.Stop > 0 && len(h.told) > own.Stop && h.last() != nil && h.ends(h.last()) && h.last().answer.Err != cut
}

// idle returns when the last of the polls is back that are in flight then.
func (v *evidence) idle(at time.Duration) time.Duration {
	last := at
	for _, p := range v.polls {
		if p.start < at && p.end > last {
			last = p.end
		}
	}
	return last
}
