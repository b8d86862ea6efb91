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

// maskTargets returns targets as they are shown: those that the server has listed
// without the secrets that it may have made names of.
func (a *app) maskTargets(targets []milvuswait.Target) []milvuswait.Target {
	masked := make([]milvuswait.Target, len(targets))
	for i, t := range targets {
		masked[i] = a.maskTarget(t)
	}
	return masked
}

func (a *app) maskTarget(t milvuswait.Target) milvuswait.Target {
	if !a.listed {
		return t
	}
	name := shown(t.Collection(), a.mask)
	switch {
	case name == t.Collection():
		return t
	case t.Kind() == milvuswait.KindLoading:
		return milvuswait.Loading(name)
	}
	return milvuswait.IndexBuilding(name, t.Index()).ExpectRows(t.ExpectedRows())
}

// masked returns an observer that is told no secrets.
func (a *app) masked(o milvuswait.Observer) milvuswait.Observer {
	return milvuswait.ObserverFunc(func(u milvuswait.Update) {
		u.Target, u.Progress, u.Err = a.maskTarget(u.Target), a.maskProgress(u.Progress), a.mask.Error(u.Err)
		o.Observe(u)
	})
}

// maskOutcomes returns outcomes without secrets.
func (a *app) maskOutcomes(outcomes []milvuswait.Outcome) []milvuswait.Outcome {
	masked := slices.Clone(outcomes)
	for i, o := range masked {
		masked[i].Target, masked[i].Progress, masked[i].Err = a.maskTarget(o.Target), a.maskProgress(o.Progress), a.mask.Error(o.Err)
	}
	return masked
}

// maskAdvice returns advice without the secrets that are names of targets. Its other
// names have been masked one by one: what is typed may be the password too.
func (a *app) maskAdvice(advice []string) []string {
	if !a.listed {
		return advice
	}
	masked := make([]string, len(advice))
	for i, text := range advice {
		masked[i] = a.mask.Text(text)
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
