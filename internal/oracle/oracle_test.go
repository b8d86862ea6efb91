package oracle_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/oracle"
)

const second = time.Second

var (
	errBlip   = errors.New("connection reset")
	errDenied = errors.New("permission denied")
	load      = milvuswait.Loading("docs")
	index     = milvuswait.IndexBuilding("docs", "vidx")
	mark      = milvuswait.FlushMark{Timestamp: 7, Segments: []int64{1, 2}}
	flush     = milvuswait.Flushing("docs", mark)

	imported   = milvuswait.Importing(7)
	compaction = milvuswait.Compacting(7)
)

// at returns the answer of a poll that took 10 ms and ended at a time in seconds: a
// percentage, a progress or an error.
func at(seconds float64, result any) oracle.Answer {
	end := time.Duration(math.Round(seconds * float64(second)))
	a := oracle.Answer{Begin: end - 10*time.Millisecond, End: end}
	switch r := result.(type) {
	case int:
		a.Progress = milvuswait.LoadingProgress{Percent: int64(r), RefreshPercent: 100}
	case milvuswait.Progress:
		a.Progress = r
	case error:
		a.Err, a.Transient = r, r == errBlip
	}
	return a
}

// by returns a with requests in place of its progress: each ends when the next one begins. A
// progress is the result of a Describe, a bool of a FlushState, a slice of a ListSegments, and
// an error that of the kind of the request after it.
func by(a oracle.Answer, results ...any) oracle.Answer {
	a.Progress = nil
	for i, result := range results {
		r := oracle.Request{Begin: a.Begin + time.Duration(i)*time.Millisecond, End: a.Begin + time.Duration(i+1)*time.Millisecond}
		switch result := result.(type) {
		case milvuswait.Progress:
			r.Progress, a.Progress = result, result
		case bool:
			r.Of, r.Done = oracle.FlushState, result
		case []int64:
			r.Of, r.Unflushed = oracle.ListSegments, result
		case error:
			r.Of, r.Err = oracle.ListSegments, result
			if !errors.Is(result, errors.ErrUnsupported) {
				a.Err = result
			}
		}
		a.Requests = append(a.Requests, r)
	}
	return a
}

func shared(a oracle.Answer, at float64, ids ...int64) oracle.Answer {
	end := time.Duration(at * float64(second))
	a.Shared = append(a.Shared, oracle.Request{Of: oracle.ListSegments, Begin: end, End: end, Unflushed: ids})
	return a
}

func verified(a oracle.Answer, err error) oracle.Answer {
	a.Verified = &oracle.Verified{Begin: a.End, End: a.End, Err: err, Transient: err == errBlip}
	return a
}

func plans(state milvuswait.CompactionState, executing, failed int64) milvuswait.CompactionProgress {
	return milvuswait.CompactionProgress{State: state, Executing: executing, Failed: failed}
}

func listed(a oracle.Answer) oracle.Answer      { a.Listed = true; return a }
func slowly(a oracle.Answer) oracle.Answer      { a.Begin -= 120 * time.Millisecond; return a }
func checked(a oracle.Answer) oracle.Answer     { a.Checked = true; return a }
func interrupted(a oracle.Answer) oracle.Answer { a.Interrupted = true; return a }

func refresh(percent, refreshPercent int64) milvuswait.LoadingProgress {
	return milvuswait.LoadingProgress{Percent: percent, RefreshPercent: refreshPercent}
}

func rows(total, indexed, pending int64, state milvuswait.IndexState) milvuswait.IndexBuildingProgress {
	return milvuswait.IndexBuildingProgress{TotalRows: total, IndexedRows: indexed, PendingIndexRows: pending, State: state}
}

// TestJudge has, for every rule, an answer just before the rule ends a wait and one just after.
// The verdict is that of the last answer.
func TestJudge(t *testing.T) {
	const (
		finished   = milvuswait.IndexStateFinished
		inProgress = milvuswait.IndexStateInProgress
	)
	goesOn := errors.New("the wait goes on")
	lists, nine, none := oracle.Options{Target: index, Segments: true}, rows(9, 9, 0, finished), []int64{}
	ids := func(ids ...int64) []int64 { return ids }
	type options = oracle.Options
	type answers = []oracle.Answer

	for _, tt := range []struct {
		name    string
		options options
		answers answers
		want    error // nil is success
		rule    string
	}{
		{"loaded", options{}, answers{at(1, 100)}, nil, "loading"},
		{"nearly loaded", options{}, answers{at(1, 99)}, goesOn, "loading"},
		{"loaded, then not", options{Settle: second}, answers{at(1, 100), at(3, 99)}, goesOn, "loading"},

		{"settled", options{Settle: 2 * second}, answers{at(1, 100), at(3, 100)}, nil, "settle"},
		{"not settled", options{Settle: 2 * second}, answers{at(1, 100), at(2.9, 100)}, goesOn, "settle"},
		{"settled but for failures", options{Settle: 2 * second}, answers{at(1, 100), at(2, errBlip), at(3, 100)}, goesOn, "settle"},
		{"settled in spite of failures", options{Settle: 2 * second}, answers{at(1, 100), at(2, errBlip), at(3, 100), at(4.01, 100)}, nil, "settle"},

		{"stalled", options{Stall: 2 * second}, answers{at(1, 7), at(3, 7)}, milvuswait.ErrStalled, "stall"},
		{"not stalled", options{Stall: 2 * second}, answers{at(1, 7), at(2.9, 7)}, goesOn, "loading"},
		{"fallen", options{Stall: 2 * second}, answers{at(1, 7), at(3, 6)}, goesOn, "loading"},
		{"stalled but for failures", options{Stall: 2 * second}, answers{at(1, 7), at(2, errBlip), at(3.5, 7)}, goesOn, "loading"},
		{"unchanged and complete", options{Stall: 2 * second, Settle: 9 * second}, answers{at(1, 100), at(3, 100)}, goesOn, "settle"},

		{"unreachable", options{Unreachable: 2 * second}, answers{at(1, errBlip), at(2.99, errBlip)}, milvuswait.ErrUnreachable, "unreachable"},
		{"not unreachable", options{Unreachable: 2 * second}, answers{at(1, errBlip), at(2.98, errBlip)}, goesOn, "transient"},
		{"reached", options{Unreachable: 2 * second}, answers{at(1, errBlip), at(2, 7), at(3, errBlip)}, goesOn, "transient"},
		{"lists failed", options{Unreachable: 2 * second}, answers{at(1, errBlip), listed(at(9, errBlip))}, goesOn, "transient"},
		{"answered in the grace", options{Unreachable: 2 * second, Grace: 2 * second},
			answers{at(0.5, errBlip), at(1.5, milvuswait.ErrNotLoaded), at(3, errBlip)}, goesOn, "transient"},
		{"answered by an unconfirmed failure", options{Unreachable: 2 * second},
			answers{at(1, 7), at(2, errBlip), at(3, milvuswait.ErrNotLoaded), at(4.5, errBlip)}, goesOn, "transient"},
		{"unanswered since an unconfirmed failure", options{Unreachable: 2 * second},
			answers{at(1, 7), at(2, milvuswait.ErrNotLoaded), at(3, errBlip), at(4.99, errBlip)}, milvuswait.ErrUnreachable, "unreachable"},
		{"unreachable at the deadline", options{Unreachable: 2 * second, Deadline: 2990 * time.Millisecond}, answers{at(1, errBlip), at(2.98, errBlip)}, goesOn, "transient"},

		{"within the grace", options{Grace: 2 * second}, answers{at(1.9, milvuswait.ErrCollectionNotFound)}, goesOn, "grace"},
		{"after the grace", options{Grace: 2 * second}, answers{at(2, milvuswait.ErrCollectionNotFound)}, milvuswait.ErrCollectionNotFound, "grace"},
		{"at 0 % within the grace", options{Grace: 2 * second}, answers{at(1, 0), at(1.9, milvuswait.ErrNotLoaded)}, goesOn, "grace"},
		{"above 0 % within the grace", options{Grace: 2 * second}, answers{at(1, 1), at(1.5, milvuswait.ErrNotLoaded), at(1.9, milvuswait.ErrNotLoaded)}, goesOn, "grace"},
		{"an index within the grace", options{Target: index, Grace: 2 * second},
			answers{at(1, rows(0, 0, 0, inProgress)), at(1.5, milvuswait.ErrIndexNotFound), at(1.9, milvuswait.ErrIndexNotFound)}, goesOn, "grace"},
		{"an earlier load failed", options{Grace: 2 * second}, answers{at(1, 0), at(1.9, milvuswait.ErrLoadFailed)}, goesOn, "grace"},
		{"this load failed", options{Grace: 2 * second}, answers{at(1, 1), at(1.9, milvuswait.ErrLoadFailed)}, milvuswait.ErrLoadFailed, "permanent"},
		{"ambiguous within the grace", options{Grace: 2 * second}, answers{at(1, milvuswait.ErrAmbiguousIndex)}, milvuswait.ErrAmbiguousIndex, "permanent"},
		{"refused within the grace", options{Grace: 2 * second}, answers{at(1, errDenied)}, errDenied, "permanent"},
		{"confirms a tolerated failure", options{Grace: 2 * second},
			answers{at(1.9, milvuswait.ErrNotLoaded), at(2.01, milvuswait.ErrCollectionNotFound)}, milvuswait.ErrCollectionNotFound, "confirm"},
		{"just after a tolerated failure", options{Grace: 2 * second}, answers{at(1.95, milvuswait.ErrNotLoaded), at(2.01, milvuswait.ErrNotLoaded)}, goesOn, "confirm"},

		{"never loaded", options{}, answers{at(1, milvuswait.ErrNotLoaded)}, milvuswait.ErrNotLoaded, "permanent"},
		{"never loaded, after a refused list", options{}, answers{listed(at(1, errDenied)), at(2, milvuswait.ErrNotLoaded)}, milvuswait.ErrNotLoaded, "permanent"},
		{"not found, after a transient failure", options{}, answers{at(1, errBlip), at(2, milvuswait.ErrCollectionNotFound)}, goesOn, "confirm"},
		{"not found, after a transient failure of a list", options{}, answers{listed(at(1, errBlip)), at(2, milvuswait.ErrCollectionNotFound)}, goesOn, "confirm"},
		{"not found, after a success", options{}, answers{at(1, 7), at(2, milvuswait.ErrCollectionNotFound)}, goesOn, "confirm"},
		{"not found twice", options{}, answers{at(1, 7), at(2, milvuswait.ErrNotLoaded), at(2.11, milvuswait.ErrCollectionNotFound)},
			milvuswait.ErrCollectionNotFound, "confirm"},
		{"not found twice in 100 ms", options{}, answers{at(1, 7), at(2, milvuswait.ErrNotLoaded), at(2.109, milvuswait.ErrCollectionNotFound)}, goesOn, "confirm"},
		{"not found twice, with failures", options{}, answers{at(1, 7), at(2, milvuswait.ErrNotLoaded), at(3, errBlip), at(4, errDenied), at(5, milvuswait.ErrCollectionNotFound)},
			milvuswait.ErrCollectionNotFound, "confirm"},
		{"not found twice, with a success", options{}, answers{at(1, 7), at(2, milvuswait.ErrNotLoaded), at(3, 7), at(4, milvuswait.ErrNotLoaded)}, goesOn, "confirm"},
		{"refused at first", options{}, answers{at(1, errDenied)}, errDenied, "permanent"},
		{"refused for 30 s", options{}, answers{at(1, 7), at(2, errDenied), at(32, errDenied)}, errDenied, "refused"},
		{"refused for nearly 30 s", options{}, answers{at(1, 7), at(2, errDenied), at(31.99, errDenied)}, goesOn, "refused"},
		{"refused for 30 s, with failures", options{}, answers{at(1, errBlip), at(2, errDenied), at(3, milvuswait.ErrNotLoaded), at(4, errBlip), at(32, errDenied)}, errDenied, "refused"},
		{"refused for 30 s, with a success", options{}, answers{at(1, 7), at(2, errDenied), at(3, 7), at(32, errDenied)}, goesOn, "refused"},
		{"invalid after a success", options{}, answers{at(1, 7), at(2, milvuswait.ErrInvalid)}, milvuswait.ErrInvalid, "permanent"},
		{"a load failed, by the first sentinel", options{}, answers{at(1, 7), at(2, errors.Join(milvuswait.ErrNotLoaded, milvuswait.ErrLoadFailed))}, milvuswait.ErrLoadFailed, "permanent"},
		{"not loaded, by the first sentinel", options{}, answers{at(1, 7), at(2, errors.Join(milvuswait.ErrInvalid, milvuswait.ErrNotLoaded))}, goesOn, "confirm"},

		{"released", options{}, answers{at(1, 0), at(2, milvuswait.ErrNotLoaded), at(3, milvuswait.ErrNotLoaded)}, milvuswait.ErrReleased, "gone"},
		{"checked at 0 %", options{}, answers{at(1, 0), checked(at(2, milvuswait.ErrNotLoaded)), checked(at(3, milvuswait.ErrNotLoaded))}, milvuswait.ErrNotLoaded, "gone"},
		{"checked after progress", options{}, answers{at(1, 7), checked(at(2, milvuswait.ErrNotLoaded)), checked(at(3, milvuswait.ErrNotLoaded))}, milvuswait.ErrReleased, "gone"},
		{"given up", options{}, answers{at(1, 7), at(601, milvuswait.ErrNotLoaded), at(602, milvuswait.ErrNotLoaded)}, milvuswait.ErrLoadFailed, "gone"},
		{"not given up", options{}, answers{at(1, 7), at(600.9, milvuswait.ErrNotLoaded), at(602, milvuswait.ErrNotLoaded)}, milvuswait.ErrReleased, "gone"},
		{"given up, then unreachable", options{}, answers{at(1, 7), at(601.01, errBlip), at(700, milvuswait.ErrNotLoaded), at(701, milvuswait.ErrNotLoaded)}, milvuswait.ErrLoadFailed, "gone"},
		{"given up but for failures", options{}, answers{at(1, 7), at(601, errBlip), at(700, milvuswait.ErrNotLoaded), at(701, milvuswait.ErrNotLoaded)}, milvuswait.ErrReleased, "gone"},
		{"complete, then released", options{Settle: time.Hour}, answers{at(1, 100), at(700, milvuswait.ErrNotLoaded), at(701, milvuswait.ErrNotLoaded)}, milvuswait.ErrReleased, "gone"},
		{"load failed", options{}, answers{at(1, 7), at(2, milvuswait.ErrLoadFailed)}, milvuswait.ErrLoadFailed, "permanent"},
		{"settled but for unconfirmed failures", options{Settle: 2 * second}, answers{at(1, 100), at(2, milvuswait.ErrNotLoaded), at(3, 100)}, goesOn, "settle"},
		{"stalled but for failures in the grace", options{Stall: 2 * second, Grace: 9 * second},
			answers{at(1, 7), at(1.5, milvuswait.ErrNotLoaded), at(3, milvuswait.ErrNotLoaded), at(3.5, 7)}, goesOn, "loading"},

		{"refreshed", options{Refresh: true}, answers{at(0.1, refresh(100, 99)), at(0.2, refresh(100, 100))}, nil, "refresh"},
		{"refreshing", options{Refresh: true}, answers{at(2, refresh(100, 99))}, goesOn, "refresh"},
		{"refresh pending", options{Refresh: true}, answers{at(0.9, refresh(100, 100))}, goesOn, "refresh"},
		{"refresh not pending", options{Refresh: true}, answers{at(1, refresh(100, 100))}, nil, "refresh"},
		{"refresh pending in the grace", options{Refresh: true, Grace: 3 * second}, answers{at(2, refresh(100, 100))}, goesOn, "refresh"},
		{"refresh pending, unchanged", options{Refresh: true, Grace: 9 * second, Stall: second}, answers{at(1, 7), at(3, 7)}, goesOn, "refresh"},
		{"refreshing by the poll before a list", options{Refresh: true}, answers{at(2, refresh(7, 50)), listed(at(3, refresh(100, 0)))}, goesOn, "refresh"},

		{"all rows", options{Target: index}, answers{at(1, rows(9, 9, 0, finished))}, nil, "index building"},
		{"a row pending", options{Target: index}, answers{at(1, rows(9, 9, 1, finished))}, goesOn, "index building"},
		{"a row missing", options{Target: index}, answers{at(1, rows(9, 8, 0, finished))}, goesOn, "index building"},
		{"not finished", options{Target: index}, answers{at(1, rows(9, 9, 0, inProgress))}, goesOn, "index building"},
		{"negative rows", options{Target: index}, answers{at(1, rows(-1, 0, 0, finished))}, goesOn, "index building"},
		{"expected rows", options{Target: index.ExpectRows(9)}, answers{at(1, rows(9, 9, 0, finished))}, nil, "index building"},
		{"too few rows", options{Target: index.ExpectRows(10)}, answers{at(1, rows(9, 9, 0, finished))}, goesOn, "index building"},
		{"rows at the start", options{Target: index, Criterion: milvuswait.RowsAtStart},
			answers{at(1, rows(9, 0, 9, inProgress)), at(2, rows(20, 9, 11, inProgress))}, nil, "index building"},
		{"fewer rows than at the start", options{Target: index, Criterion: milvuswait.RowsAtStart},
			answers{at(1, rows(9, 0, 9, inProgress)), at(2, rows(5, 5, 1, inProgress))}, nil, "index building"},
		{"not all rows at the start", options{Target: index, Criterion: milvuswait.RowsAtStart},
			answers{at(1, rows(9, 0, 9, inProgress)), at(2, rows(20, 8, 12, inProgress))}, goesOn, "index building"},
		{"state of the server", options{Target: index, Criterion: milvuswait.ServerState}, answers{at(1, rows(9, 0, 9, finished))}, nil, "index building"},
		{"failed build", options{Target: index}, answers{at(1, rows(9, 9, 0, milvuswait.IndexStateFailed))}, milvuswait.ErrIndexFailed, "index building"},

		{"no segment", lists, answers{by(at(1, nil), nine, none, nine)}, nil, "index building"},
		{"no segment, by the progress before the list", lists, answers{by(at(1, nil), nine, none)}, goesOn, "flush"},
		{"segments", lists, answers{by(at(1, nil), nine, ids(1, 2)), by(at(2, nil), ids(2))}, goesOn, "flush"},
		{"segments, then others", lists, answers{by(at(1, nil), nine, ids(1)), by(at(2, nil), ids(2, 3), nine)}, nil, "index building"},
		{"segments, one after the other", lists, answers{by(at(1, nil), nine, ids(1, 2)), by(at(2, nil), ids(2, 3)), by(at(3, nil), ids(1, 3), nine)}, nil, "index building"},
		{"segments, and the progress falls", lists, answers{by(at(1, nil), nine, ids(1)), by(at(2, nil), none, rows(20, 9, 11, finished))}, goesOn, "index building"},
		{"segments of a sibling", lists, answers{shared(by(at(1, nil), nine, ids(1)), 0.9, 1), shared(by(at(2, nil), nine), 1.5)}, nil, "index building"},
		{"segments, and stalled", options{Target: index, Segments: true, Stall: 2 * second},
			answers{by(at(1, nil), nine, ids(1)), by(at(3, nil), ids(1))}, milvuswait.ErrStalled, "stall"},
		{"segments, and not stalled", options{Target: index, Segments: true, Stall: 2 * second},
			answers{by(at(1, nil), nine, ids(1, 2)), by(at(3, nil), ids(1))}, goesOn, "flush"},
		{"no list", lists, answers{by(at(1, nil), nine, errors.ErrUnsupported)}, nil, "index building"},
		{"no list any more", lists, answers{by(at(1, nil), nine, ids(1)), by(at(2, nil), errors.ErrUnsupported, nine)}, nil, "index building"},
		{"a list refused", lists, answers{by(at(1, nil), nine, errDenied), by(at(30.9, nil), nine, errDenied), by(at(31, nil), nine)}, goesOn, "flush"},
		{"a list refused for 30 s", lists, answers{by(at(1, nil), nine, errDenied), by(at(31, nil), nine, errDenied), by(at(32, nil), nine)}, nil, "index building"},
		{"a list refused, with a list", lists,
			answers{by(at(1, nil), nine, errDenied), by(at(20, nil), nine, ids(1)), by(at(31, nil), errDenied), by(at(32, nil), nine)}, goesOn, "flush"},
		{"a list of a dropped collection", lists, answers{by(at(1, nil), nine, milvuswait.ErrCollectionNotFound),
			by(at(1.2, nil), nine, milvuswait.ErrCollectionNotFound)}, milvuswait.ErrCollectionNotFound, "confirm"},
		{"the state of the server, with segments", options{Target: index, Segments: true, Criterion: milvuswait.ServerState}, answers{by(at(1, nil), nine)}, nil, "index building"},
		{"a baseline before the flush", options{Target: index, Segments: true, Criterion: milvuswait.RowsAtStart},
			answers{by(at(1, nil), rows(0, 0, 0, inProgress), ids(1)), by(at(2, nil), none, rows(9, 8, 1, inProgress))}, goesOn, "index building"},
		{"a baseline after the flush", options{Target: index, Segments: true, Criterion: milvuswait.RowsAtStart},
			answers{by(at(1, nil), rows(0, 0, 0, inProgress), ids(1)), by(at(2, nil), none, rows(9, 8, 1, inProgress)), by(at(3, nil), rows(20, 9, 11, inProgress))}, nil, "index building"},
		{"a mark", options{Target: index.AfterFlush(mark)}, answers{by(at(1, nil), nine, false), by(at(2, nil), true, nine)}, nil, "index building"},
		{"a mark, by the progress before it", options{Target: index.AfterFlush(mark)}, answers{by(at(1, nil), nine, true)}, goesOn, "flush"},
		{"a mark, with the state alone", options{Target: index.AfterFlush(mark), Criterion: milvuswait.ServerState}, answers{by(at(1, nil), nine, false)}, goesOn, "flush"},
		{"a mark, and segments", options{Target: index.AfterFlush(mark), Segments: true}, answers{by(at(1, nil), nine, true, ids(3)), by(at(2, nil), nine)}, goesOn, "flush"},

		{"flushed", options{Target: flush}, answers{at(1, milvuswait.FlushProgress{Flushed: true})}, nil, "flushing"},
		{"not flushed", options{Target: flush}, answers{at(1, milvuswait.FlushProgress{})}, goesOn, "flushing"},
		{"imported", options{Target: imported}, answers{at(1, milvuswait.ImportProgress{State: milvuswait.ImportStateCompleted})}, nil, "importing"},
		{"imported to 100 %", options{Target: imported}, answers{at(1, milvuswait.ImportProgress{State: milvuswait.ImportStatePersisted, Percent: 100})}, goesOn, "importing"},
		{"a failed import", options{Target: imported}, answers{at(1, milvuswait.ImportProgress{State: milvuswait.ImportStateFailed})}, milvuswait.ErrJobFailed, "importing"},
		{"a removed import", options{Target: imported}, answers{at(1, milvuswait.ImportProgress{State: milvuswait.ImportStateFailedAndCleaned})}, milvuswait.ErrJobFailed, "importing"},
		{"an unknown job", options{Target: imported}, answers{at(1, milvuswait.ErrJobNotFound)}, milvuswait.ErrJobNotFound, "permanent"},
		{"an unknown job within the grace", options{Target: imported, Grace: 2 * second}, answers{at(1, milvuswait.ErrJobNotFound)}, goesOn, "grace"},
		{"a job that is not known any more", options{Target: imported}, answers{at(1, milvuswait.ImportProgress{}), at(2, milvuswait.ErrJobNotFound)}, goesOn, "confirm"},
		{"compacted", options{Target: compaction}, answers{at(1, plans(2, 0, 0))}, nil, "compacting"},
		{"compacting", options{Target: compaction}, answers{at(1, plans(2, 1, 0))}, goesOn, "compacting"},
		{"a failed plan, while others execute", options{Target: compaction}, answers{at(1, plans(1, 1, 1))}, goesOn, "compacting"},
		{"a failed plan", options{Target: compaction}, answers{at(1, plans(2, 0, 1))}, milvuswait.ErrJobFailed, "compacting"},
		{"a forgotten failed plan", options{Target: compaction}, answers{at(1, plans(1, 1, 1)), at(2, plans(1, 1, 0)), at(3, plans(2, 0, 0))}, milvuswait.ErrJobFailed, "compacting"},
		{"a server", options{Target: milvuswait.Serving()}, answers{at(1, milvuswait.ServingProgress{})}, nil, "serving"},

		{"verified", options{Verify: true}, answers{verified(at(1, 100), nil)}, nil, "verify"},
		{"not verified yet", options{Verify: true}, answers{at(1, 100)}, goesOn, "verify"},
		{"verify fails", options{Verify: true}, answers{verified(at(1, 100), errBlip)}, goesOn, "verify"},
		{"verify fails for good", options{Verify: true}, answers{verified(at(1, 100), errDenied)}, errDenied, "verify"},
		{"verify fails, and the target does not settle again", options{Verify: true, Settle: second},
			answers{at(1, 100), verified(at(2, 100), errBlip), verified(at(2.1, 100), nil)}, nil, "verify"},
		{"verify fails, and nothing changes", options{Verify: true, Stall: second}, answers{verified(at(1, 100), errBlip), verified(at(2, 100), errBlip)}, milvuswait.ErrStalled, "stall"},
		{"verified at the deadline", options{Verify: true, Deadline: second}, answers{at(1, 100)}, context.DeadlineExceeded, "deadline"},

		{"complete at the deadline", options{Deadline: second}, answers{at(1, 100)}, nil, "loading"},
		{"incomplete at the deadline", options{Deadline: second}, answers{at(1, 99)}, context.DeadlineExceeded, "deadline"},
		{"failed at the deadline", options{Deadline: second}, answers{at(1, milvuswait.ErrNotLoaded)}, context.DeadlineExceeded, "deadline"},
		{"interrupted", options{}, answers{at(1, 7), interrupted(at(2, milvuswait.ErrNotLoaded))}, goesOn, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.options.Target == (milvuswait.Target{}) {
				tt.options.Target = load
			}
			all := oracle.Judge(tt.options, tt.answers)
			last := all[len(all)-1]
			for _, before := range all[:len(all)-1] {
				require.False(t, before.Over, "%+v", before)
			}

			require.Equal(t, tt.want != goesOn, last.Over)
			if last.Over {
				require.ErrorIs(t, last.Cause, tt.want)
			}
			require.True(t, strings.HasPrefix(last.Rule.Name, tt.rule), last.Rule.Name)
			if tt.rule != "" {
				require.FileExists(t, "../../"+last.Rule.File)
				require.FileExists(t, "../../"+last.Rule.Oracle)
			}
		})
	}
}

// TestUnknownKindPanics guards against a kind that is judged by the rules of another one.
func TestUnknownKindPanics(t *testing.T) {
	require.Panics(t, func() { oracle.Judge(oracle.Options{}, nil) })
	targets := map[milvuswait.Kind]milvuswait.Target{}
	for _, target := range []milvuswait.Target{load, index, flush, imported, compaction, milvuswait.Serving()} {
		targets[target.Kind()] = target
	}
	for _, kind := range milvuswait.Kinds() {
		require.NotPanics(t, func() { oracle.Judge(oracle.Options{Target: targets[kind]}, nil) }, kind)
	}
}
