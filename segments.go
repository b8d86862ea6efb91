package milvuswait

import (
	"context"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait/internal/unwrap"
)

// # Rows that are being flushed
//
// A server counts the rows of a flush only when their segments are on disk. Until then it
// reports the index finished, without them. So a wait does not believe the first progress
// that looks complete. It asks:
//
//  1. FlushDone, if the target has a mark, until the flush is done;
//  2. UnflushedSegments, for the segments that are sealed or being flushed now, until none
//     of these is listed any more. Segments sealed later do not count: under continuous
//     writes there is always one;
//  3. the progress once more. This one counts, and 1 and 2 are not repeated in this wait.
//
// While 1 or 2 goes on, a poll does not request the progress. With RowsAtStart, the wait
// asks before it takes its baseline, and takes it from the progress of 3.
//
// Steps that follow each other without a delay are one poll. In WaitAll, the indexes of one
// collection share its segments: see scheduler.shareSegments.

// segmentCheck is the state of step 2. A nil one is the state before the first list. It is
// never changed, only replaced: workers read it.
type segmentCheck struct {
	stage     segmentStage
	listed    bool          // the first list has arrived
	waiting   []int64       // segments of the first list that are still listed, sorted
	refusedAt time.Duration // end of the first refusal since the last list, or notYet
}

type segmentStage int8

const (
	segmentsPending  segmentStage = iota
	segmentsFlushed               // every segment of the first list is flushed
	segmentsUnlisted              // the Poller or its server does not list them
)

var (
	allFlushed  = &segmentCheck{stage: segmentsFlushed}
	allUnlisted = &segmentCheck{stage: segmentsUnlisted}
)

// isSettled reports whether the segments are not asked for any more.
func (c *segmentCheck) isSettled() bool { return c != nil && c.stage != segmentsPending }

func (c *segmentCheck) isUnlisted() bool { return c != nil && c.stage == segmentsUnlisted }

// segmentList is the result of one UnflushedSegments.
type segmentList struct {
	unflushed []int64
	err       error
}

// add returns the state after a list that ended at now. The lists of concurrent polls may
// arrive in any order: each one can only reduce the segments to wait for.
func (c *segmentCheck) add(now time.Duration, l *segmentList) *segmentCheck {
	next := segmentCheck{refusedAt: notYet}
	if c != nil {
		next = *c
	}

	switch {
	case c.isSettled():
		return c
	case l.err == nil:
		next.waiting = c.remaining(l.unflushed)
		next.listed, next.refusedAt = true, notYet
		if len(next.waiting) == 0 {
			return allFlushed
		}
	case isUnsupported(l.err):
		return allUnlisted
	case classOf(l.err) != refusal:
		return c
	case next.refusedAt == notYet:
		next.refusedAt = now
	case now-next.refusedAt >= refusedFor:
		return allUnlisted
	}
	return &next
}

// remaining returns the segments to wait for after a list, sorted. Lists may be long: a
// response of 64 MiB holds a million segments.
func (c *segmentCheck) remaining(list []int64) []int64 {
	list = slices.Clone(list)
	slices.Sort(list)
	if c == nil || !c.listed {
		return slices.Compact(list)
	}

	return slices.DeleteFunc(slices.Clone(c.waiting), func(id int64) bool {
		_, found := slices.BinarySearch(list, id)
		return !found
	})
}

// isFlushPending reports whether step 1 or 2 is not finished.
func (s *waitState) isFlushPending() bool {
	return s.isMarkPending() || s.cfg.criterion != ServerState && !s.indexBuilding.segments.isSettled()
}

func (s *waitState) isMarkPending() bool { return s.target.mark != "" && !s.indexBuilding.markDone }

// asksForFlush reports whether the poll that brought p asks for flushes.
func (s *waitState) asksForFlush(p Progress) bool {
	index, ok := p.(IndexBuildingProgress)
	needsBaseline := s.cfg.criterion == RowsAtStart && !s.indexBuilding.hasBaseline
	return ok && s.isFlushPending() && (needsBaseline || s.looksComplete(index))
}

// asksForFlushOnly reports whether the next poll does not request the progress. After a
// failure it does, to find out which of the requests fails.
func (s *waitState) asksForFlushOnly() bool {
	return s.indexBuilding.flushing && s.isFlushPending() && s.outage.lastErr == nil
}

// pollIndex makes one poll of an index.
func pollIndex(ctx context.Context, p Poller, s *waitState) answer {
	describe := func(ctx context.Context) answer {
		return answerOf(p.IndexBuildingProgress(ctx, s.target.collection, s.target.index))
	}

	// Most polls find an index in progress, and are one request.
	first := answer{progress: s.last, old: true}
	if !s.asksForFlushOnly() {
		if first = describe(ctx); first.err != nil || !s.asksForFlush(first.progress) {
			return first
		}
	}

	x := indexPoll{poller: p, states: []*waitState{s}, describe: func(ctx context.Context) []answer {
		return []answer{describe(ctx)}
	}}
	a := x.askForFlushes(ctx, []answer{first})[0]
	a.took = x.took
	return a
}

// indexPoll is one poll of indexes of one collection: of a single one, or of several covered
// by a list. It runs on the goroutine of a worker, and only reads the states.
type indexPoll struct {
	poller   Poller
	states   []*waitState
	describe func(ctx context.Context) []answer // requests the progress of all

	took  time.Duration         // duration of the last request
	marks map[string]flushState // results of FlushDone, by mark
	list  *segmentList          // result of UnflushedSegments; nil if not requested
}

// flushState is the result of one FlushDone.
type flushState struct {
	done bool
	err  error
}

// run makes the requests, and returns one answer for each state. If a later request fails,
// an answer has the progress of an earlier one too.
func (x *indexPoll) run(ctx context.Context) []answer {
	// Request the progress, unless only flushes are left to ask for.
	if slices.ContainsFunc(x.states, func(s *waitState) bool { return !s.asksForFlushOnly() }) {
		return x.askForFlushes(ctx, x.request(ctx))
	}
	answers := make([]answer, len(x.states))
	for i, s := range x.states {
		answers[i] = answer{progress: s.last, old: true}
	}
	return x.askForFlushes(ctx, answers)
}

// askForFlushes asks for the flushes of the indexes whose progress looks complete, and
// requests the progress of all once more if it may be too old.
func (x *indexPoll) askForFlushes(ctx context.Context, answers []answer) []answer {
	// If a flush has ended since the progress was requested, the progress is too old.
	old := answers[0].old
	for i, s := range x.states {
		if a := &answers[i]; a.err == nil && s.asksForFlush(a.progress) {
			x.askForFlush(ctx, s, a)
			old = old || a.err == nil && !a.flushing && (a.markDone || a.list != nil && a.list.err == nil)
		}
	}
	if !old || !slices.ContainsFunc(answers, func(a answer) bool { return a.err == nil && !a.flushing }) {
		return answers
	}

	// Request the progress that counts. An index that looks complete only now has not asked
	// for its flush: it keeps its first progress, and asks with the next poll.
	for i, again := range x.request(ctx) {
		a := &answers[i]
		asked := a.markDone || a.list != nil
		switch {
		case a.err != nil || a.flushing || !asked && x.states[i].asksForFlush(again.progress):
		case again.err != nil:
			a.err = again.err
		default:
			a.progress, a.old = again.progress, false
		}
	}
	return answers
}

// request calls describe, and measures it.
func (x *indexPoll) request(ctx context.Context) []answer {
	defer measure(&x.took)()
	return x.describe(ctx)
}

// askForFlush asks whether the flush of the mark of s is done, then for unflushed segments,
// and records the results in a. Indexes with the same mark share a request, and all indexes
// share that for the segments.
func (x *indexPoll) askForFlush(ctx context.Context, s *waitState, a *answer) {
	if s.isMarkPending() {
		f := x.flushDone(ctx, s.target)
		a.markDone, a.flushing, a.err = f.done, !f.done, f.err
		if !f.done {
			return
		}
	}
	if s.cfg.criterion == ServerState || s.indexBuilding.segments.isSettled() {
		return
	}

	a.list = x.unflushedSegments(ctx, s.target.collection)
	switch l := a.list; {
	case l.err == nil:
		a.flushing = len(s.indexBuilding.segments.remaining(l.unflushed)) > 0
	case !isUnsupported(l.err):
		a.flushing, a.err = true, l.err
	}
}

func (x *indexPoll) flushDone(ctx context.Context, t Target) flushState {
	if known, found := x.marks[t.mark]; found {
		return known
	}

	defer measure(&x.took)()
	done, err := flushDone(ctx, x.poller, t)
	if x.marks == nil {
		x.marks = map[string]flushState{}
	}
	x.marks[t.mark] = flushState{done && err == nil, err}
	return x.marks[t.mark]
}

func (x *indexPoll) unflushedSegments(ctx context.Context, collection string) *segmentList {
	if x.list != nil {
		return x.list
	}

	x.list = &segmentList{}
	lister, ok := unwrap.Find[SegmentLister](x.poller)
	if !ok {
		x.list.err = errNoSegmentLister
		return x.list
	}
	defer measure(&x.took)()
	x.list.unflushed, x.list.err = lister.UnflushedSegments(ctx, collection)
	return x.list
}

// setSegments replaces the state of the segments. A change of it is progress.
func (s *waitState) setSegments(now time.Duration, next *segmentCheck) {
	before := s.indexBuilding.segments
	s.indexBuilding.segments = next
	if before == nil || before.stage != next.stage || before.listed != next.listed || len(before.waiting) != len(next.waiting) {
		s.changedAt = now
	}
}

// noteIndex records an answer about an index, and returns its progress.
func noteIndex(s *waitState, now time.Duration, a answer) Progress {
	b := &s.indexBuilding
	b.markDone = b.markDone || a.markDone
	if a.list != nil {
		s.setSegments(now, b.segments.add(now, a.list))
	}
	b.flushing = a.flushing || a.err != nil && (b.flushing || a.list != nil || a.markDone)

	if a.err == nil && !a.flushing && !b.hasBaseline {
		b.rowsAtStart, b.hasBaseline = a.progress.(IndexBuildingProgress).TotalRows, true
	}
	return a.progress
}
