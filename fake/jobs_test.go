package fake_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

func TestImportCurve(t *testing.T) {
	const m = time.Minute
	tests := []struct {
		name   string
		script fake.Script
		at     time.Duration
		want   milvuswait.ImportProgress
	}{
		{"begins", fake.ImportOver(1000, 10*m), 0, milvuswait.ImportProgress{State: milvuswait.ImportStatePending}},
		{"half", fake.ImportOver(1000, 10*m), 5 * m, milvuswait.ImportProgress{State: milvuswait.ImportStateStarted, Percent: 50}},
		{"rows on disk", fake.ImportOver(1000, 10*m), 9 * m, milvuswait.ImportProgress{State: milvuswait.ImportStatePersisted, Percent: 90, Rows: 1000}},
		{"done", fake.ImportOver(1000, 10*m), 10 * m, milvuswait.ImportProgress{State: milvuswait.ImportStateCompleted, Percent: 100, Rows: 1000}},
		{"at once", fake.ImportOver(0, 0), 0, milvuswait.ImportProgress{State: milvuswait.ImportStateCompleted, Percent: 100}},
		{"stalled", fake.ImportOver(1000, 10*m).StallAt(80, fake.Forever), 100 * m, milvuswait.ImportProgress{State: milvuswait.ImportStateStarted, Percent: 80}},
		{"failed", fake.ImportOver(1000, 10*m).FailAt(30, "no such file"), 3 * m, milvuswait.ImportProgress{State: milvuswait.ImportStateFailed, Percent: 30, FailReason: "no such file"}},
		{"failed at once", fake.ImportOver(1000, 10*m).FailAt(0, ""), 0, milvuswait.ImportProgress{State: milvuswait.ImportStateFailed}},
		{"failed at the end", fake.ImportOver(1000, 10*m).FailAt(100, ""), 10 * m, milvuswait.ImportProgress{State: milvuswait.ImportStateFailed, Percent: 100, Rows: 1000}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, fake.Step{Progress: tt.want}, tt.script.Step(1, tt.at))
		})
	}
}

func TestCompactCurve(t *testing.T) {
	const s = time.Second
	executing, completed := milvuswait.CompactionStateExecuting, milvuswait.CompactionStateCompleted
	tests := []struct {
		name   string
		script fake.Script
		at     time.Duration
		want   milvuswait.CompactionProgress
	}{
		{"begins", fake.CompactOver(3, 30*s), 0, milvuswait.CompactionProgress{State: executing, Executing: 3}},
		{"two of three", fake.CompactOver(3, 30*s), 29 * s, milvuswait.CompactionProgress{State: executing, Executing: 1, Completed: 2}},
		{"done", fake.CompactOver(3, 30*s), 30 * s, milvuswait.CompactionProgress{State: completed, Completed: 3}},
		{"first plan failed", fake.CompactOver(3, 30*s).FailPlans(1), 10 * s, milvuswait.CompactionProgress{State: executing, Executing: 2, Failed: 1}},
		{"done, one failed", fake.CompactOver(3, 30*s).FailPlans(1), fake.Forever, milvuswait.CompactionProgress{State: completed, Completed: 2, Failed: 1}},
		{"all failed", fake.CompactOver(3, 30*s).FailPlans(3), 30 * s, milvuswait.CompactionProgress{State: completed, Failed: 3}},
		{"not forgotten yet", fake.CompactOver(3, 30*s).FailPlans(2).ForgetAfter(5 * s), 15*s - 1, milvuswait.CompactionProgress{State: executing, Executing: 2, Failed: 1}},
		{"forgotten", fake.CompactOver(3, 30*s).FailPlans(2).ForgetAfter(5 * s), 15 * s, milvuswait.CompactionProgress{State: executing, Executing: 2}},
		{"second one not forgotten yet", fake.CompactOver(3, 30*s).FailPlans(2).ForgetAfter(5 * s), 20 * s, milvuswait.CompactionProgress{State: executing, Executing: 1, Failed: 1}},
		{"forgotten at the end", fake.CompactOver(3, 30*s).FailPlans(2).ForgetAfter(5 * s), 30 * s, milvuswait.CompactionProgress{State: completed, Completed: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, fake.Step{Progress: tt.want}, tt.script.Step(1, tt.at))
		})
	}
}

func TestJobs_WithoutScript(t *testing.T) {
	p := new(fake.Poller).Set(milvuswait.Importing(7), fake.ImportOver(1, 0)).Set(milvuswait.Importing(7), nil)

	_, err := p.ImportProgress(t.Context(), 7)
	require.ErrorIs(t, err, milvuswait.ErrJobNotFound)
	require.EqualError(t, err, "job not found: import 7")
	compaction, err := p.CompactionProgress(t.Context(), 8)
	require.NoError(t, err)
	require.Equal(t, milvuswait.CompactionProgress{State: milvuswait.CompactionStateCompleted}, compaction)
	require.NoError(t, p.CheckServer(t.Context()))

	require.Equal(t, []milvuswait.Progress{nil, compaction, milvuswait.ServingProgress{}},
		[]milvuswait.Progress{p.Calls()[0].Progress, p.Calls()[1].Progress, p.Calls()[2].Progress})
	require.Equal(t, milvuswait.Serving(), p.Calls()[2].Target)
}

// An import and a compaction may have the same number. They belong to no collection.
func TestJobs_AreNotInCollections(t *testing.T) {
	p := new(fake.Poller).
		Set(milvuswait.Importing(7), fake.ImportOver(1, time.Hour)).
		Set(milvuswait.Compacting(7), fake.CompactOver(3, 0))

	_, err := p.LoadingProgress(t.Context(), "")
	require.ErrorIs(t, err, milvuswait.ErrCollectionNotFound)
	p.Drop("")
	running, err := p.ImportProgress(t.Context(), 7)
	require.NoError(t, err)
	require.False(t, running.Complete())
	compacted, err := p.CompactionProgress(t.Context(), 7)
	require.NoError(t, err)
	require.EqualValues(t, 3, compacted.Completed)
}

func TestJobs_EndedContext_ReturnItsError(t *testing.T) {
	p := new(fake.Poller).Set(milvuswait.Importing(7), fake.ImportOver(1, 0))
	ended, cancel := context.WithCancel(t.Context())
	cancel()

	_, err := p.ImportProgress(ended, 7)
	require.Equal(t, context.Canceled, err)
	_, err = p.CompactionProgress(ended, 8)
	require.Equal(t, context.Canceled, err)
	require.Equal(t, context.Canceled, p.CheckServer(ended))
	_, err = p.FlushDone(ended, "docs", firstMark)
	require.Equal(t, context.Canceled, err)
}

func TestWait_JobsAndServer(t *testing.T) {
	const s = time.Second
	forgetful := fake.CompactOver(3, 60*s).FailPlans(1).ForgetAfter(10 * s)
	tests := []struct {
		name   string
		target milvuswait.Target
		script fake.Script
		at     time.Duration
		want   string
		err    error
	}{
		{"import", milvuswait.Importing(7), fake.ImportOver(1000, 60*s), 60 * s, "100%, ImportCompleted, 1000 rows", nil},
		{"failed import", milvuswait.Importing(7), fake.ImportOver(1000, 60*s).FailAt(50, "no such file"), 30 * s, "50%, ImportFailed", milvuswait.ErrJobFailed},
		{"compaction", milvuswait.Compacting(7), fake.CompactOver(3, 60*s), 60 * s, "3/3 plans, Completed", nil},
		{"unknown compaction", milvuswait.Compacting(7), nil, 0, "0 plans, Completed", nil},
		{"compaction with a failure that is forgotten", milvuswait.Compacting(7), forgetful, 60 * s, "3/3 plans, Completed, 1 failed", milvuswait.ErrJobFailed},
		{"flush", milvuswait.Flushing("docs", firstMark), fake.FlushOver(60 * s), 60 * s, "flushed", nil},
		{"server", milvuswait.Serving(), fake.ServeAfter(60*s, errTransient), 60 * s, "serving", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := new(fake.Poller).Set(tt.target, tt.script)
				start := time.Now()

				progress, err := milvuswait.Wait(t.Context(), p, tt.target)

				require.ErrorIs(t, err, tt.err)
				require.Equal(t, tt.want, progress.String())
				require.InDelta(t, tt.at.Seconds(), time.Since(start).Seconds(), 5)
				calls := p.Calls(tt.target)
				require.Equal(t, len(calls), calls[len(calls)-1].Poll)
				require.Equal(t, len(p.Calls()), len(calls))
			})
		})
	}
}
