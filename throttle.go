package milvuswait

import "time"

const (
	// pollsPerSecond is the maximum rate of the polls of one WaitAll after each target's
	// first one, whatever the number of targets.
	pollsPerSecond = 1000

	// burst is the maximum number of polls that may follow each other at once.
	burst = 20

	// refill is the pause once the tokens are used up. It gains five tokens: to wake up
	// for each poll would cost more than the poll.
	refill = 5 * time.Millisecond
)

// throttle bounds the polls of one WaitAll: the number in flight, and the number per
// second by a bucket of tokens.
//
// First polls take no token, only maxInFlight bounds them: a target that does not exist
// must end the call early. x/time/rate would replace these few lines by a third module
// for all importers of the root package.
type throttle struct {
	maxInFlight int // WithMaxInFlight, or the number of entries if there are fewer
	inFlight    int

	tokens     float64       // up to burst
	refilledAt time.Duration // time of the last change of tokens
}

// take takes a token and returns 0, or returns the time until there are some.
func (t *throttle) take(now time.Duration) time.Duration {
	t.tokens = min(burst, t.tokens+(now-t.refilledAt).Seconds()*pollsPerSecond)
	t.refilledAt = now

	if t.tokens >= 1 {
		t.tokens--
		return 0
	}
	return refill
}
