package simulation

import (
	"slices"
	"time"
)

// punctual requires that polls start when they are due, neither earlier nor later, unless
// other polls delay them.
func punctual(v *evidence) *breach {
	lists := v.lists()
	return eachTurn(v, func(h *history, t turn) *breach {
		if t.poll == nil {
			return nil
		}
		if t.at < t.due && !lists && len(t.poll.asked) == 1 {
			return broken(h, "poll %d started at %v, before %v", t.poll.number, t.at, t.due)
		}
		if from := v.from(h, t); t.at > from && !v.busy(from, t.at) {
			return broken(h, "poll %d started at %v, not at %v, and nothing was in its way", t.poll.number, t.at, from)
		}
		return nil
	})
}

// noPollIsLost requires that a due poll is made before the target ends, unless other polls
// delay it.
func noPollIsLost(v *evidence) *breach {
	return eachTurn(v, func(h *history, t turn) *breach {
		if t.poll != nil {
			return nil
		}
		if from := v.from(h, t); t.at > from && !v.busy(from, t.at) {
			return broken(h, "it ended at %v without the poll that was due at %v, and nothing was in its way", h.final.At, from)
		}
		return nil
	})
}

// turn is the period in which a target waits for its next poll.
type turn struct {
	due  time.Duration // the poll is due from here on
	free time.Duration // end of the previous poll
	poll *entry        // nil if there was none
	at   time.Duration // start of the poll, or the end of the wait
}

// eachTurn calls check for all turns of all targets and returns the first breach.
func eachTurn(v *evidence, check func(*history, turn) *breach) *breach {
	end := forGood
	if first := v.givenUp(); first != nil {
		end = first.final.At
	}

	return each(v, func(h *history) *breach {
		var t turn
		n := 0
		for _, e := range h.entries {
			t.poll, t.at = e, e.start
			if b := check(h, t); b != nil {
				return b
			}
			t.free = e.end
			if e.silent {
				t.due = e.end
			} else if n < len(h.told) {
				t.due = h.told[n].At + h.told[n].Next
				n++
			}
		}

		if e := h.last(); e != nil && h.ends(e) {
			return nil
		}
		t.poll, t.at = nil, min(end, h.final.At)
		return check(h, t)
	})
}

// from returns the time from which only other polls may delay the turn of h. A list may
// have been its turn without covering it.
func (v *evidence) from(h *history, t turn) time.Duration {
	if h.whole() && v.lists() {
		return max(t.due, v.asked(t.free, t.at))
	}
	return t.due
}

// asked returns the end of the last list of all loads within the given period, or 0.
func (v *evidence) asked(from, to time.Duration) time.Duration {
	for _, p := range slices.Backward(v.polls) {
		if p.asked == nil && p.start >= from && p.end <= to {
			return p.end
		}
	}
	return 0
}

// prompt requires that a target is noticed as complete within one delay and one poll. It
// applies if the target stays complete and no later poll fails.
func prompt(v *evidence) *breach {
	o := &v.s.Options
	if o.Settle > 0 || o.Refresh || o.Criterion != 0 {
		return nil
	}

	return each(v, func(h *history) *breach {
		since := v.s.completeFrom(h.target)
		if since < 0 || v.s.lapses(h.target) || h.target.ExpectedRows() > 0 || h.final.Answer.Err != "" {
			return nil
		}

		var before, end *entry
		n := -1 // index of the update for before
		for _, e := range h.entries {
			if e.end >= since && e.answer.Err != "" {
				return nil
			}
			if e.start > since || h.ends(e) {
				end = e
				break
			}
			before = e
			if !e.silent {
				n++
			}
		}

		if end == nil || !h.ends(end) {
			return broken(h, "complete since %v, it ended at %v", since, h.final.At)
		}
		if before == nil || n < 0 {
			return nil
		}

		due := h.told[n].At + h.told[n].Next
		latest := max(since, before.end) + before.Most + max(0, end.start-due) + end.end - end.start
		if before.End > 0 && end.start >= before.End-time.Second {
			latest += before.end - before.start // the last poll before the deadline replaces the one before it
		}

		if end.end > latest {
			return broken(h, "complete since %v, it ended at %v, later than %v", since, end.end, latest)
		}
		return nil
	})
}
