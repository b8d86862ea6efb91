package simulation

import (
	"cmp"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/oracle"
)

// evidence is a log, put in order for the rules.
type evidence struct {
	s         *Scenario
	log       Log
	polls     []*poll
	histories []*history // of the distinct targets, in their order
	outcomes  []Event
	over      []Event
	timeline  []moment
}

// poll is one poll, of one target or of several.
type poll struct {
	number     int
	asked      []milvuswait.Target // none in a list of all loads
	start, end time.Duration
	limit      time.Duration
	answers    []Answer
	listed     map[string]Answer
	ended      int // times
}

// history is what happened to one target.
type history struct {
	target  milvuswait.Target
	rank    int
	entries []*entry
	told    []Event
	final   Event // the zero Event if there was none
}

// entry is a poll as one target saw it.
type entry struct {
	*poll
	answer Answer
	listed bool // the answer is out of a list of all loads
	silent bool // a list that failed: no update tells of it
	looked bool // the state of the load was asked for, too
	check  bool // the answer is what that was
	oracle.Facts
}

// last returns the newest entry, nil if there is none.
func (h *history) last() *entry {
	if len(h.entries) == 0 {
		return nil
	}
	return h.entries[len(h.entries)-1]
}

// ends reports whether the final update is that of e.
func (h *history) ends(e *entry) bool { return h.final.Final && e == h.last() && h.final.At == e.end }

// whole reports whether lists of all loads may tell of the target.
func (h *history) whole() bool {
	return h.target.Kind() == milvuswait.KindLoading && h.target.Partitions() == nil
}

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

// addLists adds the lists of all loads that served the target: those at whose end
// it was told something, and those that failed, which it was told of only by the
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
			continue // it ended between two polls, be it at the instant of one
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
			all = append(all, e) // nothing was told of it, which is for a rule to say
		}
	}
	slices.SortStableFunc(all, func(a, b *entry) int { return cmp.Compare(a.end, b.end) })
	h.entries = all
}

// lastFailed returns the last of the lists between two instants that failed, for
// a reason that counts; nil if there is none.
func lastFailed(lists []*poll, from, to time.Duration) *poll {
	for _, p := range slices.Backward(lists) {
		if p.end > from && p.end <= to && p.listed == nil && !p.answers[0].Err.permanent() {
			return p
		}
	}
	return nil
}

// addChecks has an answer of 0 % be what the state of the load was.
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
