package milvuswait

import "time"

// isComplete judges the newest answer alone, by what the options ask for.
func (c *core) isComplete(now time.Duration) bool {
	switch p := c.last.(type) {
	case LoadingProgress:
		return p.Complete() && (!c.cfg.refresh || p.RefreshPercent >= 100 && !c.unasked(now))
	case IndexBuildingProgress:
		if c.target.rows > 0 && min(p.TotalRows, p.IndexedRows) < c.target.rows {
			return false
		}
		switch c.cfg.criterion {
		case RowsAtStart:
			return p.Complete() || c.rowsAtStart >= 0 && p.TotalRows >= 0 && p.IndexedRows >= min(c.rowsAtStart, p.TotalRows)
		case ServerState:
			return p.State == IndexStateFinished
		}
		return p.Complete()
	}
	return false
}

// unasked reports whether a refresh_progress of 100 may still mean that nobody
// has asked for the refresh yet.
func (c *core) unasked(now time.Duration) bool {
	return c.cfg.refresh && c.target.kind == KindLoading && !c.refreshing && now < max(refreshGuard, c.cfg.startGrace)
}

// mayStall reports whether a standstill counts: what is complete, or waits for a
// refresh to be asked for, has nowhere to go.
func (c *core) mayStall(now time.Duration) bool {
	return c.cfg.stallTimeout > 0 && c.lastErr == nil && c.complete < 0 && !c.unasked(now)
}

// share returns how much of what this wait needs is done, from 0 to 1, or a
// negative number if that is unknown.
func (c *core) share() float64 {
	switch p := c.last.(type) {
	case LoadingProgress:
		if c.cfg.refresh {
			return min(p.Fraction(), clamp(float64(p.RefreshPercent)/100))
		}
		if p.Percent < 0 {
			return -1
		}
		return p.Fraction()
	case IndexBuildingProgress:
		if c.cfg.criterion == RowsAtStart && c.rowsAtStart > 0 {
			return clamp(float64(p.IndexedRows) / float64(max(c.rowsAtStart, c.target.rows)))
		}
		return p.share(max(p.TotalRows, c.target.rows))
	}
	return -1
}
