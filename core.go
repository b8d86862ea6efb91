package milvuswait

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/milvuswait/milvuswait/internal/untrusted"
)

const (
	// noLimit is the deadline of a wait that has none.
	noLimit = time.Duration(math.MaxInt64)

	// zeroPolls is how many polls may see a load at 0 % before its state is asked
	// for.
	zeroPolls = 3

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
	contact time.Duration // when the server last answered
	changed time.Duration // when progress last changed
	timeout time.Duration // of the next poll

	complete    time.Duration // since when the target has been complete; negative if it is not
	rowsAtStart int64         // total rows of the first good poll
	zeros       int           // polls in a row that saw a load at 0 %
	moved       bool          // a load was seen above 0 %
	checked     bool          // its state was found to be loading
	refreshing  bool          // a refresh was seen under way
	lastPoll    bool          // the next poll is the last before the deadline
}

// answer is what one poll brought.
type answer struct {
	progress Progress // if err is nil
	err      error
	took     time.Duration
	timedOut bool // err is that the poll's own time was up
	checked  bool // the state of the load was asked for too; err is the finding
}

type verdict int8

const (
	again  verdict = iota // poll again after the delay
	rest                  // wait for the context to end
	done                  // complete
	failed                // cannot become complete any more
)

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
	return ok && l.Percent == 0 && !c.checked && c.zeros+1 >= zeroPolls
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
	if c.cfg.stallTimeout > 0 && c.complete < 0 && now-c.changed >= c.cfg.stallTimeout {
		return decision{verdict: failed, err: fmt.Errorf("%w: no change for %v", ErrStalled, round(now-c.changed))}
	}
	return c.next(now, a.took, random)
}

// take notes a good answer.
func (c *core) take(now time.Duration, a answer) {
	if c.lastErr != nil {
		// Nobody saw whether progress changed meanwhile: that is no stall.
		c.changed += now - c.contact
		c.lastErr = nil
	}
	if a.progress != c.last {
		c.changed = now
	}
	if ip, ok := a.progress.(IndexBuildingProgress); ok && c.last == nil {
		c.rowsAtStart = ip.TotalRows
	}
	if lp, ok := a.progress.(LoadingProgress); ok {
		c.takeLoading(lp, a.checked)
	}
	c.last, c.contact, c.timeout = a.progress, now, c.cfg.pollTimeout
	c.pace.observe(now, a.took, c.share())
}

func (c *core) takeLoading(p LoadingProgress, checked bool) {
	switch {
	case p.Percent == 0:
		c.zeros++
		c.checked = c.checked || checked
	default:
		c.zeros, c.checked = 0, false
	}
	c.moved = c.moved || p.Percent > 0
	c.refreshing = c.refreshing || p.RefreshPercent < 100
}

// isComplete judges the newest answer alone, by what the options ask for.
func (c *core) isComplete(now time.Duration) bool {
	switch p := c.last.(type) {
	case LoadingProgress:
		if c.cfg.refresh && !(p.RefreshPercent >= 100 && (c.refreshing || now >= max(refreshGuard, c.cfg.startGrace))) {
			return false
		}
		return p.Complete()
	case IndexBuildingProgress:
		if c.target.rows > 0 && p.IndexedRows < c.target.rows {
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

// observeFailure decides after a poll that failed.
func (c *core) observeFailure(now time.Duration, a answer, random float64) decision {
	if a.timedOut {
		c.timeout = min(2*c.timeout, c.cfg.maxPollTimeout)
	}
	inGrace := c.inGrace(now, a.err)
	if isPermanent(a.err) && !inGrace {
		c.lastErr = nil
		return decision{verdict: failed, err: c.final(now, a)}
	}
	c.lastErr = a.err
	if inGrace {
		c.contact = now
	}
	if c.cfg.unreachableAfter > 0 && now-c.contact >= c.cfg.unreachableAfter {
		err := fmt.Errorf("%w: no poll has succeeded for %v", ErrUnreachable, round(now-c.contact))
		return decision{verdict: failed, err: err}
	}
	c.pace.forget()
	return c.next(now, a.took, random)
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

// inGrace reports whether err says no more than that the target is not there
// yet.
func (c *core) inGrace(now time.Duration, err error) bool {
	if now >= c.cfg.startGrace || c.moved || c.target.kind == KindIndexBuilding && c.last != nil {
		return false
	}
	for _, notYet := range []error{
		ErrNotLoaded, ErrLoadFailed, ErrCollectionNotFound, ErrPartitionNotFound, ErrIndexNotFound, ErrDatabaseNotFound,
	} {
		if errors.Is(err, notYet) {
			return true
		}
	}
	return false
}

// final returns why a permanent failure ends the wait. "Not loaded" means
// something else once the load was seen: the server says no more than that.
func (c *core) final(now time.Duration, a answer) error {
	seen := c.last != nil && (c.moved || !a.checked)
	switch {
	case !errors.Is(a.err, ErrNotLoaded) || errors.Is(a.err, ErrLoadFailed) || !seen:
		return &pollError{a.err}
	case now-c.changed >= serverGivesUp:
		return because(fmt.Errorf("%w: the server gave up after %v without progress", ErrLoadFailed, round(now-c.changed)), a.err)
	}
	return because(ErrReleased, a.err)
}

// next decides when to poll again, or not to before the deadline.
func (c *core) next(now, took time.Duration, random float64) decision {
	delay := c.pace.delay(now, random)
	if delay < 0 {
		return decision{verdict: failed, err: fmt.Errorf("%w: the BackOff of WithBackoffFunc said stop", ErrAborted)}
	}
	// A poll is due when it can change the verdict, whatever the pace.
	if c.complete >= 0 {
		delay = min(max(delay, c.cfg.settle/10), c.complete+c.cfg.settle-now)
	} else if c.cfg.stallTimeout > 0 && c.lastErr == nil {
		delay = min(delay, c.changed+c.cfg.stallTimeout-now)
	}
	if c.lastErr != nil && c.cfg.unreachableAfter > 0 {
		delay = min(delay, c.contact+c.cfg.unreachableAfter-now)
	}
	if now < c.cfg.startGrace && c.lastErr != nil {
		delay = min(delay, c.cfg.startGrace-now)
	}
	delay = max(delay, shortestDelay)
	if c.limit == noLimit {
		return decision{verdict: again, delay: delay}
	}
	// The last poll is so early that its answer can be here in time, and the one
	// before it does not get in its way.
	margin := min(max(2*took, 50*time.Millisecond), time.Second)
	last := c.limit - margin
	end := now + delay
	if took < margin {
		end += took
	}
	if end >= last {
		if c.lastPoll || now >= last {
			return decision{verdict: rest}
		}
		c.lastPoll = true
		delay = last - now
	}
	return decision{verdict: again, delay: delay}
}

// update returns what an observer is told of the poll that ended at now.
func (c *core) update(now time.Duration, err error, d decision) Update {
	u := Update{
		Target: c.target, Progress: c.last, Polls: c.polls, Elapsed: now,
		Next: d.delay, Fraction: max(0, c.share()), ETA: c.pace.left,
	}
	if err != nil {
		u.Err = &pollError{err}
	}
	if d.verdict == rest {
		u.Next = c.limit - now
	}
	return u
}

// failure returns the error of a wait that ended because of cause.
func (c *core) failure(cause error, elapsed time.Duration) *Error {
	e := &Error{Target: c.target, Last: c.last, Polls: c.polls, Elapsed: elapsed, Cause: cause}
	if c.lastErr != nil {
		e.LastErr = &pollError{c.lastErr}
	}
	return e
}

func indexFailed(p IndexBuildingProgress) error {
	if p.FailReason == "" {
		return fmt.Errorf("%w: the server gave no reason", ErrIndexFailed)
	}
	return fmt.Errorf("%w: %s", ErrIndexFailed, untrusted.Text(p.FailReason))
}
