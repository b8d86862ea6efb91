package oracle_test

import (
	"context"
	"errors"
	"math"
	"slices"
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

// TestNext has the time of the next poll after the last answer.
func TestNext(t *testing.T) {
	type options = oracle.Options
	type answers = []oracle.Answer
	steady := milvuswait.Backoff{Initial: second, Max: 10 * second, Multiplier: 2, Lateness: 1}
	blind := milvuswait.Backoff{Initial: second, Max: 10 * second, Multiplier: 2, Lateness: 1, IgnoreProgress: true}
	slow := at(10, 7)
	slow.Begin = 6 * second

	for _, tt := range []struct {
		name    string
		options options
		answers answers
		want    float64 // seconds
	}{
		{"first of a load", options{Target: load}, answers{at(0.1, 0)}, 0.15},
		{"first of an index", options{Target: index}, answers{at(0.1, rows(9, 0, 9, 2))}, 0.2},
		{"grown", options{Target: load, Backoff: blind}, answers{at(1, 0), at(2, 0), at(4, 0)}, 8},
		{"grown to the maximum", options{Target: load, Backoff: blind}, answers{at(1, 0), at(2, 0), at(4, 0), at(8, 0), at(16, 0)}, 26},
		{"a fifth of the time left", options{Target: load, Backoff: steady}, answers{at(1, 0), at(2, 0), at(10, 50)}, 11.6},
		{"no prediction after a failure", options{Target: load, Backoff: steady}, answers{at(1, 0), at(2, 80), at(3, errBlip)}, 7},
		{"2 % of the time waited", options{Target: load}, append(slices.Repeat(answers{at(1, 0)}, 20), at(100, 0)), 102},
		{"as long as the last answer took", options{Target: load, Backoff: milvuswait.Backoff{Max: 10 * second}}, answers{slow}, 14},
		{"after a list", options{Target: load}, answers{listed(at(0.1, 0))}, 0.2},
		{"by a custom generator", options{Target: load, Delay: func(n int) time.Duration { return time.Duration(n) * second }}, answers{at(1, 0), at(2, 0)}, 3},
		{"never at once", options{Target: load, Delay: func(int) time.Duration { return 0 }}, answers{at(1, 0)}, 1.001},

		{"a tenth of the settle time", options{Target: load, Settle: 5 * second}, answers{at(0.1, 100)}, 0.6},
		{"settled", options{Target: load, Backoff: blind, Settle: 500 * time.Millisecond}, answers{at(1, 100)}, 1.5},
		{"stalled", options{Target: load, Backoff: blind, Stall: 500 * time.Millisecond}, answers{at(1, 7)}, 1.5},
		{"before the budget ends", options{Target: load, Backoff: blind, Unreachable: 500 * time.Millisecond}, answers{at(1, errBlip)}, 1.44},
		{"none before the budget ends", options{Target: load, Backoff: blind, Unreachable: 500 * time.Millisecond}, answers{at(1, errBlip), at(1.45, errBlip)}, 1.49},
		{"the deadline before the budget", options{Target: load, Backoff: blind, Unreachable: 500 * time.Millisecond, Deadline: 1490 * time.Millisecond},
			answers{at(1, errBlip), at(1.45, errBlip)}, 1.49},
		{"confirms", options{Target: load, Backoff: blind}, answers{at(1, 7), at(2, milvuswait.ErrNotLoaded)}, 2.1},
		{"confirms again", options{Target: load, Backoff: blind, Grace: 1950 * time.Millisecond}, answers{at(1, 7), at(1.94, milvuswait.ErrNotLoaded), at(1.96, milvuswait.ErrNotLoaded)}, 2.04},
		{"confirms at once", options{Target: load, Backoff: blind}, answers{at(1, 7), at(2, milvuswait.ErrNotLoaded), slowly(at(2.2, milvuswait.ErrNotLoaded))}, 2.201},
		{"confirms without a custom generator", options{Target: load, Delay: func(n int) time.Duration { return time.Duration(n+1) * second }},
			answers{at(1, 7), at(2, milvuswait.ErrNotLoaded), at(2.1, 7)}, 4.1},
		{"confirms before the deadline", options{Target: load, Deadline: 2100 * time.Millisecond}, answers{at(1, 7), at(2, milvuswait.ErrNotLoaded)}, 2.05},
		{"refused for 30 s", options{Target: load, Delay: func(int) time.Duration { return time.Minute }}, answers{at(1, 7), at(2, errDenied), at(3, errBlip)}, 32},
		{"never", options{Target: load, Deadline: 9 * second, Delay: func(int) time.Duration { return math.MaxInt64 }}, answers{at(1, 7)}, 8.95},
		{"after the grace", options{Target: load, Backoff: blind, Grace: 1500 * time.Millisecond}, answers{at(1, milvuswait.ErrNotLoaded)}, 1.5},

		{"last poll", options{Target: load, Backoff: blind, Deadline: 2 * second}, answers{at(1.5, 7)}, 1.95},
		{"last poll when settled", options{Target: load, Backoff: blind, Deadline: 2 * second, Settle: 490 * time.Millisecond}, answers{at(1.5, 100)}, 1.99},
		{"none after the last", options{Target: load, Backoff: blind, Deadline: 2 * second}, answers{at(1.96, 7)}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			all := oracle.Judge(tt.options, tt.answers)
			last := all[len(all)-1]
			want := time.Duration(math.Round(tt.want * float64(second)))
			require.InDelta(t, want, last.Next, float64(time.Microsecond), "%v", last.Next)
			require.NoError(t, last.CheckNext(last.Next))
		})
	}
}

// TestUnknownKindPanics guards against a kind that is judged by the rules of another one.
func TestUnknownKindPanics(t *testing.T) {
	require.Panics(t, func() { oracle.Judge(oracle.Options{}, nil) })
	for _, kind := range milvuswait.Kinds() {
		target := map[milvuswait.Kind]milvuswait.Target{milvuswait.KindLoading: load, milvuswait.KindIndexBuilding: index}[kind]
		require.NotPanics(t, func() { oracle.Judge(oracle.Options{Target: target}, nil) }, kind)
	}
}
