package simulation

import (
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/oracle"
)

// endsOnce requires exactly one final update per target, as its last.
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

// ends returns a check: if the answer of a poll ends the wait with one of the classes, the
// wait ends at this poll and with this class.
func ends(are func(Class) bool) func(*evidence) *breach {
	return func(v *evidence) *breach {
		return eachEntry(v, func(h *history, e *entry) *breach {
			got := h.final.Answer.Err
			if !e.Over || !are(e.verdict()) || h.ends(e) && (got == e.verdict() || e.Cause != nil && v.late(h, e)) {
				return nil
			}
			return broken(h, "poll %d at %v brought %v, it ended at %v with %q", e.number, e.end, e.answer, h.final.At, got).by(e.Rule)
		})
	}
}

// late reports whether other targets had already ended everything at the end of e: the
// first failure aborts the rest.
func (v *evidence) late(h *history, e *entry) bool {
	got := h.final.Answer.Err
	return (got == aborted || got == unreachable) && slices.ContainsFunc(v.histories, func(other *history) bool {
		over := other == v.givenUp() || other.final.Answer.Err == unreachable
		return other != h && over && other.final.At <= e.end
	})
}

// endsForReason returns a check: if a target ends with one of the classes, its last poll
// must be a reason for this end.
func endsForReason(are func(Class) bool) func(*evidence) *breach {
	return func(v *evidence) *breach {
		return each(v, func(h *history) *breach {
			got, e := h.final.Answer.Err, h.last()
			if !are(got) || e != nil && h.ends(e) && e.Over && e.verdict() == got {
				return nil
			}

			b := broken(h, "it ended at %v with %q", h.final.At, got)
			if e != nil && h.ends(e) {
				b.by(e.RuleAgainst(got.asError()))
			}
			return b
		})
	}
}

// both returns a check that runs two checks.
func both(one, other func(*evidence) *breach) func(*evidence) *breach {
	return func(v *evidence) *breach {
		if b := one(v); b != nil {
			return b
		}
		return other(v)
	}
}

// is returns a function that compares a class with another.
func is(class Class) func(Class) bool { return func(c Class) bool { return c == class } }

// byAnswer reports whether the answer of a single poll can end a wait with the class.
func byAnswer(c Class) bool {
	switch c {
	case "", deadline, canceled, aborted, unreachable, stalled:
		return false // other rules cover these
	}
	return true
}

// successIsTrue requires that a complete target was complete in the world at some instant
// of its last poll.
func successIsTrue(v *evidence) *breach {
	if v.s.Options.Criterion != milvuswait.AllRows {
		return nil // the other criteria do not require all rows
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

// deadlineEnds requires that the end of the context ends every wait at that instant, and
// that no wait ends with the context's error at another time.
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

// unreachableHasReason requires a reason for an unreachable target: either its own polls
// have failed for the length of the budget, or the server has answered none of the targets.
// In the latter case, not every target needs a poll.
func unreachableHasReason(v *evidence) *breach {
	budget := v.s.Options.Budget
	return each(v, func(h *history) *breach {
		if h.final.Answer.Err != unreachable {
			return nil
		}
		if e := h.last(); e != nil && e.Silent && (h.final.At == e.End || h.ends(e) && e.end > e.End) {
			return nil
		}
		if answered := v.answered(h.final.At); budget == 0 || h.final.At-answered < budget {
			return broken(h, "it ended at %v, the server answered last at %v", h.final.At, answered).by(oracle.Unreachable)
		}
		return nil
	})
}

// budgetEnds requires that a wait without an answer ends with its budget. The exception is
// a last poll that was delayed by other polls.
func budgetEnds(v *evidence) *breach {
	return each(v, func(h *history) *breach {
		e, last := h.last(), len(h.told)-2
		if e == nil || !e.Silent || e.Over || e.answer.Err == cut || h.final.At <= e.End {
			return nil
		}
		if last >= 0 && h.rests(last) || !v.busy(e.End, h.final.At) {
			return broken(h, "it ended at %v, its budget at %v", h.final.At, e.End).by(oracle.Unreachable)
		}
		return nil
	})
}

// rests reports whether the i-th update announced no further poll.
func (h *history) rests(i int) bool {
	u := h.told[i]
	for _, e := range h.entries {
		if e.end == u.At && !e.silent {
			return e.Rests(u.At + u.Next)
		}
	}
	return false
}

// answered returns the time of the server's last answer to any poll, at most until. A
// permanent error counts as an answer.
func (v *evidence) answered(until time.Duration) time.Duration {
	var last time.Duration
	for _, p := range v.polls {
		if p.ended == 0 || p.end > until {
			continue
		}

		good := p.listed != nil
		for _, a := range p.answers {
			good = good || a.Err == "" || a.Err.permanent()
		}
		if good {
			last = max(last, p.end)
		}
	}
	return last
}

// siblingsEnd requires that the first failure aborts all other waits as soon as their polls
// in flight have ended, unless WithContinueOnError is set.
func siblingsEnd(v *evidence) *breach {
	first := v.givenUp()

	failures := 0
	for _, h := range v.histories {
		// If one list serves several targets, all may reach their stop, but only one has
		// failed by it.
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
		budget := v.s.Options.Budget
		if first.final.Answer.Err == unreachable && class == aborted && v.answered(first.final.At) <= first.final.At-budget {
			return broken(h, "it was aborted at %v, and no poll of any target was answered for %v", h.final.At, budget).by(oracle.Unreachable)
		}

		late := h.final.At > v.idle(first.final.At)
		if late || class != "" && class != aborted && !all {
			return broken(h, "it ended at %v with %q, but %v had failed at %v", h.final.At, class, first.target, first.final.At)
		}
		return nil
	})
}

// givenUp returns the target whose failure aborts the others, or nil if there is none.
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

// stopped reports whether a custom generator has ended the wait for h.
func (v *evidence) stopped(h *history) bool {
	own := v.s.Options.Own
	return own != nil && own.Stop > 0 && len(h.told) > own.Stop && h.last() != nil && h.ends(h.last()) && h.last().answer.Err != cut
}

// idle returns the end of the last poll that was in flight at the given time.
func (v *evidence) idle(at time.Duration) time.Duration {
	last := at
	for _, p := range v.polls {
		if p.start < at && p.end > last {
			last = p.end
		}
	}
	return last
}
