package main

import (
	"time"

	"github.com/milvuswait/milvuswait"
)

// state is the true state of a load or an index.
type state string

const (
	running      state = "running"
	complete     state = "complete"
	uncounted    state = "not counted yet" // index whose rows were flushed just now
	broken       state = "failed"          // permanently, and known to the server
	notLoaded    state = "not loaded"
	noIndex      state = "without its indexes"
	noCollection state = "without its collection"
)

// span is a period with one state.
type span struct {
	until    time.Duration // measured from the start of the server
	state    state
	from, to int64 // percent or indexed rows, at its start and end
	lies     bool  // the index reports Finished, although rows are pending
}

// history is the complete past and future of a load or an index: consecutive spans without
// gaps. A restarted server continues from it.
type history []span

// moment is the state at one instant of a history.
type moment struct {
	span
	value int64
}

// at returns the moment at t. After its last span, the history stays at its final value.
func (h history) at(t time.Duration) moment {
	var begin time.Duration
	for _, s := range h {
		if t < s.until {
			return moment{s, s.value(begin, t)}
		}
		begin = s.until
	}

	last := h[len(h)-1]
	return moment{last, last.to}
}

// value returns the progress at t in a span with the given start. It is linear between from
// and to.
func (s span) value(begin, t time.Duration) int64 {
	whole := s.until - begin
	if whole <= 0 || t >= s.until {
		return s.to
	}
	return s.from + int64(float64(s.to-s.from)*float64(max(0, t-begin))/float64(whole))
}

// during returns the spans that overlap the given period. Their from and to are the values
// within the period.
func (h history) during(from, to time.Duration) []span {
	var found []span
	var begin time.Duration

	for i, s := range h {
		last := i == len(h)-1
		if begin <= to && (from < s.until || last) {
			cut := s
			cut.from, cut.to = s.value(begin, max(from, begin)), s.value(begin, min(to, s.until))
			found = append(found, cut)
		}
		begin = s.until
	}
	return found
}

// was reports whether the history was in one of the states at some instant of the given
// period.
func (h history) was(from, to time.Duration, states ...state) bool {
	for _, s := range h.during(from, to) {
		for _, wanted := range states {
			if s.state == wanted {
				return true
			}
		}
	}
	return false
}

// since returns the start of the current state at t. Consecutive spans with the same state
// count as one.
func (h history) since(t time.Duration) time.Duration {
	now := h.at(t).state
	var begin, since time.Duration

	for i, s := range h {
		if i == 0 || h[i-1].state != s.state {
			since = begin
		}
		if begin = s.until; t < s.until {
			break
		}
	}

	if h.at(since).state != now {
		return t
	}
	return since
}

// subject is a load or an index on the server.
type subject struct {
	target  milvuswait.Target // argument of the fake server's Set
	history history
	rows    int64 // rows of an index
}

// could reports whether the server may have returned the progress within the given period.
func (s *subject) could(from, to time.Duration, told milvuswait.Progress) bool {
	for _, span := range s.history.during(from, to) {
		switch p := told.(type) {
		case milvuswait.LoadingProgress:
			if span.state != running && span.state != complete {
				continue
			}
			if span.from <= p.Percent && p.Percent <= span.to {
				return true
			}
		case milvuswait.IndexBuildingProgress:
			low, high := s.index(span, span.from), s.index(span, span.to)
			if low == nil || p.IndexName != s.target.Index() || p.State != low.State || p.TotalRows != low.TotalRows || p.FailReason != low.FailReason {
				continue
			}
			if low.IndexedRows <= p.IndexedRows && p.IndexedRows <= high.IndexedRows && p.PendingIndexRows == p.TotalRows-p.IndexedRows {
				return true
			}
		}
	}
	return false
}

// index returns the server's progress of an index in a span, or nil if it returns an error
// instead.
func (s *subject) index(of span, indexed int64) *milvuswait.IndexBuildingProgress {
	p := &milvuswait.IndexBuildingProgress{
		TotalRows: s.rows, IndexedRows: indexed, PendingIndexRows: s.rows - indexed, State: milvuswait.IndexStateFinished,
	}

	switch of.state {
	case running:
		if !of.lies {
			p.State = milvuswait.IndexStateInProgress
		}
	case uncounted:
		p.TotalRows, p.IndexedRows, p.PendingIndexRows = 0, 0, 0
	case complete:
	case broken:
		p.State, p.FailReason = milvuswait.IndexStateFailed, failReason
	default:
		return nil
	}
	return p
}

// failReason is the server's reason for a failed load or build.
const failReason = "not enough memory"
