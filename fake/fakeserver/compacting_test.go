package fakeserver_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

var allDialects = []fakeserver.Dialect{fakeserver.Milvus23, fakeserver.Milvus22, fakeserver.MilvusLite, fakeserver.Milvus26}

// compaction calls GetCompactionState.
func compaction(t *testing.T, c grpc.ClientConnInterface, id int64) milvuswait.CompactionProgress {
	t.Helper()
	r, err := wire.GetCompactionState.Call(t.Context(), c, &wire.GetCompactionStateRequest{CompactionID: id})
	require.NoError(t, err)
	require.Equal(t, ok, of(r.GetStatus()))
	return milvuswait.CompactionProgress{
		State: milvuswait.CompactionState(r.GetState()), Executing: r.GetExecutingPlanNo(), Completed: r.GetCompletedPlanNo(),
		Failed: r.GetFailedPlanNo(), TimedOut: r.GetTimeoutPlanNo(),
	}
}

func compact(t *testing.T, c grpc.ClientConnInterface, collection int64) *wire.ManualCompactionResponse {
	t.Helper()
	r, err := wire.ManualCompaction.Call(t.Context(), c, &wire.ManualCompactionRequest{CollectionID: collection})
	require.NoError(t, err)
	require.Equal(t, ok, of(r.GetStatus()))
	require.Zero(t, r.GetCompactionPlanCount(), "real servers report 0 although a plan runs")
	return r
}

var (
	executing = milvuswait.CompactionProgress{State: milvuswait.CompactionStateExecuting, Executing: 2, Completed: 1}
	oneFailed = milvuswait.CompactionProgress{State: milvuswait.CompactionStateExecuting, Executing: 1, Completed: 1, Failed: 1}
	completed = milvuswait.CompactionProgress{State: milvuswait.CompactionStateCompleted, Completed: 2}
	noPlans   = milvuswait.CompactionProgress{State: milvuswait.CompactionStateCompleted}
)

// vanishing returns the script of a compaction whose failed plan is forgotten, as on Milvus
// 3.0.
func vanishing() fake.Script {
	return fake.Steps(fake.Step{Progress: executing}, fake.Step{Progress: oneFailed}, fake.Step{Progress: completed})
}

func TestGetCompactionState_UnknownID_IsCompletedWithoutPlans(t *testing.T) {
	for _, dialect := range allDialects {
		t.Run(dialect.String(), func(t *testing.T) {
			srv, c := start(t, fakeserver.Config{Dialect: dialect})
			for _, id := range []int64{-1, 0, 1, 123456789} {
				require.Equal(t, noPlans, compaction(t, c, id), id)
			}

			srv.Set(milvuswait.Compacting(7), fake.Steps(fake.Step{Progress: executing}, fake.Step{Err: milvuswait.ErrJobNotFound}))
			require.Equal(t, executing, compaction(t, c, 7))
			require.Equal(t, noPlans, compaction(t, c, 7), "expired")

			srv.Set(milvuswait.Compacting(7), fake.Steps(fake.Step{Progress: milvuswait.CompactionProgress{}}))
			require.Equal(t, milvuswait.CompactionProgress{}, compaction(t, c, 7), "the state Undefied")
			srv.Set(milvuswait.Compacting(7), nil)
			require.Equal(t, noPlans, compaction(t, c, 7))
		})
	}
}

func TestManualCompaction_FollowsTheScriptOfConfig(t *testing.T) {
	for _, dialect := range importDialects {
		t.Run(dialect.String(), func(t *testing.T) {
			_, c := start(t, fakeserver.Config{Dialect: dialect, Compact: vanishing()})

			r := compact(t, c, 9999) // unknown collection

			for _, want := range []milvuswait.CompactionProgress{executing, oneFailed, completed, completed} {
				require.Equal(t, want, compaction(t, c, r.GetCompactionID()))
			}
		})
	}
}

func TestManualCompaction_OnLite_HasNoID(t *testing.T) {
	_, c := start(t, fakeserver.Config{Dialect: fakeserver.MilvusLite})

	require.Zero(t, compact(t, c, 1).GetCompactionID())
}

// TestCompactionWait_OverTheWire waits for compactions by raw calls. A failed plan fails the
// wait, although the last poll does not report it any more.
func TestCompactionWait_OverTheWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t, fakeserver.Config{})
		srv.Set(milvuswait.Compacting(7), vanishing())
		p := milvuswait.PollerFuncs{Compaction: func(_ context.Context, id int64) (milvuswait.CompactionProgress, error) {
			return compaction(t, c, id), nil
		}}
		begin := time.Now()

		progress, err := milvuswait.WaitForCompactionComplete(t.Context(), p, compact(t, c, docsID).GetCompactionID())
		require.NoError(t, err)
		require.EqualValues(t, 1, progress.Completed)
		require.GreaterOrEqual(t, time.Since(begin), 200*time.Millisecond)

		_, err = milvuswait.WaitForCompactionComplete(t.Context(), p, 7)
		require.ErrorIs(t, err, milvuswait.ErrJobFailed)
	})
}

func TestGetCompactionState_ScriptOfAnotherKind_IsUnexpected(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	srv.Set(milvuswait.Compacting(7), fake.Percents(40))

	r, err := wire.GetCompactionState.Call(t.Context(), c, &wire.GetCompactionStateRequest{CompactionID: 7})

	require.NoError(t, err)
	require.Equal(t, body{unexpected, 65535, `fakeserver: a script of "a job" returned milvuswait.LoadingProgress, the progress of another kind`}, of(r.GetStatus()))
}
