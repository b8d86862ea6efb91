package cli

import (
	"slices"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/kind"
)

// masked returns an observer that masks secrets in the texts of the server before o is
// called. Names of targets stay as they are.
func (a *app) masked(o milvuswait.Observer) milvuswait.Observer {
	return milvuswait.ObserverFunc(func(u milvuswait.Update) {
		u.Progress, u.Err = a.maskProgress(u.Target, u.Progress), a.mask.Error(u.Err)
		o.Observe(u)
	})
}

// maskOutcomes returns a copy of outcomes with masked secrets, as masked does for updates.
func (a *app) maskOutcomes(outcomes []milvuswait.Outcome) []milvuswait.Outcome {
	masked := slices.Clone(outcomes)
	for i, o := range masked {
		masked[i].Progress, masked[i].Err = a.maskProgress(o.Target, o.Progress), a.mask.Error(o.Err)
	}
	return masked
}

// maskProgress returns p with masked secrets in the texts of the server.
func (a *app) maskProgress(t milvuswait.Target, p milvuswait.Progress) milvuswait.Progress {
	return kind.Of(t).Mask(p, a.mask.Text)
}
