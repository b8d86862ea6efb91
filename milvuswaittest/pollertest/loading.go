package pollertest

import (
	"context"
	"fmt"
	"maps"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/unwrap"
)

// loading checks polls of loads. An optional interface is nil if the Poller lacks it, or if
// the server cannot answer it.
type loading struct {
	*checker
	states milvuswait.LoadStateChecker
	lister milvuswait.Lister
}

// newLoading returns nil for a milvuswait.PollerFuncs without Loading.
func newLoading(c *checker) kind {
	if f, ok := c.poller.(milvuswait.PollerFuncs); ok && f.Loading == nil {
		return nil
	}

	l := &loading{checker: c}
	l.states, _ = unwrap.Find[milvuswait.LoadStateChecker](c.poller)
	l.lister, _ = unwrap.Find[milvuswait.Lister](c.poller)
	return l
}

func (l *loading) poll() question { return l.load(l.world.Collection) }

func (l *loading) optional() (questions []question) {
	if l.states != nil {
		questions = append(questions, l.loadState(l.world.Collection))
	}
	if l.lister != nil {
		questions = append(questions, l.listLoading())
	}
	return questions
}

func (l *loading) done() []question {
	w := l.world
	questions := []question{l.load(w.Collection)}
	for _, partition := range w.Partitions {
		questions = append(questions, l.load(w.Collection, partition))
	}
	if len(w.Partitions) > 1 {
		questions = append(questions, l.load(w.Collection, w.Partitions...))
	}
	return questions
}

func (l *loading) refusals() []refusal {
	w := l.world
	refusals := []refusal{
		{l.load(missing), milvuswait.ErrCollectionNotFound, "a collection that does not exist"},
		{l.load(missing, missing), milvuswait.ErrCollectionNotFound, "a collection that does not exist"},
		{l.load(w.Collection, missing), milvuswait.ErrPartitionNotFound, "a partition that does not exist"},
	}
	if len(w.Partitions) > 0 {
		refusals = append(refusals, refusal{
			l.load(w.Collection, w.Partitions[0], missing), milvuswait.ErrPartitionNotFound, "partitions of which one does not exist",
		})
	}
	return refusals
}

// load returns a poll of a load as a question.
func (l *loading) load(collection string, partitions ...string) question {
	return newQuestion("LoadingProgress", append([]string{collection}, partitions...),
		func(ctx context.Context) (milvuswait.LoadingProgress, error) {
			return l.poller.LoadingProgress(ctx, collection, partitions...)
		})
}

func (l *loading) checkAnswers() {
	if len(l.world.Partitions) == 0 {
		l.skip("partitions (World.Partitions)")
	}
	for _, q := range l.done() {
		answered(l.checker, q, l.complete)
	}
}

// complete records a defect if p, the progress of a complete load, is out of range or not
// complete.
func (l *loading) complete(q question, p milvuswait.LoadingProgress) {
	rule := ""
	switch {
	case p.Percent < 0 || p.Percent > 100:
		rule = "Percent is from 0 to 100"
	case p.RefreshPercent < 0 || p.RefreshPercent > 100:
		rule = fmt.Sprintf("RefreshPercent, %d, is from 0 to 100", p.RefreshPercent)
	}

	if l.within(q, p, rule) && !p.Complete() {
		l.defect("%v returned %v for a finished load, which is not Complete: a wait would never end", q, p)
	}
}

func (l *loading) checkRefusals() {
	l.checkRefused(l.refusals())
	if l.world.NotLoaded == "" {
		l.skip("a collection that is not loaded (World.NotLoaded)")
		return
	}
	l.checkNotLoaded()
}

// checkNotLoaded polls a collection that is not loaded. As in a wait, the Poller may return
// 0 % without an error if its CheckLoadState returns the sentinel.
func (l *loading) checkNotLoaded() {
	r := refusal{l.load(l.world.NotLoaded), milvuswait.ErrNotLoaded, "a collection that is not loaded"}
	a, ok := l.ask(r.question)
	if !ok {
		return
	}

	if l.states != nil && a.err == nil && a.value.(milvuswait.LoadingProgress).Percent == 0 {
		r.question = l.loadState(l.world.NotLoaded)
		if a, ok = l.ask(r.question); !ok || l.unsupported(r.question, a) {
			return
		}
	}
	l.refused(r, a)
}

// checkArguments also compares an empty slice of partitions with none.
func (l *loading) checkArguments() {
	whole := l.load(l.world.Collection)
	l.ask(l.load(""))
	l.ask(l.load(l.world.Collection, ""))
	none, ok := l.ask(whole)
	empty, ok2 := l.ask(l.load(l.world.Collection, []string{}...))

	if ok && ok2 && none.err == nil && (empty.err != nil || none.value != empty.value) {
		l.defect("%v returned %v with an empty slice of partitions, and %v with none: both are the whole collection",
			whole, empty, none)
	}
}

func (l *loading) checkOptional() {
	if l.states != nil {
		l.checkLoadStates()
	}
	if l.lister != nil {
		l.checkListLoading()
	}
}

// loadState returns a call to CheckLoadState as a question. Its value is "nil".
func (l *loading) loadState(collection string, partitions ...string) question {
	checker := l.states
	q := newQuestion("CheckLoadState", append([]string{collection}, partitions...), func(ctx context.Context) (string, error) {
		return "nil", checker.CheckLoadState(ctx, collection, partitions...)
	})
	q.lenient = true
	return q
}

// checkLoadStates compares CheckLoadState with World.
func (l *loading) checkLoadStates() {
	w := l.world
	loaded := []question{l.loadState(w.Collection)}
	if len(w.Partitions) > 0 {
		loaded = append(loaded, l.loadState(w.Collection, w.Partitions...))
	}

	for _, q := range loaded {
		a, ok := l.ask(q)
		if ok && l.unsupported(q, a) {
			l.states = nil
			return
		}
		if ok && a.err != nil {
			l.defect("%v returned %v for a finished load: return nil", q, a)
		}
	}

	for _, q := range []question{l.loadState(missing), l.loadState(w.Collection, missing)} {
		if a, ok := l.ask(q); ok && a.err == nil {
			l.defect("%v returned nil for a missing collection or partition: nil means loading or loaded", q)
		}
	}

	l.ask(l.loadState(""))
	if w.NotLoaded != "" {
		q := l.loadState(w.NotLoaded)
		if a, ok := l.ask(q); ok {
			l.refused(refusal{q, milvuswait.ErrNotLoaded, "a collection that is not loaded"}, a)
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
func (l *loading) listLoading() question {
	lister := l.lister
	return newQuestion("ListLoading", nil, func(ctx context.Context) (loadList, error) {
		list, err := lister.ListLoading(ctx)
		return list, err
	})
}

// checkListLoading compares the list of loads with World and with an individual poll.
func (l *loading) checkListLoading() {
	q := l.listLoading()
	a, ok := l.ask(q)
	if !ok {
		return
	}
	if l.unsupported(q, a) {
		l.lister = nil
		return
	}

	if a.err != nil {
		l.defect("%v returned %v: return a nil map if the server does not report the progress", q, a)
		return
	}

	list := a.value.(loadList)
	l.keep(list)

	if p, listed := list[l.world.Collection]; listed {
		single, ok := l.ask(l.poll())
		if ok && single.err == nil && p.Percent != single.value.(milvuswait.LoadingProgress).Percent {
			l.defect("%v has %q at %v, and LoadingProgress returns %v", q, l.world.Collection, p, single)
		}
	} else if list != nil {
		l.defect("%v has not got %q, which is loaded, among %v: a wait has to ask for it again", q, l.world.Collection, list)
	}

	for _, name := range []string{l.world.NotLoaded, missing, ""} {
		p, listed := list[name]
		if listed && (name != l.world.NotLoaded || p.Percent != 0) {
			l.defect("%v has %q at %v, which is not loaded: list only collections that are loading or loaded", q, name, p)
		}
	}
}

// keep makes checkConcurrency read the list during other calls, as WaitAll does, so that
// the race detector finds a write, and compare it with a copy after them.
func (l *loading) keep(list loadList) {
	kept := maps.Clone(list)
	l.meanwhile = append(l.meanwhile, func() { _ = list[l.world.Collection] })
	l.afterwards = append(l.afterwards, func() {
		if !maps.Equal(list, kept) {
			l.defect("ListLoading() changed the map that it had returned before: return a new one with every call")
		}
	})
}
