package output

import (
	"fmt"
	"time"

	"github.com/milvuswait/milvuswait"
)

// Limits are the limits at which a wait gives up. The texts about a target that is being
// retried show the first one to come.
type Limits struct {
	End         time.Time        // end of --timeout; zero for no end
	Unreachable time.Duration    // maximum time without an answer, counted by each target; 0 for no limit
	Grace       time.Duration    // time since the start in which missing targets are tolerated
	IsRefusal   func(error) bool // reports whether a server refused a call; nil for never
}

// outage is the state of a target since its last successful poll. All times are durations
// since the start of the wait. The zero outage is the state before the first poll.
//
// Two clocks run in it, as in the library: one since the first failure, and one since the
// last answer. Only the second one counts for Unreachable, because a server that returns
// "not found" or "permission denied" can be reached.
type outage struct {
	failing bool          // the last poll failed
	silent  bool          // it brought no answer
	absent  bool          // it found the target missing or not loaded
	since   time.Duration // start of the first failed poll, if failing
	quiet   time.Duration // start of the first poll without an answer, if silent
	next    time.Duration // planned start of the next poll
}

// observe records an update.
func (o *outage) observe(u milvuswait.Update, l Limits) {
	start := min(o.next, u.Elapsed)
	o.next = u.Elapsed + u.Next
	if u.Err == nil || u.Final {
		o.failing, o.silent, o.absent = false, false, false
		return
	}

	// While a target waits for verify, the error is usually the one of the query, and the
	// polls succeed.
	verifying := u.WaitingFor == milvuswait.WaitingForVerify
	o.absent = !verifying && isAnswer(u.Err)
	silent := !verifying && !o.absent && (l.IsRefusal == nil || !l.IsRefusal(u.Err))

	if !o.failing {
		o.failing, o.since = true, start
	}
	if silent && !o.silent {
		o.quiet = start
	}
	o.silent = silent
}

// isAnswer reports whether the error of a poll is an answer about the target, such as "not
// found". Other errors are failures of the call.
func isAnswer(err error) bool {
	switch milvuswait.Reason(err) {
	case "failed", "timed_out", "canceled":
		return false
	}
	return true
}

// left returns the time until the wait gives up, and reports whether it is known. now is the
// time since the start of the wait.
func (o *outage) left(now time.Duration, l Limits) (left time.Duration, known bool) {
	switch {
	case o.silent && l.Unreachable > 0:
		left, known = o.quiet+l.Unreachable-now, true
	case o.absent && l.Grace > now:
		left, known = l.Grace-now, true
	}

	if !l.End.IsZero() {
		if end := time.Until(l.End); !known || end < left {
			left, known = end, true
		}
	}
	return max(0, left), known
}

// times returns the time elapsed and the time left at the time now, as the end of a text:
//
//	, 1m5s so far, gives up in 3m55s
func (o *outage) times(now time.Duration, l Limits) string {
	text := ""
	if elapsed := seconds(now - o.since); elapsed > 0 {
		text += fmt.Sprintf(", %v so far", elapsed)
	}
	if left, known := o.left(now, l); known {
		text += fmt.Sprintf(", gives up in %v", seconds(left))
	}
	return text
}
