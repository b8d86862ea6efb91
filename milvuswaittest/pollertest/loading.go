package pollertest

import (
	"context"
	"fmt"
	"maps"

	"github.com/milvuswait/milvuswait"
)

// loading returns a poll of a load as a question.
func (c *checker) loading(collection string, partitions ...string) question {
	return newQuestion("LoadingProgress", append([]string{collection}, partitions...),
		func(ctx context.Context) (milvuswait.LoadingProgress, error) {
			return c.poller.LoadingProgress(ctx, collection, partitions...)
		})
}

// checkNotLoaded polls a collection that is not loaded. As in a wait, the Poller may return
// 0 % without an error if its CheckLoadState returns the sentinel.
func (c *checker) checkNotLoaded() {
	r := refusal{c.loading(c.world.NotLoaded), milvuswait.ErrNotLoaded, "a collection that is not loaded"}
	a, ok := c.ask(r.question)
	if !ok {
		return
	}

	p, _ := a.value.(milvuswait.LoadingProgress)
	if checker := c.states; checker != nil && a.err == nil && p.Percent == 0 {
		r.question = c.loadState(checker, c.world.NotLoaded)
		if a, ok = c.ask(r.question); !ok || c.unsupported(r.question, a) {
			return
		}
	}
	c.refused(r, a)
}

// loadState returns a call to CheckLoadState as a question. Its value is "nil".
func (c *checker) loadState(checker milvuswait.LoadStateChecker, collection string, partitions ...string) question {
	q := newQuestion("CheckLoadState", append([]string{collection}, partitions...), func(ctx context.Context) (string, error) {
		return "nil", checker.CheckLoadState(ctx, collection, partitions...)
	})
	q.lenient = true
	return q
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
