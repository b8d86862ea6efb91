package main

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
)

// knownScenario returns a scenario with simple histories. From 10 s to 90 s, each load is
// in the state of its name. The index of docs is uncounted until 2 s, complete from 10 s
// and failed from 50 s.
func knownScenario() *scenario {
	load := func(end state) history {
		return history{
			{until: 10 * time.Second, state: running, to: 99},
			{until: 90 * time.Second, state: end},
			{until: 100 * time.Second, state: running, to: 99},
		}
	}
	index := history{
		{until: 2 * time.Second, state: uncounted},
		{until: 10 * time.Second, state: running, to: 99, lies: true},
		{until: 50 * time.Second, state: complete, from: 100, to: 100},
		{until: 90 * time.Second, state: broken, from: 40, to: 40},
	}
	loaded := load(complete)
	loaded[1].from, loaded[1].to = 100, 100

	s := &scenario{seed: 1}
	for name, h := range map[string]history{
		"loaded": loaded, "released": load(notLoaded), "broken": load(broken), "dropped": load(noCollection),
	} {
		s.add(subject{target: milvuswait.Loading(name), history: h}, milvuswait.Loading(name))
	}

	i := subject{target: milvuswait.IndexBuilding("docs", "vidx"), history: index, rows: 100}
	s.add(i, i.target)
	s.add(i, i.target.ExpectRows(100))
	without := subject{target: milvuswait.IndexBuilding("bare", "vidx"), history: load(noIndex), rows: 100}
	s.add(without, without.target)
	return s
}

func (s *scenario) goal(t *testing.T, target milvuswait.Target) *goal {
	for i := range s.goals {
		if s.goals[i].target == target {
			return &s.goals[i]
		}
	}
	require.Fail(t, "no such goal", "%v", target)
	return nil
}

// at returns a poll of 100 ms, starting at the given second.
func at(seconds float64) poll {
	begin := time.Duration(seconds * float64(time.Second))
	return poll{begin: begin, end: begin + 100*time.Millisecond}
}

// A claim of a wait, with a final update 10 ms after the poll p.
func claimOf(p poll, progress milvuswait.Progress, cause error) claim {
	c := claim{end: p.end + 10*time.Millisecond, finals: 1, deciding: []poll{p}}
	if cause != nil {
		c.outcome.Err = fmt.Errorf("a wait ended: %w", &milvuswait.Error{Cause: cause})
	}
	if progress != nil {
		c.outcome.Progress, c.good = progress, []poll{p}
	}
	return c
}

var errRefused = status.Error(codes.PermissionDenied, "privileges are not loaded yet")

// stale returns a claim after a failed poll p, with earlier failures. If polled is true, an
// earlier poll has succeeded.
func stale(p poll, cause error, before failures, polled bool) claim {
	p.err = cause
	c := claimOf(p, nil, cause)
	c.last, c.before, c.polled = p, before, polled
	return c
}

func seen(c claim, good poll) claim {
	c.good = []poll{good}
	return c
}

func percent(n int64) milvuswait.LoadingProgress { return milvuswait.LoadingProgress{Percent: n} }

func rows(total, indexed int64, state milvuswait.IndexState) milvuswait.IndexBuildingProgress {
	p := milvuswait.IndexBuildingProgress{TotalRows: total, IndexedRows: indexed, PendingIndexRows: total - indexed, State: state, IndexName: "vidx"}
	if state == milvuswait.IndexStateFailed {
		p.FailReason = failReason
	}
	return p
}

var (
	loaded, released = milvuswait.Loading("loaded"), milvuswait.Loading("released")
	failing, dropped = milvuswait.Loading("broken"), milvuswait.Loading("dropped")
	built            = milvuswait.IndexBuilding("docs", "vidx")
	expected         = built.ExpectRows(100)
	bare             = milvuswait.IndexBuilding("bare", "vidx")
)

const finished, building, failed = milvuswait.IndexStateFinished, milvuswait.IndexStateInProgress, milvuswait.IndexStateFailed

// begun is a wait from 1 s, with a deadline of an hour.
var begun = wait{begin: time.Second, deadline: time.Hour}

func TestJudge_TrueClaims_AreAccepted(t *testing.T) {
	for name, c := range map[string]struct {
		target milvuswait.Target
		wait   wait
		claim  claim
	}{
		"complete":                       {loaded, begun, claimOf(at(10.02), percent(100), nil)},
		"complete in the midst of it":    {loaded, begun, claimOf(at(9.95), percent(100), nil)},
		"an index":                       {built, begun, claimOf(at(10.1), rows(100, 100, finished), nil)},
		"an index of no rows":            {built, begun, claimOf(at(1.5), rows(0, 0, finished), nil)},
		"an index of the expected rows":  {expected, begun, claimOf(at(10.1), rows(100, 100, finished), nil)},
		"an index that failed":           {built, wait{begin: 49 * time.Second}, claimOf(at(50.1), rows(100, 40, failed), milvuswait.ErrIndexFailed)},
		"released":                       {released, begun, seen(claimOf(at(10.1), percent(98), milvuswait.ErrReleased), at(9.9))},
		"never loaded":                   {released, wait{begin: 11 * time.Second}, claimOf(at(11.1), nil, milvuswait.ErrNotLoaded)},
		"a load that failed":             {failing, begun, claimOf(at(10.1), nil, milvuswait.ErrLoadFailed)},
		"dropped":                        {dropped, begun, claimOf(at(10.1), nil, milvuswait.ErrCollectionNotFound)},
		"an index that was dropped":      {bare, begun, claimOf(at(10.1), nil, milvuswait.ErrIndexNotFound)},
		"a stale view, at first":         {loaded, begun, stale(at(5), milvuswait.ErrCollectionNotFound, failures{}, false)},
		"a stale view, seen twice":       {loaded, begun, stale(at(5), milvuswait.ErrCollectionNotFound, failures{absent: 4900 * time.Millisecond}, true)},
		"refused at first":               {loaded, begun, stale(at(5), errRefused, failures{}, false)},
		"out of time":                    {loaded, wait{begin: 1, deadline: 5 * time.Second}, claimOf(at(4.9), percent(48), context.DeadlineExceeded)},
		"cancelled":                      {loaded, wait{begin: 1, cancelled: 5 * time.Second}, claimOf(at(4.9), percent(48), context.Canceled)},
		"out of time, but just complete": {loaded, wait{begin: 1, deadline: 11 * time.Second}, claimOf(at(11), percent(100), context.DeadlineExceeded)},
	} {
		t.Run(name, func(t *testing.T) {
			s := knownScenario()
			judge := referee{s, func(time.Duration, time.Duration) time.Duration { return 0 }}

			require.NoError(t, judge.judge(c.wait, s.goal(t, c.target), c.claim))
		})
	}
}

func TestJudge_FalseClaims_AreRefused(t *testing.T) {
	changed := func(c claim, change func(*claim)) claim {
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		target milvuswait.Target
		wait   wait
		claim  claim
		why    string
	}{
		"complete too early":              {loaded, begun, claimOf(at(9.5), percent(100), nil), "complete at no time of the last poll"},
		"complete without a poll":         {loaded, begun, claim{end: 11 * time.Second, finals: 1}, "complete at no time of the last poll"},
		"complete once, but not any more": {loaded, wait{begin: 89 * time.Second}, claimOf(at(91), percent(100), nil), "complete at no time of the last poll"},
		"complete, but released":          {released, begun, claimOf(at(11), percent(100), nil), "complete at no time of the last poll"},
		"an index that lies":              {built, begun, claimOf(at(5), rows(100, 37, finished), nil), "complete at no time of the last poll"},
		"expected rows that are not counted": {
			expected, begun, claimOf(at(1.5), rows(0, 0, finished), nil), "complete at no time of the last poll",
		},
		"released, and was not":  {loaded, begun, claimOf(at(9), percent(88), milvuswait.ErrReleased), "true at no time"},
		"released, but not seen": {released, begun, claimOf(at(10.1), nil, milvuswait.ErrReleased), "never seen cannot be released"},
		"never asked for, but seen": {
			released, begun, seen(claimOf(at(10.1), percent(98), milvuswait.ErrNotLoaded), at(9.9)), "an earlier poll has seen the load",
		},
		"not loaded, and is":               {loaded, begun, claimOf(at(9), nil, milvuswait.ErrNotLoaded), "true at no time"},
		"failed, and did not":              {loaded, begun, claimOf(at(9), nil, milvuswait.ErrLoadFailed), "true at no time"},
		"an index that goes on":            {built, begun, claimOf(at(5), rows(100, 37, finished), milvuswait.ErrIndexFailed), "true at no time"},
		"a stale view, seen once":          {loaded, begun, stale(at(5), milvuswait.ErrCollectionNotFound, failures{}, true), "not confirmed"},
		"dropped, and seen once":           {dropped, begun, stale(at(11), milvuswait.ErrCollectionNotFound, failures{}, true), "not confirmed"},
		"a stale view, within 100 ms":      {loaded, begun, stale(at(5), milvuswait.ErrCollectionNotFound, failures{absent: 4901 * time.Millisecond}, true), "not confirmed"},
		"refused once":                     {loaded, begun, stale(at(5), errRefused, failures{}, true), "not confirmed"},
		"refused for 29 s":                 {loaded, begun, stale(at(39), errRefused, failures{refused: 10 * time.Second}, true), "not confirmed"},
		"dropped, and was not":             {loaded, begun, claimOf(at(9), nil, milvuswait.ErrCollectionNotFound), "true at no time"},
		"no index, and there is":           {built, begun, claimOf(at(5), nil, milvuswait.ErrIndexNotFound), "true at no time"},
		"one end for another":              {dropped, begun, claimOf(at(11), nil, milvuswait.ErrNotLoaded), "true at no time"},
		"unreachable":                      {loaded, begun, claimOf(at(9), nil, milvuswait.ErrUnreachable), "without a reason in the history"},
		"aborted":                          {loaded, begun, claimOf(at(9), nil, milvuswait.ErrAborted), "without a reason in the history"},
		"an unknown error":                 {loaded, begun, changed(claimOf(at(9), nil, nil), func(c *claim) { c.outcome.Err = errors.New("no") }), "no *Error"},
		"out of time before it is":         {loaded, wait{begin: 1, deadline: 6 * time.Second}, claimOf(at(4.9), nil, context.DeadlineExceeded), "not over"},
		"out of time without end":          {loaded, wait{begin: 1}, claimOf(at(4.9), nil, context.DeadlineExceeded), "not over"},
		"cancelled without a cancellation": {loaded, begun, claimOf(at(4.9), nil, context.Canceled), "cancelled without a cancellation"},
		"cancelled before it was":          {loaded, wait{begin: 1, cancelled: 6 * time.Second}, claimOf(at(4.9), nil, context.Canceled), "cancelled without a cancellation"},
		"a progress that never was": {
			loaded, wait{begin: 1, deadline: 5 * time.Second}, claimOf(at(4.9), percent(52), context.DeadlineExceeded), "a progress that was not true",
		},
		"rows that never were": {
			built, wait{begin: 1, deadline: 5 * time.Second}, claimOf(at(4.9), rows(100, 60, finished), context.DeadlineExceeded), "a progress that was not true",
		},
		"a state that is not claimOf": {
			built, wait{begin: 1, deadline: 5 * time.Second}, claimOf(at(4.9), rows(100, 36, building), context.DeadlineExceeded), "a progress that was not true",
		},
		"the progress of another index": {
			built, begun, changed(claimOf(at(10.1), rows(100, 100, finished), nil), func(c *claim) {
				other := rows(100, 100, finished)
				other.IndexName = "other"
				c.outcome.Progress = other
			}), "a progress that was not true",
		},
		"complete by a progress that is not": {loaded, begun, claimOf(at(9.95), percent(99), nil), "its progress is incomplete"},
		"complete without progress":          {loaded, begun, claimOf(at(10.1), nil, nil), "no progress"},
		"no final update":                    {loaded, begun, changed(claimOf(at(10.1), percent(100), nil), func(c *claim) { c.finals = 0 }), "0 final updates"},
		"two final updates":                  {loaded, begun, changed(claimOf(at(10.1), percent(100), nil), func(c *claim) { c.finals = 2 }), "2 final updates"},
		"more time than there was": {
			loaded, begun, changed(claimOf(at(10.1), percent(100), nil), func(c *claim) { c.outcome.Elapsed, c.elapsed = time.Hour, time.Hour }), "had passed",
		},
		"two times that differ": {
			loaded, begun, changed(claimOf(at(10.1), percent(100), nil), func(c *claim) { c.elapsed = time.Second }), "by the update",
		},
		"on and on behind the deadline": {
			loaded, wait{begin: 1, deadline: 2 * time.Second}, claimOf(at(9.95), percent(100), nil), "after its deadline",
		},
		"complete, and reported late":         {loaded, begun, claimOf(at(31), percent(100), nil), "reported 21.11s late"},
		"dropped, and reported late":          {dropped, begun, claimOf(at(31), nil, milvuswait.ErrCollectionNotFound), "reported 21.11s late"},
		"complete, and reported at the end":   {loaded, wait{begin: 1, deadline: 35 * time.Second}, claimOf(at(34.9), percent(100), context.DeadlineExceeded), "reported 25.01s late"},
		"complete before, and never reported": {loaded, wait{begin: 20 * time.Second, deadline: 42 * time.Second}, claimOf(at(41.9), percent(100), context.DeadlineExceeded), "reported 22.01s late"},
	} {
		t.Run(name, func(t *testing.T) {
			s := knownScenario()
			judge := referee{s, func(time.Duration, time.Duration) time.Duration { return 0 }}

			require.ErrorContains(t, judge.judge(c.wait, s.goal(t, c.target), c.claim), c.why)
		})
	}
}

func TestJudge_UnreachableBudget(t *testing.T) {
	s := knownScenario()
	judge := referee{s, func(time.Duration, time.Duration) time.Duration { return 0 }}
	limited := wait{begin: time.Second, deadline: time.Hour, budget: 3 * time.Second}
	for name, c := range map[string]struct {
		mute, end time.Duration
		why       string // part of the error; empty for no error
	}{
		"unreachable":            {4 * time.Second, 7 * time.Second, ""},
		"unreachable too early":  {4 * time.Second, 6800 * time.Millisecond, "less than 3s"},
		"unreachable, answered":  {0, 7 * time.Second, "less than 3s"},
		"unreachable, unnoticed": {2 * time.Second, 10100 * time.Millisecond, "behind its budget"},
	} {
		t.Run(name, func(t *testing.T) {
			claim := claimOf(at(5), nil, milvuswait.ErrUnreachable)
			claim.mute, claim.end = c.mute, c.end

			err := judge.judge(limited, s.goal(t, loaded), claim)

			if c.why == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.why)
		})
	}
}

func TestJudge_RefusalsFor30s_AreConfirmed(t *testing.T) {
	confirmed, err := stale(at(40), errRefused, failures{refused: 10 * time.Second}, true).confirmed(errRefused)

	require.NoError(t, err)
	require.True(t, confirmed)
}

func TestJudge_Outages_ExcuseLateness(t *testing.T) {
	s := knownScenario()
	judge := referee{s, func(from, to time.Duration) time.Duration { return min(to-from, 10*time.Second) }}

	require.NoError(t, judge.judge(begun, s.goal(t, loaded), claimOf(at(31), percent(100), nil)))
	require.ErrorContains(t, judge.judge(begun, s.goal(t, loaded), claimOf(at(41), percent(100), nil)), "reported 21.11s late")
}

func TestJudge_LatenessWithoutFaults(t *testing.T) {
	s := knownScenario()
	judge := referee{s, func(time.Duration, time.Duration) time.Duration { return 0 }}
	claim := claimOf(at(21), percent(100), nil)

	calm, rough := false, false
	for s.seed = 0; s.seed < 1000 && !(calm && rough); s.seed++ {
		err := judge.judge(begun, s.goal(t, loaded), claim)
		if s.calm(0, claim.end) {
			calm = true
			require.ErrorContains(t, err, "late, without a fault")
		} else {
			rough = true
			require.NoError(t, err)
		}
	}

	require.True(t, calm && rough)
}

func TestJudge_AllIndexes_IsTheFurthestBehind(t *testing.T) {
	s := &scenario{seed: 1}
	for i, done := range []time.Duration{5 * time.Second, 10 * time.Second} {
		s.subjects = append(s.subjects, subject{
			target: milvuswait.IndexBuilding("docs", fmt.Sprintf("i%d", i)), rows: 100,
			history: history{{until: done, state: running, to: 99}, {until: time.Minute, state: complete, from: 100, to: 100}},
		})
	}

	g := goal{milvuswait.IndexBuilding("docs", milvuswait.AllIndexes), []int{0, 1}}
	judge := referee{s, func(time.Duration, time.Duration) time.Duration { return 0 }}
	whole := rows(100, 100, finished)
	whole.IndexName = "i0"

	require.NoError(t, judge.judge(begun, &g, claimOf(at(10.1), whole, nil)))
	require.ErrorContains(t, judge.judge(begun, &g, claimOf(at(6), whole, nil)), "complete at no time")
}

func TestLeaks_AreReported(t *testing.T) {
	before := belongings{goroutines: 3, descriptors: 10, heap: 1 << 20}

	require.Empty(t, leaks(before, belongings{goroutines: 3, descriptors: 9, heap: 2 << 20}))
	require.Len(t, leaks(before, belongings{goroutines: 4, descriptors: 11, heap: 6 << 20}), 3)
}
