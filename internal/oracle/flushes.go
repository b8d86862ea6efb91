package oracle

import (
	"errors"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
)

var flushFirst = Rule{"flush: an index waits for the flush of its mark, and for the segments of the first list", "segments.go", "internal/oracle/flushes.go"}

// Request is one request of a poll of an index.
type Request struct {
	Begin, End time.Duration
	Of         RequestKind
	Progress   milvuswait.Progress // result of Describe
	Done       bool                // result of FlushState
	Unflushed  []int64             // result of ListSegments
	Err        error
	Transient  bool
}

// RequestKind is the kind of a Request.
type RequestKind int

// The kinds of requests.
const (
	Describe     RequestKind = iota // IndexBuildingProgress, or ListIndexBuilding
	FlushState                      // FlushDone
	ListSegments                    // UnflushedSegments
)

// flushes is everything that a wait for an index knows about flushes: the requests so far, in
// order. Nothing is derived from them before it is needed.
type flushes struct {
	known []Request       // lists of other waits, and requests of the wait itself
	at    []time.Duration // end of the poll of each
	fresh int             // number of requests known before the newest answer
}

// add records the requests of an answer. A poll of a single request has none of its own.
func (x *flushes) add(a Answer) {
	x.fresh = len(x.known)
	for _, r := range a.Shared {
		x.known, x.at = append(x.known, r), append(x.at, r.End)
	}

	own := a.Requests
	if own == nil {
		own = []Request{{Begin: a.Begin, End: a.End, Of: Describe, Progress: a.Progress, Err: a.Err}}
	}
	for _, r := range own {
		x.known, x.at = append(x.known, r), append(x.at, a.End)
	}
}

// described returns the position of the newest successful Describe, or -1.
func (x *flushes) described() int {
	for i, r := range slices.Backward(x.known) {
		if r.Of == Describe && r.Err == nil {
			return i
		}
	}
	return -1
}

// before returns the requests whose results were known when the i-th one began.
func (x *flushes) before(i int) []Request {
	begin := x.known[i].Begin
	return slices.DeleteFunc(slices.Clone(x.known[:i]), func(r Request) bool { return r.End > begin })
}

// missing returns the segments of the first list that are in all others too, and reports
// whether there was a list.
func missing(all []Request) (left []int64, listed bool) {
	for _, r := range all {
		if r.Of != ListSegments || r.Err != nil {
			continue
		}
		if !listed {
			left, listed = slices.Clone(r.Unflushed), true
		}
		left = slices.DeleteFunc(left, func(id int64) bool { return !slices.Contains(r.Unflushed, id) })
	}
	return left, listed
}

// flushed reports whether every segment of the first list is flushed, by these requests.
func flushed(all []Request) bool {
	left, listed := missing(all)
	return listed && len(left) == 0
}

// unlisted reports whether the server lists no segments, by the first n requests: it does not
// support the list, or has refused it for 30 s. A list in between is a new start.
func (x *flushes) unlisted(n int) bool {
	refused := never
	for i, r := range x.known[:n] {
		switch {
		case r.Of != ListSegments:
		case r.Err == nil:
			refused = never
		case r.Transient || !refuses(r.Err) || flushed(x.known[:i]):
		case errors.Is(r.Err, errors.ErrUnsupported):
			return true
		case refused < 0:
			refused = x.at[i]
		case x.at[i]-refused >= refusedFor:
			return true
		}
	}
	return false
}

func refuses(err error) bool {
	c, _ := sentinelOf(err)
	return c == refusal
}

// changed reports whether the newest answer changed the segments to wait for.
func (x *flushes) changed() bool {
	if x.unlisted(len(x.known)) {
		return !x.unlisted(x.fresh)
	}

	before, listed := missing(x.known[:x.fresh])
	now, listedNow := missing(x.known)
	return listed != listedNow || len(before) != len(now)
}

// awaitsFlush reports whether the newest progress looks complete, but may lack rows of a
// flush: the progress counts only if it was requested after the mark was flushed, and after
// every segment of the first list was missing in a list. With RowsAtStart, this holds for the
// first progress, whatever it is.
func (w *wait) awaitsFlush() bool {
	start := w.o.Criterion == milvuswait.RowsAtStart && len(w.counted) == 0
	looksComplete := w.kind.complete(w.o, append(slices.Clone(w.counted), w.known()))
	if !w.kind.flushes() || !start && !looksComplete {
		return false
	}
	before := w.flushes.before(w.flushes.described())
	_, marked := w.o.Target.FlushMark()
	isDone := func(r Request) bool { return r.Of == FlushState && r.Err == nil && r.Done }
	if marked && !slices.ContainsFunc(before, isDone) {
		return true
	}
	if w.o.Criterion == milvuswait.ServerState {
		return false
	}
	if !w.o.Segments && !w.flushes.unlisted(len(w.flushes.known)) {
		w.cannotList()
	}
	return !flushed(before) && !w.flushes.unlisted(len(w.flushes.known))
}

// cannotList records the answer of a Poller without a list of segments. It is a step ahead.
func (w *wait) cannotList() {
	w.flushes.known = append(w.flushes.known, Request{Of: ListSegments, Err: errors.ErrUnsupported})
	w.flushes.at = append(w.flushes.at, 0)
	w.changed = w.watched(w.newest.End)
}

// unconfirmed reports whether a complete index may lack rows that are being flushed: its
// server or Poller lists no segments, and neither the time of a flush nor the number of rows
// is known. Such servers ignore the segments of a mark.
func (w *wait) unconfirmed() bool {
	mark, _ := w.o.Target.FlushMark()
	if !w.kind.flushes() || mark.Timestamp > 0 || w.o.Target.ExpectedRows() > 0 || w.o.Criterion == milvuswait.ServerState {
		return false
	}
	return w.flushes.unlisted(len(w.flushes.known))
}
