package milvuswaittest

import (
	"context"
	"fmt"
	"time"
)

// TB is the part of a test that this package uses. *testing.T, *testing.B and *testing.F
// implement it, and so does every testing.TB.
//
// If a TB has them, the helpers also use two more methods: Deadline, as of *testing.T, and
// Output, as of all three.
type TB interface {
	// Helper marks the calling function as a helper: log lines show its caller instead.
	Helper()

	// Log writes one line at once.
	Log(args ...any)

	// Fatal reports the failure and ends the test. If it returns, as it may in a fake TB,
	// the helper returns too.
	Fatal(args ...any)

	// Context returns the context of the test. The end of this context ends the waits.
	Context() context.Context
}

// The limits of a helper in a test without a deadline.
const (
	// DefaultLimit applies to benchmarks, to tests under go test -timeout 0, and to every
	// other TB without a method Deadline. It equals the default of go test -timeout.
	DefaultLimit = 10 * time.Minute

	// BubbleLimit applies to tests in a bubble of testing/synctest, in the bubble's time. A
	// wait that never ends reaches it after 0.14 s of real time.
	BubbleLimit = 24 * time.Hour
)

// Within returns tb with a limit of d for each helper, unless another limit is shorter.
//
//	milvuswaittest.RequireLoaded(milvuswaittest.Within(t, time.Minute), p, "docs")
//
// The time starts with the call of the helper. If d is 0 or negative, the helper fails at
// once, before the first poll.
func Within(tb TB, d time.Duration) TB { return within{tb, d} }

type within struct {
	TB
	limit time.Duration
}

// budget is the maximum duration of a helper, and the reason for it.
type budget struct {
	left time.Duration
	why  string
}

// newBudget returns the budget of tb: the limit of Within, if it is the shortest, or else
// the limit of the bubble, the deadline of the test, or DefaultLimit.
func newBudget(tb TB) budget {
	if w, ok := tb.(within); ok {
		outer := newBudget(w.TB)
		if w.limit >= outer.left {
			return outer
		}
		return budget{w.limit, fmt.Sprintf("after %v, the limit of Within", w.limit)}
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

// margin returns how much of the remaining time to reserve for the failure report and the
// cleanup. At its deadline, go test ends the process, and the log is lost.
func margin(left time.Duration) time.Duration {
	return max(time.Second, min(left/10, 30*time.Second))
}

// started is the start of the process, by the real clock.
var started = time.Now()

// inBubble reports whether the caller is in a bubble of testing/synctest. The clock of a
// bubble begins in the year 2000; there is no other sign. The deadline is of no use there:
// it belongs to the real clock, 26 years ahead, and the Deadline method of the bubble's
// *testing.T panics.
func inBubble() bool {
	const year = 365 * 24 * time.Hour
	// Compare the wall clocks: the monotonic readings belong to two clocks.
	return time.Now().Round(0).Sub(started.Round(0)).Abs() > year
}
