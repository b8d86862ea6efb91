package milvuswait

import (
	"container/heap"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"
)

// The pace has at most 88 bytes for each target, because a call may have 100 000 of them.
// Otherwise the constant is negative, and does not compile.
const _ = 88 - unsafe.Sizeof(pace{})

// valueHeap is dueHeap by container/heap. Push allocates, since it boxes each item.
type valueHeap []dueEntry

func (h valueHeap) Len() int           { return len(h) }
func (h valueHeap) Less(i, j int) bool { return h[i].before(h[j]) }
func (h valueHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].e.pos, h[j].e.pos = int32(i), int32(j)
}
func (h *valueHeap) Push(x any) {
	d := x.(dueEntry)
	d.e.pos = int32(len(*h))
	*h = append(*h, d)
}
func (h *valueHeap) Pop() any {
	old := *h
	d := old[len(old)-1]
	d.e.pos = -1
	*h = old[:len(old)-1]
	return d
}

// pointerHeap is dueHeap by container/heap as in client-go's delaying queue: pointers
// to items, so that Push does not allocate.
type pointerHeap []*dueEntry

func (h pointerHeap) Len() int           { return len(h) }
func (h pointerHeap) Less(i, j int) bool { return h[i].before(*h[j]) }
func (h pointerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].e.pos, h[j].e.pos = int32(i), int32(j)
}
func (h *pointerHeap) Push(x any) {
	d := x.(*dueEntry)
	d.e.pos = int32(len(*h))
	*h = append(*h, d)
}
func (h *pointerHeap) Pop() any {
	old := *h
	d := old[len(old)-1]
	d.e.pos = -1
	*h = old[:len(old)-1]
	return d
}

// BenchmarkHeap compares dueHeap with two heaps by container/heap at 100 000 entries. One
// operation removes the entry that is due first and adds it again for a later time, as a
// poll does. The three are measured in one run; heap.go keeps the figures.
func BenchmarkHeap(b *testing.B) {
	const n = 100_000
	delays := make([]time.Duration, 1<<12)
	for i := range delays {
		delays[i] = 4*time.Second + rand.N(time.Second) // default delays late in a wait
	}

	b.Run("4-ary", func(b *testing.B) {
		var h dueHeap
		entries := make([]entry, n)
		for i := range entries {
			h.add(dueEntry{0, int64(i), &entries[i]})
		}

		seq := int64(n)
		b.ReportAllocs()
		for b.Loop() {
			d := h[0]
			h.remove(0)
			seq++
			h.add(dueEntry{d.at + delays[seq%int64(len(delays))], seq, d.e})
		}
	})

	b.Run("container/heap of values", func(b *testing.B) {
		var h valueHeap
		entries := make([]entry, n)
		for i := range entries {
			heap.Push(&h, dueEntry{0, int64(i), &entries[i]})
		}

		seq := int64(n)
		b.ReportAllocs()
		for b.Loop() {
			d := h[0]
			heap.Remove(&h, 0)
			seq++
			heap.Push(&h, dueEntry{d.at + delays[seq%int64(len(delays))], seq, d.e})
		}
	})

	b.Run("container/heap of pointers", func(b *testing.B) {
		var h pointerHeap
		entries := make([]entry, n)
		items := make([]dueEntry, n)
		for i := range entries {
			items[i] = dueEntry{0, int64(i), &entries[i]}
			heap.Push(&h, &items[i])
		}

		seq := int64(n)
		b.ReportAllocs()
		for b.Loop() {
			d := heap.Pop(&h).(*dueEntry)
			seq++
			d.at, d.seq = d.at+delays[seq%int64(len(delays))], seq
			heap.Push(&h, d)
		}
	})
}
