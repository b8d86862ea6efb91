package milvuswaittest

import (
	"context"
	"fmt"
	"time"
)

// TB is what this package needs of a test. *testing.T, *testing.B and *testing.F
// have it, and so has every testing.TB.
//
// Two more methods are used of a TB that has them: Deadline, as *testing.T has it,
// and Output, which all of those have.
type TB interface {
	// Helper marks the calling function as one whose lines are not worth reading.
	Helper()

	// Log writes one line, now.
	Log(args ...any)

	// Fatal writes why the test has failed and ends it. If it returns, as that of a
	// fake TB may, so does the helper.
	Fatal(args ...any)

	// Context returns the context of the test. When it ends, so do the waits.
	Context() context.Context
}

// The limits of a helper whose test has no deadline.
const (
	// DefaultLimit is that of benchmarks, of tests that go test runs with -timeout 0
	// and of every other TB without a method Deadline. It is also what go test gives
	// a test by itself.
	DefaultLimit = 10 * time.Minute

	// BubbleLimit is that of tests in a bubble of testing/synctest, in the bubble's
	// time: a wait that never ends is found to be one after 0.14 s of real time.
	BubbleLimit = 24 * time.Hour
)

// Within returns tb, whose helpers give up after d if they do not for another
// reason before.
//
//	milvuswaittest.RequireLoaded(milvuswaittest.Within(t, time.Minute), p, "docs")
//
// The time begins with the call of the helper. 0 or less fails at once, before the
// first poll.
func Within(tb TB, d time.Duration) TB { return within{tb, d} }

type within struct {
	TB
	limit time.Duration
}

// budget is how long a helper may wait, and why no longer.
type budget struct {
	left time.Duration
	why  string
}

// newBudget reads the limit of tb.
func newBudget(tb TB) budget {
	if w, ok := tb.(within); ok {
		outer := newBudget(w.TB)
		if w.limit >= outer.left {
			return outer
		}
		return budget{w.limit, fmt.Sprintf("after %v, as Within says", w.limit)}
	}
	if inBubble() {
		return budget{BubbleLimit, fmt.Sprintf("after %v in a bubble of testing/synctest", BubbleLimit)}
	}
	if d, ok := tb.(interface{ Deadline() (time.Time, bool) }); ok {
		if deadline, ok := d.Deadline(); ok {
			left := time.Until(deadline)
			m := margin(left)
			return budget{left - m, fmt.Sprintf("%v before the deadline of the test", m.Round(time.Millisecond))}
		}
	}
	return budget{DefaultLimit, fmt.Sprintf("after %v, as the test has no deadline", DefaultLimit)}
}

// margin returns what must be left of a test's time to say why it failed and to
// clean up: go test ends the process at the deadline, and nobody sees the log.
func margin(left time.Duration) time.Duration {
	return max(time.Second, min(left/10, 30*time.Second))
}

// started is when the process was, by its own clock.
var started = time.Now()

// inBubble reports whether the caller is in a bubble of testing/synctest, whose
// clock begins in the year 2000. Nothing else tells, and the deadline must not be
// asked for there: it is of the real clock, 26 years ahead, and a bubble's own
// *testing.T panics.
func inBubble() bool {
	const year = 365 * 24 * time.Hour
	// Without the monotonic parts, which are of two clocks.
	return time.Now().Round(0).Sub(started.Round(0)).Abs() > year
}
