package simulation

import (
	"context"

	"github.com/milvuswait/milvuswait"
)

// RunLists is RunServer with all optional interfaces of package rpc, against a server of
// the scenario's dialect. Call it in a synctest bubble.
func (s *Scenario) RunLists() (Log, error) {
	return s.serve(s.Dialect, func(r *recorder) milvuswait.Poller { return lister{r} })
}

// lister is a recorder that supports the optional interfaces of its Poller.
type lister struct{ *recorder }

// everything lists the interfaces of package rpc's Poller.
type everything interface {
	milvuswait.Poller
	milvuswait.LoadStateChecker
	milvuswait.Lister
	milvuswait.IndexLister
}

// CheckLoadState implements milvuswait.LoadStateChecker.
func (l lister) CheckLoadState(ctx context.Context, collection string, partitions ...string) error {
	err := l.poller.(everything).CheckLoadState(ctx, collection, partitions...)
	target := l.targets[milvuswait.Loading(collection, partitions...)]
	l.add(Event{At: l.now(), Kind: Checked, Target: target, Answer: l.answer(ctx, nil, err)})
	return err
}

// ListLoading implements milvuswait.Lister.
func (l lister) ListLoading(ctx context.Context) (all map[string]milvuswait.LoadingProgress, err error) {
	lost := l.ask(ctx, nil, func() Event {
		if all, err = l.poller.(everything).ListLoading(ctx); err != nil {
			return Event{Answers: []Answer{l.answer(ctx, nil, err)}}
		}
		e := Event{Listed: map[string]Answer{}}
		for name, p := range all {
			e.Listed[name] = Answer{Progress: p}
		}
		return e
	})
	if lost != nil {
		return nil, lost
	}
	return all, err
}

// ListIndexBuilding implements milvuswait.IndexLister.
func (l lister) ListIndexBuilding(ctx context.Context, collection string, indexes []string) (all []milvuswait.IndexBuildingProgress, errs []error) {
	asked := make([]milvuswait.Target, len(indexes))
	for i, index := range indexes {
		asked[i] = milvuswait.IndexBuilding(collection, index)
	}

	lost := l.ask(ctx, asked, func() (e Event) {
		all, errs = l.poller.(everything).ListIndexBuilding(ctx, collection, indexes)
		for i := range all {
			e.Answers = append(e.Answers, l.answer(ctx, all[i], errs[i]))
		}
		return e
	})

	if lost != nil {
		all, errs = make([]milvuswait.IndexBuildingProgress, len(indexes)), make([]error, len(indexes))
		for i := range errs {
			errs[i] = lost
		}
	}
	return all, errs
}
