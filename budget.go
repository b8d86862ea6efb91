package milvuswait

import "time"

const (
	// pollsPerSecond bounds what the targets of one call together ask of a server
	// once each has been polled; burst is how many polls may follow at once.
	pollsPerSecond = 1000
	burst          = 20

	// refill is how long a wait for the budget takes: several polls' worth, since
	// waking for each would cost more than the poll.
	refill = 5 * time.Millisecond

	// listEvery is the least time between two lists: a lateness that nobody minds.
	listEvery = knee

	// listRest is how long lists are left off after one that failed or served
	// nobody; it doubles up to listRestMax.
	listRest    = time.Second
	listRestMax = time.Minute
)

// budget spreads polls over time: a bucket of tokens.
type budget struct {
	tokens float64
	at     time.Duration
}

// take returns 0 if a poll may be made now, and otherwise the time until some
// may.
func (b *budget) take(now time.Duration) time.Duration {
	b.tokens = min(burst, b.tokens+(now-b.at).Seconds()*pollsPerSecond)
	b.at = now
	if b.tokens >= 1 {
		b.tokens--
		return 0
	}
	return refill
}

// lists decides when lists are worth their poll.
type lists struct {
	own   bool          // the caller's generators pace the polls
	until time.Duration // none before, since they are of no use
	rest  time.Duration
	took  time.Duration // the last one that was answered

	underWay bool

	unsupported        bool // the Poller has no lists of loads
	indexesUnsupported bool // it has no lists of indexes
}

// window returns how much later than what is due now a list serves: the delays of
// the default pace, so that all loads that go by it fall into step, and the time
// that a list takes, so that nobody who becomes due meanwhile begins another.
// Delays of the caller's own are left as they are.
func (l *lists) window(now time.Duration) time.Duration {
	if l.own {
		return 0
	}
	return max(knee, now/50, l.took)
}

// resting reports whether no list may begin. What becomes due while one is under
// way, such as after a single poll that took long, is polled alone.
func (l *lists) resting(now time.Duration) bool { return l.underWay || now < l.until }

// begin notes a list that is made, to which done or failed belongs.
func (l *lists) begin() { l.underWay = true }

// done notes a list that was answered and served so many.
func (l *lists) done(now, took time.Duration, served int) {
	l.underWay, l.took = false, took
	if served == 0 {
		l.failed(now)
		return
	}
	l.rest = 0
}

// timeout is how long a list that serves so many may take: it only saves polls,
// and must not hold them up. A tenth of the time that the budget has for those is
// little beside it. On a large server one takes its time, and is given more the
// next time, up to the most that a poll is.
func (l *lists) timeout(served int, most time.Duration) time.Duration {
	saved := time.Duration(served) * time.Second / pollsPerSecond
	return min(max(listRest, 2*l.rest, 2*l.took, saved/10), max(listRest, most))
}

// failed notes a list that served nobody.
func (l *lists) failed(now time.Duration) {
	l.underWay = false
	l.rest = min(max(listRest, 2*l.rest), listRestMax)
	l.until = now + l.rest
}
