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
	served  []*entry
	timeout time.Duration // of a list of loads
}

type jobKind int8

const (
	pollOne jobKind = iota
	listLoads
	listIndexes
)

// result is what a job brought: an answer for each entry that it served, without
// a progress where a list has none.
type result struct {
	job      job
	one      answer   // of pollOne
	answers  []answer // of a list
	missing  int
	failed   error // of a list of loads
	timedOut bool
	panic    *pollerPanic
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
func (a asker) do(ctx context.Context, j job, results chan<- result) {
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
		results <- r
	}()
	switch j.kind {
	case pollOne:
		r.one = poll(ctx, a.poller, &j.served[0].core)
	case listLoads:
		a.listLoads(ctx, &r)
	case listIndexes:
		a.listIndexes(ctx, &r)
	}
	returned = true
}

func (a asker) listLoads(ctx context.Context, r *result) {
	var all map[string]LoadingProgress
	whole := timed(ctx, r.job.timeout, func(ctx context.Context) (w answer) {
		all, w.err = a.lister.ListLoading(ctx)
		return w
	})
	if whole.err != nil {
		r.failed, r.timedOut = whole.err, whole.timedOut
		return
	}
	r.answers = make([]answer, len(r.job.served))
	for i, e := range r.job.served {
		r.answers[i].took = whole.took
		if p, found := all[e.core.target.collection]; found {
			r.answers[i].progress, r.answers[i].listed = p, true
		} else {
			r.missing++
		}
	}
}

func (a asker) listIndexes(ctx context.Context, r *result) {
	names := make([]string, len(r.job.served))
	for i, e := range r.job.served {
		names[i] = e.core.target.index
	}
	var all []IndexBuildingProgress
	var errs []error
	first := &r.job.served[0].core
	whole := timed(ctx, first.timeout, func(ctx context.Context) (w answer) {
		all, errs = a.indexLister.ListIndexBuilding(ctx, first.target.collection, names)
		if len(all) != len(names) || len(errs) != len(names) {
			w.err = fmt.Errorf("ListIndexBuilding returned %d answers and %d errors for %d indexes", len(all), len(errs), len(names))
			return w
		}
		w.err = cmp.Or(errs...)
		return w
	})
	r.answers = make([]answer, len(names))
	for i := range r.answers {
		r.answers[i] = whole
		if len(all) != len(names) || len(errs) != len(names) || errs[i] != nil && whole.timedOut {
			continue
		}
		progress, err := boxed(all[i], errs[i])
		r.answers[i] = answer{progress: progress, err: err, took: whole.took}
	}
}
