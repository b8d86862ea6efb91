package milvuswait

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// asker makes the polls of WaitAll.
type asker struct {
	poller      Poller
	lister      Lister      // nil if the Poller is none
	indexLister IndexLister // nil if the Poller is none
}

func newAsker(p Poller) asker {
	a := asker{poller: p}
	a.lister, _ = p.(Lister)
	a.indexLister, _ = p.(IndexLister)
	return a
}

// job is a poll, of one entry or of several that it serves.
type job struct {
	kind    jobKind
	one     *entry        // of pollOne
	served  []*entry      // of a list
	timeout time.Duration // of a list of loads
}

type jobKind int8

const (
	pollOne jobKind = iota
	listLoads
	listIndexes
)

// result is what a job brought.
type result struct {
	job     job
	answer  answer                     // of pollOne; of listLoads what became of the list
	loads   map[string]LoadingProgress // of listLoads
	answers []answer                   // of listIndexes, as many as entries are served
	end     time.Duration              // when it was there
	panic   *pollerPanic
}

// pollerPanic is what WaitAll panics with when a Poller did.
type pollerPanic struct {
	value any
	stack []byte
}

func (p *pollerPanic) Error() string {
	return fmt.Sprintf("%v\n\nin the Poller, on a goroutine of WaitAll:\n%s", p.value, p.stack)
}

func (p *pollerPanic) Unwrap() error {
	err, _ := p.value.(error)
	return err
}

// do makes the poll and sends what it brought, whatever the Poller does.
func (a asker) do(ctx context.Context, j job, send func(result)) {
	r := result{job: j}
	returned := false
	defer func() {
		if !returned {
			value := recover()
			if value == nil {
				value = "runtime.Goexit, as t.FailNow calls it"
			}
			r.panic = &pollerPanic{value, debug.Stack()}
		}
		send(r)
	}()
	switch j.kind {
	case pollOne:
		r.answer = poll(ctx, a.poller, &j.one.core)
	case listLoads:
		r.answer = timed(ctx, j.timeout, func(ctx context.Context) (whole answer) {
			r.loads, whole.err = a.lister.ListLoading(ctx)
			return whole
		})
	case listIndexes:
		r.answers = a.listIndexes(ctx, j.served)
	}
	returned = true
}

// listIndexes polls for the indexes of one collection, within the time-out of the
// first.
func (a asker) listIndexes(ctx context.Context, served []*entry) []answer {
	names := make([]string, len(served))
	for i, e := range served {
		names[i] = e.core.target.index
	}
	var all []IndexBuildingProgress
	var errs []error
	first := &served[0].core
	whole := timed(ctx, first.timeout, func(ctx context.Context) (w answer) {
		all, errs = a.indexLister.ListIndexBuilding(ctx, first.target.collection, names)
		if len(all) != len(names) || len(errs) != len(names) {
			w.err = fmt.Errorf("ListIndexBuilding returned %d answers and %d errors for %d indexes", len(all), len(errs), len(names))
			return w
		}
		w.err = cmp.Or(errs...)
		return w
	})
	answers := make([]answer, len(names))
	for i := range answers {
		answers[i] = whole
		if len(all) != len(names) || len(errs) != len(names) || errs[i] != nil && whole.timedOut {
			continue
		}
		progress, err := boxed(all[i], errs[i])
		answers[i] = answer{progress: progress, err: err, took: whole.took, cut: whole.cut}
	}
	return answers
}
