package simulation

import "slices"

// updates requires one update at the end of each poll. A target that ends between two polls
// gets one more, its final update.
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
				return broken(h, "poll %d ended at %v without an update", e.number, e.end)
			}
			// Lists that failed for their own reasons count as polls, but are not part of
			// the history.
			if told[0].Polls < polls || told[0].Polls > polls && !v.lists() {
				return broken(h, "the update at %v counts %d polls, there were %d", e.end, told[0].Polls, polls)
			}
			polls = told[0].Polls
			told = told[1:]
		}

		if len(told) > 1 || len(told) == 1 && !told[0].Final {
			return broken(h, "the update at %v belongs to no poll", told[0].At)
		}

		for _, u := range h.told {
			if u.Elapsed != u.At {
				return broken(h, "the update at %v has Elapsed %v", u.At, u.Elapsed)
			}
		}
		return nil
	})
}

// lists reports whether the log has lists of all loads.
func (v *evidence) lists() bool {
	for _, p := range v.polls {
		if p.asked == nil {
			return true
		}
	}
	return false
}

// updatesAreRaw requires that an update holds the latest progress and the error of its
// poll, unchanged.
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
				return broken(h, "poll %d, at %v, returned %v, but its update has %v", e.number, e.end, e.Known, u.Answer.Progress)
			}
			if !u.Final && u.Answer.Err != e.answer.Err {
				return broken(h, "poll %d, at %v, failed with %q, but its update has %q", e.number, e.end, e.answer.Err, u.Answer.Err)
			}
		}
		return nil
	})
}

// outcomes requires one outcome per target, in order, equal to the final update of its
// target.
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

// lastFailure requires that a failed wait holds the error of its last poll if it failed
// transiently, and no error otherwise.
func lastFailure(v *evidence) *breach {
	return each(v, func(h *history) *breach {
		want := Class("")
		for _, e := range h.entries {
			switch {
			case e.answer.Err == cut || e.listed && e.answer.Err.permanent():
			case e.answer.Err != "" && h.ends(e) && h.final.Answer.Err == aborted && !v.stopped(h) && !h.goesOn(e):
				// The poll ended too late to count, unless it shows that the target failed too.
				if e.answer.Err.permanent() {
					want = e.answer.Err
				}
			case e.Passes:
				want = e.answer.Err
			default:
				want = ""
			}
		}

		if h.final.Last == "DeadlineExceeded" && want == outOfTime {
			return nil // when others are aborted, the poll's own timeout may look like this
		}
		if h.final.Last != want {
			return broken(h, "it ended with %q, the last failure was %q", h.final.Last, want)
		}
		return nil
	})
}

// goesOn reports whether an update of e announced that the wait goes on. The target may be
// aborted at the same instant.
func (h *history) goesOn(e *entry) bool {
	return slices.ContainsFunc(h.told, func(u Event) bool { return !u.Final && u.At == e.end })
}
