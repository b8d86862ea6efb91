package milvuswait

import (
	"errors"
	"slices"
	"time"
)

const (
	// listEvery is the least time between two lists: a lateness that nobody minds.
	listEvery = minLateness

	// listPause is how long lists are left off after one that failed or served
	// nobody; it doubles up to maxListPause.
	listPause    = time.Second
	maxListPause = time.Minute
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
	customBackoff bool          // the caller's generators pace the polls
	blockedUntil  time.Duration // none before, since they are of no use
	pause         time.Duration
	lastTook      time.Duration // the last one that was answered

	inFlight bool

	unsupported        bool // the Poller has no lists of loads
	indexesUnsupported bool // it has no lists of indexes
}

// window returns how much later than what is due now a list serves: the delays of
// the default pace, so that all loads that go by it fall into step, and the time
// that a list takes, so that nobody who becomes due meanwhile begins another.
// Delays of the caller's own are left as they are.
func (l *lists) window(now time.Duration) time.Duration {
	if l.customBackoff {
		return 0
	}
	return max(minLateness, now/50, l.lastTook)
}

// blocked reports whether no list may begin. What becomes due while one is under
// way, such as after a single poll that took long, is polled alone.
func (l *lists) blocked(now time.Duration) bool { return l.inFlight || now < l.blockedUntil }

// begin notes a list that is made, to which answered or suspend belongs.
func (l *lists) begin() { l.inFlight = true }

// answered notes a list that was answered and served so many.
func (l *lists) answered(now, took time.Duration, served int) {
	l.inFlight, l.lastTook = false, took
	if served == 0 {
		l.suspend(now)
		return
	}
	l.pause = 0
}

// timeout is how long a list that serves so many may take: it only saves polls,
// and must not hold them up. A tenth of the time that the budget has for those is
// little beside it. On a large server one takes its time, and is given more the
// next time, up to the most that a poll is.
func (l *lists) timeout(served int, most time.Duration) time.Duration {
	saved := time.Duration(served) * time.Second / pollsPerSecond
	return min(max(listPause, 2*l.pause, 2*l.lastTook, saved/10), max(listPause, most))
}

// suspend notes a list that served nobody.
func (l *lists) suspend(now time.Duration) {
	l.inFlight = false
	l.pause = min(max(listPause, 2*l.pause), maxListPause)
	l.blockedUntil = now + l.pause
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
			e.nextIndex, entries[before].nextIndex = entries[before].nextIndex, int32(i)
		}
		last[e.state.target.collection] = int32(i)
	}
}

// listable reports whether a list can serve the next poll of e, which is due then.
func (s *scheduler) listable(e *entry, at time.Duration) bool {
	return s.lister != nil && !s.lists.unsupported && at >= e.noListBefore && !e.pollIndividually && e.state.target.kind == KindLoading && e.state.target.partitions == "" && !s.cfg.refresh
}

// nextJob takes e, which is next, and whatever one poll can serve besides, out of the
// heaps.
func (s *scheduler) nextJob(e *entry, now time.Duration) job {
	if len(s.loads) > 0 && e == s.loads[0].e {
		if until := now + s.lists.window(now); s.loads.several(until) && !s.lists.blocked(now) {
			served := s.loads.removeUntil(until)
			s.lists.begin()
			return job{kind: listLoads, served: served, timeout: s.lists.timeout(len(served), s.cfg.maxPollTimeout)}
		}
		s.loads.remove(0)
		return job{one: e}
	}
	s.others.remove(0)
	e.pollIndividually = false
	j := job{one: e}
	if s.lists.indexesUnsupported {
		return j
	}
	for other := &s.entries[e.nextIndex]; other != e; other = &s.entries[other.nextIndex] {
		if other.pos < 0 || s.lists.customBackoff && s.others[other.pos].at > now {
			continue
		}
		if j.kind == pollOne {
			j.kind, j.served = listIndexes, []*entry{e}
		}
		s.others.remove(int(other.pos))
		j.served = append(j.served, other)
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

// removeUntil removes what is due until then.
func (h *dueHeap) removeUntil(until time.Duration) []*entry {
	n := 0
	for _, d := range *h {
		if d.at <= until {
			n++
		}
	}
	removed, later := make([]*entry, 0, n), (*h)[:0]
	for _, d := range *h {
		if d.at <= until {
			d.e.pos = -1
			removed = append(removed, d.e)
		} else {
			later = append(later, d)
		}
	}
	*h = later
	for i := len(later) - 1; i >= 0; i-- {
		later.down(i)
	}
	return removed
}

// handleLoads handles a list of loads.
func (s *scheduler) handleLoads(now time.Duration, r result) {
	if r.answer.err != nil {
		s.handleListFailure(now, r)
		return
	}
	missing := 0
	for _, e := range r.job.served {
		p, found := r.loads[e.state.target.collection]
		switch {
		case !found:
			missing++
			e.excludeFromLists(now)
			s.pollAlone(e, now)
		case e.state.wantsCheckAfterList(now, p):
			s.pollAlone(e, now) // the list cannot tell whether 0 % is a beginning
		default:
			e.misses = 0
			s.handleAnswer(e, now, answer{progress: p, took: r.answer.took, listed: true})
		}
	}
	s.lists.answered(now, r.answer.took, len(r.job.served)-missing)
}

// handleListFailure falls back to single polls, for the rest of the wait if the Poller has no
// lists.
func (s *scheduler) handleListFailure(now time.Duration, r result) {
	s.lists.suspend(now)
	s.lists.unsupported = errors.Is(r.answer.err, errors.ErrUnsupported)
	for _, e := range r.job.served {
		if s.stopCause != nil || s.ended(now) {
			s.handleAnswer(e, now, r.answer)
			continue
		}
		e.state.noteListFailure(now, r.answer)
		s.pollAlone(e, now)
	}
}

// excludeFromLists notes that a list has not got e, an alias or what nobody has loaded yet: it
// goes by its own pace for a while, and not by that of the lists.
func (e *entry) excludeFromLists(now time.Duration) {
	e.noListBefore = now + min(listPause<<e.misses, maxListPause)
	e.misses = min(e.misses+1, 6)
}

// pollAlone makes e due at once, for a poll of its own.
func (s *scheduler) pollAlone(e *entry, now time.Duration) {
	e.pollIndividually = true
	s.push(e, now)
}

// unsupported reports whether no answer of an index list came, because the Poller has no
// such lists.
func unsupported(answers []answer) bool {
	return !slices.ContainsFunc(answers, func(a answer) bool { return !errors.Is(a.err, errors.ErrUnsupported) })
}

// handleNoIndexLists falls back to single polls for the rest of the wait.
func (s *scheduler) handleNoIndexLists(now time.Duration, r result) {
	s.lists.indexesUnsupported = true
	for i, e := range r.job.served {
		if s.stopCause != nil || s.ended(now) {
			s.handleAnswer(e, now, r.answers[i])
			continue
		}
		e.state.noteListFailure(now, r.answers[i])
		s.push(e, now)
	}
}
