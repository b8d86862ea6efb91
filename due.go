package milvuswait

import "time"

// due is when an entry is due; seq orders those that are due at the same time.
type due struct {
	at  time.Duration
	seq int64
	e   *entry
}

func (d due) before(other due) bool {
	return d.at < other.at || d.at == other.at && d.seq < other.seq
}

// dueHeap has what is due first on top. Parents have four children: the heap is
// half as deep as one of container/heap, which besides compares and swaps through
// an interface. At 100 000 targets that was a fifth of what a poll costs.
type dueHeap []due

func (h *dueHeap) add(d due) {
	*h = append(*h, d)
	h.up(len(*h) - 1)
}

func (h *dueHeap) remove(i int) {
	old := *h
	last := len(old) - 1
	removed := old[i].e
	*h = old[:last]
	if i < last {
		old[i] = old[last]
		h.down(i)
		h.up(i)
	}
	removed.pos = -1
}

// up moves what stands at i to where its parent is not due later.
func (h dueHeap) up(i int) {
	d := h[i]
	for i > 0 {
		parent := (i - 1) / 4
		if !d.before(h[parent]) {
			break
		}
		h.put(i, h[parent])
		i = parent
	}
	h.put(i, d)
}

// down moves what stands at i to where none of its children is due before it.
func (h dueHeap) down(i int) {
	d := h[i]
	for {
		first := 4*i + 1
		if first >= len(h) {
			break
		}
		least := first
		for child := first + 1; child < min(first+4, len(h)); child++ {
			if h[child].before(h[least]) {
				least = child
			}
		}
		if !h[least].before(d) {
			break
		}
		h.put(i, h[least])
		i = least
	}
	h.put(i, d)
}

func (h dueHeap) put(i int, d due) {
	h[i] = d
	d.e.pos = int32(i)
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

// push makes e due at a time.
func (s *scheduler) push(e *entry, at time.Duration) {
	s.seq++
	d := due{at, s.seq, e}
	if s.listable(e, at) {
		s.loads.add(d)
	} else {
		s.others.add(d)
	}
}

// listable reports whether a list can serve the next poll of e, which is due then.
func (s *scheduler) listable(e *entry, at time.Duration) bool {
	return s.lister != nil && !s.lists.unsupported && at >= e.unlisted && !e.alone && e.core.target.kind == KindLoading && e.core.target.partitions == "" && !s.cfg.refresh
}

// next returns what is due first; nothing is if its entry is nil.
func (s *scheduler) next() due {
	switch {
	case len(s.loads) == 0 && len(s.others) == 0:
		return due{}
	case len(s.loads) == 0:
		return s.others[0]
	case len(s.others) == 0 || s.loads[0].before(s.others[0]):
		return s.loads[0]
	}
	return s.others[0]
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
