package milvuswait

import (
	"time"
)

// dueEntry is when an entry is due; seq orders those that are due at the same time.
type dueEntry struct {
	at  time.Duration
	seq int64
	e   *entry
}

func (d dueEntry) before(other dueEntry) bool {
	return d.at < other.at || d.at == other.at && d.seq < other.seq
}

// dueHeap has what is due first on top. Parents have four children: the heap is
// half as deep as one of container/heap, which besides compares and swaps through
// an interface. At 100 000 targets that was a fifth of what a poll costs.
type dueHeap []dueEntry

func (h *dueHeap) add(d dueEntry) {
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
		earliest := first
		for child := first + 1; child < min(first+4, len(h)); child++ {
			if h[child].before(h[earliest]) {
				earliest = child
			}
		}
		if !h[earliest].before(d) {
			break
		}
		h.put(i, h[earliest])
		i = earliest
	}
	h.put(i, d)
}

func (h dueHeap) put(i int, d dueEntry) {
	h[i] = d
	d.e.pos = int32(i)
}
