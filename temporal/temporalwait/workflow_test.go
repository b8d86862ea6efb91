package temporalwait

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/mock"
	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/milvuswait/milvuswait"
)

// workers replaces the workers of WaitWorkflow: it records their arguments and returns
// prepared results.
type workers struct {
	*testsuite.TestWorkflowEnvironment
	answer func(ctx context.Context, w Waits) ([]Outcome, error)

	mu     sync.Mutex
	asked  []Waits
	queues []string
	memos  []Summary
}

func newWorkers(t *testing.T) *workers {
	var suite testsuite.WorkflowTestSuite
	w := &workers{TestWorkflowEnvironment: suite.NewTestWorkflowEnvironment(), answer: complete}
	w.RegisterWorkflow(WaitWorkflow)
	w.RegisterActivity(&Activities{})
	var a *Activities
	w.OnActivity(a.WaitAll, mock.Anything, mock.Anything).Return(func(ctx context.Context, waits Waits) ([]Outcome, error) {
		w.mu.Lock()
		w.asked = append(w.asked, waits)
		w.queues = append(w.queues, activity.GetInfo(ctx).TaskQueue)
		w.mu.Unlock()
		return w.answer(ctx, waits)
	})
	w.OnUpsertMemo(mock.Anything).Return(nil).Run(func(args mock.Arguments) {
		w.memos = append(w.memos, args[0].(map[string]any)[memoKey].(Summary))
	})
	return w
}

// complete is the result of a worker whose targets are all complete.
func complete(_ context.Context, w Waits) (all []Outcome, err error) {
	for _, t := range w.Targets {
		all = append(all, Outcome{Target: t, Progress: Progress{milvuswait.LoadingProgress{Percent: 100}}, Polls: 1})
	}
	return all, nil
}

func (w *workers) run(t *testing.T, r Request) (Result, error) {
	t.Helper()
	w.ExecuteWorkflow(WaitWorkflow, r)
	require.True(t, w.IsWorkflowCompleted())
	var result Result
	err := w.GetWorkflowError()
	if err == nil {
		require.NoError(t, w.GetWorkflowResult(&result))
	}
	return result, err
}

func (w *workers) summary(t *testing.T) (s Summary) {
	t.Helper()
	value, err := w.QueryWorkflow(ProgressQuery)
	require.NoError(t, err)
	require.NoError(t, value.Get(&s))
	return s
}

// collections returns n loads on a cluster, the first with the number from.
func collections(cluster string, from, n int) []Target {
	var all []Target
	for i := range n {
		all = append(all, On(cluster, milvuswait.Loading(fmt.Sprintf("c%d", from+i)))...)
	}
	return all
}

func TestWaitWorkflow_Chunks_AreOfOneClusterAndInOrder(t *testing.T) {
	w := newWorkers(t)
	var targets []Target
	for i := range 25 {
		targets = append(targets, collections([]string{"eu", "us"}[i%2], i, 1)...)
	}

	result, err := w.run(t, Request{Targets: append(targets, targets...), ChunkSize: 10, MaxChunks: 1, TaskQueues: map[string]string{"us": "workers-us"}})

	require.NoError(t, err)
	require.Equal(t, Result{Total: 25, Done: 25}, result)
	require.NoError(t, result.Err())
	var sizes []int
	next := map[string]int{"eu": 0, "us": 1}
	for i, waits := range w.asked {
		sizes = append(sizes, len(waits.Targets))
		cluster := waits.Targets[0].Cluster
		for _, target := range waits.Targets {
			require.Equal(t, collections(cluster, next[cluster], 1)[0], target)
			next[cluster] += 2
		}
		require.Equal(t, cluster == "us", w.queues[i] == "workers-us")
		require.Equal(t, i+1, waits.Chunk)
	}
	require.Equal(t, []int{10, 10, 3, 2}, sizes)
}

func TestWaitWorkflow_NoTargets_CompletesAtOnce(t *testing.T) {
	w := newWorkers(t)

	result, err := w.run(t, Request{})

	require.NoError(t, err)
	require.Zero(t, result)
	require.Empty(t, w.asked)
}

func TestWaitWorkflow_Progress(t *testing.T) {
	w := newWorkers(t)
	w.answer = func(ctx context.Context, waits Waits) ([]Outcome, error) {
		if waits.Chunk == 1 {
			return complete(ctx, waits)
		}
		return nil, activity.ErrResultPending // until the environment's timeout
	}
	w.RegisterDelayedCallback(func() {
		require.Equal(t, Summary{Total: 30, Done: 10, Waiting: 10, Pending: 10, Chunks: 1, Fraction: 10.0 / 30}, w.summary(t))
		w.SignalWorkflow(reportSignal, report{Chunk: 2, Done: 4, Failed: 1, Fraction: 0.6})
		w.SignalWorkflow(reportSignal, report{Chunk: 7, Done: 4})
	}, time.Minute)
	w.RegisterDelayedCallback(func() {
		require.Equal(t, Summary{Total: 30, Done: 14, Failed: 1, Waiting: 5, Pending: 10, Chunks: 1, Fraction: 16.0 / 30}, w.summary(t))
		w.CancelWorkflow()
	}, 2*time.Minute)

	_, err := w.run(t, Request{Targets: collections("", 0, 30), ChunkSize: 10, MaxChunks: 1})

	require.Error(t, err)
	// Updates: at the start, at each tenth, and at the first failure.
	require.Len(t, w.memos, 3)
	require.Equal(t, 0.0, w.memos[0].Fraction)
	require.Equal(t, 10, w.memos[1].Done)
	require.Equal(t, 1, w.memos[2].Failed)
}

func TestWaitWorkflow_AddSignal(t *testing.T) {
	w := newWorkers(t)
	w.answer = func(ctx context.Context, waits Waits) ([]Outcome, error) {
		if waits.Chunk == 1 {
			w.SignalWorkflow(AddSignal, Add{Targets: append(collections("", 0, 4), Target{Kind: "load", Collection: "typo"})})
			time.Sleep(100 * time.Millisecond)
		}
		return complete(ctx, waits)
	}

	result, err := w.run(t, Request{Targets: collections("", 0, 2), ContinueOnError: true})

	require.NoError(t, err)
	require.Equal(t, 5, result.Total)
	require.Equal(t, 4, result.Done, "two of them were waited for already")
	require.Equal(t, 1, result.Failed)
	require.ErrorIs(t, result.Err(), milvuswait.ErrInvalid)
	require.EqualError(t, result.Err(), `milvuswait: 1 of 5 targets failed: no target: invalid argument: the kind of a target is "load", not one of ["loading" "index_building" "flushing" "importing" "compacting" "serving"]`)
	require.Equal(t, collections("", 2, 2), w.asked[1].Targets)
}

func TestWaitWorkflow_FirstFailure_FailsIt(t *testing.T) {
	for name, failure := range map[string]error{
		"of a target":  applicationError(Outcome{Target: collections("", 3, 1)[0], Error: newFailure(milvuswait.ErrNotLoaded)}, nil),
		"by a timeout": temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, nil),
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorkers(t)
			w.answer = func(ctx context.Context, waits Waits) ([]Outcome, error) {
				if waits.Chunk == 2 {
					return nil, failure
				}
				return nil, activity.ErrResultPending
			}

			_, err := w.run(t, Request{Targets: collections("", 0, 30), ChunkSize: 10, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1}})

			require.Error(t, err)
			if name == "of a target" {
				require.ErrorIs(t, Restore(err), milvuswait.ErrNotLoaded)
			} else {
				require.ErrorIs(t, Restore(err), context.DeadlineExceeded)
			}
		})
	}
}

func TestWaitWorkflow_ContinueOnError_ListsFailures(t *testing.T) {
	ended := func(target Target, err error) Outcome { return Outcome{Target: target, Error: newFailure(err)} }
	w := newWorkers(t)
	w.answer = func(ctx context.Context, waits Waits) ([]Outcome, error) {
		require.True(t, waits.ContinueOnError)
		first, second, third := waits.Targets[0], waits.Targets[1], waits.Targets[2]
		switch waits.Chunk {
		case 1:
			return []Outcome{ended(first, nil), ended(second, milvuswait.ErrCollectionNotFound), ended(third, nil)}, nil
		case 2: // some targets were unreachable
			o := ended(third, milvuswait.ErrUnreachable)
			return nil, applicationError(o, []Outcome{ended(first, nil), ended(second, nil), o})
		case 3: // timeout
			return nil, temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_SCHEDULE_TO_CLOSE, nil, Heartbeat{Total: 3, Ended: []Outcome{ended(first, nil)}})
		case 4:
			return nil, refusal(fmt.Errorf("%w: no such cluster", milvuswait.ErrInvalid))
		}
		return nil, errors.New("a bug")
	}

	result, err := w.run(t, Request{Targets: collections("", 0, 15), ChunkSize: 3, ContinueOnError: true, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1}})

	require.NoError(t, err)
	require.Equal(t, 15, result.Total)
	require.Equal(t, 5, result.Done)
	require.Equal(t, 10, result.Failed)
	for _, target := range []error{milvuswait.ErrCollectionNotFound, milvuswait.ErrUnreachable, context.DeadlineExceeded, milvuswait.ErrInvalid} {
		require.ErrorIs(t, result.Err(), target)
	}
	var names []string
	for _, o := range result.Failures {
		names = append(names, o.Collection)
	}
	require.ElementsMatch(t, []string{"c1", "c5", "c7", "c8", "c9", "c10", "c11", "c12", "c13", "c14"}, names)
	require.ErrorContains(t, result.Err(), "10 of 15 targets failed: ")
}

func TestResult_Failures_AreBounded(t *testing.T) {
	w := newWorkers(t)
	w.answer = func(_ context.Context, waits Waits) ([]Outcome, error) {
		var all []Outcome
		for _, target := range waits.Targets {
			all = append(all, Outcome{Target: target, Error: newFailure(milvuswait.ErrNotLoaded)})
		}
		return all, nil
	}

	result, err := w.run(t, Request{Targets: collections("", 0, 700), ContinueOnError: true})

	require.NoError(t, err)
	require.Equal(t, 700, result.Failed)
	require.Len(t, result.Failures, maxFailures)
	require.ErrorContains(t, result.Err(), "; and 690 more")
}

// TestPayloads_LongestReasons_Fit measures the largest payloads: every target fails with a
// reason of maximum length.
func TestPayloads_LongestReasons_Fit(t *testing.T) {
	const limit = 2 << 20               // Temporal's limit.blobSize.error
	reason := strings.Repeat("<", 1024) // six bytes of JSON each
	target := On("cluster", milvuswait.Loading(strings.Repeat("n", 50)))[0]
	err := &milvuswait.Error{
		Target: target.plain(), Cause: fmt.Errorf("%w: %w", milvuswait.ErrNotLoaded, &milvuswait.ServerError{Code: 101, Reason: reason, Method: "GetLoadingProgress"}),
		LastErr: &milvuswait.ServerError{Code: 101, Reason: reason, Method: "GetLoadingProgress"},
	}
	var chunk []Outcome
	for range 500 {
		chunk = append(chunk, newOutcome("cluster", milvuswait.Outcome{Target: target.plain(), Err: err}, 0))
	}
	size := func(v any) int {
		b, err := json.Marshal(v)
		require.NoError(t, err)
		return len(b)
	}

	require.Less(t, size(chunk)+size(chunk[0]), limit, "of an activity")
	require.Less(t, size(Heartbeat{Ended: chunk, Latest: &chunk[0]}), limit)
	n := 1 << 20 / target.size() // more than this does not continue as new
	rest := Request{Targets: slices.Repeat([]Target{target}, n), Carried: &Carried{Result: Result{Failures: chunk[:maxFailures]}}}
	require.Less(t, size(rest), limit, "of a run that continues as new")
	require.Less(t, size(Request{Targets: slices.Repeat([]Target{target}, 15_000)}), limit)
}

func TestWaitWorkflow_Timeout(t *testing.T) {
	w := newWorkers(t)
	var left []time.Duration
	w.answer = func(ctx context.Context, waits Waits) ([]Outcome, error) {
		info := activity.GetInfo(ctx)
		left = append(left, info.StartToCloseTimeout)
		w.RegisterDelayedCallback(func() {
			require.NoError(t, w.CompleteActivity(info.TaskToken, nil, temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_START_TO_CLOSE, nil)))
		}, time.Minute)
		return nil, activity.ErrResultPending
	}

	result, err := w.run(t, Request{Targets: collections("", 0, 20), ChunkSize: 10, MaxChunks: 1, Timeout: time.Minute, ContinueOnError: true})

	require.NoError(t, err)
	require.Equal(t, []time.Duration{time.Minute}, left, "nothing is begun when the time is up")
	require.Equal(t, 20, result.Failed)
	for _, o := range result.Failures {
		require.ErrorIs(t, o.Err(), context.DeadlineExceeded)
	}
}

func TestWaitWorkflow_ContinuesAsNew(t *testing.T) {
	w := newWorkers(t)
	w.SetCurrentHistoryLength(100)
	w.answer = func(ctx context.Context, waits Waits) ([]Outcome, error) {
		w.SetCurrentHistoryLength(300)
		return complete(ctx, waits)
	}

	_, err := w.run(t, Request{Targets: collections("", 0, 10), ChunkSize: 4, MaxChunks: 1, MaxHistory: 200, ContinueOnError: true, Timeout: time.Hour})

	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &again)
	var next Request
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &next))
	require.Equal(t, collections("", 4, 6), next.Targets)
	require.Equal(t, 10, next.Carried.Total)
	require.Equal(t, 4, next.Carried.Done)
	require.Equal(t, 1, next.Carried.Runs)

	w = newWorkers(t)
	w.SetStartTime(next.Carried.Began.Add(20 * time.Minute))
	var left time.Duration
	w.answer = func(ctx context.Context, waits Waits) ([]Outcome, error) {
		left = activity.GetInfo(ctx).StartToCloseTimeout
		return complete(ctx, waits)
	}
	result, err := w.run(t, next)

	require.NoError(t, err)
	require.Equal(t, Result{Total: 10, Done: 10}, result)
	require.Equal(t, 2, w.asked[0].Chunk, "numbers go on")
	require.Equal(t, 40*time.Minute, left, "the timeout covers all runs together")
}

// Running activities would otherwise delay the pending targets.
func TestWaitWorkflow_ContinuesAsNew_CancelsRunningActivities(t *testing.T) {
	w := newWorkers(t)
	w.answer = func(context.Context, Waits) ([]Outcome, error) {
		return nil, activity.ErrResultPending // until its cancellation
	}
	w.RegisterDelayedCallback(func() {
		w.SetCurrentHistoryLength(300)
		w.SignalWorkflow(AddSignal, Add{Targets: collections("eu", 100, 1)})
	}, time.Minute)

	_, err := w.run(t, Request{Targets: collections("us", 0, 3), MaxHistory: 200})

	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &again)
	var next Request
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &next))
	require.Equal(t, append(collections("us", 0, 3), collections("eu", 100, 1)...), next.Targets)
	require.Equal(t, Result{Total: 4}, next.Carried.Result)
	require.Equal(t, []string{"eu", "us"}, next.Carried.Clusters)
}

// TestWaitWorkflow_ContinuesAsNew_OnceTheRestFits checks that a workflow goes on past
// MaxHistory until the remaining targets fit into one payload, of at most 1 MiB. Long names
// fill it with few targets. Even so, under the race detector on a busy machine, the first
// workflow task may take longer than one second, the limit of Temporal's deadlock detector.
func TestWaitWorkflow_ContinuesAsNew_OnceTheRestFits(t *testing.T) {
	w := newWorkers(t)
	w.SetCurrentHistoryLength(300)
	w.SetWorkerOptions(worker.Options{DeadlockDetectionTimeout: time.Minute})
	cluster := strings.Repeat("c", 1000)

	_, err := w.run(t, Request{Targets: collections(cluster, 0, 2000), ChunkSize: 25, MaxHistory: 200})

	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, err, &again)
	require.Less(t, len(again.Input.Payloads[0].Data), 3<<19)
	require.Greater(t, len(again.Input.Payloads[0].Data), 1<<19)
}

func TestWaitWorkflow_UnreadableSignal_IsIgnored(t *testing.T) {
	w := newWorkers(t)
	w.answer = func(ctx context.Context, waits Waits) ([]Outcome, error) {
		if waits.Chunk == 1 {
			w.SignalWorkflow(AddSignal, map[string]any{"targets": "docs"})
			w.SignalWorkflow(reportSignal, "half")
			w.SignalWorkflow(AddSignal, Add{Targets: collections("", 7, 1)})
			time.Sleep(100 * time.Millisecond)
		}
		return complete(ctx, waits)
	}

	result, err := w.run(t, Request{Targets: collections("", 0, 2)})

	require.NoError(t, err)
	require.Equal(t, Result{Total: 3, Done: 3}, result)
}

func TestWaitWorkflow_Options_GoToFittingChunks(t *testing.T) {
	w := newWorkers(t)
	targets := append(collections("eu", 0, 1), On("us", milvuswait.IndexBuilding("docs", "vidx"))...)

	_, err := w.run(t, Request{Targets: targets, Options: Options{Refresh: true, Criterion: milvuswait.RowsAtStart, Settle: time.Second}})

	require.NoError(t, err)
	for _, waits := range w.asked {
		isLoad := waits.Targets[0].Kind == milvuswait.KindLoading
		require.Equal(t, Options{Refresh: isLoad, Criterion: map[bool]milvuswait.IndexCriterion{false: milvuswait.RowsAtStart}[isLoad], Settle: time.Second}, waits.Options)
	}
}

// The last attempt allowed by the policy is interrupted.
func TestWaitWorkflow_FailedChunk_KeepsEndedTargets(t *testing.T) {
	w := newWorkers(t)
	w.answer = func(_ context.Context, waits Waits) ([]Outcome, error) {
		return nil, applicationError(Outcome{Error: &Failure{Type: TypeInterrupted, Message: "interrupted: the worker stops"}}, []Outcome{{Target: waits.Targets[0]}})
	}

	result, err := w.run(t, Request{Targets: collections("", 0, 2), ContinueOnError: true, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1}})

	require.NoError(t, err)
	require.Equal(t, 1, result.Done)
	require.Equal(t, []Outcome{{Target: collections("", 1, 1)[0], Error: &Failure{Type: TypeInterrupted, Message: "interrupted: the worker stops"}}}, result.Failures)
}

// A worker lost during the cancellation does not count as a failure of its targets.
func TestWaitWorkflow_Cancelled_CountsNoFailures(t *testing.T) {
	w := newWorkers(t)
	w.answer = func(context.Context, Waits) ([]Outcome, error) {
		w.CancelWorkflow()
		return nil, temporal.NewTimeoutError(enumspb.TIMEOUT_TYPE_HEARTBEAT, nil)
	}

	_, err := w.run(t, Request{Targets: collections("", 0, 2), ContinueOnError: true, RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1}})

	var canceled *temporal.CanceledError
	require.ErrorAs(t, err, &canceled)
	var result Result
	require.NoError(t, canceled.Details(&result))
	require.Equal(t, Result{Total: 2}, result)
}

func TestWaitWorkflow_Cancelled_ReturnsTheResultSoFar(t *testing.T) {
	w := newWorkers(t)
	w.answer = func(ctx context.Context, waits Waits) ([]Outcome, error) {
		if waits.Chunk == 1 {
			return complete(ctx, waits)
		}
		return nil, activity.ErrResultPending
	}
	w.RegisterDelayedCallback(w.CancelWorkflow, time.Minute)

	_, err := w.run(t, Request{Targets: collections("", 0, 30), ChunkSize: 10, MaxChunks: 2})

	require.ErrorIs(t, Restore(err), context.Canceled)
	var canceled *temporal.CanceledError
	require.ErrorAs(t, err, &canceled)
	var result Result
	require.NoError(t, canceled.Details(&result))
	require.Equal(t, Result{Total: 30, Done: 10}, result)
}

func TestWaitWorkflow_InvalidRequests_AreRefused(t *testing.T) {
	good := collections("", 0, 1)
	tests := []struct {
		request Request
		err     string
	}{
		{Request{Targets: []Target{{Kind: "load"}}}, `milvuswait: target 1 of 1: invalid argument: the kind of a target is "load", not one of ["loading" "index_building" "flushing" "importing" "compacting" "serving"]`},
		{Request{Targets: good, Timeout: -1}, "milvuswait: invalid argument: Timeout: -1ns is negative"},
		{Request{Targets: good, HeartbeatTimeout: -1}, "milvuswait: invalid argument: HeartbeatTimeout: -1ns is negative"},
		{Request{Targets: good, Options: Options{Settle: -1}}, "milvuswait: invalid argument: Settle: -1ns is negative"},
		{Request{Targets: good, ChunkSize: 501}, "milvuswait: invalid argument: ChunkSize: 501 is not within 1 and 500"},
		{Request{Targets: good, MaxChunks: -1}, "milvuswait: invalid argument: MaxChunks: -1 is not within 1 and 1000"},
		{Request{Targets: good, MaxChunks: 1001}, "milvuswait: invalid argument: MaxChunks: 1001 is not within 1 and 1000"},
		{Request{Targets: good, MaxHistory: 49}, "milvuswait: invalid argument: MaxHistory: 49 is less than 50"},
		{Request{Targets: good, RetryPolicy: &temporal.RetryPolicy{BackoffCoefficient: 0.5}}, "milvuswait: invalid argument: RetryPolicy: a BackoffCoefficient of 0.5 is below 1"},
		{Request{Targets: good, RetryPolicy: &temporal.RetryPolicy{InitialInterval: time.Minute, MaximumInterval: time.Second}},
			"milvuswait: invalid argument: RetryPolicy: MaximumInterval, 1s, is less than InitialInterval, 1m0s"},
		{Request{Targets: good, Options: Options{Criterion: 9}}, "milvuswait: invalid argument: Criterion: there is no criterion 9"},
		{Request{Targets: good, Options: Options{Criterion: milvuswait.RowsAtStart}}, "milvuswait: invalid argument: Criterion is for indexes, and there are none"},
	}
	for _, tt := range tests {
		w := newWorkers(t)

		_, err := w.run(t, tt.request)

		require.ErrorIs(t, Restore(err), milvuswait.ErrInvalid)
		require.EqualError(t, Restore(err), tt.err)
		require.Empty(t, w.asked)
	}
}

// TestWaitWorkflow_UnconfirmedOutcomes_AreCounted counts complete targets only, not failed
// ones.
func TestWaitWorkflow_UnconfirmedOutcomes_AreCounted(t *testing.T) {
	w := newWorkers(t)
	w.answer = func(ctx context.Context, waits Waits) ([]Outcome, error) {
		all, err := complete(ctx, waits)
		all[0].Unconfirmed = true
		all[1].Unconfirmed, all[1].Error = true, &Failure{Type: "milvuswait.ErrIndexFailed", Message: "index build failed"}
		return all, err
	}

	result, err := w.run(t, Request{ContinueOnError: true, Targets: On("", milvuswait.IndexBuilding("a", ""), milvuswait.IndexBuilding("b", ""), milvuswait.Importing(7))})

	require.NoError(t, err)
	require.Equal(t, 1, result.Unconfirmed)
	require.Equal(t, 2, result.Done)
}
