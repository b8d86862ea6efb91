package pollertest

import (
	"context"
	"slices"
)

// unflushed returns a call to UnflushedSegments as a question. Its value is sorted, and nil
// if there are no segments: their order has no meaning.
func (b *indexBuilding) unflushed(collection string) question {
	lister := b.segments
	return newQuestion("UnflushedSegments", []string{collection}, func(ctx context.Context) ([]int64, error) {
		segments, err := lister.UnflushedSegments(ctx, collection)
		return slices.Sorted(slices.Values(segments)), err
	})
}

// checkSegments compares the lists of segments with World, in which nothing is being
// flushed. A failure that is read as an empty list makes waits end early.
func (b *indexBuilding) checkSegments() {
	q := b.unflushed(b.world.Collection)
	a, ok := b.ask(q)

	switch {
	case !ok:
	case b.unsupported(q, a):
		b.segments = nil
		return
	case a.err != nil:
		b.defect("%v returned %v for a collection that is there: return its segments", q, a)
	case len(a.value.([]int64)) > 0:
		b.defect("%v returned %v where nothing is being flushed: list only segments that are sealed or flushing; a wait goes on until none of them is listed", q, a)
	}

	q = b.unflushed(missing)
	if a, ok := b.ask(q); ok && a.err == nil {
		b.defect("%v returned %v and no error for a collection that does not exist: a wait takes that for flushed; return the error", q, a)
	}
	b.ask(b.unflushed(""))
}
