package simulation

import "slices"

// updates: each answer is told when it is there; what ends between two polls is
// told then.
func updates(v *evidence) *breach {
	return each(v, func(h *history) *breach {
		told := h.told
		polls := 0
		for _, e := range h.entries {
			polls++
			if e.silent {
				continue
			}
			if len(told) == 0 || told[0].At != e.end {
				return broken(h, "nothing was told of poll %d at %v", e.number, e.end)
			}
			// Lists that failed for reasons of their own count, and are not in the history.
			if told[0].Polls < polls || told[0].Polls > polls && !v.lists() {
				return broken(h, "it was told at %v of %d polls, there were %d", e.end, told[0].Polls, polls)
			}
			polls = told[0].Polls
			told = told[1:]
		}
		if len(told) > 1 || len(told) == 1 && !told[0].Final {
			return broken(h, "it was told at %v of no poll", told[0].At)
		}
		for _, u := range h.told {
			if u.Elapsed != u.At {
				return broken(h, "it was told at %v that %v had passed", u.At, u.Elapsed)
			}
		}
		return nil
	})
}

// lists reports whether there were lists of all loads.
func (v *evidence) lists() bool {
	for _, p := range v.polls {
		if p.asked == nil {
			return true
		}
	}
	return false
}

func updatesAreRaw(v *evidence) *breach {
	return each(v, func(h *history) *breach {
		told := h.told
		for _, e := range h.entries {
			if e.silent || len(told) == 0 {
				continue
			}
			u := told[0]
			told = told[1:]
			if u.Answer.Progress != e.Known {
				return broken(h, "poll %d, at %v, brought %v, of which %v was told", e.number, e.end, e.Known, u.Answer.Progress)
			}
			if !u.Final && u.Answer.Err != e.answer.Err {
				return broken(h, "poll %d, at %v, failed with %q, of which %q was told", e.number, e.end, e.answer.Err, u.Answer.Err)
			}
		}
		return nil
	})
}

func outcomes(v *evidence) *breach {
	if len(v.outcomes) != len(v.s.Targets) {
		return broken(nil, "%d for %d targets", len(v.outcomes), len(v.s.Targets))
	}
	for i, o := range v.outcomes {
		if o.Target != v.s.Targets[i] {
			return broken(nil, "number %d is that of %v, not of %v", i+1, o.Target, v.s.Targets[i])
		}
		for _, h := range v.histories {
			if h.target != o.Target {
				continue
			}
			f := h.final
			if o.Answer != f.Answer || o.Last != f.Last || o.Polls != f.Polls || o.Elapsed != f.Elapsed {
				return broken(h, "the outcome %v is not the final update %v", o, f)
			}
			if o.Odd || f.Odd {
				return broken(h, "the error does not go with %v", o)
			}
			if e := h.last(); e != nil && o.Answer.Progress != e.Known || e == nil && o.Answer.Progress != nil {
				return broken(h, "the outcome has %v", o.Answer.Progress)
			}
		}
	}
	return nil
}

// lastFailure: a wait that ends for want of success says how its last poll failed,
// and only that.
func lastFailure(v *evidence) *breach {
	return each(v, func(h *history) *breach {
		want := Class("")
		for _, e := range h.entries {
			switch {
			case e.answer.Err == cut || e.listed && e.answer.Err.permanent():
			case e.answer.Err != "" && h.ends(e) && h.final.Answer.Err == aborted && !v.stopped(h) && !h.goesOn(e):
				// It came too late to be looked at.
			case e.Passes:
				want = e.answer.Err
			default:
				want = ""
			}
		}
		if h.final.Last == "DeadlineExceeded" && want == outOfTime {
			return nil // nobody says any more that it was the poll's own, where others are being given up
		}
		if h.final.Last != want {
			return broken(h, "it ended with %q, the last failure was %q", h.final.Last, want)
		}
		return nil
	})
}

// goesOn reports whether it was told of e that the wait goes on, be it that it was
// aborted at the same instant.
func (h *history) goesOn(e *entry) bool {
	return slices.ContainsFunc(h.told, func(u Event) bool { return !u.Final && u.At == e.end })
}
