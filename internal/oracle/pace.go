package oracle

import (
	"math"
	"time"

	"github.com/milvuswait/milvuswait"
)

const (
	shortest     = time.Millisecond       // minimum of all delays, custom ones included
	listInterval = 100 * time.Millisecond // between lists
	noLateness   = 100 * time.Millisecond // a delay up to this one is never cut by Lateness

	roundingError = 1e-6 // two shares this close are equal
)

// pace is the memory of Judge for the delays.
type pace struct {
	backoff milvuswait.Backoff // resolved
	delays  int                // number of delays so far
	grown   time.Duration      // exponential delay after the next answer
	lag     time.Duration      // duration of the newest successful poll
	left    time.Duration      // predicted time left; 0 while unknown
	lowest  float64            // lowest known share; negative while unknown
	since   time.Duration      // time at which the share was lowest
	newest  float64            // newest known share
	rises   []float64          // all rises of the share, in order
	cut     time.Duration      // sum of the delays that the prediction cut
}

func newPace(o *Options, initial time.Duration) pace {
	b := o.Backoff
	if b.Max == 0 {
		b.Max = max(5*time.Second, b.Initial)
	}
	if b.Initial == 0 {
		b.Initial = min(initial, b.Max)
	}
	if b.Multiplier == 0 {
		b.Multiplier = 1.1
	}
	if b.Lateness == 0 {
		b.Lateness = 0.02
	}

	return pace{backoff: b, grown: b.Initial, lowest: -1}
}

// learn records the share from a successful poll. The mean rate since the share was
// lowest predicts the time left.
func (p *pace) learn(a Answer, share float64) {
	p.lag, p.left = a.took(), 0
	if share < 0 {
		return
	}

	if p.lowest >= 0 && share > p.newest {
		p.rises = append(p.rises, share-p.newest)
	}
	p.newest = share

	switch {
	case p.lowest < 0 || share <= p.lowest:
		p.lowest, p.since = share, a.End
	default:
		left := (1 - share) / (share - p.lowest) * float64(a.End-p.since)
		p.left = time.Duration(min(max(left, 1), math.MaxInt64/2))
	}
}

func (p *pace) forget() { p.left = 0 }

// plan adds the facts about the next poll.
func (w *wait) plan(f *Facts) {
	f.End = w.o.Deadline
	if w.budgetCounts() {
		f.End, f.Silent = w.budgetEnd(), true
	}
	if f.answer.Interrupted || f.answer.Listed && f.answer.Err != nil {
		return // no delay follows
	}

	// The confirming poll after an absent answer has a time of its own.
	now := f.at
	f.Last = w.lastPoll(f)
	if f.Confirms {
		earlier, _ := w.first(absent)
		delay := max(earlier.End+confirmAfter-now, shortest)
		f.Least, f.Most, f.Next = delay, delay, w.beforeEnd(f, delay)
		return
	}

	w.addTurns(f)
	f.Least, f.Most = w.pace.bounds(w.o, f)
	delay := w.pace.next(w.o, f)
	for _, turn := range f.turns {
		if turn > now {
			delay = min(delay, turn-now)
		}
	}
	f.Next = w.beforeEnd(f, max(delay, shortest))
}

// addTurns adds the times at which the verdict can change without any event.
func (w *wait) addTurns(f *Facts) {
	now := f.at
	if f.Settles >= 0 {
		f.turns = append(f.turns, f.Settles)
	}
	if w.o.Stall > 0 && f.answer.Err == nil && (!f.Complete || w.unverified) && !f.Pending {
		f.turns = append(f.turns, now+w.o.Stall-f.Unchanged)
	}
	if f.answer.Err != nil {
		f.turns = append(f.turns, w.o.Grace)
	}
	if refused, found := w.first(refusal); found {
		f.turns = append(f.turns, refused.End+refusedFor)
	}
}

// bounds returns the promised bounds of the delay: a part of the time waited, and no less
// than the last successful poll took.
func (p *pace) bounds(o *Options, f *Facts) (least, most time.Duration) {
	if o.Delay != nil {
		d := max(o.Delay(p.delays), shortest)
		return d, d
	}

	b, now := p.backoff, f.at
	least, most = max(b.Initial, p.lag), b.Max
	if b.Lateness < 1 {
		most = max(least, noLateness, time.Duration(b.Lateness*float64(now)))
		if f.Settles >= 0 {
			most = max(most, o.Settle/10)
		}
	}
	least, most = min(least, b.Max), min(most, b.Max)

	if f.answer.Listed {
		least, most = max(least, listInterval), max(most, listInterval)
	}

	return least, most
}

// next returns the delay after an answer, without jitter, and remembers it.
func (p *pace) next(o *Options, f *Facts) time.Duration {
	p.delays++
	if o.Delay != nil {
		return o.Delay(p.delays - 1)
	}

	b := p.backoff
	grown, promise := p.grown, b.Max
	p.grown = min(time.Duration(float64(p.grown)*b.Multiplier), b.Max)
	if b.Lateness < 1 {
		promise = min(promise, max(noLateness, time.Duration(b.Lateness*float64(f.at))))
	}

	delay := min(grown, promise)
	predicted := p.beforeEnd(promise)
	if f.answer.Listed {
		predicted = max(predicted, min(promise, time.Duration(0.004*float64(f.at))))
	}
	cut := predicted < delay
	delay = min(max(min(delay, predicted), b.Initial, p.lag), b.Max)
	if cut {
		p.cut += delay
	}

	// Lists and complete targets have delays of their own.
	if f.answer.Listed {
		delay = max(delay, listInterval)
	}
	if f.Settles >= 0 {
		delay = max(delay, min(o.Settle/10, b.Max))
	}
	return delay
}

// beforeEnd returns the maximum delay before the predicted end: a fifth of the time left,
// and less than the promise if the end is near. The time left is at least a fifth of all
// delays cut before, and an end that is overdue by this counts as near.
func (p *pace) beforeEnd(promise time.Duration) time.Duration {
	if p.backoff.IgnoreProgress || p.left == 0 {
		return math.MaxInt64
	}
	overdue := p.cut / 5
	left := max(p.left, overdue).Seconds()

	near := p.left < overdue
	for _, rise := range p.rises[max(0, len(p.rises)-2):] {
		near = near || 1-p.newest <= 1.5*rise+roundingError
	}

	seconds := left / 5
	if near {
		seconds = min(seconds, 0.75*promise.Seconds(), math.Sqrt(7*p.backoff.Lateness*math.Sqrt(left)))
	}
	return time.Duration(seconds * float64(time.Second))
}

// margin returns the time for the last poll before the end.
func (f *Facts) margin() time.Duration {
	return min(max(2*f.took(), 50*time.Millisecond), time.Second)
}

func (f *Facts) took() time.Duration { return f.answer.took() }

// took returns the duration of the last request of the poll. A duration of 0 is not measured.
func (a Answer) took() time.Duration {
	if n := len(a.Requests); n > 0 && a.Requests[n-1].End > a.Requests[n-1].Begin {
		return a.Requests[n-1].End - a.Requests[n-1].Begin
	}
	return a.End - a.Begin
}

// lastPoll returns the time of the last poll: early enough for its answer to arrive before
// the end, and not before a complete target has settled.
func (w *wait) lastPoll(f *Facts) time.Duration {
	if f.End == 0 {
		return math.MaxInt64
	}
	last := f.End - f.margin()
	if f.Settles < f.End {
		last = max(last, f.Settles)
	}
	return last
}

// beforeEnd returns the time of the next poll, which leaves room for the last one.
func (w *wait) beforeEnd(f *Facts, delay time.Duration) time.Duration {
	now := f.at
	room := f.Last - now
	if f.took() < f.margin() {
		room -= f.took()
	}

	switch {
	case f.End == 0:
		return now + min(delay, math.MaxInt64-now)
	case delay < room:
		return now + delay
	case now < f.Last:
		return f.Last
	}

	return f.End
}
