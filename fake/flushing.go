package fake

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
)

// hiddenSegment is the number of the segment with the rows of an index before the time of
// VisibleAfter. Tests with small numbers in their flush marks do not meet it.
const hiddenSegment = 1 << 50

// FlushDone implements milvuswait.FlushPoller. A flush without a script is done, as on real
// servers for segments that they do not know.
func (p *Poller) FlushDone(ctx context.Context, collection string, mark milvuswait.FlushMark) (bool, error) {
	progress, err := poll(ctx, p, milvuswait.Flushing(collection, mark), findFlush,
		answerOr(milvuswait.FlushProgress{Flushed: true}))
	return progress.Flushed, err
}

// UnflushedSegments implements milvuswait.SegmentLister. It returns the segments of the
// flush marks whose scripts are not flushed yet, sorted, and one segment more while the
// script of an index is before the time of [BuildCurve.VisibleAfter].
//
// It takes a turn of the script of every flush of the collection, as FlushDone does, with
// their errors and delays. It does not count as a poll of the scripts of indexes.
func (p *Poller) UnflushedSegments(ctx context.Context, name string) ([]int64, error) {
	var indexes []turn
	find := func(c collection, target milvuswait.Target) ([]*role, error) {
		if c == nil {
			return nil, collectionNotFound(target)
		}
		indexes = c.peekIndexes(time.Now())
		return c.flushes(), nil
	}

	var segments []int64
	join := func(turns []turn, answers []milvuswait.FlushProgress) milvuswait.FlushProgress {
		for i, t := range turns {
			if mark, _ := t.target.FlushMark(); !answers[i].Flushed {
				segments = append(segments, mark.Segments...)
			}
		}
		if slices.ContainsFunc(indexes, func(t turn) bool { return t.Unflushed() }) {
			segments = append(segments, hiddenSegment)
		}
		return milvuswait.FlushProgress{Flushed: len(segments) == 0}
	}

	_, err := ask(ctx, p, milvuswait.Flushing(name, milvuswait.FlushMark{}), false, find, join)
	slices.Sort(segments)
	return slices.Compact(segments), err
}

// findFlush returns the role of the flush, or none. The collection must exist.
func findFlush(c collection, target milvuswait.Target) ([]*role, error) {
	if c == nil {
		return nil, collectionNotFound(target)
	}
	return findOneOrNone(c, target)
}

// flushes returns the roles of all flushes of c, by their marks.
func (c collection) flushes() []*role {
	var roles []*role
	for target, r := range c {
		if target.Kind() == milvuswait.KindFlushing && r != nil {
			roles = append(roles, r)
		}
	}
	slices.SortFunc(roles, func(a, b *role) int {
		one, _ := a.target.FlushMark()
		other, _ := b.target.FlushMark()
		return cmp.Or(cmp.Compare(one.Timestamp, other.Timestamp), slices.Compare(one.Segments, other.Segments))
	})
	return roles
}

// FlushOver returns the script of a flush that is done after d.
//
// It panics if d is negative.
func FlushOver(d time.Duration) Script {
	mustNotBeNegative("FlushOver", d)
	return ScriptFunc(func(_ int, elapsed time.Duration) Step {
		return Step{Progress: milvuswait.FlushProgress{Flushed: elapsed >= d}}
	})
}
