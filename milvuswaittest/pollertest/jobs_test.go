package pollertest_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// whenImported returns p for the completed import.
func whenImported(p milvuswait.ImportProgress) working {
	return working{imports: func(job int64, was milvuswait.ImportProgress, err error) (milvuswait.ImportProgress, error) {
		if job == 7 && err == nil {
			return p, nil
		}
		return was, err
	}}
}

// whenCompacted returns p for the compaction with the id.
func whenCompacted(compaction int64, p milvuswait.CompactionProgress) working {
	return working{compaction: func(id int64, was milvuswait.CompactionProgress, err error) (milvuswait.CompactionProgress, error) {
		if id == compaction && err == nil {
			return p, nil
		}
		return was, err
	}}
}

func TestRun_DefectOfJobsOrServer_IsReported(t *testing.T) {
	const unknown = 1<<63 - 2
	completed := milvuswait.CompactionStateCompleted
	checkWorking(t, []workingTest{
		{
			"import without a state",
			whenImported(milvuswait.ImportProgress{Percent: 100, Rows: 1000}),
			[]string{`ImportProgress(7) returned 100%, ImportPending, 1000 rows for an import that is completed, which is not Complete: a wait would never end`},
		},
		{
			"import beyond 100",
			whenImported(milvuswait.ImportProgress{State: milvuswait.ImportStateCompleted, Percent: 101}),
			[]string{`ImportProgress(7) returned 101%, ImportCompleted: Percent is from 0 to 100`},
		},
		{
			"negative rows",
			whenImported(milvuswait.ImportProgress{State: milvuswait.ImportStateCompleted, Percent: 100, Rows: -1}),
			[]string{`ImportProgress(7) returned 100%, ImportCompleted, -1 rows: the number of rows is not negative`},
		},
		{
			"state of another enum",
			whenImported(milvuswait.ImportProgress{State: 4, Percent: 100}),
			[]string{`ImportProgress(7) returned 100%, ImportState(4): State has the numbers of common.proto`},
		},
		{
			"failed import is an error",
			working{imports: func(job int64, p milvuswait.ImportProgress, err error) (milvuswait.ImportProgress, error) {
				if job == 8 {
					return p, errors.New("no such file")
				}
				return p, err
			}},
			[]string{`ImportProgress(8) returned the error "no such file" for an import that has failed: a wait takes that for a poll that failed; return the progress with the state and the reason`},
		},
		{
			"failed import goes on",
			working{imports: func(job int64, p milvuswait.ImportProgress, err error) (milvuswait.ImportProgress, error) {
				if job == 8 {
					p.State = milvuswait.ImportStateStarted
				}
				return p, err
			}},
			[]string{`ImportProgress(8) returned 30%, ImportStarted for an import that has failed: a wait would never end`},
		},
		{
			"failed import without a reason",
			working{imports: func(_ int64, p milvuswait.ImportProgress, err error) (milvuswait.ImportProgress, error) {
				p.FailReason = ""
				return p, err
			}},
			[]string{`ImportProgress(8) returned 30%, ImportFailed without a FailReason for an import that has failed: return failed_reason`},
		},
		{
			"unknown import is pending",
			working{imports: func(job int64, p milvuswait.ImportProgress, err error) (milvuswait.ImportProgress, error) {
				if job == unknown {
					err = nil
				}
				return p, err
			}},
			[]string{`ImportProgress(9223372036854775806) returned 0%, ImportPending and no error for an import that does not exist: a wait takes that for progress; return an error that wraps milvuswait.ErrJobNotFound`},
		},
		{
			"unknown import without the sentinel",
			working{imports: func(job int64, p milvuswait.ImportProgress, err error) (milvuswait.ImportProgress, error) {
				if job == unknown {
					err = errors.New("key not found")
				}
				return p, err
			}},
			[]string{`ImportProgress(9223372036854775806) returned the error "key not found" for an import that does not exist: a wait goes by the sentinels; return an error that wraps milvuswait.ErrJobNotFound`},
		},
		{
			"import 0",
			working{imports: func(job int64, p milvuswait.ImportProgress, err error) (milvuswait.ImportProgress, error) {
				if job == 0 {
					panic("no job")
				}
				return p, err
			}},
			[]string{`ImportProgress(0) panicked: no job`},
		},

		{
			"compaction without a state",
			whenCompacted(9, milvuswait.CompactionProgress{Completed: 3}),
			[]string{`CompactionProgress(9) returned 3/3 plans, UndefiedState for a compaction that is completed, which is not Complete: a wait would never end`},
		},
		{
			"negative plans",
			whenCompacted(9, milvuswait.CompactionProgress{State: completed, Failed: -1}),
			[]string{`CompactionProgress(9) returned 0 plans, Completed: no number of plans is negative`},
		},
		{
			"state beyond the enum",
			whenCompacted(9, milvuswait.CompactionProgress{State: 3}),
			[]string{`CompactionProgress(9) returned 0 plans, CompactionState(3): State has the numbers of common.proto`},
		},
		{"failed plans", whenCompacted(9, milvuswait.CompactionProgress{State: completed, Failed: 1, TimedOut: 2}), nil},
		{
			"unknown compaction is executing",
			whenCompacted(unknown, milvuswait.CompactionProgress{State: milvuswait.CompactionStateExecuting}),
			[]string{`CompactionProgress(9223372036854775806) returned 0 plans, Executing for a compaction that does not exist, which is not Complete: a wait would never end`},
		},
		{
			"unknown compaction is an error",
			working{compaction: func(id int64, p milvuswait.CompactionProgress, err error) (milvuswait.CompactionProgress, error) {
				if id == unknown {
					err = errRefused
				}
				return p, err
			}},
			[]string{`CompactionProgress(9223372036854775806) returned the error "connection refused" for a compaction that does not exist: return the progress, or an error that wraps milvuswait.ErrJobNotFound`},
		},
		{
			"unknown compaction is not found",
			working{compaction: func(id int64, p milvuswait.CompactionProgress, err error) (milvuswait.CompactionProgress, error) {
				if id == unknown {
					err = milvuswait.ErrJobNotFound
				}
				return p, err
			}},
			nil,
		},

		{
			"server always serves",
			working{server: func(error) error { return nil }},
			[]string{
				`CheckServer() was called with a context that had ended, and returned serving and no error: pass the context on, and return its error`,
				`CheckServer() stood still until its context ended, and returned serving and no error: pass the context on, and return its error`,
				`CheckServer() returned serving and no error while every call fails: a wait takes it for an answer of the server; return the error`,
			},
		},
		{
			"server that is away refuses",
			working{server: func(err error) error {
				if errors.Is(err, errRefused) {
					return milvuswait.Permanent(err)
				}
				return err
			}},
			[]string{`CheckServer() returned the error "connection refused" while the server was away, which ends a wait, although the server may come back: wrap no sentinel and do not mark it by milvuswait.Permanent`},
		},
		{
			"server never serves",
			working{server: func(err error) error { return errors.Join(err, errRefused) }},
			[]string{`CheckServer() returned the error "connection refused" for a complete target: return the progress`},
		},
	})
}

func TestRun_WorldWithoutJobs_SkipsThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, w := newFake()
		w.FailedImport = 0

		require.Equal(t, &recorder{logs: []string{"not checked: an import that has failed (World.FailedImport)"}}, run(p, w))
	})
}
