package simulation

import (
	"cmp"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
)

// moment is the state of all polls from one event until the next.
type moment struct {
	at       time.Duration
	inFlight int
	timeouts int     // calls timed out in a row
	tokens   float64 // number of polls that may start now, for all targets together
	rushed   bool    // a poll started beside another, although polls only time out
}

const (
	perMilli = 1.0 // polls per millisecond in the long run
	burst    = 20  // maximum number of polls at once
	refill   = 5 * time.Millisecond
)

// moments returns all moments of the log.
func (v *evidence) moments() []moment {
	var all []moment
	var m moment
	polls := map[int]*poll{}
	for _, p := range v.polls {
		polls[p.number] = p
	}

	lists := false
	asked := map[milvuswait.Target]bool{}

	for _, e := range v.log {
		p := polls[e.Poll]
		if p == nil {
			continue
		}
		if e.At > m.at {
			m.rushed = false
		}

		m.tokens = m.tokensAt(e.At)
		m.at = e.At
		switch e.Kind {
		case Started:
			m.inFlight++
			m.rushed = m.rushed || m.inFlight > 1 && m.timeouts >= v.workers()
			lists = lists || len(p.asked) == 0
			if lists || asked[p.asked[0]] {
				m.tokens-- // first polls are free, but the log does not show them in lists
			}
			for _, t := range p.asked {
				asked[t] = true
			}
		case Ended:
			m.inFlight--
			switch {
			case slices.Contains(p.answers, Answer{Err: cut}):
			case slices.Contains(p.answers, Answer{Err: outOfTime}):
				m.timeouts++
			default:
				m.timeouts = 0
			}
		}

		if n := len(all); n > 0 && all[n-1].at == m.at {
			all[n-1] = m
		} else {
			all = append(all, m)
		}
	}
	return all
}

// tokensAt returns the number of tokens at a later time within the moment.
func (m moment) tokensAt(at time.Duration) float64 {
	return min(burst, m.tokens+float64(at-m.at)/float64(time.Millisecond)*perMilli)
}

// busy reports whether other polls prevented a poll from starting in the whole period.
// Either the maximum number was in flight, or one was in flight on a server on which polls
// only time out, or the rate limit was reached.
func (v *evidence) busy(from, to time.Duration) bool {
	if len(v.timeline) == 0 || from < v.timeline[0].at {
		return false
	}
	for i := v.momentAt(from); i < len(v.timeline) && v.timeline[i].at < to; i++ {
		m := v.timeline[i]
		limit := v.workers()
		if m.timeouts >= limit {
			limit = 1
		}
		if m.inFlight < limit && !v.crowded(max(from, m.at)) {
			return false
		}
	}
	return true
}

// momentAt returns the index of the moment at the given time.
func (v *evidence) momentAt(at time.Duration) int {
	i, found := slices.BinarySearchFunc(v.timeline, at, func(m moment, at time.Duration) int { return cmp.Compare(m.at, at) })
	if !found {
		i--
	}
	return max(0, i)
}

// crowded reports whether the rate limit was reached at the given time or shortly before
// it. A rejected poll is tried again after a pause, so the state before it counts too.
func (v *evidence) crowded(at time.Duration) bool {
	const one = 1 + 1e-6
	from := v.momentAt(at - refill)
	for i := from; i < len(v.timeline) && v.timeline[i].at <= at; i++ {
		if v.timeline[i].tokensAt(max(v.timeline[i].at, at-refill)) < one {
			return true
		}
	}
	return false
}
