package simulation

import (
	"cmp"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/oracle"
)

// evidence is a log in the form used by the rules.
type evidence struct {
	s         *Scenario
	log       Log
	polls     []*poll
	histories []*history // one per distinct target, in order
	outcomes  []Event
	over      []Event
	timeline  []moment
}

// poll is one poll, of one target or of several.
type poll struct {
	number     int
	asked      []milvuswait.Target // empty for a list of all loads
	start, end time.Duration
	limit      time.Duration
	answers    []Answer
	listed     map[string]Answer
	ended      int // number of Ended events
}

// history holds the events of one target.
type history struct {
	target  milvuswait.Target
	rank    int
	entries []*entry
	told    []Event
	final   Event // the zero Event if there was none
}

// entry is a poll from the point of view of one target.
type entry struct {
	*poll
	answer Answer
	listed bool // the answer is part of a list of all loads
	silent bool // a failed list: it caused no update
	looked bool // the state of the load was requested too
	check  bool // the answer is from this request
	oracle.Facts
}

// last returns the latest entry, or nil if there is none.
func (h *history) last() *entry {
	if len(h.entries) == 0 {
		return nil
	}
	return h.entries[len(h.entries)-1]
}

// ends reports whether e caused the final update.
func (h *history) ends(e *entry) bool { return h.final.Final && e == h.last() && h.final.At == e.end }

// whole reports whether lists of all loads cover the target.
func (h *history) whole() bool {
	return h.target.Kind() == milvuswait.KindLoading && h.target.Partitions() == nil
}

// gather turns a log into evidence. The order matters: entries first, then the lists and
// checks, then the oracle's facts and the timeline, which depend on them.
func gather(s *Scenario, log Log) *evidence {
	v := &evidence{s: s, log: log}
	byNumber := map[int]*poll{}
	byTarget := map[milvuswait.Target]*history{}

	for i, t := range s.distinct() {
		h := &history{target: t, rank: i}
		v.histories = append(v.histories, h)
		byTarget[t] = h
	}

	checks := map[milvuswait.Target][]Event{}
	for _, e := range log {
		switch e.Kind {
		case Started:
			p := &poll{number: e.Poll, asked: e.Asked, start: e.At, limit: e.Limit}
			byNumber[e.Poll] = p
			v.polls = append(v.polls, p)
		case Ended:
			if p := byNumber[e.Poll]; p != nil {
				p.end, p.answers, p.listed = e.At, e.Answers, e.Listed
				p.ended++
			}
		case Checked:
			checks[e.Target] = append(checks[e.Target], e)
		case Told:
			if h := byTarget[e.Target]; h != nil {
				h.told = append(h.told, e)
				if e.Final {
					h.final = e
				}
			}
		case Returned:
			v.outcomes = append(v.outcomes, e)
		case Over:
			v.over = append(v.over, e)
		}
	}

	for _, p := range v.polls {
		for i, t := range p.asked {
			if h := byTarget[t]; h != nil && i < len(p.answers) {
				h.entries = append(h.entries, &entry{poll: p, answer: p.answers[i]})
			}
		}
	}

	for _, h := range v.histories {
		v.addLists(h)
		h.addChecks(checks[h.target])
		h.judge(&s.Options)
	}
	v.timeline = v.moments()
	return v
}

// addLists adds the lists of all loads that served the target. A successful list is
// recognized by an update at its end. A failed list is recognized only by an increased
// number of polls.
func (v *evidence) addLists(h *history) {
	if !h.whole() {
		return
	}

	var lists []*poll
	for _, p := range v.polls {
		if p.asked == nil && p.ended > 0 {
			lists = append(lists, p)
		}
	}

	var all []*entry
	polls, before := 0, time.Duration(-1)
	for _, u := range h.told {
		if u.Polls == polls {
			continue // it ended between two polls, perhaps at the same instant as one
		}

		i := slices.IndexFunc(h.entries, func(e *entry) bool { return e.end == u.At })
		k := slices.IndexFunc(lists, func(p *poll) bool { return p.end == u.At })
		found := i >= 0 || k >= 0
		if n := u.Polls - polls; n > 1 || n == 1 && !found {
			if failed := lastFailed(lists, before, u.At); failed != nil {
				all = append(all, &entry{poll: failed, answer: failed.answers[0], listed: true, silent: true})
			}
		}

		switch {
		case i >= 0:
			all = append(all, h.entries[i])
		case k >= 0 && lists[k].listed != nil:
			if a, listed := lists[k].listed[h.target.Collection()]; listed {
				all = append(all, &entry{poll: lists[k], answer: a, listed: true})
			}
		case k >= 0:
			all = append(all, &entry{poll: lists[k], answer: lists[k].answers[0], listed: true})
		}

		polls, before = u.Polls, u.At
	}
	for _, e := range h.entries {
		if !slices.Contains(all, e) {
			all = append(all, e) // without an update; a rule reports this
		}
	}
	slices.SortStableFunc(all, func(a, b *entry) int { return cmp.Compare(a.end, b.end) })
	h.entries = all
}

// lastFailed returns the last transiently failed list that ended in (from, to], or nil if
// there is none.
func lastFailed(lists []*poll, from, to time.Duration) *poll {
	for _, p := range slices.Backward(lists) {
		if p.end > from && p.end <= to && p.listed == nil && !p.answers[0].Err.permanent() {
			return p
		}
	}
	return nil
}

// addChecks replaces an answer of 0 % by the result of the load state check at the same
// instant, if the check found no load.
func (h *history) addChecks(checks []Event) {
	for _, c := range checks {
		for _, e := range h.entries {
			if e.end != c.At {
				continue
			}
			e.looked = true
			if oracle.Absent(c.Answer.Err.asError()) {
				e.answer, e.check = c.Answer, true
			}
		}
	}
}
