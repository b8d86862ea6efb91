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
		least, most = max(least, 100*time.Millisecond), max(most, 100*time.Millisecond)
	}
	return least, most
}

// delay returns the n-th delay, from 0, of the generator for a target.
func (g *Generators) delay(rank, n int) time.Duration {
	fresh := *g
	fresh.generated = rank
	next := fresh.next()
	var d time.Duration
	for range n + 1 {
		d = next()
	}
	return d
}

// turns returns when the verdict about h can change after e without anything
// happening: a poll is due then, whatever the pace.
func (v *evidence) turns(e *entry) []time.Duration {
	o := &v.s.Options
	var at []time.Duration
	if e.settles >= 0 {
		at = append(at, e.settles)
	}
	if o.Stall > 0 && e.answer.Err == "" && !e.complete && !e.unasked {
		at = append(at, e.end+o.Stall-e.unchangedFor)
	}
	if e.answer.Err != "" {
		at = append(at, e.end+o.Budget-e.failingFor, o.Grace)
	}
	return at
}

// lastPoll returns when the last poll after e is due: so early before the deadline
// that its answer can be there in time, but not before what is complete has settled.
// Without a deadline there is none.
func (v *evidence) lastPoll(e *entry) time.Duration {
	limit := v.s.Options.Deadline
	if limit == 0 {
		return forGood
	}
	last := limit - min(max(2*(e.end-e.start), 50*time.Millisecond), time.Second)
	if e.settles < limit {
		last = max(last, e.settles)
	}
	return last
}

// interval is what was told of the time until the next poll.
type interval struct {
	after *entry
	index int // of after among the entries
	n     int // which delay, from 0
	at    time.Duration
	next  time.Duration // when the next poll is to come
	delay time.Duration
	last  time.Duration // when the last poll is due
	rests bool          // none is to come before the deadline
}

// eachInterval returns the first breach of an interval.
func eachInterval(v *evidence, check func(*history, interval) *breach) *breach {
	limit := v.s.Options.Deadline
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
			next := u.At + u.Next
			if b := check(h, interval{e, i, n, u.At, next, u.Next, v.lastPoll(e), limit > 0 && next == limit}); b != nil {
				return b
			}
			n++
		}
		return nil
	})
}

func delays(v *evidence) *breach {
	return eachInterval(v, func(h *history, p interval) *breach {
		least, most := v.bounds(h, p.n, p.after)
		switch {
		case p.rests:
		case p.next == p.last:
			if took := p.after.end - p.after.start; p.delay > most+took { // the one before it may be left out
				return broken(h, "the last poll is to come %v after %v", p.delay, p.at)
			}
		case p.delay > most || p.delay < least && !slices.Contains(v.turns(p.after), p.next) && p.delay != time.Millisecond:
			return broken(h, "the delay after poll %d, at %v, is %v, not from %v to %v", p.after.number, p.at, p.delay, least, most)
		}
		return nil
	})
}

func turnsAreKept(v *evidence) *breach {
	return eachInterval(v, func(h *history, p interval) *breach {
		for _, turn := range v.turns(p.after) {
			// The last poll stands for what is due while another would be under way.
			stands := p.rests && turn != p.after.settles || p.next == p.last && p.next-turn <= p.after.end-p.after.start
			if turn > p.at && p.next > max(turn, p.at+time.Millisecond) && !stands {
				return broken(h, "after poll %d, at %v, one is due at %v, and comes at %v", p.after.number, p.at, turn, p.next)
			}
		}
		return nil
	})
}

func lastPollIsLate(v *evidence) *breach {
	return eachInterval(v, func(h *history, p interval) *breach {
		switch {
		case p.rests && p.at < p.last:
			return broken(h, "none is to come after %v, but the last is due at %v", p.at, p.last)
		case p.rests && p.index < len(h.entries)-1:
			return broken(h, "a poll came after %v, where none was to come any more", p.at)
		case !p.rests && p.next > p.last:
			return broken(h, "a poll is to come at %v, the last is due at %v", p.next, p.last)
		}
		return nil
	})
}
