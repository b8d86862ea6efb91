package pollertest

import (
	"cmp"
	"context"
	"strings"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/unwrap"
)

// indexBuilding checks polls of indexes. An optional interface is nil if the Poller lacks
// it, or if the server cannot answer it.
type indexBuilding struct {
	*checker
	lister   milvuswait.IndexLister
	segments milvuswait.SegmentLister
}

// newIndexBuilding returns nil for a milvuswait.PollerFuncs without IndexBuilding.
func newIndexBuilding(c *checker) kind {
	if f, ok := c.poller.(milvuswait.PollerFuncs); ok && f.IndexBuilding == nil {
		return nil
	}
	if c.world.Index == "" {
		c.skip("an index by its name (World.Index)")
	}

	b := &indexBuilding{checker: c}
	b.lister, _ = unwrap.Find[milvuswait.IndexLister](c.poller)
	b.segments, _ = unwrap.Find[milvuswait.SegmentLister](c.poller)
	return b
}

func (b *indexBuilding) poll() question { return b.build(b.world.Collection, b.world.Index) }

func (b *indexBuilding) optional() (questions []question) {
	if b.lister != nil {
		questions = append(questions, b.listBuilding(b.world.Collection, []string{b.world.Index}))
	}
	if b.segments != nil {
		questions = append(questions, b.unflushed(b.world.Collection))
	}
	return questions
}

func (b *indexBuilding) done() []question {
	w := b.world
	questions := []question{b.build(w.Collection, ""), b.build(w.Collection, milvuswait.AllIndexes)}
	if w.Index != "" {
		questions = append(questions, b.build(w.Collection, w.Index))
	}
	return questions
}

func (b *indexBuilding) refusals() []refusal {
	w := b.world
	refusals := []refusal{
		{b.build(missing, ""), milvuswait.ErrCollectionNotFound, "a collection that does not exist"},
		{b.build(missing, missing), milvuswait.ErrCollectionNotFound, "a collection that does not exist"},
		{b.build(missing, milvuswait.AllIndexes), milvuswait.ErrCollectionNotFound, "a collection that does not exist"},
		{b.build(w.Collection, missing), milvuswait.ErrIndexNotFound, "an index that does not exist"},
	}

	if w.NoIndex != "" {
		refusals = append(refusals,
			refusal{b.build(w.NoIndex, ""), milvuswait.ErrIndexNotFound, "a collection without an index"},
			refusal{b.build(w.NoIndex, missing), milvuswait.ErrIndexNotFound, "a collection without an index"},
			refusal{b.build(w.NoIndex, milvuswait.AllIndexes), milvuswait.ErrIndexNotFound, "a collection without an index"})
	}
	if w.Several != "" {
		refusals = append(refusals,
			refusal{b.build(w.Several, ""), milvuswait.ErrAmbiguousIndex, "the only index of a collection that has several"},
			refusal{b.build(w.Several, missing), milvuswait.ErrIndexNotFound, "an index that does not exist"})
	}
	return refusals
}

// build returns a poll of an index as a question.
func (b *indexBuilding) build(collection, index string) question {
	return newQuestion("IndexBuildingProgress", []string{collection, index},
		func(ctx context.Context) (milvuswait.IndexBuildingProgress, error) {
			return b.poller.IndexBuildingProgress(ctx, collection, index)
		})
}

func (b *indexBuilding) checkAnswers() {
	for _, q := range b.done() {
		answered(b.checker, q, b.complete)
	}

	if b.world.Several == "" {
		b.skip("a collection with several indexes (World.Several)")
		return
	}
	b.checkSeveral()
}

// complete records a defect if p, the progress of a complete index, is out of range, not
// complete, or has another number of rows than World.
func (b *indexBuilding) complete(q question, p milvuswait.IndexBuildingProgress) {
	switch {
	case !b.sane(q, p):
	case !p.Complete():
		b.defect("%v returned %v for an index that is built, which is not Complete: a wait would never end; does it pass on the server's State, rows and pending rows?", q, p)
	case b.world.Rows > 0 && p.TotalRows != b.world.Rows:
		b.defect("%v returned %v for an index over %d rows: a wait WithExpectedRows needs to know them", q, p, b.world.Rows)
	}
}

// sane reports whether the numbers in p are within range, and records a defect otherwise.
func (b *indexBuilding) sane(q question, p milvuswait.IndexBuildingProgress) bool {
	rule := ""
	switch {
	case p.TotalRows < 0 || p.IndexedRows < 0 || p.PendingIndexRows < 0:
		rule = "no number of rows is negative"
	case p.PendingIndexRows > p.TotalRows:
		rule = "no more rows are pending than there are"
	case p.State < milvuswait.IndexStateNone || p.State > milvuswait.IndexStateRetry:
		rule = "State has the numbers of common.proto"
	}
	return b.within(q, p, rule)
}

// checkSeveral compares AllIndexes with polls of each index: it must be complete if and
// only if all of them are.
func (b *indexBuilding) checkSeveral() {
	complete := true
	for _, index := range b.world.Indexes {
		p, ok := b.progress(b.build(b.world.Several, index), " for an index that is there: return its progress")
		if !ok {
			return
		}
		complete = complete && p.Complete()
	}

	q := b.build(b.world.Several, milvuswait.AllIndexes)
	p, ok := b.progress(q, ": AllIndexes is the progress of the one that is furthest behind")
	if ok && p.Complete() != complete {
		b.defect("%v returned %v with Complete %v, but Complete of all indexes together is %v: AllIndexes is the index furthest behind",
			q, p, p.Complete(), complete)
	}
}

// progress polls an existing index. It records a defect for an error, with the reason
// wrong, or for out-of-range numbers.
func (b *indexBuilding) progress(q question, wrong string) (p milvuswait.IndexBuildingProgress, ok bool) {
	a, ok := b.ask(q)
	switch {
	case !ok:
		return p, false
	case a.err != nil:
		b.defect("%v returned %v%s", q, a, wrong)
		return p, false
	}

	p = a.value.(milvuswait.IndexBuildingProgress)
	b.sane(q, p)
	return p, true
}

func (b *indexBuilding) checkRefusals() {
	b.checkRefused(b.refusals())
	if b.world.NoIndex == "" {
		b.skip("a collection without an index (World.NoIndex)")
	}
}

func (b *indexBuilding) checkArguments() { b.ask(b.build("", "")) }

// buildList is the value of ListIndexBuilding.
type buildList struct {
	progresses []milvuswait.IndexBuildingProgress
	errs       []error
}

func (l buildList) String() string {
	parts := make([]string, len(l.progresses))
	for i, p := range l.progresses {
		parts[i] = p.String()
	}
	return "[" + strings.Join(parts, "; ") + "]"
}

// listBuilding returns a call to ListIndexBuilding as a question. The call fails if one of
// the indexes does.
func (b *indexBuilding) listBuilding(collection string, indexes []string) question {
	lister := b.lister
	return newQuestion("ListIndexBuilding", append([]string{collection}, indexes...), func(ctx context.Context) (buildList, error) {
		progresses, errs := lister.ListIndexBuilding(ctx, collection, indexes)
		return buildList{progresses, errs}, cmp.Or(errs...)
	})
}

func (b *indexBuilding) checkOptional() {
	if b.lister != nil {
		b.checkLists()
	}
	if b.segments != nil {
		b.checkSegments()
	}
}

// checkLists compares lists of indexes with individual polls, for existing, missing,
// unnamed and repeated indexes.
func (b *indexBuilding) checkLists() {
	w := b.world
	q := b.listBuilding(w.Collection, []string{w.Index})
	if a, ok := b.ask(q); ok && b.unsupported(q, a) {
		b.lister = nil
		return
	}

	b.compareList(w.Collection, []string{w.Index, missing, "", milvuswait.AllIndexes, w.Index})
	b.compareList(missing, []string{missing, ""})
	b.compareList(w.Collection, nil)
	if w.Several != "" {
		b.compareList(w.Several, append([]string{"", milvuswait.AllIndexes}, w.Indexes...))
	}
	if w.NoIndex != "" {
		b.compareList(w.NoIndex, []string{"", missing})
	}
}

// compareList compares one list of indexes with an individual poll of each.
func (b *indexBuilding) compareList(collection string, indexes []string) {
	q := b.listBuilding(collection, indexes)
	a, ok := b.ask(q)
	if !ok {
		return
	}

	list := a.value.(buildList)
	if len(list.progresses) != len(indexes) || len(list.errs) != len(indexes) {
		b.defect("%v returned %d answers and %d errors for %d indexes: return one of each for each, in their order",
			q, len(list.progresses), len(list.errs), len(indexes))
		return
	}

	for i, index := range indexes {
		single, ok := b.ask(b.build(collection, index))
		if !ok {
			return
		}

		listed := answer{value: list.progresses[i], err: list.errs[i]}
		if !b.same(listed, single) {
			b.defect("%v returned %v for %q, and IndexBuildingProgress returns %v", q, listed, index, single)
		}
	}
}
