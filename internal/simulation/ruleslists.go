package simulation

import (
	"cmp"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/oracle"
)

// offers reports whether the Poller supported lists and load states.
func (v *evidence) offers() bool { return len(v.over) == 1 && v.over[0].Offers }

// confirmedAlone requires an individual poll to confirm an absent answer, because a list
// may be as stale as the answer itself.
func confirmedAlone(v *evidence) *breach {
	return each(v, func(h *history) *breach {
		for i, e := range h.entries[:max(0, len(h.entries)-1)] {
			if next := h.entries[i+1]; e.Confirms && (next.listed || len(next.asked) != 1) {
				return broken(h, "poll %d, a list, was to confirm poll %d", next.number, e.number).by(oracle.Confirm)
			}
		}
		return nil
	})
}

// confirming reports whether the next poll of h after the given time confirms an absent
// answer.
func (h *history) confirming(at time.Duration) bool {
	confirms := false
	for _, e := range h.entries {
		if e.end <= at {
			confirms = e.Confirms
		}
	}
	return confirms
}

// zerosAreChecked requires a check of the load state at 0 %, because there may be no load.
// It is due at the third poll with 0 %, or, in lists, after 10 s with 0 %, and not before.
func zerosAreChecked(v *evidence) *breach {
	if !v.offers() {
		return nil
	}

	return each(v, func(h *history) *breach {
		zeros, looked := 0, false
		for _, e := range h.entries {
			load, ok := e.answer.Progress.(milvuswait.LoadingProgress)
			switch {
			case ok && load.Percent == 0:
				zeros++
			case ok:
				zeros, looked = 0, false
			}

			if e.looked && zeros < 2 || e.looked && ok && (zeros < 3 || e.listed) {
				return broken(h, "poll %d, at %v, was the %d. at 0 %%, and its state was requested", e.number, e.end, zeros)
			}
			looked = looked || e.looked
			if ok && zeros >= 3 && !looked && (!e.listed || e.Unchanged >= 10*time.Second) {
				return broken(h, "poll %d, at %v, was the %d. at 0 %%, and its state was not requested", e.number, e.end, zeros)
			}
		}
		return nil
	})
}

// listsComeFirst requires that targets covered by one list call are polled by a list from
// the first poll on.
func listsComeFirst(v *evidence) *breach {
	if !v.offers() || v.s.Options.Watch {
		return nil
	}
	loads, indexes := 0, map[string]int{} // by collection

	for _, h := range v.histories {
		switch {
		case h.target.Kind() == milvuswait.KindIndexBuilding:
			indexes[h.target.Collection()]++
		case h.whole() && !v.s.Options.Refresh:
			loads++
		}
	}

	for _, p := range v.polls {
		if p.asked == nil {
			loads = 0
			continue
		}

		t := p.asked[0]
		if n := indexes[t.Collection()]; t.Kind() == milvuswait.KindIndexBuilding && n > 0 {
			if len(p.asked) != n {
				return broken(nil, "poll %d was the first of indexes of %q, and of %d of %d", p.number, t.Collection(), len(p.asked), n)
			}
			indexes[t.Collection()] = 0
		}

		if t.Kind() == milvuswait.KindLoading && t.Partitions() == nil && loads > 1 {
			return broken(nil, "poll %d was of %v alone, before any list", p.number, t)
		}
	}
	return nil
}

const (
	listRest    = time.Second // pause after the first useless list; doubled by each further one
	listRestMax = time.Minute
)

// listsRest requires a pause after each failed list.
func listsRest(v *evidence) *breach {
	for _, p := range v.polls {
		if until := v.restsUntil(p.start, failed); p.asked == nil && p.start < until {
			return broken(nil, "poll %d, a list, started at %v, before %v", p.number, p.start, until)
		}
	}
	return nil
}

// failed reports whether a list call returned an error.
func failed(p *poll) bool { return p.listed == nil }

// servedNobody reports whether a list caused no update.
func (v *evidence) servedNobody(p *poll) bool {
	return !slices.ContainsFunc(v.histories, func(h *history) bool {
		return slices.ContainsFunc(h.entries, func(e *entry) bool { return e.poll == p && e.listed && !e.silent })
	})
}

// restsUntil returns the end of the pause in list calls at the given time. Each useless
// list in a row doubles the pause.
func (v *evidence) restsUntil(at time.Duration, useless func(*poll) bool) time.Duration {
	var rest, until time.Duration
	for _, p := range v.listsByEnd() {
		switch {
		case p.end >= at:
			return until
		case useless(p):
			rest = min(max(listRest, 2*rest), listRestMax)
			until = p.end + rest
		default:
			rest = 0
		}
	}
	return until
}

// listsByEnd returns the ended lists of all loads, sorted by their ends.
func (v *evidence) listsByEnd() []*poll {
	var all []*poll
	for _, p := range v.polls {
		if p.asked == nil && p.ended > 0 {
			all = append(all, p)
		}
	}

	slices.SortStableFunc(all, func(a, b *poll) int { return cmp.Compare(a.end, b.end) })
	return all
}

// listsServe requires a list if two loads are due together, instead of individual polls.
func listsServe(v *evidence) *breach {
	if !v.offers() || v.s.Options.Watch || v.s.Options.Refresh || v.s.Options.Own != nil {
		return nil
	}

	lists := v.listsByEnd()
	// mayList reports whether a list could serve h: none has ended since its last poll, and
	// none has omitted it.
	mayList := func(h *history, free, due, at time.Duration) bool {
		return h.whole() && !h.confirming(free) && !slices.ContainsFunc(lists, func(p *poll) bool {
			_, has := p.listed[h.target.Collection()]
			underWay := p.start <= at && p.end >= at
			return underWay || p.end <= at && (p.end > free || p.end == due || p.listed != nil && !has && p.end > due-listRestMax-listRest)
		})
	}

	return eachTurn(v, func(h *history, t turn) *breach {
		if t.poll == nil || t.poll.listed || len(t.poll.asked) != 1 || t.free == 0 || !mayList(h, t.free, t.due, t.at) || t.at < v.restsUntil(t.at, v.servedNobody) {
			return nil
		}

		for _, other := range v.histories {
			i := slices.IndexFunc(other.told, func(u Event) bool { return u.At >= t.at }) - 1
			if other == h || i < 0 || other.told[i].Next == 0 {
				continue
			}
			u := other.told[i]
			busy := slices.ContainsFunc(other.entries, func(e *entry) bool { return e.start >= u.At && e.start <= t.at })
			if due := u.At + u.Next; !busy && due <= t.at+100*time.Millisecond && !other.rests(i) && mayList(other, u.At, due, t.at) {
				return broken(h, "poll %d, at %v, was of it alone, while %v was due at %v", t.poll.number, t.at, other.target, due)
			}
		}
		return nil
	})
}
