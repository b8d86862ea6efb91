package simulation

import (
	"slices"
	"time"
)

// bounds returns the least and the greatest delay after e, as package milvuswait
// documents them for Backoff, or what the caller's own generator said.
func (v *evidence) bounds(h *history, n int, e *entry) (least, most time.Duration) {
	if own := v.s.Options.Own; own != nil {
		d := max(own.delay(h.rank, n), time.Millisecond)
		return d, d
	}
	b := v.s.Options.Backoff
	initial, longest, lateness := b.Initial, b.Max, b.Lateness
	if initial == 0 && h.target.Kind() == "loading" {
		initial = 50 * time.Millisecond
	} else if initial == 0 {
		initial = 100 * time.Millisecond
	}
	if longest == 0 {
		longest = max(5*time.Second, initial)
	}
	if lateness == 0 {
		lateness = 0.02
	}
	least = max(initial, e.lag)
	if lateness < 1 || !b.IgnoreProgress {
		least = max(least, e.end/200)
	}
	most = longest
	if lateness < 1 {
		most = max(least, 100*time.Millisecond, time.Duration(lateness*float64(e.end)))
		if e.settles >= 0 {
			most = max(most, v.s.Options.Settle/10)
		}
	}
	least, most = min(least, longest), min(most, longest)
	if e.listed {
		most = max(most, 100*time.Millisecond)
	}
	return least, most
}

// delay returns the n-th delay, from 0, of the generator for a target.
func (g *Generators) delay(rank, n int) time.Duration {
	fresh := *g
	fresh.generated = rank
	own := fresh.next()
	own.Reset()
	var d time.Duration
	for range n + 1 {
		d = own.NextBackOff()
	}
	return d
}

// turns returns when the verdict about h can change after e without anything
// happening: a poll may be due then, whatever the pace.
func (v *evidence) turns(e *entry) []time.Duration {
	o := &v.s.Options
	var at []time.Duration
	if e.settles >= 0 {
		at = append(at, e.settles)
	}
	if o.Stall > 0 && e.answer.Err == "" {
		at = append(at, e.end+o.Stall-e.unchangedFor)
	}
	if e.answer.Err != "" {
		at = append(at, e.end+o.Budget-e.failingFor, o.Grace)
	}
	return at
}

func delays(v *evidence) *breach {
	o := &v.s.Options
	return each(v, func(h *history) *breach {
		n := 0
		for i, e := range h.entries {
			if e.silent {
				continue
			}
			if n >= len(h.told) || h.told[n].Final {
				break
			}
			u := h.told[n]
			least, most := v.bounds(h, n, e)
			n++
			next := u.At + u.Next
			if o.Deadline > 0 && next >= o.Deadline-time.Second && next <= o.Deadline {
				// The end, or the last poll, for which one before it may be left out.
				if next == o.Deadline && i < len(h.entries)-1 {
					return broken(h, "a poll came after %v, where none was to come any more", u.At)
				}
				if next < o.Deadline && u.Next > most+e.end-e.start {
					return broken(h, "the last poll is to come %v after %v", u.Next, u.At)
				}
				continue
			}
			if u.Next > most || u.Next < least && !slices.Contains(v.turns(e), next) && u.Next != time.Millisecond {
				return broken(h, "the delay after poll %d, at %v, is %v, not from %v to %v", e.number, e.end, u.Next, least, most)
			}
		}
		return nil
	})
}

func punctual(v *evidence) *breach {
	lists := v.lists()
	return each(v, func(h *history) *breach {
		var due, free time.Duration
		n := 0
		for _, e := range h.entries {
			if e.start < due && !lists && len(e.asked) == 1 {
				return broken(h, "poll %d started at %v, before %v", e.number, e.start, due)
			}
			from := due
			if lists && h.whole() {
				from = max(due, v.asked(free, e.start))
			}
			if e.start > from && !v.busy(from, e.start) {
				return broken(h, "poll %d started at %v, not at %v, and nothing was in its way", e.number, e.start, from)
			}
			free = e.end
			if e.silent {
				due = e.end
				continue
			}
			if n < len(h.told) {
				due = h.told[n].At + h.told[n].Next
				n++
			}
		}
		return nil
	})
}

// asked returns the end of the last list of all loads between two instants, which
// may have been asked for a target and not have had it.
func (v *evidence) asked(from, to time.Duration) time.Duration {
	for _, p := range slices.Backward(v.polls) {
		if p.asked == nil && p.start >= from && p.end <= to {
			return p.end
		}
	}
	return 0
}

// prompt: a target that is complete for good, and of which every later poll has an
// answer, ends a poll and a delay later.
func prompt(v *evidence) *breach {
	o := &v.s.Options
	if o.Settle > 0 || o.Refresh || o.Criterion != 0 {
		return nil
	}
	return each(v, func(h *history) *breach {
		since := v.s.completeFrom(h.target)
		if since < 0 || h.target.ExpectedRows() > 0 || h.final.Answer.Err != "" {
			return nil
		}
		var before, end *entry
		n := -1 // of before, among what was told
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
		_, most := v.bounds(h, n, before)
		due := h.told[n].At + h.told[n].Next
		latest := max(since, before.end) + most + max(0, end.start-due) + end.end - end.start
		if o.Deadline > 0 && end.start >= o.Deadline-time.Second {
			latest += before.end - before.start // the last poll stands for the one before it, too
		}
		if end.end > latest {
			return broken(h, "complete since %v, it ended at %v, later than %v", since, end.end, latest)
		}
		return nil
	})
}
