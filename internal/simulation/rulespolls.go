package simulation

import (
	"slices"
	"time"

	"github.com/milvuswait/milvuswait/internal/oracle"
)

// asTheyFollow requires that the events of one target were recorded in their sorted order,
// and that none was recorded after the return.
func asTheyFollow(v *evidence) *breach {
	for _, e := range v.log {
		if len(v.over) > 0 && e.Line > v.over[0].Line {
			return broken(nil, "after the return came: %v", e)
		}
	}

	return each(v, func(h *history) *breach {
		var before Event
		for _, e := range v.log {
			if e.Kind == Returned || e.Target != h.target && !slices.Contains(e.Asked, h.target) {
				continue
			}
			if e.Line < before.Line {
				return broken(h, "%v came before %v", e, before)
			}
			before = e
		}
		return nil
	})
}

// pollsEnd requires that every started poll ends exactly once, before the wait returns.
func pollsEnd(v *evidence) *breach {
	if len(v.over) != 1 {
		return broken(nil, "it was over %d times", len(v.over))
	}
	for _, p := range v.polls {
		if p.ended != 1 || p.end < p.start || p.end > v.over[0].At {
			return broken(nil, "poll %d started at %v and ended %d times, at %v, the wait at %v", p.number, p.start, p.ended, p.end, v.over[0].At)
		}
	}
	return nil
}

// onePollAtATime requires that two individual polls of a target never overlap.
func onePollAtATime(v *evidence) *breach {
	return each(v, func(h *history) *breach {
		var before *entry
		for _, e := range h.entries {
			if before != nil && !before.listed && !e.listed && e.start < before.end {
				return broken(h, "poll %d started at %v, poll %d ended at %v", e.number, e.start, before.number, before.end)
			}
			before = e
		}
		return nil
	})
}

// inFlight requires that the number of polls in flight never exceeds the maximum.
func inFlight(v *evidence) *breach {
	for _, m := range v.timeline {
		if m.inFlight > v.workers() {
			return broken(nil, "%d at %v, of %d", m.inFlight, m.at, v.workers())
		}
	}
	return nil
}

// oneProbe requires that only one poll at a time is sent to a server on which polls only
// time out.
func oneProbe(v *evidence) *breach {
	if v.lists() {
		return nil // the rule does not define how a list that timed out counts
	}
	for _, m := range v.timeline {
		if m.rushed {
			return broken(nil, "%d at %v", m.inFlight, m.at)
		}
	}
	return nil
}

// inBudget requires that polls stay within the rate limit of the throttle.
func inBudget(v *evidence) *breach {
	if v.s.Options.Watch || v.lists() {
		return nil // with lists, the log does not show which polls were first polls
	}
	for _, m := range v.timeline {
		if m.tokens < -1e-6 {
			return broken(nil, "%.3f were too many at %v", -m.tokens, m.at)
		}
	}
	return nil
}

// longestPoll is the default maximum timeout of a poll.
const longestPoll = time.Minute

// pollTimes requires that the timeout of each poll is correct: the timeout of the poll
// itself, the rest of the target's budget, the rest of the common budget and the deadline
// limit it.
func pollTimes(v *evidence) *breach {
	o := &v.s.Options
	most := longestPoll
	if o.PollTime[0] > 0 {
		most = o.PollTime[1]
	}

	capped := func(limit time.Duration) time.Duration {
		if o.Deadline > 0 {
			return min(limit, o.Deadline)
		}
		return limit
	}

	for _, p := range v.polls {
		// A list only saves polls. It has its own timeout.
		if most := capped(p.start + max(most, 2*longestPoll)); p.limit <= p.start || p.limit > most {
			return broken(nil, "poll %d started at %v and had until %v, at most %v", p.number, p.start, p.limit, most)
		}
	}

	return each(v, func(h *history) *breach {
		budgetEnd := forGood // end of the target's own budget
		for i, e := range h.entries {
			common := max(v.commonEnd(e.start), e.start+shortestTime)

			// A list gets a second, whatever the budget of one of its targets.
			most := min(common, max(budgetEnd, e.start+time.Second))
			if o.Budget > 0 {
				most = min(most, e.start+max(o.Budget, time.Second))
			}

			// A poll that had to wait for its turn is not cut short by the budget.
			late := budgetEnd < forGood && i > 0 && e.start > v.dueAt(h, i)

			switch list := e.listed || len(e.asked) > 1; {
			case late && !list && e.limit > e.start+e.Timeout:
			case list && e.limit > most:
				return broken(h, "poll %d, a list, started at %v and had until %v, its budget until %v", e.number, e.start, e.limit, most).by(oracle.Timeout)
			case list:
			case common >= e.start+e.Timeout:
				if err := e.CheckTimeout(e.limit); err != nil {
					return refused(h, e, err)
				}
			case e.limit != capped(common):
				return broken(h, "poll %d started at %v and had until %v, the budget of all until %v", e.number, e.start, e.limit, capped(common)).by(oracle.Timeout)
			}

			if budgetEnd = forGood; e.Silent {
				budgetEnd = e.End
			}
		}
		return nil
	})
}

// dueAt returns the time at which the i-th poll of a target was due: the planned time, or the
// end of a list of loads without the target.
func (v *evidence) dueAt(h *history, i int) time.Duration {
	before, e := h.entries[i-1], h.entries[i]
	due := before.Next
	for _, p := range v.polls {
		if len(p.asked) == 0 && p.ended > 0 && p.end > before.start && p.end <= e.start {
			due = min(before.Next, p.end) // the newest list counts
		}
	}
	return due
}

// shortestTime is the minimum timeout of a poll after the end of the budget.
const shortestTime = 50 * time.Millisecond

// commonEnd returns the end of the budget common to all targets. It is measured from the
// first failed poll after the last answer before the given time.
func (v *evidence) commonEnd(at time.Duration) time.Duration {
	if v.s.Options.Budget == 0 {
		return forGood
	}
	since, answered := forGood, v.answered(at)
	for _, p := range v.polls {
		if p.ended > 0 && p.end <= at && p.end > answered {
			since = min(since, max(p.start, answered))
		}
	}
	return min(since+v.s.Options.Budget, forGood)
}

// noPollTooLate requires that no poll starts after the end of the context.
func noPollTooLate(v *evidence) *breach {
	limit := v.s.Options.limit()
	for _, p := range v.polls {
		if limit > 0 && p.start >= limit {
			return broken(nil, "poll %d started at %v, the context ended at %v", p.number, p.start, limit)
		}
	}
	return nil
}

// noPollAfterTheEnd requires that a target's polls end before the target does.
func noPollAfterTheEnd(v *evidence) *breach {
	return eachEntry(v, func(h *history, e *entry) *breach {
		if h.final.Final && e.end > h.final.At {
			return broken(h, "poll %d went on until %v, the target ended at %v", e.number, e.end, h.final.At)
		}
		return nil
	})
}

// firstPollsFirst requires that all targets are polled once before any target is polled
// twice.
func firstPollsFirst(v *evidence) *breach {
	lists := v.lists()
	seconds, of := time.Duration(-1), (*history)(nil)
	for _, h := range v.histories {
		if len(h.entries) > 1 && (of == nil || h.entries[1].start < seconds) {
			seconds, of = h.entries[1].start, h
		}
	}

	return each(v, func(h *history) *breach {
		if lists && h.whole() {
			return nil // its first poll was a list, which may have omitted it
		}
		if of != nil && len(h.entries) > 0 && h.entries[0].start > seconds {
			return broken(h, "the first poll was at %v, the second of %v at %v", h.entries[0].start, of.target, seconds)
		}
		if of != nil && len(h.entries) == 0 && (!h.final.Final || h.final.At > seconds) {
			return broken(h, "it was never polled, the second poll of %v was at %v", of.target, seconds)
		}
		return nil
	})
}

// firstPollsInOrder requires that first polls start in the order of the targets.
func firstPollsInOrder(v *evidence) *breach {
	if v.lists() {
		return nil
	}

	var before *history
	return each(v, func(h *history) *breach {
		if len(h.entries) == 0 || len(h.entries[0].asked) > 1 {
			return nil
		}
		if before != nil && h.entries[0].start < before.entries[0].start {
			return broken(h, "the first poll was at %v, that of %v, which comes before it, at %v", h.entries[0].start, before.target, before.entries[0].start)
		}
		before = h
		return nil
	})
}
