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

// takeUntil removes what is due until then.
func (h *dueHeap) takeUntil(until time.Duration) []*entry {
	var taken []*entry
	rest := (*h)[:0]
	for _, d := range *h {
		if d.at <= until {
			d.e.pos = -1
			taken = append(taken, d.e)
		} else {
			rest = append(rest, d)
		}
	}
	*h = rest
	for i, d := range rest {
		d.e.pos = int32(i)
	}
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
		return job{served: e.self[:]}
	}
	s.others.remove(0)
	e.alone = false
	j := job{served: e.self[:]}
	for _, sibling := range s.groups[e.core.target.collection] {
		if e.core.target.kind != KindIndexBuilding || sibling.pos < 0 {
			continue
		}
		if !s.lists.own || s.others[sibling.pos].at <= now {
			s.others.remove(int(sibling.pos))
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
	own   bool          // the caller's generators pace the polls
	until time.Duration // none before, since they are of no use
	rest  time.Duration
}

// window returns how much later than what is due now a list serves: the delays of
// the default pace, so that all loads that go by it fall into step. Delays of the
// caller's own are left as they are.
func (l *lists) window(now time.Duration) time.Duration {
	if l.own {
		return 0
	}
	return max(knee, now/50)
}

func (l *lists) resting(now time.Duration) bool { return now < l.until }

// done notes a list that served so many.
func (l *lists) done(now time.Duration, served int) {
	if served == 0 {
		l.failed(now)
		return
	}
	l.rest = 0
}

// timeout is how long a list may take: it only saves polls, and must not hold
// them up. One that takes its time on a large server is given more the next time.
func (l *lists) timeout() time.Duration { return max(listRest, 2*l.rest) }

// failed notes a list that served nobody.
func (l *lists) failed(now time.Duration) {
	l.rest = min(max(listRest, 2*l.rest), listRestMax)
	l.until = now + l.rest
}
