package milvuswait

import (
	"errors"
	"slices"
	"time"
)

const (
	// listEvery is the least time between two lists: a lateness that nobody minds.
	listEvery = minLateness

	// listRest is how long lists are left off after one that failed or served
	// nobody; it doubles up to listRestMax.
	listRest    = time.Second
	listRestMax = time.Minute
)

// job is a poll, of one entry or of several that it serves.
type job struct {
	kind    jobKind
	one     *entry        // of pollOne
	served  []*entry      // of a list
	timeout time.Duration // of a list of loads
}

type jobKind int8

const (
	pollOne jobKind = iota
	listLoads
	listIndexes
)

// lists decides when lists are worth their poll.
type lists struct {
	own   bool          // the caller's generators pace the polls
	until time.Duration // none before, since they are of no use
	rest  time.Duration
	took  time.Duration // the last one that was answered

	underWay bool

	unsupported        bool // the Poller has no lists of loads
	indexesUnsupported bool // it has no lists of indexes
}

// window returns how much later than what is due now a list serves: the delays of
// the default pace, so that all loads that go by it fall into step, and the time
// that a list takes, so that nobody who becomes due meanwhile begins another.
// Delays of the caller's own are left as they are.
func (l *lists) window(now time.Duration) time.Duration {
	if l.own {
		return 0
	}
	return max(minLateness, now/50, l.took)
}

// resting reports whether no list may begin. What becomes due while one is under
// way, such as after a single poll that took long, is polled alone.
func (l *lists) resting(now time.Duration) bool { return l.underWay || now < l.until }

// begin notes a list that is made, to which done or failed belongs.
func (l *lists) begin() { l.underWay = true }

// done notes a list that was answered and served so many.
func (l *lists) done(now, took time.Duration, served int) {
	l.underWay, l.took = false, took
	if served == 0 {
		l.failed(now)
		return
	}
	l.rest = 0
}

// timeout is how long a list that serves so many may take: it only saves polls,
// and must not hold them up. A tenth of the time that the budget has for those is
// little beside it. On a large server one takes its time, and is given more the
// next time, up to the most that a poll is.
func (l *lists) timeout(served int, most time.Duration) time.Duration {
	saved := time.Duration(served) * time.Second / pollsPerSecond
	return min(max(listRest, 2*l.rest, 2*l.took, saved/10), max(listRest, most))
}

// failed notes a list that served nobody.
func (l *lists) failed(now time.Duration) {
	l.underWay = false
	l.rest = min(max(listRest, 2*l.rest), listRestMax)
	l.until = now + l.rest
}

// linkIndexes makes a ring of the entries with indexes of each collection.
func linkIndexes(entries []entry) {
	last := make(map[string]int32)
	for i := range entries {
		e := &entries[i]
		if e.state.target.kind != KindIndexBuilding {
			continue
		}
		if before, found := last[e.state.target.collection]; found {
			e.sibling, entries[before].sibling = entries[before].sibling, int32(i)
		}
		last[e.state.target.collection] = int32(i)
	}
}

// listable reports whether a list can serve the next poll of e, which is due then.
func (s *scheduler) listable(e *entry, at time.Duration) bool {
	return s.lister != nil && !s.lists.unsupported && at >= e.unlisted && !e.alone && e.state.target.kind == KindLoading && e.state.target.partitions == "" && !s.cfg.refresh
}

// job takes e, which is next, and whatever one poll can serve besides, out of the
// heaps.
func (s *scheduler) job(e *entry, now time.Duration) job {
	if len(s.loads) > 0 && e == s.loads[0].e {
		if until := now + s.lists.window(now); s.loads.several(until) && !s.lists.resting(now) {
			served := s.loads.takeUntil(until)
			s.lists.begin()
			return job{kind: listLoads, served: served, timeout: s.lists.timeout(len(served), s.cfg.maxPollTimeout)}
		}
		s.loads.remove(0)
		return job{one: e}
	}
	s.others.remove(0)
	e.alone = false
	j := job{one: e}
	if s.lists.indexesUnsupported {
		return j
	}
	for sibling := &s.entries[e.sibling]; sibling != e; sibling = &s.entries[sibling.sibling] {
		if sibling.pos < 0 || s.lists.own && s.others[sibling.pos].at > now {
			continue
		}
		if j.kind == pollOne {
			j.kind, j.served = listIndexes, []*entry{e}
		}
		s.others.remove(int(sibling.pos))
		j.served = append(j.served, sibling)
	}
	return j
}

// several reports whether two or more are due until then.
func (h dueHeap) several(until time.Duration) bool {
	for _, d := range h[min(1, len(h)):min(5, len(h))] {
		if d.at <= until {
			return true
		}
	}
	return false
}

// takeUntil removes what is due until then.
func (h *dueHeap) takeUntil(until time.Duration) []*entry {
	n := 0
	for _, d := range *h {
		if d.at <= until {
			n++
		}
	}
	taken, rest := make([]*entry, 0, n), (*h)[:0]
	for _, d := range *h {
		if d.at <= until {
			d.e.pos = -1
			taken = append(taken, d.e)
		} else {
			rest = append(rest, d)
		}
	}
	*h = rest
	for i := len(rest) - 1; i >= 0; i-- {
		rest.down(i)
	}
	return taken
}

// takeLoads takes a list of loads.
func (s *scheduler) takeLoads(now time.Duration, r result) {
	if r.answer.err != nil {
		s.listFailed(now, r)
		return
	}
	missing := 0
	for _, e := range r.job.served {
		p, found := r.loads[e.state.target.collection]
		switch {
		case !found:
			missing++
			e.miss(now)
			s.ask(e, now)
		case e.state.wantsCheckAfterList(now, p):
			s.ask(e, now) // the list cannot tell whether 0 % is a beginning
		default:
			e.misses = 0
			s.observe(e, now, answer{progress: p, took: r.answer.took, listed: true})
		}
	}
	s.lists.done(now, r.answer.took, len(r.job.served)-missing)
}

// listFailed falls back to single polls, for the rest of the wait if the Poller has no
// lists.
func (s *scheduler) listFailed(now time.Duration, r result) {
	s.lists.failed(now)
	s.lists.unsupported = errors.Is(r.answer.err, errors.ErrUnsupported)
	for _, e := range r.job.served {
		if s.over != nil || s.ended(now) {
			s.observe(e, now, r.answer)
			continue
		}
		e.state.noteListFailure(now, r.answer)
		s.ask(e, now)
	}
}

// miss notes that a list has not got e, an alias or what nobody has loaded yet: it
// goes by its own pace for a while, and not by that of the lists.
func (e *entry) miss(now time.Duration) {
	e.unlisted = now + min(listRest<<e.misses, listRestMax)
	e.misses = min(e.misses+1, 6)
}

// ask makes e due at once, for a poll of its own.
func (s *scheduler) ask(e *entry, now time.Duration) {
	e.alone = true
	s.push(e, now)
}

// unsupported reports whether no answer of an index list came, because the Poller has no
// such lists.
func unsupported(answers []answer) bool {
	return !slices.ContainsFunc(answers, func(a answer) bool { return !errors.Is(a.err, errors.ErrUnsupported) })
}

// indexListUnsupported falls back to single polls for the rest of the wait.
func (s *scheduler) indexListUnsupported(now time.Duration, r result) {
	s.lists.indexesUnsupported = true
	for i, e := range r.job.served {
		if s.over != nil || s.ended(now) {
			s.observe(e, now, r.answers[i])
			continue
		}
		e.state.noteListFailure(now, r.answers[i])
		s.push(e, now)
	}
}
