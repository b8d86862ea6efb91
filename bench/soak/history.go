package main

import (
	"time"

	"github.com/milvuswait/milvuswait"
)

// state is what is true of a load or an index.
type state string

const (
	running      state = "running"
	complete     state = "complete"
	uncounted    state = "not counted yet" // an index: its rows were flushed just now
	broken       state = "failed"          // for good, and known to the server
	notLoaded    state = "not loaded"
	noIndex      state = "without its indexes"
	noCollection state = "without its collection"
)

// span is a time in which one thing is true.
type span struct {
	until    time.Duration // from the start of the server
	state    state
	from, to int64 // percent or indexed rows, at its begin and end
	lies     bool  // an index says Finished, although rows are pending
}

// history is all that is ever true of a load or an index: spans without gaps.
// It is where a server that was killed has its memory.
type history []span

// moment is a time of a history.
type moment struct {
	span
	value int64
}

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

// value returns how far a span is that began then.
func (s span) value(begin, t time.Duration) int64 {
	whole := s.until - begin
	if whole <= 0 || t >= s.until {
		return s.to
	}
	return s.from + int64(float64(s.to-s.from)*float64(max(0, t-begin))/float64(whole))
}

// during returns the spans of which some is between the times, with the values
// that they have there for from and to.
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

// was reports whether the state was one of those at some time between.
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

// since returns from when on the state has been what it is at t.
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

// subject is a load or an index that the server has.
type subject struct {
	target  milvuswait.Target // by which it is set
	history history
	rows    int64 // of an index
}

// could reports whether the server may have told that progress between the times.
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

// index returns what the server tells of an index in a span, nil for no progress.
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

// failReason is what the server says of what has failed.
const failReason = "not enough memory"
