package simulation

import (
	"time"

	"github.com/milvuswait/milvuswait"
)

// facts are what an answer means, with those before it.
type facts struct {
	known        milvuswait.Progress // of the newest good answer
	complete     bool
	completeFor  time.Duration // in which every answer was
	unchangedFor time.Duration // in which progress was the same
	failingFor   time.Duration // since the first of the failures in a row began
	tolerated    bool          // what is not there need not be there yet
	settles      time.Duration // when what is complete has settled, if it fails no more; -1 if it is not
	unasked      bool          // a refresh may not have been asked for yet
	verdict      Class         // that of the wait, of an answer that ends it without success
	lag          time.Duration // what the newest good answer took
}

// establish finds out the facts of all entries: what docs/semantics.md says, told
// once more.
func (h *history) establish(s *Scenario) {
	o := &s.Options
	var known milvuswait.Progress
	var changed, complete, down, lag time.Duration
	complete, down = -1, -1
	moved, refreshed, firstRows := false, false, int64(0)
	for _, e := range h.entries {
		at := e.end
		switch {
		case e.answer.Err == cut:
		case e.answer.Err != "":
			index := h.target.Kind() == milvuswait.KindIndexBuilding
			e.tolerated = e.answer.Err.absent() && at < o.Grace && !moved && !(index && known != nil)
			if e.answer.Err.ends() && !e.tolerated {
				still := at - changed
				if down >= 0 {
					still = down - changed
				}
				e.verdict = verdict(e, known, moved, still)
				break
			}
			if e.tolerated {
				down = at // the server has answered
			} else if down < 0 {
				down = e.start
			}
			e.failingFor = at - down
		default:
			p := e.answer.Progress
			if before, ok := known.(milvuswait.LoadingProgress); ok && e.listed {
				l := p.(milvuswait.LoadingProgress)
				l.RefreshPercent = before.RefreshPercent // which lists do not tell
				p = l
			}
			if down >= 0 { // nobody saw what was
				changed += at - down
				if complete >= 0 {
					complete += at - down
				}
				down = -1
			}
			if p != known {
				changed = at
			}
			switch p := p.(type) {
			case milvuswait.LoadingProgress:
				moved = moved || p.Percent > 0
				refreshed = refreshed || p.RefreshPercent < 100
			case milvuswait.IndexBuildingProgress:
				if known == nil {
					firstRows = p.TotalRows
				}
				if p.State == milvuswait.IndexStateFailed {
					e.verdict = indexFailed
				}
			}
			known, lag = p, e.end-e.start
			e.unasked = o.Refresh && h.target.Kind() == milvuswait.KindLoading && !refreshed && at < max(time.Second, o.Grace)
			switch {
			case !o.complete(h.target, p, firstRows) || e.unasked:
				complete = -1
			case complete < 0:
				complete = at
			}
			e.complete, e.completeFor, e.unchangedFor = complete >= 0, at-complete, at-changed
		}
		e.known, e.lag, e.settles = known, lag, -1
		if complete >= 0 {
			e.settles = complete + o.Settle
		}
	}
}

// verdict returns how the wait ends with an answer that ends it.
func verdict(e *entry, known milvuswait.Progress, moved bool, still time.Duration) Class {
	seen := known != nil && (moved || !e.check)
	if e.answer.Err != notLoaded || !seen {
		return e.answer.Err
	}
	if still >= 10*time.Minute && known.(milvuswait.LoadingProgress).Percent < 100 {
		return loadFailed // servers give up then
	}
	return released
}

// complete reports whether p is all that the wait is for.
func (o *Options) complete(t milvuswait.Target, p milvuswait.Progress, firstRows int64) bool {
	switch p := p.(type) {
	case milvuswait.LoadingProgress:
		return p.Percent >= 100 && (!o.Refresh || p.RefreshPercent >= 100)
	case milvuswait.IndexBuildingProgress:
		if n := t.ExpectedRows(); n > 0 && (p.TotalRows < n || p.IndexedRows < n) {
			return false
		}
		if o.Criterion == milvuswait.ServerState {
			return p.State == milvuswait.IndexStateFinished
		}
		if p.State == milvuswait.IndexStateFinished && p.PendingIndexRows == 0 && p.TotalRows >= 0 && p.IndexedRows >= p.TotalRows {
			return true
		}
		return o.Criterion == milvuswait.RowsAtStart && p.TotalRows >= 0 && firstRows >= 0 && p.IndexedRows >= min(firstRows, p.TotalRows)
	}
	return false
}

// passes reports whether e is a failure that a wait gets over.
func (e *entry) passes() bool { return e.answer.Err != "" && e.answer.Err != cut && e.verdict == "" }
