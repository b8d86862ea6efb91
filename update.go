package milvuswait

import (
	"fmt"
	"time"

	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// update returns what an observer is told of the poll that ended at now.
func (c *core) update(now time.Duration, err error, d decision) Update {
	u := Update{
		Target: c.target, Progress: c.last, Polls: c.polls, Elapsed: now,
		Next: d.delay, Fraction: max(0, c.share()),
	}
	if c.pace.left >= time.Millisecond { // less says no more than that the server shows 100 %
		u.ETA = c.pace.left
	}
	if err != nil {
		u.Err = &maskedError{err}
	}
	if d.verdict == rest {
		u.Next = c.limit - now
	}
	return u
}

// finish returns the final update of a wait that ended because of cause, nil if
// it ended well.
func (c *core) finish(now time.Duration, cause error) Update {
	u := c.update(now, nil, decision{})
	u.Final, u.ETA, u.Next = true, 0, 0
	if cause != nil {
		u.Err = c.failure(cause, now)
	} else {
		u.Fraction = 1
	}
	return u
}

// failure returns the error of a wait that ended because of cause.
func (c *core) failure(cause error, elapsed time.Duration) *Error {
	e := &Error{Target: c.target, Last: c.last, Polls: c.polls, Elapsed: elapsed, Cause: cause}
	if c.lastErr != nil {
		e.LastErr = &maskedError{c.lastErr}
	}
	return e
}

func indexFailed(p IndexBuildingProgress) error {
	if p.FailReason == "" {
		return fmt.Errorf("%w: the server gave no reason", ErrIndexFailed)
	}
	return fmt.Errorf("%w: %s", ErrIndexFailed, untrusted.Text(p.FailReason))
}
