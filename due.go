package milvuswait

import (
	"container/heap"
	"time"
)

// due is when an entry is due; seq orders those that are due at the same time.
type due struct {
	at  time.Duration
	seq int64
	e   *entry
}

func (d due) before(other due) bool {
	return d.at < other.at || d.at == other.at && d.seq < other.seq
}

// dueHeap has what is due first on top. It is kept by heap.Fix alone: heap.Push
// and heap.Pop would box every element.
type dueHeap []due

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].before(h[j]) }
func (h dueHeap) Push(any)           { panic("not in use") }
func (h dueHeap) Pop() any           { panic("not in use") }

func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].e.pos, h[j].e.pos = int32(i), int32(j)
}

func (h *dueHeap) add(d due) {
	d.e.pos = int32(len(*h))
	*h = append(*h, d)
	heap.Fix(h, len(*h)-1)
}

func (h *dueHeap) remove(i int) {
	last := len(*h) - 1
	h.Swap(i, last)
	(*h)[last].e.pos = -1
	*h = (*h)[:last]
	if i < last {
		heap.Fix(h, i)
	}
}

// several reports whether two or more are due until then.
func (h dueHeap) several(until time.Duration) bool {
	for _, d := range h[min(1, len(h)):min(3, len(h))] {
		if d.at <= until {
			return true
		}
	}
	return false
}

// takeUntil removes what is due until then, and leaves positions as they are: it
// is for a heap that nothing else is removed from but its top.
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
			taken = append(taken, d.e)
		} else {
			rest = append(rest, d)
		}
	}
	*h = rest
	heap.Init(h)
	return taken
}

// push makes e due at a time.
func (s *scheduler) push(e *entry, at time.Duration) {
	s.seq++
	if s.listable(e, at) {
		s.loads.add(due{at, s.seq, e})
	} else {
		s.others.add(due{at, s.seq, e})
	}
}

// listable reports whether a list can serve the next poll of e, which is due then.
func (s *scheduler) listable(e *entry, at time.Duration) bool {
	return s.lister != nil && at >= e.unlisted && !e.alone && e.core.target.kind == KindLoading && e.core.target.partitions == "" && !s.cfg.refresh
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
			return job{kind: listLoads, served: s.loads.takeUntil(until), timeout: s.lists.timeout()}
		}
		s.loads.remove(0)
		return job{one: e}
	}
	s.others.remove(0)
	e.alone = false
	j := job{one: e}
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
