package temporalwait

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

func newEnvironment(a *Activities) *testsuite.TestActivityEnvironment {
	var suite testsuite.WorkflowTestSuite
	suite.SetDisableRegistrationAliasing(true)
	env := suite.NewTestActivityEnvironment()
	env.RegisterActivity(a)
	return env
}

func TestActivities_Complete_ReturnTheProgress(t *testing.T) {
	vidx := milvuswait.IndexBuilding("docs", "vidx").ExpectRows(100)
	a := &Activities{
		Poller:  new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Percents(0, 100)), // the refresh is complete too
		Pollers: map[string]milvuswait.Poller{"eu": new(fake.Poller).Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(100, 0, 100))},
	}
	env := newEnvironment(a)

	value, err := env.ExecuteActivity(a.WaitForLoading, Wait{Target: Target{Collection: "docs"}})
	require.NoError(t, err)
	var loaded Progress
	require.NoError(t, value.Get(&loaded))
	require.Equal(t, milvuswait.LoadingProgress{Percent: 100, RefreshPercent: 100}, loaded.Progress)

	value, err = env.ExecuteActivity(a.WaitForIndexBuilding, Wait{Target: On("eu", vidx)[0]})
	require.NoError(t, err)
	var built milvuswait.IndexBuildingProgress
	require.NoError(t, value.Get(&built))
	require.EqualValues(t, 100, built.IndexedRows)

	value, err = env.ExecuteActivity(a.WaitAll, Waits{Targets: On("eu", vidx, vidx)})
	require.NoError(t, err)
	var outcomes []Outcome
	require.NoError(t, value.Get(&outcomes))
	require.Len(t, outcomes, 2)
	require.Equal(t, On("eu", vidx)[0], outcomes[1].Target)

	value, err = env.ExecuteActivity(a.WaitAll, Waits{})
	require.NoError(t, err)
	require.NoError(t, value.Get(&outcomes))
	require.Empty(t, outcomes)
}

func TestActivities_InvalidArguments_AreRefused(t *testing.T) {
	load, index := milvuswait.Loading("docs"), milvuswait.IndexBuilding("docs", "vidx")
	a := &Activities{Pollers: map[string]milvuswait.Poller{"us": new(fake.Poller), "eu": new(fake.Poller)}}
	env := newEnvironment(a)
	tests := []struct {
		activity, argument any
		err                string
	}{
		{a.WaitForLoading, Wait{Target: On("eu", index)[0]}, `milvuswait: invalid argument: the kind of the target is "index_building", not "loading"`},
		{a.WaitForIndexBuilding, Wait{Target: On("eu", load)[0]}, `milvuswait: invalid argument: the kind of the target is "loading", not "index_building"`},
		{a.WaitForLoading, Wait{Target: On("de", load)[0]}, `milvuswait: invalid argument: the worker knows no cluster "de", but ["eu" "us"]`},
		{a.WaitForLoading, Wait{Target: On("", load)[0]}, `milvuswait: invalid argument: the target names no cluster, and the worker has only ["eu" "us"]`},
		{a.WaitForLoading, Wait{Target: Target{Cluster: "eu"}}, `milvuswait: invalid argument: the name of the collection is empty`},
		{a.WaitForLoading, Wait{Target: On("eu", load)[0], Options: Options{Criterion: milvuswait.RowsAtStart}}, `milvuswait: invalid argument: Criterion is for indexes, and there are none`},
		{a.WaitForLoading, Wait{Target: On("eu", load)[0], Options: Options{Settle: -1}}, `milvuswait: invalid argument: WithSettle: -1ns is negative`},
		{a.WaitAll, Waits{Targets: append(On("eu", load), On("us", load)...)}, `milvuswait: target 2 of 2: invalid argument: it is on cluster "us", others on "eu": an activity waits on one`},
	}
	for _, tt := range tests {
		_, err := env.ExecuteActivity(tt.activity, tt.argument)

		require.EqualError(t, Restore(err), tt.err)
		require.ErrorIs(t, Restore(err), milvuswait.ErrInvalid)
		var application *temporal.ApplicationError
		require.ErrorAs(t, err, &application)
		require.True(t, application.NonRetryable(), tt.err)
		require.Equal(t, "milvuswait.ErrInvalid", application.Type())
	}
}

// TestActivities_EveryKind_UsesItsInterface waits for the kinds that need an optional interface
// of the Poller, with the values of their targets. A Poller of two functions has none.
func TestActivities_EveryKind_UsesItsInterface(t *testing.T) {
	mark := milvuswait.FlushMark{Timestamp: 9, Segments: []int64{1, 2}}
	var (
		mu    sync.Mutex // the polls of different targets run at the same time
		asked []any
	)
	ask := func(value any) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, value)
	}
	a := &Activities{
		Poller: milvuswait.PollerFuncs{
			IndexBuilding: func(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
				return milvuswait.IndexBuildingProgress{State: milvuswait.IndexStateFinished}, nil
			},
			Flush: func(_ context.Context, _ string, mark milvuswait.FlushMark) (bool, error) {
				ask(mark)
				return true, nil
			},
			Import: func(_ context.Context, job int64) (milvuswait.ImportProgress, error) {
				ask(job)
				return milvuswait.ImportProgress{State: milvuswait.ImportStateCompleted}, nil
			},
			Compaction: func(_ context.Context, id int64) (milvuswait.CompactionProgress, error) {
				ask(id)
				return milvuswait.CompactionProgress{State: milvuswait.CompactionStateCompleted, Failed: 1}, nil
			},
			Server: func(context.Context) error { return nil },
		},
		Pollers: map[string]milvuswait.Poller{"plain": milvuswait.PollerFuncs{}},
	}
	env := newEnvironment(a)

	var outcomes []Outcome
	value, err := env.ExecuteActivity(a.WaitAll, Waits{Targets: On("",
		milvuswait.Flushing("docs", mark), milvuswait.IndexBuilding("docs", ""), milvuswait.IndexBuilding("other", "").AfterFlush(mark), milvuswait.Serving())})
	require.NoError(t, err)
	require.NoError(t, value.Get(&outcomes))
	require.Equal(t, milvuswait.FlushProgress{Flushed: true}, outcomes[0].Progress.Progress)
	require.Equal(t, milvuswait.ServingProgress{}, outcomes[3].Progress.Progress)
	require.Equal(t, []bool{false, true, false, false}, []bool{outcomes[0].Unconfirmed, outcomes[1].Unconfirmed, outcomes[2].Unconfirmed, outcomes[3].Unconfirmed})
	require.Equal(t, []any{mark, mark}, asked)

	value, err = env.ExecuteActivity(a.WaitForImport, Wait{Target: Target{Job: 7}})
	require.NoError(t, err)
	var imported Progress
	require.NoError(t, value.Get(&imported))
	require.Equal(t, milvuswait.ImportProgress{State: milvuswait.ImportStateCompleted}, imported.Progress)

	_, err = env.ExecuteActivity(a.WaitForCompaction, Wait{Target: Target{Job: 8}})
	require.ErrorIs(t, Restore(err), milvuswait.ErrJobFailed)
	var application *temporal.ApplicationError
	require.ErrorAs(t, err, &application)
	require.Equal(t, "milvuswait.ErrJobFailed", application.Type())
	require.True(t, application.NonRetryable())
	require.Equal(t, []any{int64(7), int64(8)}, asked[2:])

	_, err = env.ExecuteActivity(a.WaitForImport, Wait{Target: Target{Cluster: "plain", Job: 7}})
	require.ErrorIs(t, Restore(err), milvuswait.ErrInvalid)
	require.EqualError(t, Restore(err), "milvuswait: target 1 of 1: invalid argument: the Poller does not implement ImportPoller: PollerFuncs.Import is nil")
}

func TestActivities_FailedTarget_FailsThem(t *testing.T) {
	bad := fake.WithError(fake.Percents(40), milvuswait.ErrNotLoaded, 2, 3)
	p := new(fake.Poller).
		Set(milvuswait.Loading("good"), fake.Percents(100)).
		Set(milvuswait.Loading("bad"), bad).
		Set(milvuswait.Loading("slow"), fake.LoadOver(time.Hour))
	a := &Activities{Poller: p}
	env := newEnvironment(a)
	targets := On("", milvuswait.Loading("good"), milvuswait.Loading("bad"), milvuswait.Loading("slow"))

	_, err := env.ExecuteActivity(a.WaitAll, Waits{Targets: targets})

	var application *temporal.ApplicationError
	require.ErrorAs(t, err, &application)
	require.Equal(t, "milvuswait.ErrReleased", application.Type())
	var one Outcome
	var all []Outcome
	require.NoError(t, application.Details(&one, &all))
	require.Equal(t, "bad", one.Collection)
	require.Equal(t, "40%", one.Progress.String())
	require.Len(t, all, 3)
	require.NoError(t, all[0].Err())
	require.ErrorIs(t, all[2].Err(), milvuswait.ErrAborted)

	p.Set(milvuswait.Loading("bad"), bad)
	value, err := env.ExecuteActivity(a.WaitAll, Waits{Targets: targets[:2], ContinueOnError: true})
	require.NoError(t, err)
	require.NoError(t, value.Get(&all))
	require.NoError(t, all[0].Err())
	require.ErrorIs(t, all[1].Err(), milvuswait.ErrReleased)
}

func TestActivities_UnreachableServer_AreRetried(t *testing.T) {
	a := &Activities{
		Poller: new(fake.Poller).
			Set(milvuswait.Loading("good"), fake.Percents(100)).
			Set(milvuswait.Loading("docs"), fake.WithOutage(fake.Percents(100), errors.New("refused"), 0, time.Hour)),
		Options: []milvuswait.Option{milvuswait.WithUnreachableAfter(100 * time.Millisecond)},
	}
	env := newEnvironment(a)

	_, err := env.ExecuteActivity(a.WaitAll, Waits{Targets: On("", milvuswait.Loading("good"), milvuswait.Loading("docs")), ContinueOnError: true})

	var application *temporal.ApplicationError
	require.ErrorAs(t, err, &application)
	require.False(t, application.NonRetryable())
	require.ErrorIs(t, Restore(err), milvuswait.ErrUnreachable)
	var one Outcome
	var all []Outcome
	require.NoError(t, application.Details(&one, &all))
	require.Equal(t, "docs", one.Collection)
	require.NoError(t, all[0].Err())
}

func TestActivities_Retried_ResumeFromTheHeartbeat(t *testing.T) {
	p := new(fake.Poller).Set(milvuswait.Loading("b"), fake.Percents(100))
	targets := On("", milvuswait.Loading("a"), milvuswait.Loading("b"))
	ended := Outcome{Target: targets[0], Progress: Progress{milvuswait.LoadingProgress{Percent: 100}}, Polls: 9, ElapsedSeconds: 60}
	a := &Activities{Poller: p}
	env := newEnvironment(a)
	env.SetHeartbeatDetails(Heartbeat{Attempt: 1, Began: time.Now().Add(-time.Minute), Total: 2, Done: 1, Ended: []Outcome{ended}})

	value, err := env.ExecuteActivity(a.WaitAll, Waits{Targets: targets})

	require.NoError(t, err)
	var outcomes []Outcome
	require.NoError(t, value.Get(&outcomes))
	require.Equal(t, ended, outcomes[0])
	require.InDelta(t, 60, outcomes[1].ElapsedSeconds, 10)
	require.Len(t, p.Calls(), 1)

	// The attempt before found a permanent failure, but was lost before it could return it.
	ended.Error = newFailure(milvuswait.ErrCollectionNotFound)
	env.SetHeartbeatDetails(Heartbeat{Ended: []Outcome{ended}})
	_, err = env.ExecuteActivity(a.WaitAll, Waits{Targets: targets})
	require.ErrorIs(t, Restore(err), milvuswait.ErrCollectionNotFound)
	require.Len(t, p.Calls(), 1)

	// An unreadable heartbeat does not fail the activity.
	env.SetHeartbeatDetails("of another program")
	p.Set(milvuswait.Loading("a"), fake.Percents(100))
	_, err = env.ExecuteActivity(a.WaitAll, Waits{Targets: targets})
	require.NoError(t, err)
}

func TestActivities_WorkerStops_AreInterrupted(t *testing.T) {
	a := &Activities{Poller: new(fake.Poller).Set(milvuswait.Loading("docs"), fake.LoadOver(time.Hour))}
	env := newEnvironment(a)
	stop := make(chan struct{})
	close(stop)
	env.SetWorkerStopChannel(stop)

	_, err := env.ExecuteActivity(a.WaitForLoading, Wait{Target: Target{Collection: "docs"}})

	var application *temporal.ApplicationError
	require.ErrorAs(t, err, &application)
	require.Equal(t, TypeInterrupted, application.Type())
	require.False(t, application.NonRetryable())
	require.EqualError(t, application, "milvuswait: interrupted: the worker stops (type: milvuswait.Interrupted, retryable: true)")
	require.EqualError(t, Restore(err), "milvuswait: interrupted: the worker stops")
}

// A generator is not called again after it has returned a negative delay.
func TestActivities_GeneratorStops_Fail(t *testing.T) {
	a := &Activities{
		Poller: new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Percents(40)),
		Options: []milvuswait.Option{milvuswait.WithBackoffFunc(func() func() time.Duration {
			return backoff.WithMaxRetries(backoff.NewConstantBackOff(time.Millisecond), 2).NextBackOff
		})},
	}

	_, err := newEnvironment(a).ExecuteActivity(a.WaitForLoading, Wait{Target: Target{Collection: "docs"}})

	require.ErrorIs(t, Restore(err), milvuswait.ErrAborted)
	var application *temporal.ApplicationError
	require.ErrorAs(t, err, &application)
	require.True(t, application.NonRetryable())
}

// reports counts the progress signals sent by a client.
type reports struct {
	client.Client
	fractions []float64
}

func (r *reports) SignalWorkflow(_ context.Context, _, _, name string, arg any) error {
	if name != reportSignal {
		return errors.New("another signal")
	}
	r.fractions = append(r.fractions, arg.(report).Fraction)
	return nil
}

// A new attempt does not signal tenths that were signalled before, because an outage of
// days may cause many attempts.
func TestReports_Tenths_AreSentOnce(t *testing.T) {
	p := new(fake.Poller)
	var targets []milvuswait.Target
	for i := range 10 {
		target := milvuswait.Loading(fmt.Sprintf("c%d", i))
		p.Set(target, fake.LoadOver(time.Duration(i)*100*time.Millisecond))
		targets = append(targets, target)
	}
	r := new(reports)
	a := &Activities{Client: r, Poller: p}
	env := newEnvironment(a)

	_, err := env.ExecuteActivity(a.WaitAll, Waits{Targets: On("", targets...), Chunk: 1})
	require.NoError(t, err)
	for i := 1; i < len(r.fractions); i++ {
		require.Greater(t, tenths(r.fractions[i]), tenths(r.fractions[i-1]))
	}
	require.LessOrEqual(t, len(r.fractions), 9)

	r.fractions = nil
	env.SetHeartbeatDetails(Heartbeat{Fraction: 0.95, Total: 10})
	_, err = env.ExecuteActivity(a.WaitAll, Waits{Targets: On("", targets...), Chunk: 1})
	require.NoError(t, err)
	require.Empty(t, r.fractions)
}

func TestBeatEvery_IsSoonAfterTheSDKAllowsIt(t *testing.T) {
	for timeout, every := range map[time.Duration]time.Duration{
		0: time.Second, time.Hour: time.Second, 10 * time.Second: time.Second, 2 * time.Second: 200 * time.Millisecond, time.Millisecond: 10 * time.Millisecond,
	} {
		require.Equal(t, every, beatEvery(timeout), timeout)
	}
}
