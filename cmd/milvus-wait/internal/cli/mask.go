package cli

import (
	"slices"

	"github.com/milvuswait/milvuswait"
)

// masked returns an observer that masks secrets in the texts of the server before o is
// called. Names of targets stay as they are.
func (a *app) masked(o milvuswait.Observer) milvuswait.Observer {
	return milvuswait.ObserverFunc(func(u milvuswait.Update) {
		u.Progress, u.Err = a.maskProgress(u.Progress), a.mask.Error(u.Err)
		o.Observe(u)
	})
}

// maskOutcomes returns a copy of outcomes with masked secrets, as masked does for updates.
func (a *app) maskOutcomes(outcomes []milvuswait.Outcome) []milvuswait.Outcome {
	masked := slices.Clone(outcomes)
	for i, o := range masked {
		masked[i].Progress, masked[i].Err = a.maskProgress(o.Progress), a.mask.Error(o.Err)
	}
	return masked
}

func (a *app) maskProgress(p milvuswait.Progress) milvuswait.Progress {
	if index, ok := p.(milvuswait.IndexBuildingProgress); ok {
		index.FailReason, index.IndexName = a.mask.Text(index.FailReason), a.mask.Text(index.IndexName)
		return index
	}
	return p
}
