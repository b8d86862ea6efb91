package milvuswait

import (
	"container/heap"
	"time"
)

const (
	// pollsPerSecond bounds what the targets of one call together ask of a server
	// once each has been polled; burst is how many polls may follow at once.
	pollsPerSecond = 4000
	burst          = 20

	// listEvery is the least time between two lists: a lateness that nobody minds.
	listEvery = knee

	// listRest is how long lists are left off after one that failed or served
	// nobody; it doubles up to listRestMax.
	listRest    = time.Second
	listRestMax = time.Minute
)

// dueHeap has the entry that is due first on top.
type dueHeap []*entry

func (h dueHeap) Len() int { return len(h) }

func (h dueHeap) Less(i, j int) bool { return before(h[i], h[j]) }

func (h dueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].pos, h[j].pos = int32(i), int32(j)
}

func (h *dueHeap) Push(x any) {
	e := x.(*entry)
	e.pos = int32(len(*h))
	*h = append(*h, e)
}

func (h *dueHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	e.pos = -1
	*h = old[:len(old)-1]
	return e
}

func before(a, b *entry) bool {
	return a.at < b.at || a.at == b.at && a.seq < b.seq
}

// several reports whether two or more are due until then.
func (h dueHeap) several(until time.Duration) bool {
	for _, e := range h[min(1, len(h)):min(3, len(h))] {
		if e.at <= until {
			return true
		}
	}
	return false
}

// push makes e due at a time.
func (s *scheduler) push(e *entry, at time.Duration) {
	s.seq++
	e.at, e.seq = at, s.seq
	if s.listable(e) {
		e.at = max(e.at, s.lists.next)
		heap.Push(&s.loads, e)
	} else {
		heap.Push(&s.others, e)
	}
}

// listable reports whether a list can serve the next poll of e.
func (s *scheduler) listable(e *entry) bool {
	return s.lister != nil && !e.alone && e.core.target.kind == KindLoading && e.core.target.partitions == "" && !s.cfg.refresh
}

// next returns the entry that is due first, nil if there is none.
func (s *scheduler) next() *entry {
	switch {
	case len(s.loads) == 0 && len(s.others) == 0:
		return nil
	case len(s.loads) == 0:
		return s.others[0]
	case len(s.others) == 0 || before(s.loads[0], s.others[0]):
		return s.loads[0]
	}
	return s.others[0]
}

// job takes e, which is next, and whatever one poll can serve besides, out of the
// heaps.
func (s *scheduler) job(e *entry, now time.Duration) job {
	if len(s.loads) > 0 && e == s.loads[0] {
		// Due together is what is due within the delays of the default pace: it is
		// served a little early, and from then on at the same time.
		if s.loads.several(now+max(knee, now/50)) && !s.lists.resting(now) {
			served := s.loads
			s.loads = nil
			for _, e := range served {
				e.pos = -1
			}
			return job{kind: listLoads, served: served}
		}
		heap.Pop(&s.loads)
		return job{served: e.self[:]}
	}
	heap.Pop(&s.others)
	e.alone = false
	j := job{served: e.self[:]}
	for _, sibling := range s.groups[e.core.target.collection] {
		if e.core.target.kind == KindIndexBuilding && sibling.pos >= 0 {
			heap.Remove(&s.others, int(sibling.pos))
			j.kind = listIndexes
			j.served = append(j.served, sibling)
		}
	}
	return j
}

// budget spreads polls over time: a bucket of tokens.
type budget struct {
	tokens float64
	at     time.Duration
}

// take returns 0 if a poll may be made now, and otherwise the time until some
// may.
func (b *budget) take(now time.Duration) time.Duration {
	b.tokens = min(burst, b.tokens+(now-b.at).Seconds()*pollsPerSecond)
	b.at = now
	if b.tokens >= 1 {
		b.tokens--
		return 0
	}
	return time.Millisecond
}

// lists decides when lists are worth their poll.
type lists struct {
	next  time.Duration // none before
	until time.Duration // none before, since they are of no use
	rest  time.Duration
}

func (l *lists) resting(now time.Duration) bool { return now < l.until }

// done notes a list that served so many.
func (l *lists) done(now time.Duration, served int) {
	if served == 0 {
		l.failed(now)
		return
	}
	l.next, l.rest = now+listEvery, 0
}

// failed notes a list that served nobody.
func (l *lists) failed(now time.Duration) {
	l.rest = min(max(listRest, 2*l.rest), listRestMax)
	l.until = now + l.rest
}
