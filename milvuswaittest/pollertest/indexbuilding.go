package pollertest

import (
	"cmp"
	"context"
	"strings"

	"github.com/milvuswait/milvuswait"
)

// building returns a poll of an index as a question.
func (c *checker) building(collection, index string) question {
	return newQuestion("IndexBuildingProgress", []string{collection, index},
		func(ctx context.Context) (milvuswait.IndexBuildingProgress, error) {
			return c.poller.IndexBuildingProgress(ctx, collection, index)
		})
}

// progress polls an existing target. It records a defect for an error, with the reason
// wrong, or for out-of-range numbers.
func (c *checker) progress(q question, wrong string) (milvuswait.Progress, bool) {
	a, ok := c.ask(q)
	if !ok {
		return nil, false
	}

	if a.err != nil {
		c.defect("%v returned %v%s", q, a, wrong)
		return nil, false
	}

	p := a.value.(milvuswait.Progress)
	c.sane(q, p)
	return p, true
}

// checkSeveral compares AllIndexes with polls of each index: it must be complete if and
// only if all of them are.
func (c *checker) checkSeveral() {
	complete := true
	for _, index := range c.world.Indexes {
		p, ok := c.progress(c.building(c.world.Several, index), " for an index that is there: return its progress")
		if !ok {
			return
		}
		complete = complete && p.Complete()
	}

	q := c.building(c.world.Several, milvuswait.AllIndexes)
	p, ok := c.progress(q, ": AllIndexes is the progress of the one that is furthest behind")
	if ok && p.Complete() != complete {
		c.defect("%v returned %v, which is Complete: %v, where of all of them it is %v: AllIndexes is the one that is furthest behind",
			q, p, p.Complete(), complete)
	}
}

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
func (c *checker) listBuilding(lister milvuswait.IndexLister, collection string, indexes []string) question {
	return newQuestion("ListIndexBuilding", append([]string{collection}, indexes...), func(ctx context.Context) (buildList, error) {
		progresses, errs := lister.ListIndexBuilding(ctx, collection, indexes)
		return buildList{progresses, errs}, cmp.Or(errs...)
	})
}

// checkListIndexBuilding compares lists of indexes with individual polls, for existing,
// missing, unnamed and repeated indexes.
func (c *checker) checkListIndexBuilding() {
	lister := c.indexLister
	if lister == nil {
		return
	}

	w := c.world
	q := c.listBuilding(lister, w.Collection, []string{w.Index})
	if a, ok := c.ask(q); ok && c.unsupported(q, a) {
		c.indexLister = nil
		return
	}

	c.compareList(lister, w.Collection, []string{w.Index, missing, "", milvuswait.AllIndexes, w.Index})
	c.compareList(lister, missing, []string{missing, ""})
	c.compareList(lister, w.Collection, nil)
	if w.Several != "" {
		c.compareList(lister, w.Several, append([]string{"", milvuswait.AllIndexes}, w.Indexes...))
	}
	if w.NoIndex != "" {
		c.compareList(lister, w.NoIndex, []string{"", missing})
	}
}

// compareList compares one list of indexes with an individual poll of each.
func (c *checker) compareList(lister milvuswait.IndexLister, collection string, indexes []string) {
	q := c.listBuilding(lister, collection, indexes)
	a, ok := c.ask(q)
	if !ok {
		return
	}

	list := a.value.(buildList)
	if len(list.progresses) != len(indexes) || len(list.errs) != len(indexes) {
		c.defect("%v returned %d answers and %d errors for %d indexes: return one of each for each, in their order",
			q, len(list.progresses), len(list.errs), len(indexes))
		return
	}

	for i, index := range indexes {
		single, ok := c.ask(c.building(collection, index))
		if !ok {
			return
		}

		listed := answer{value: list.progresses[i], err: list.errs[i]}
		if !c.same(listed, single) {
			c.defect("%v returned %v for %q, and IndexBuildingProgress returns %v", q, listed, index, single)
		}
	}
}
