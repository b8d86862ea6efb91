package milvuswait

import (
	"slices"
	"time"
)

const (
	// minListInterval is the minimum delay after a list: the lateness that the default
	// pace allows in the shortest wait.
	minListInterval = minLateness

	// listPause is the pause after a list that failed or covered no entry. It doubles up
	// to maxListPause. It is also the minimum timeout of a list.
	listPause    = time.Second
	maxListPause = time.Minute

	// maxMisses keeps listPause<<misses from overflowing: it exceeds maxListPause.
	maxMisses = 6
)

// job is one call to the Poller. It covers one entry, or several by a list. From the
// send on the channel of jobs to the receive of its result, a job owns its entries.
type job struct {
	kind    jobKind
	one     *entry        // the entry of pollOne and verifyOne
	covered []*entry      // the entries of a list
	timeout time.Duration // timeout of the call
}

type jobKind int8

const (
	pollOne jobKind = iota
	listLoads
	listIndexes
	verifyOne
)

// result is the outcome of a job.
type result struct {
	job     job
	answer  answer                     // answer of pollOne and verifyOne; for listLoads, error and duration of the call
	loads   map[string]LoadingProgress // answer of listLoads, by collection
	answers []answer                   // answers of listIndexes, one for each covered entry
	end     time.Duration              // time of arrival
	panic   *pollerPanic
}

// batcher decides when one call covers several entries. A list of loads is worth its
// call if it covers two entries, but it must never delay an entry: a failed list
// leaves its entries to individual polls, and its timeout is short.
type batcher struct {
	loadLists     bool // the Poller can list loads, and the options allow it
	indexLists    bool // the Poller can list indexes
	customBackoff bool // the caller's generators set the delays: lists keep to them

	// The state of lists of loads. Lists of indexes need none: they cost the server no
	// more than a poll of one index.
	inFlight     bool          // one list at a time
	blockedUntil time.Duration // no list before this time
	pause        time.Duration // the last pause; 0 after a list that covered an entry
	lastTook     time.Duration // duration of the last list that was answered

	// segments holds the newest state of the segments of each collection with several
	// indexes. Their entries get a copy with each poll.
	segments map[string]*segmentCheck
}

func newBatcher(p pollMaker, c *config) batcher {
	return batcher{
		// Lists do not report refreshes.
		loadLists:     p.lister != nil && !c.refresh,
		indexLists:    p.indexLister != nil,
		customBackoff: c.backoffFunc != nil,
		segments:      map[string]*segmentCheck{},
	}
}

// canList reports whether a list of loads can cover the next poll of e, due at the given
// time. If so, e waits in the heap of loads.
func (b *batcher) canList(e *entry, at time.Duration) bool {
	return b.loadLists && at >= e.noListBefore && !e.pollIndividually && e.state.list() == listLoads
}

// window returns how far ahead of time a list covers loads. It is the largest delay of
// the default pace in the first minutes, so that all loads fall into step, or the duration
// of a list if this is longer, so that loads due during one list do not need another.
// Custom delays are never shortened.
func (b *batcher) window(now time.Duration) time.Duration {
	if b.customBackoff {
		return 0
	}
	return max(minLateness, now/50, b.lastTook)
}

// list returns the kind of job that can cover polls of s and others.
func (s *waitState) list() jobKind { return s.kind.list(s.target) }

// blocked reports whether no list may start. Loads that become due while a list is in
// flight, after a long individual poll for instance, are polled individually.
func (b *batcher) blocked(now time.Duration) bool { return b.inFlight || now < b.blockedUntil }

// begin records the start of a list. Either finish or suspend follows.
func (b *batcher) begin() { b.inFlight = true }

// finish records a list that was answered and covered so many entries.
func (b *batcher) finish(now, took time.Duration, covered int) {
	b.inFlight, b.lastTook = false, took

	if covered == 0 {
		b.suspend(now)
		return
	}
	b.pause = 0
}

// suspend records a list without any entry, or a failed one, and blocks lists for a while:
// a second, doubled with each such list in a row, up to a minute.
func (b *batcher) suspend(now time.Duration) {
	b.inFlight = false
	b.pause = min(max(listPause, 2*b.pause), maxListPause)
	b.blockedUntil = now + b.pause
}

// timeout returns the timeout of a list that covers so many entries: at least a tenth of
// the time that throttle needs for as many polls, so that a failed list delays them
// little. A large server needs longer: a failed list doubles the timeout of the next one,
// up to the maximum timeout of a poll.
func (b *batcher) timeout(covered int, maximum time.Duration) time.Duration {
	saved := time.Duration(covered) * time.Second / pollsPerSecond
	return min(max(listPause, 2*b.pause, 2*b.lastTook, saved/10), max(listPause, maximum))
}

// linkIndexes links the entries with indexes of the same collection in a ring, each by
// the position of the next one. So nextIndexJob finds them by four bytes per entry, and
// the map does not outlive this function.
func linkIndexes(entries []entry) {
	last := make(map[string]int32) // the entry linked last, by collection
	for i := range entries {
		e := &entries[i]
		if e.state.list() != listIndexes {
			continue
		}

		if before, found := last[e.state.target.collection]; found {
			e.nextIndex, entries[before].nextIndex = entries[before].nextIndex, int32(i)
		}
		last[e.state.target.collection] = int32(i)
	}
}

// nextJob takes first, the first entry of the queue, out of it, with all entries the same
// call can cover.
func (s *scheduler) nextJob(first *entry, now time.Duration) job {
	if len(s.queue.loads) > 0 && first == s.queue.loads[0].e {
		return s.nextLoadJob(first, now)
	}
	return s.nextIndexJob(first, now)
}

// nextLoadJob takes first out of the heap of loads: with other loads for a list if two or
// more are due and lists are not blocked, otherwise alone. Loads may wait there from
// before the Poller returned that it does not support lists.
func (s *scheduler) nextLoadJob(first *entry, now time.Duration) job {
	until := now + s.batcher.window(now)
	if !s.batcher.loadLists || !s.queue.loads.severalUntil(until) || s.batcher.blocked(now) {
		s.queue.loads.remove(0)
		return job{one: first}
	}

	covered := s.queue.loads.removeUntil(until)
	s.batcher.begin()
	return job{kind: listLoads, covered: covered}
}

// nextIndexJob takes first out of the heap of other entries. If it is an index, all
// queued indexes of its collection join it, whenever they are due: one more index costs
// the server nothing. Only custom delays are not shortened.
func (s *scheduler) nextIndexJob(first *entry, now time.Duration) job {
	q := &s.queue.others
	q.remove(0)
	if first.verifying {
		return job{kind: verifyOne, one: first}
	}

	j := job{one: first}
	s.loadSegments(first, now)
	if !s.batcher.indexLists || first.pollIndividually {
		first.pollIndividually = false
		return j
	}

	entries := s.targets.entries
	for e := &entries[first.nextIndex]; e != first; e = &entries[e.nextIndex] {
		// Reading pos is allowed for entries in flight too: no worker writes it.
		if e.pos < 0 || e.pollIndividually || e.verifying || s.batcher.customBackoff && (*q)[e.pos].at > now {
			continue
		}

		if j.kind == pollOne {
			j.kind, j.covered = listIndexes, []*entry{first}
		}
		s.loadSegments(e, now)
		q.remove(int(e.pos))
		j.covered = append(j.covered, e)
	}
	return j
}

// loadSegments gives an index the newest state of the segments of its collection. If it waits
// for them, a change that another index has found is progress of its own. The entry must not
// be in flight.
func (s *scheduler) loadSegments(e *entry, now time.Duration) {
	if !s.sharesSegments(e) {
		return
	}

	newest, b := s.batcher.segments[e.state.target.collection], &e.state.indexBuilding
	switch {
	case newest == nil:
	case b.flushing:
		e.state.setSegments(now, newest)
	default:
		b.segments = newest
	}
}

// shareSegments keeps the state of the segments that e has, for the other indexes of its
// collection. loadSegments has run before the answer of e was added to it.
func (s *scheduler) shareSegments(e *entry) {
	if newest := e.state.indexBuilding.segments; newest != nil && s.sharesSegments(e) {
		s.batcher.segments[e.state.target.collection] = newest
	}
}

// sharesSegments reports whether e is one of several indexes of its collection.
func (s *scheduler) sharesSegments(e *entry) bool { return &s.targets.entries[e.nextIndex] != e }

// severalUntil reports whether two or more entries are due by the given time. The second
// entry is always a child of the first: to look at the children is enough.
func (h dueHeap) severalUntil(until time.Duration) bool {
	for _, d := range h[min(1, len(h)):min(1+heapArity, len(h))] {
		if d.at <= until {
			return true
		}
	}
	return false
}

// removeUntil removes and returns the entries due by the given time. A list takes most of
// the heap: one pass over all is cheaper than to remove each.
func (h *dueHeap) removeUntil(until time.Duration) []*entry {
	// Count first: the slice for 100 000 entries is allocated once, in the right size.
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

	// Restore the order of the heap, from the last parent to the top.
	*h = later
	for i := len(later) - 1; i >= 0; i-- {
		later.down(i)
	}
	return removed
}

// handleLoads passes a list of loads to the entries it covers. Each of them is queued
// again or ended here: nothing else holds them now.
func (s *scheduler) handleLoads(now time.Duration, r result) {
	if r.answer.err != nil {
		s.handleListFailure(now, r)
		return
	}

	missing := 0
	for _, e := range r.job.covered {
		p, found := r.loads[e.state.target.collection]
		switch {
		case !found:
			// A missing load is not an error: an individual poll follows.
			missing++
			e.excludeFromLists(now)
			s.pollAlone(e, now)
		case e.state.wantsCheckAfterList(now, p):
			// An individual poll checks the state too; a list cannot.
			s.pollAlone(e, now)
		default:
			e.misses = 0
			s.handleAnswer(e, now, answer{progress: p, took: r.answer.took, listed: true})
		}
	}
	s.batcher.finish(now, r.answer.took, len(r.job.covered)-missing)
}

// handleListFailure falls back to individual polls, for the rest of the wait if the
// Poller does not support lists. A failed list decides nothing about its entries, since
// a list may be refused where individual polls are allowed.
func (s *scheduler) handleListFailure(now time.Duration, r result) {
	s.batcher.suspend(now)
	if isUnsupported(r.answer.err) {
		s.batcher.loadLists = false
	}

	if s.stopCause == nil && !s.ended(now) && !isUnsupported(r.answer.err) {
		s.health.add(now, r.answer)
	}
	for _, e := range r.job.covered {
		s.pollAloneAfterFailure(e, now, r.answer)
	}
}

// handleIndexes passes a list of indexes to the entries it covers. If the Poller does not
// support such lists, it falls back to individual polls for the rest of the wait.
func (s *scheduler) handleIndexes(now time.Duration, r result) {
	supported := slices.ContainsFunc(r.answers, func(a answer) bool { return a.progress != nil || !isUnsupported(a.err) })
	if supported {
		for i, e := range r.job.covered {
			s.handleAnswer(e, now, r.answers[i])
		}
		return
	}

	s.batcher.indexLists = false
	for i, e := range r.job.covered {
		s.pollAloneAfterFailure(e, now, r.answers[i])
	}
}

// pollAloneAfterFailure queues an individual poll of e, covered by a list that failed. If
// the whole wait is over, no poll can follow, and the answer of the list ends e. A list
// that the Poller does not support was no poll.
func (s *scheduler) pollAloneAfterFailure(e *entry, now time.Duration, a answer) {
	if s.stopCause != nil || s.ended(now) {
		s.handleAnswer(e, now, a)
		return
	}
	if !isUnsupported(a.err) {
		e.state.noteListFailure(now, a)
	}
	s.pollAlone(e, now)
}

// excludeFromLists keeps e out of lists for a while: the last one did not contain it. It
// is an alias, or not loading yet, and follows its own pace instead of the lists'.
func (e *entry) excludeFromLists(now time.Duration) {
	e.noListBefore = now + min(listPause<<e.misses, maxListPause)
	e.misses = min(e.misses+1, maxMisses)
}

// pollAlone queues an individual poll of e for now. Other entries due already
// have a smaller seq or an earlier time, and go first.
func (s *scheduler) pollAlone(e *entry, now time.Duration) {
	e.pollIndividually = true
	s.enqueue(e, now)
}
