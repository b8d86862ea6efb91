package milvuswait_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// steps returns a function that returns the results of the steps in turn, and the last one
// from then on. It counts its calls.
func steps[P any](calls *int, results ...func() (P, error)) func() (P, error) {
	return func() (P, error) {
		*calls++
		return results[min(*calls, len(results))-1]()
	}
}

func ok[P any](p P) func() (P, error)          { return func() (P, error) { return p, nil } }
func fails[P any](err error) func() (P, error) { return func() (p P, _ error) { return p, err } }

func TestWaitForImportComplete(t *testing.T) {
	at := func(state milvuswait.ImportState, percent int64) func() (milvuswait.ImportProgress, error) {
		return ok(milvuswait.ImportProgress{State: state, Percent: percent})
	}
	bad := milvuswait.ImportProgress{State: milvuswait.ImportStateFailed, FailReason: "no such file\x1b[2J"}
	cleaned := milvuswait.ImportProgress{State: milvuswait.ImportStateFailedAndCleaned}
	type step = func() (milvuswait.ImportProgress, error)
	unknown := fails[milvuswait.ImportProgress](milvuswait.ErrJobNotFound)

	tests := []struct {
		name  string
		steps []step
		want  error
		text  string
		polls int
	}{
		{"completed at once", []step{at(milvuswait.ImportStateCompleted, 100)}, nil, "", 1},
		{"100 % is not the end", []step{at(0, 0), at(milvuswait.ImportStateStarted, 100), at(milvuswait.ImportStatePersisted, 100),
			at(milvuswait.ImportStateFlushed, 100), at(milvuswait.ImportStateCompleted, 100)}, nil, "", 5},
		{"completed without a percentage", []step{at(0, 0), at(milvuswait.ImportStateCompleted, 0)}, nil, "", 2},
		{"failed", []step{at(milvuswait.ImportStateStarted, 40), ok(bad)}, milvuswait.ErrJobFailed, "job failed: no such file[2J", 2},
		{"failed and cleaned", []step{ok(cleaned)}, milvuswait.ErrJobFailed, "job failed: the server gave no reason", 1},
		{"unknown", []step{unknown}, milvuswait.ErrJobNotFound, `milvuswait: import 4711: job not found (1 poll in 0s)`, 1},
		{"unknown once", []step{at(0, 0), unknown, at(milvuswait.ImportStateCompleted, 100)}, nil, "", 3},
		{"forgotten", []step{at(0, 0), unknown}, milvuswait.ErrJobNotFound, "", 3},
		{"unknown state", []step{at(77, -20), at(milvuswait.ImportStateCompleted, 100)}, nil, "", 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				next := steps(&calls, tt.steps...)
				p := milvuswait.PollerFuncs{Import: func(_ context.Context, job int64) (milvuswait.ImportProgress, error) {
					require.Equal(t, int64(4711), job)
					return next()
				}}
				seen := &recorder{}

				last, err := milvuswait.WaitForImportComplete(t.Context(), p, 4711, milvuswait.WithObserver(seen))

				require.ErrorIs(t, err, tt.want)
				if tt.text != "" {
					require.ErrorContains(t, err, tt.text)
				}
				require.Equal(t, tt.polls, calls)
				if tt.want == nil {
					require.Equal(t, milvuswait.ImportStateCompleted, last.State)
				}
				for _, u := range seen.updates {
					require.InDelta(t, 0.5, u.Fraction, 0.5)
				}
			})
		})
	}
}

// TestWaitForImportComplete_Uncommitted_IsNamed has a job of Milvus 3.0 that nobody commits.
func TestWaitForImportComplete_Uncommitted_IsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := milvuswait.PollerFuncs{Import: func(context.Context, int64) (milvuswait.ImportProgress, error) {
			return milvuswait.ImportProgress{State: milvuswait.ImportStateStarted, Percent: 99, Phase: milvuswait.ImportPhaseUncommitted}, nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()

		_, err := milvuswait.WaitForImportComplete(ctx, p, 4711)

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "last 99%, Uncommitted); the import waits for a commit")
	})
}

func TestWaitForCompactionComplete(t *testing.T) {
	executing := func(executing, completed, failed, timedOut int64) milvuswait.CompactionProgress {
		return milvuswait.CompactionProgress{State: milvuswait.CompactionStateExecuting, Executing: executing, Completed: completed, Failed: failed, TimedOut: timedOut}
	}
	completed := func(completed, failed, timedOut int64) milvuswait.CompactionProgress {
		return milvuswait.CompactionProgress{State: milvuswait.CompactionStateCompleted, Completed: completed, Failed: failed, TimedOut: timedOut}
	}
	tests := []struct {
		name    string
		answers []milvuswait.CompactionProgress
		want    error
		text    string
		last    milvuswait.CompactionProgress
	}{
		{"completed", []milvuswait.CompactionProgress{executing(3, 0, 0, 0), executing(1, 2, 0, 0), completed(3, 0, 0)}, nil, "3/3 plans, Completed", completed(3, 0, 0)},
		{"nothing to do", []milvuswait.CompactionProgress{completed(0, 0, 0)}, nil, "0 plans, Completed", completed(0, 0, 0)},
		{"state unknown at first", []milvuswait.CompactionProgress{{}, completed(1, 0, 0)}, nil, "1/1 plans, Completed", completed(1, 0, 0)},
		{"completed while plans execute", []milvuswait.CompactionProgress{{State: milvuswait.CompactionStateCompleted, Executing: 1}, completed(1, 0, 0)}, nil, "1/1 plans, Completed", completed(1, 0, 0)},
		{"failed at the end", []milvuswait.CompactionProgress{executing(3, 0, 0, 0), completed(2, 1, 0)}, milvuswait.ErrJobFailed, "1 of 3 plans failed", completed(2, 1, 0)},
		{"failed before, and forgotten", []milvuswait.CompactionProgress{executing(2, 0, 1, 0), executing(1, 1, 0, 0), completed(2, 0, 0)}, milvuswait.ErrJobFailed, "1 of 3 plans failed", completed(2, 1, 0)},
		{"timed out", []milvuswait.CompactionProgress{executing(1, 0, 0, 2), completed(1, 0, 0)}, milvuswait.ErrJobFailed, "2 of 3 plans timed out", completed(1, 0, 2)},
		{"failed and timed out", []milvuswait.CompactionProgress{completed(0, 2, 1)}, milvuswait.ErrJobFailed, "2 of 3 plans failed, 1 timed out", completed(0, 2, 1)},
		{"out of range", []milvuswait.CompactionProgress{{State: 77, Executing: -3, Completed: -1}, completed(-1, -1, -1)}, nil, "0 plans, Completed", completed(-1, 0, 0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n, seen := 0, &recorder{}
				p := milvuswait.PollerFuncs{Compaction: func(_ context.Context, id int64) (milvuswait.CompactionProgress, error) {
					require.Equal(t, int64(815), id)
					n++
					return tt.answers[min(n, len(tt.answers))-1], nil
				}}

				last, err := milvuswait.WaitForCompactionComplete(t.Context(), p, 815, milvuswait.WithObserver(seen))

				require.ErrorIs(t, err, tt.want)
				require.Equal(t, len(tt.answers), n)
				if tt.name != "out of range" {
					require.Equal(t, tt.last, last)
				}
				if err != nil {
					require.ErrorContains(t, err, tt.text)
				} else {
					require.Equal(t, tt.text, last.String())
				}
				for _, u := range seen.updates {
					require.InDelta(t, 0.5, u.Fraction, 0.5)
				}
			})
		})
	}
}

func TestWait_Flushing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls, mark := 0, milvuswait.FlushMark{Timestamp: 9, Segments: []int64{3}}
		p := milvuswait.PollerFuncs{Flush: func(_ context.Context, collection string, got milvuswait.FlushMark) (bool, error) {
			calls++
			require.Equal(t, "docs", collection)
			require.Equal(t, mark, got)
			return calls == 4, nil
		}}

		last, err := milvuswait.Wait(t.Context(), p, milvuswait.Flushing("docs", mark))

		require.NoError(t, err)
		require.Equal(t, milvuswait.FlushProgress{Flushed: true}, last)
		require.Equal(t, 4, calls)
	})
}

func TestWait_Serving(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls, start := 0, time.Now()
		p := milvuswait.PollerFuncs{Server: func(context.Context) error {
			calls++
			if time.Since(start) < 20*time.Second {
				return errBlip
			}
			return nil
		}}

		last, err := milvuswait.Wait(t.Context(), p, milvuswait.Serving())

		require.NoError(t, err)
		require.Equal(t, milvuswait.ServingProgress{}, last)
		require.InDelta(t, 20*time.Second, time.Since(start), float64(500*time.Millisecond))
	})
}

// TestWait_TargetsOfEveryKind_AreCheckedFirst has the targets and Pollers that no wait polls.
func TestWait_TargetsOfEveryKind_AreCheckedFirst(t *testing.T) {
	bare := percents(100) // without optional interfaces
	mark := milvuswait.FlushMark{}
	tests := []struct {
		target milvuswait.Target
		poller milvuswait.Poller
		want   string
	}{
		{milvuswait.Importing(0), bare, "the job of import 0 is not positive"},
		{milvuswait.Importing(-3), bare, "the job of import -3 is not positive"},
		{milvuswait.Compacting(0), bare, "the job of compaction 0 is not positive"},
		{milvuswait.Flushing("", mark), bare, "the name of the collection is empty"},
		{milvuswait.Flushing("docs", milvuswait.FlushMark{Segments: []int64{5, 0}}), bare, "the flush mark has the segment 0, which is not positive"},
		{milvuswait.IndexBuilding("docs", "").AfterFlush(milvuswait.FlushMark{Segments: []int64{-1}}), bare, "the flush mark has the segment -1, which is not positive"},
		{milvuswait.Loading("docs").AfterFlush(mark), bare, `a flush mark is for indexes and flushes, not for loading "docs"`},
		{milvuswait.Importing(7).AfterFlush(mark), bare, "a flush mark is for indexes and flushes, not for import 7"},
		{milvuswait.Serving().ExpectRows(1), bare, "expected rows are for indexes, not for server"},
		{milvuswait.Flushing("docs", mark).ExpectRows(1), bare, `expected rows are for indexes, not for flush of "docs"`},

		{milvuswait.Importing(7), bare, "the Poller does not implement ImportPoller"},
		{milvuswait.Compacting(7), bare, "the Poller does not implement CompactionPoller"},
		{milvuswait.Flushing("docs", mark), bare, "the Poller does not implement FlushPoller"},
		{milvuswait.Serving(), bare, "the Poller does not implement ServerChecker"},
		{milvuswait.IndexBuilding("docs", "").AfterFlush(mark), bare, "the Poller does not implement FlushPoller"},
		{milvuswait.Importing(7), milvuswait.PollerFuncs{}, "the Poller does not implement ImportPoller: PollerFuncs.Import is nil"},
		{milvuswait.Compacting(7), &milvuswait.PollerFuncs{}, "the Poller does not implement CompactionPoller: PollerFuncs.Compaction is nil"},
		{milvuswait.Serving(), milvuswait.PollerFuncs{}, "the Poller does not implement ServerChecker: PollerFuncs.Server is nil"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			_, err := milvuswait.Wait(t.Context(), tt.poller, tt.target)
			require.ErrorIs(t, err, milvuswait.ErrInvalid)
			require.EqualError(t, err, "milvuswait: invalid argument: "+tt.want)

			_, err = milvuswait.WaitAll(t.Context(), tt.poller, []milvuswait.Target{tt.target})
			require.EqualError(t, err, "milvuswait: target 1 of 1: invalid argument: "+tt.want)
		})
	}
	require.Empty(t, bare.at, "nothing was polled")

	_, err := milvuswait.Wait(t.Context(), bare, milvuswait.IndexBuilding("docs", ""), milvuswait.WithFlush(mark))
	require.EqualError(t, err, "milvuswait: invalid argument: WithFlush does not go with a Target: set it there")
	_, err = milvuswait.WaitForLoadingComplete(t.Context(), bare, "docs", milvuswait.WithFlush(mark))
	require.EqualError(t, err, "milvuswait: invalid argument: WithFlush is for indexes, not for a load")
}

// TestWaitAll_EveryKind_Together waits for one target of each kind.
func TestWaitAll_EveryKind_Together(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		until := func(d time.Duration) bool { return time.Since(start) < d }
		p := milvuswait.PollerFuncs{
			Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
				return milvuswait.LoadingProgress{Percent: min(100, int64(time.Since(start)/(10*time.Millisecond)))}, nil
			},
			IndexBuilding: func(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
				return rows(10, 10, finished), nil
			},
			Segments: func(context.Context, string) ([]int64, error) { return nil, nil },
			Flush:    func(context.Context, string, milvuswait.FlushMark) (bool, error) { return !until(2 * time.Second), nil },
			Import: func(context.Context, int64) (milvuswait.ImportProgress, error) {
				if until(3 * time.Second) {
					return milvuswait.ImportProgress{Percent: 30}, nil
				}
				return milvuswait.ImportProgress{State: milvuswait.ImportStateCompleted, Percent: 100}, nil
			},
			Compaction: func(context.Context, int64) (milvuswait.CompactionProgress, error) {
				return milvuswait.CompactionProgress{State: milvuswait.CompactionStateCompleted}, nil
			},
			Server: func(context.Context) error { return nil },
		}
		mark := milvuswait.FlushMark{Timestamp: 4}
		targets := []milvuswait.Target{
			milvuswait.Loading("docs"), milvuswait.IndexBuilding("docs", "").AfterFlush(mark), milvuswait.Flushing("docs", mark),
			milvuswait.Importing(7), milvuswait.Importing(8), milvuswait.Compacting(7), milvuswait.Serving(),
		}

		outcomes, err := milvuswait.WaitAll(t.Context(), p, targets)

		require.NoError(t, err)
		for i, o := range outcomes {
			require.Equal(t, targets[i], o.Target)
			require.True(t, o.Progress.Complete(), fmt.Sprint(o))
		}
	})
}

// TestTarget_FlushMark_IsPartOfTheTarget compares targets with marks.
func TestTarget_FlushMark_IsPartOfTheTarget(t *testing.T) {
	mark := func(timestamp uint64, segments ...int64) milvuswait.FlushMark {
		return milvuswait.FlushMark{Timestamp: timestamp, Segments: segments}
	}
	index := milvuswait.IndexBuilding("docs", "vidx")

	require.Equal(t, index.AfterFlush(mark(9, 1, 2)), index.AfterFlush(mark(9, 2, 1, 2)))
	require.Equal(t, index.AfterFlush(mark(9)), index.AfterFlush(mark(8, 5)).AfterFlush(mark(9)), "the last one counts")
	require.NotEqual(t, index, index.AfterFlush(mark(0)), "the zero mark is a mark")
	require.NotEqual(t, index.AfterFlush(mark(0)), index.AfterFlush(mark(1)))

	got, found := index.AfterFlush(mark(1<<63+5, 7, 1<<62, 3)).FlushMark()
	require.True(t, found)
	require.Equal(t, mark(1<<63+5, 3, 7, 1<<62), got)
	_, found = index.FlushMark()
	require.False(t, found)

	given := mark(1, 3, 2)
	index.AfterFlush(given)
	require.Equal(t, []int64{3, 2}, given.Segments, "the caller's slice is not sorted")
}
