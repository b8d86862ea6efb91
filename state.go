package milvuswait

import (
	"errors"
	"fmt"
	"math"
	"time"
)

const (
	// noLimit is the deadline of a wait that has none.
	noLimit = time.Duration(math.MaxInt64)

	// zeroPolls is how many polls may see a load at 0 % before its state is asked
	// for, and maxChecks how often that is tried.
	zeroPolls = 3
	maxChecks = 3

	// listedZero is how long a load may stand at 0 % in lists before its state is
	// asked for.
	listedZero = 10 * time.Second

	// refreshGuard is how long a refresh_progress of 100 that was never seen lower
	// may mean that nobody has asked yet.
	refreshGuard = time.Second

	// serverGivesUp is how long a load may stand still before the server drops it:
	// queryCoord.loadTimeoutSeconds.
	serverGivesUp = 600 * time.Second
)

// core decides, for one target, what follows from a poll. It knows neither
// clocks nor goroutines nor Pollers: time is what has passed since the wait
// began, and everything else is in the answer.
type core struct {
	cfg    *config
	target Target
	pace   pace
	limit  time.Duration // the deadline

	polls   int
	last    Progress      // of the last good poll; nil before
	lastErr error         // of the last poll if it failed
	down    time.Duration // when the first of the polls that have failed in a row began
	changed time.Duration // when progress last changed
	timeout time.Duration // of the next poll

	complete    time.Duration // since when the target has been complete; negative if it is not
	rowsAtStart int64         // total rows of the first good poll
	zeros       int           // polls in a row that saw a load at 0 %
	checks      int           // of its state since then
	moved       bool          // a load was seen above 0 %
	refreshing  bool          // a refresh was seen under way
}

// answer is what one poll brought.
type answer struct {
	progress Progress // if err is nil
	err      error
	took     time.Duration
	timedOut bool  // err is that the poll's own time was up
	cut      bool  // err may be that the poll was ended before
	check    check // whether the state of the load was asked for too
	listed   bool  // out of a list of all loads
}

// check is what came of asking for the state of a load; err has what is wrong.
type check int8

const (
	unchecked check = iota
	unclear         // the question itself failed
	checked
)

type verdict int8

const (
	again  verdict = iota // poll again after the delay
	rest                  // wait for the context to end
	done                  // complete
	failed                // cannot become complete any more
)

func (v verdict) final() bool { return v == done || v == failed }

// decision is what follows from an answer.
type decision struct {
	verdict verdict
	delay   time.Duration // until the next poll, of again
	err     error         // why, of failed
}

func newCore(cfg *config, target Target, pace pace, limit time.Duration) core {
	return core{cfg: cfg, target: target, pace: pace, limit: limit, timeout: cfg.pollTimeout, complete: -1}
}

// wantsCheck reports whether the state of a load that shows p is to be asked for.
func (c *core) wantsCheck(p Progress) bool {
	l, ok := p.(LoadingProgress)
	return ok && l.Percent == 0 && c.checks < maxChecks && c.zeros+1 >= zeroPolls
}

// wantsListCheck is wantsCheck for an answer out of a list, which milvus-lite
// gives for what is not loaded too. Many may stand at 0 % at once, and to ask for
// each after three polls would cost what the list has saved.
func (c *core) wantsListCheck(now time.Duration, p Progress) bool {
	return c.wantsCheck(p) && now-c.changed >= listedZero
}

// observe takes in the answer of a poll that ended at now and decides. The
// random number, from 0 to below 1, is for jitter.
func (c *core) observe(now time.Duration, a answer, random float64) decision {
	c.polls++
	if a.err != nil {
		return c.observeFailure(now, a, random)
	}
	c.take(now, a)
	if ip, ok := a.progress.(IndexBuildingProgress); ok && ip.State == IndexStateFailed {
		return decision{verdict: failed, err: indexFailed(ip)}
	}
	switch {
	case !c.isComplete(now):
		c.complete = -1
	case c.complete < 0:
		c.complete = now
	}
	if c.complete >= 0 && now-c.complete >= c.cfg.settle {
		return decision{verdict: done}
	}
	if c.mayStall(now) && now-c.changed >= c.cfg.stallTimeout {
		return decision{verdict: failed, err: fmt.Errorf("%w: no change for %v", ErrStalled, round(now-c.changed))}
	}
	return c.next(now, a, random)
}

// take notes a good answer.
func (c *core) take(now time.Duration, a answer) {
	if before, known := c.last.(LoadingProgress); known && a.listed {
		// Lists do not tell of refreshes.
		listed := a.progress.(LoadingProgress)
		listed.RefreshPercent = before.RefreshPercent
		a.progress = listed
	}
	if c.lastErr != nil {
		// Nobody saw whether progress changed meanwhile: that is no stall, nor does
		// it count for what has to hold.
		c.changed += now - c.down
		if c.complete >= 0 {
			c.complete += now - c.down
		}
		c.lastErr = nil
	}
	if a.progress != c.last {
		c.changed = now
	}
	if ip, ok := a.progress.(IndexBuildingProgress); ok && c.last == nil {
		c.rowsAtStart = ip.TotalRows
	}
	if lp, ok := a.progress.(LoadingProgress); ok {
		c.takeLoading(lp, a.check)
	}
	c.last, c.timeout = a.progress, c.cfg.pollTimeout
	c.pace.observe(now, a.took, c.share())
}

func (c *core) takeLoading(p LoadingProgress, asked check) {
	if p.Percent != 0 {
		c.zeros, c.checks = 0, 0
	} else {
		c.zeros++
		switch asked {
		case unclear:
			c.checks++
		case checked:
			c.checks = maxChecks
		}
	}
	c.moved = c.moved || p.Percent > 0
	c.refreshing = c.refreshing || p.RefreshPercent < 100
}

// observeFailure decides after a poll that failed.
func (c *core) observeFailure(now time.Duration, a answer, random float64) decision {
	if a.timedOut {
		c.timeout = min(2*c.timeout, c.cfg.maxPollTimeout)
	}
	inGrace := c.inGrace(now, a.err)
	if isPermanent(a.err) && !inGrace {
		err := c.final(now, a)
		c.lastErr = nil
		return decision{verdict: failed, err: err}
	}
	if inGrace {
		c.down = now // the server has answered
	} else if c.lastErr == nil {
		c.down = now - a.took
	}
	c.lastErr = a.err
	if c.cfg.unreachableAfter > 0 && now-c.down >= c.cfg.unreachableAfter {
		err := fmt.Errorf("%w: no poll has succeeded for %v", ErrUnreachable, round(now-c.down))
		return decision{verdict: failed, err: err}
	}
	c.pace.forget()
	return c.next(now, a, random)
}

// interrupt notes a poll that failed when the wait's own context had ended: the
// failure says nothing of the server, unless it is one that a context does not
// bring about.
func (c *core) interrupt(a answer) {
	c.polls++
	if isPermanent(a.err) {
		c.lastErr = a.err
	}
}

// unserved notes a list that failed. Nothing is decided: a poll of c's own follows
// at once. What is permanent for lists need not be so for that.
func (c *core) unserved(now time.Duration, a answer) {
	c.polls++
	if isPermanent(a.err) {
		return
	}
	if c.lastErr == nil {
		c.down = now - a.took
	}
	c.lastErr = a.err
}

// inGrace reports whether err says no more than that the target is not there
// yet.
func (c *core) inGrace(now time.Duration, err error) bool {
	if now >= c.cfg.startGrace || c.moved || c.target.kind == KindIndexBuilding && c.last != nil {
		return false
	}
	return isAbsent(err)
}

// final returns why a permanent failure ends the wait. "Not loaded" means
// something else once the load was seen: the server says no more than that.
func (c *core) final(now time.Duration, a answer) error {
	seen := c.last != nil && (c.moved || a.check != checked)
	if !errors.Is(a.err, ErrNotLoaded) || errors.Is(a.err, ErrLoadFailed) || !seen {
		return &maskedError{a.err}
	}
	still := now - c.changed
	if c.lastErr != nil {
		still -= now - c.down // in which nobody looked
	}
	if still >= serverGivesUp && !c.last.Complete() {
		return because(fmt.Errorf("%w: the server gave up after %v without progress", ErrLoadFailed, round(still)), a.err)
	}
	return because(ErrReleased, a.err)
}

// next decides when to poll again, or not to before the deadline.
func (c *core) next(now time.Duration, a answer, random float64) decision {
	took, delay := a.took, c.pace.delay(now, random)
	if delay < 0 {
		return decision{verdict: failed, err: fmt.Errorf("%w: the generator of WithBackoffFunc returned a negative delay", ErrAborted)}
	}
	if a.listed && c.pace.rule != nil {
		delay = max(delay, listEvery)
	}
	// A poll is due when it can change the verdict, whatever the pace.
	due := func(at time.Duration) {
		if at > now {
			delay = min(delay, at-now)
		}
	}
	settled := c.complete + c.cfg.settle
	if c.complete >= 0 {
		if rule := c.pace.rule; rule != nil {
			// What is complete has no pace of its own.
			delay = max(delay, min(c.cfg.settle/10, rule.Max))
		}
		due(settled)
	}
	if c.mayStall(now) {
		due(c.changed + c.cfg.stallTimeout)
	}
	if c.lastErr != nil {
		due(c.down + c.cfg.unreachableAfter)
		due(c.cfg.startGrace)
	}
	delay = max(delay, shortestDelay)
	if c.limit == noLimit {
		return decision{verdict: again, delay: delay}
	}
	// The last poll is so early that its answer can be here in time, and the one
	// before it does not get in its way.
	margin := min(max(2*took, 50*time.Millisecond), time.Second)
	last := c.limit - margin
	if c.complete >= 0 && settled < c.limit {
		last = max(last, settled)
	}
	left := last - now
	if took < margin {
		left -= took
	}
	if delay >= left {
		if now >= last {
			return decision{verdict: rest}
		}
		delay = last - now
	}
	return decision{verdict: again, delay: delay}
}

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
