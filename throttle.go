package milvuswait

import (
	"time"
)

const (
	// pollsPerSecond bounds what the targets of one call together ask of a server
	// once each has been polled; burst is how many polls may follow at once.
	pollsPerSecond = 1000
	burst          = 20

	// refill is how long a wait for the budget takes: several polls' worth, since
	// waking for each would cost more than the poll.
	refill = 5 * time.Millisecond
)

// tokenBucket spreads polls over time: a bucket of tokens.
type tokenBucket struct {
	tokens float64
	at     time.Duration
}

// take returns 0 if a poll may be made now, and otherwise the time until some
// may.
func (b *tokenBucket) take(now time.Duration) time.Duration {
	b.tokens = min(burst, b.tokens+(now-b.at).Seconds()*pollsPerSecond)
	b.at = now
	if b.tokens >= 1 {
		b.tokens--
		return 0
	}
	return refill
}
