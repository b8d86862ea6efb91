package oracle

import (
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
)

// loading states the rules of waits for loads.
type loading struct{ plain }

var (
	loaded    = Rule{"loading: complete at 100 %", "loading.go", "internal/oracle/loading.go"}
	gone      = Rule{"gone: not loaded after progress means released or failed", "loading.go", "internal/oracle/loading.go"}
	refreshed = Rule{"refresh: complete at 100 % of the refresh, once it must have begun", "loading.go", "internal/oracle/loading.go"}
)

func (loading) rule(o *Options) Rule {
	if o.Refresh {
		return refreshed
	}
	return loaded
}

func (loading) complete(o *Options, seen []milvuswait.Progress) bool {
	p := seen[len(seen)-1].(milvuswait.LoadingProgress)
	return p.Percent >= 100 && (!o.Refresh || p.RefreshPercent >= 100)
}

func (loading) whole(p milvuswait.Progress) bool {
	return p.(milvuswait.LoadingProgress).Percent >= 100
}

// pending: for a second, or for the start grace, a refresh at 100 % may be the one before.
func (loading) pending(o *Options, at time.Duration, seen []milvuswait.Progress) bool {
	refreshing := func(p milvuswait.Progress) bool { return p.(milvuswait.LoadingProgress).RefreshPercent < 100 }
	return o.Refresh && at < max(time.Second, o.Grace) && !slices.ContainsFunc(seen, refreshing)
}

func (loading) begun(p milvuswait.Progress) bool {
	return p.(milvuswait.LoadingProgress).Percent > 0
}

// merge: lists do not report refreshes, so the last known one counts.
func (loading) merge(a Answer, before milvuswait.Progress) milvuswait.Progress {
	load := a.Progress.(milvuswait.LoadingProgress)
	if a.Listed && before != nil {
		load.RefreshPercent = before.(milvuswait.LoadingProgress).RefreshPercent
	}
	return load
}

func (loading) share(o *Options, seen []milvuswait.Progress) float64 {
	p := seen[len(seen)-1].(milvuswait.LoadingProgress)
	if o.Refresh {
		return within(float64(min(p.Percent, p.RefreshPercent)) / 100)
	}
	if p.Percent < 0 {
		return -1
	}
	return within(float64(p.Percent) / 100)
}

func (loading) initial() time.Duration { return 40 * time.Millisecond }

// serverGivesUp is the time without progress after which a server drops a load.
const serverGivesUp = 600 * time.Second

// permanentCause returns the cause of a wait that a permanent failure ends, and its rule.
// Once a load was seen, "not loaded" means released, or failed if nothing had changed for as
// long as servers allow. A check of the state at 0 % proves nothing: some servers report 0 %
// for a load that does not exist.
func (w *wait) permanentCause(a Answer, rule Rule) (Rule, error) {
	if _, sentinel := sentinelOf(a.Err); sentinel != milvuswait.ErrNotLoaded || len(w.seen) == 0 {
		return rule, a.Err
	}
	if a.Checked && !w.begun() {
		return gone, a.Err
	}

	if w.unchanged(a) >= serverGivesUp && !w.kind.whole(w.known()) {
		return gone, milvuswait.ErrLoadFailed
	}

	return gone, milvuswait.ErrReleased
}
