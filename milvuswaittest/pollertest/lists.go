package pollertest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"strings"

	"github.com/milvuswait/milvuswait"
)

// loadState returns a call to CheckLoadState as a question. Its value is "nil".
func (c *checker) loadState(checker milvuswait.LoadStateChecker, collection string, partitions ...string) question {
	q := newQuestion("CheckLoadState", append([]string{collection}, partitions...), func(ctx context.Context) (string, error) {
		return "nil", checker.CheckLoadState(ctx, collection, partitions...)
	})
	q.lenient = true
	return q
}

// loadList is the value of ListLoading.
type loadList map[string]milvuswait.LoadingProgress

func (l loadList) String() string { return fmt.Sprintf("%d collections", len(l)) }

func isEmptyMap(value any) bool {
	list, ok := value.(loadList)
	return ok && len(list) == 0
}

// listLoading returns a call to ListLoading as a question.
func (c *checker) listLoading(lister milvuswait.Lister) question {
	return newQuestion("ListLoading", nil, func(ctx context.Context) (loadList, error) {
		list, err := lister.ListLoading(ctx)
		return list, err
	})
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

// checkLoadStates compares CheckLoadState with World.
func (c *checker) checkLoadStates() {
	checker := c.states
	if checker == nil {
		return
	}

	w := c.world
	loaded := []question{c.loadState(checker, w.Collection)}
	if len(w.Partitions) > 0 {
		loaded = append(loaded, c.loadState(checker, w.Collection, w.Partitions...))
	}

	for _, q := range loaded {
		a, ok := c.ask(q)
		if ok && c.unsupported(q, a) {
			c.states = nil
			return
		}
		if ok && a.err != nil {
			c.defect("%v returned %v for what is loaded: return nil", q, a)
		}
	}

	for _, q := range []question{c.loadState(checker, missing), c.loadState(checker, w.Collection, missing)} {
		if a, ok := c.ask(q); ok && a.err == nil {
			c.defect("%v returned nil for what does not exist: nil says that it is loading or loaded", q)
		}
	}

	c.ask(c.loadState(checker, ""))
	if w.NotLoaded != "" {
		q := c.loadState(checker, w.NotLoaded)
		if a, ok := c.ask(q); ok {
			c.refused(refusal{q, milvuswait.ErrNotLoaded, "a collection that is not loaded"}, a)
		}
	}
}

// checkListLoading compares the list of loads with World and with an individual poll.
func (c *checker) checkListLoading() {
	lister := c.lister
	if lister == nil {
		return
	}

	q := c.listLoading(lister)
	a, ok := c.ask(q)
	if !ok {
		return
	}
	if c.unsupported(q, a) {
		c.lister = nil
		return
	}

	if a.err != nil {
		c.defect("%v returned %v: where nothing can be told return an empty map", q, a)
		return
	}

	list := a.value.(loadList)
	c.list, c.listed = list, maps.Clone(list)

	if p, listed := list[c.world.Collection]; listed {
		single, ok := c.ask(c.loading(c.world.Collection))
		alone, is := single.value.(milvuswait.LoadingProgress)
		if ok && is && single.err == nil && p.Percent != alone.Percent {
			c.defect("%v has %q at %v, and LoadingProgress says %v", q, c.world.Collection, p, alone)
		}
	} else if len(list) > 0 {
		c.defect("%v has not got %q, which is loaded, among %v: a wait has to ask for it again", q, c.world.Collection, list)
	}

	for _, name := range []string{c.world.NotLoaded, missing, ""} {
		p, listed := list[name]
		if listed && (name != c.world.NotLoaded || p.Percent != 0) {
			c.defect("%v has %q at %v, which is not loaded: list what is loading or loaded", q, name, p)
		}
	}
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

// same reports whether a and b are equivalent for a wait: equal progress, or errors with
// the same sentinel. Of two lists, it compares the loaded collection of World.
func (c *checker) same(a, b answer) bool {
	if a.err == nil && b.err == nil {
		list, isList := a.value.(loadList)
		if !isList {
			return reflect.DeepEqual(a.value, b.value)
		}
		p, listed := list[c.world.Collection]
		other, listedToo := b.value.(loadList)[c.world.Collection]
		return p == other || !listed || !listedToo
	}
	return a.err != nil && b.err != nil && nameOf(a.err) == nameOf(b.err)
}
