package cli

import (
	"slices"

	"github.com/milvuswait/milvuswait"
)

// keep has the mask leave the targets as they are: a password may be the name of
// one, and would be told by what is masked of it.
func (a *app) keep(targets []milvuswait.Target) {
	texts := make([]string, len(targets))
	for i, t := range targets {
		texts[i] = t.String()
	}
	a.mask = a.mask.Keeping(texts...)
}

// masked returns an observer that is told no secrets.
func (a *app) masked(o milvuswait.Observer) milvuswait.Observer {
	return milvuswait.ObserverFunc(func(u milvuswait.Update) {
		u.Progress, u.Err = a.maskProgress(u.Progress), a.mask.Error(u.Err)
		o.Observe(u)
	})
}

// maskOutcomes returns outcomes without secrets.
func (a *app) maskOutcomes(outcomes []milvuswait.Outcome) []milvuswait.Outcome {
	masked := slices.Clone(outcomes)
	for i, o := range masked {
		masked[i].Progress, masked[i].Err = a.maskProgress(o.Progress), a.mask.Error(o.Err)
	}
	return masked
}

func (a *app) maskProgress(p milvuswait.Progress) milvuswait.Progress {
	if index, ok := p.(milvuswait.IndexBuildingProgress); ok {
		index.FailReason = a.mask.Text(index.FailReason)
		return index
	}
	return p
}
