package simulation

import (
	"cmp"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
)

// moment is what goes on from one instant until the next.
type moment struct {
	at       time.Duration
	inFlight int
	timeouts int     // that came last, without anything else
	tokens   float64 // polls that may start at once, for all targets together
	rushed   bool    // a poll started beside another, where polls only time out
}

const (
	perMilli = 1.0 // polls, in the long run
	burst    = 20  // at once
	refill   = 5 * time.Millisecond
)

// moments returns all of them.
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
				m.tokens-- // first polls are free, but which they are nobody knows of lists
			}
			for _, t := range p.asked {
				asked[t] = true
			}
		case Ended:
			m.inFlight--
			switch {
			case slices.Contains(p.answers, Answer{Err: cut}):
			case slices.Contains(p.answers, Answer{Err: outOfTime}):
				m.timeouts += max(1, len(p.asked))
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

func (m moment) tokensAt(at time.Duration) float64 {
	return min(burst, m.tokens+float64(at-m.at)/float64(time.Millisecond)*perMilli)
}

// busy reports whether no poll could start from one instant to another: as many as
// may be were in flight, or one where polls only time out; or there had been more
// of them than a server is asked at a time.
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

// momentAt returns the moment that an instant belongs to.
func (v *evidence) momentAt(at time.Duration) int {
	i, found := slices.BinarySearchFunc(v.timeline, at, func(m moment, at time.Duration) int { return cmp.Compare(m.at, at) })
	if !found {
		i--
	}
	return max(0, i)
}

// crowded reports whether polls were too many at an instant, or just before it: who
// is refused asks again after a rest.
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
