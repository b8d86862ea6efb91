package e2e

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	sdktemporal "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/grpc/codes"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/temporal/temporalwait"
)

// oneWait is a workflow of a user, with one activity. It wraps the error of the activity, and
// fails if Restore does not work inside a workflow.
func oneWait(ctx workflow.Context, w temporalwait.Wait, options workflow.ActivityOptions) (string, error) {
	var a *temporalwait.Activities
	var p temporalwait.Progress
	activity := a.WaitForLoading
	if w.Kind == milvuswait.KindIndexBuilding {
		activity = a.WaitForIndexBuilding
	}
	ctx = workflow.WithActivityOptions(ctx, options)
	is := workflow.ExecuteActivity(ctx, activity, w).Get(ctx, &p)
	if is != nil && temporalwait.Restore(is) == is {
		return "", errors.New("Restore returned the error unchanged in the workflow")
	}
	return "", fmt.Errorf("wrapped by the workflow: %w", is)
}

func TestActivity_Failures_AreRestored(t *testing.T) {
	load, index := milvuswait.Loading("docs"), milvuswait.IndexBuilding("docs", "vidx")
	loading := func(p *place) { p.Set(load, fake.LoadOver(time.Hour).InSteps(3600)) }
	tests := []struct {
		name     string
		target   milvuswait.Target
		before   func(p *place)
		after    func(p *place) // called after the first poll
		options  temporalwait.Options
		timeout  time.Duration
		want     error // the sentinel, or nil
		code     int32 // code of the ServerError
		retried  bool
		progress string
	}{
		{name: "collection not found", target: load, want: milvuswait.ErrCollectionNotFound, code: 100},
		{name: "partition not found", target: milvuswait.Loading("docs", "p1"), before: loading, want: milvuswait.ErrPartitionNotFound, code: 200},
		{name: "not loaded", target: load, before: func(p *place) { p.AddCollection("docs") }, want: milvuswait.ErrNotLoaded, code: 101},
		{name: "index not found", target: index, before: func(p *place) { p.AddCollection("docs") }, want: milvuswait.ErrIndexNotFound, code: 700},
		{
			name: "ambiguous index", target: milvuswait.IndexBuilding("docs", ""),
			before: func(p *place) {
				p.Set(milvuswait.IndexBuilding("docs", "a"), fake.BuildOver(10, time.Hour))
				p.Set(milvuswait.IndexBuilding("docs", "b"), fake.BuildOver(10, time.Hour))
			},
			want: milvuswait.ErrAmbiguousIndex,
		},
		{
			name: "released", target: load, before: func(p *place) { p.Set(load, fake.Percents(40)) },
			after: func(p *place) { p.Set(load, nil) }, want: milvuswait.ErrReleased, code: 101, progress: "40%",
		},
		{name: "load failed", target: load, before: func(p *place) { p.Set(load, fake.LoadOver(time.Second).FailAt(50, milvuswait.ErrLoadFailed)) }, want: milvuswait.ErrLoadFailed, code: 3},
		{
			name: "index failed", target: index, before: func(p *place) { p.Set(index, fake.BuildOver(100, time.Second).FailAt(50, "no space")) },
			want: milvuswait.ErrIndexFailed,
		},
		{name: "stalled", target: load, before: func(p *place) { p.Set(load, fake.Percents(40)) }, options: temporalwait.Options{StallTimeout: time.Second}, want: milvuswait.ErrStalled, progress: "40%"},
		{name: "invalid", target: load, options: temporalwait.Options{Settle: -1}, want: milvuswait.ErrInvalid},
		{
			name: "no permission", target: load, before: func(p *place) {
				p.Fail("GetLoadingProgress", fakeserver.Reject(1401, wire.ErrorCode_PermissionDenied, "no privilege"))
			},
			code: 1401,
		},
		{name: "no user", target: load, before: func(p *place) {
			p.Fail("GetLoadingProgress", fakeserver.Refuse(codes.Unauthenticated, "who are you"))
		}},
		{name: "unreachable", target: load, before: func(p *place) { p.Stop() }, want: milvuswait.ErrUnreachable, retried: true},
		{name: "too late", target: load, before: func(p *place) { p.Set(load, fake.Percents(40)) }, timeout: 2 * time.Second, want: context.DeadlineExceeded, retried: true, progress: "40%"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newPlace(t, fakeserver.Config{})
			if tt.before != nil {
				tt.before(p)
			}
			w := worker.New(p.client, p.queue, workerOptions())
			register(w, p.client, p.poller(t), milvuswait.WithUnreachableAfter(time.Second))
			w.RegisterWorkflow(oneWait)
			require.NoError(t, w.Start())
			t.Cleanup(w.Stop)
			timeout := safety
			if tt.timeout != 0 {
				timeout = tt.timeout
			}

			run, err := p.client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: p.queue}, oneWait,
				temporalwait.Wait{Target: temporalwait.On("", tt.target)[0], Options: tt.options},
				workflow.ActivityOptions{
					StartToCloseTimeout: timeout, HeartbeatTimeout: safety,
					RetryPolicy: &sdktemporal.RetryPolicy{InitialInterval: 100 * time.Millisecond, MaximumAttempts: 2},
				})
			require.NoError(t, err)
			if tt.after != nil {
				reaches(t, func() bool { return p.Count("GetLoadingProgress") > 2 })
				tt.after(p)
			}
			_, err = result(t, run)

			require.Error(t, err)
			restored := temporalwait.Restore(err)
			if tt.want != nil {
				require.ErrorIs(t, restored, tt.want)
			}
			attempts := []int32{1}
			if tt.retried {
				attempts = []int32{2}
			}
			require.Equal(t, attempts, p.attempts(t, run))
			var e *milvuswait.Error
			if tt.want != milvuswait.ErrInvalid {
				require.ErrorAs(t, restored, &e)
				require.Equal(t, tt.target, e.Target)
				if tt.progress != "" {
					require.Equal(t, tt.progress, e.Last.String())
				}
			}
			var server *milvuswait.ServerError
			require.Equal(t, tt.code != 0, errors.As(restored, &server))
			if tt.code != 0 {
				require.Equal(t, tt.code, server.Code)
				require.NotEmpty(t, server.Reason)
			}
		})
	}
}

// TestActivity_Panics_IsRetried has an observer with a bug.
func TestActivity_Panics_IsRetried(t *testing.T) {
	p := newPlace(t, fakeserver.Config{})
	w := worker.New(p.client, p.queue, workerOptions())
	register(w, p.client, milvuswait.PollerFuncs{Loading: func(ctx context.Context, _ string, _ ...string) (milvuswait.LoadingProgress, error) {
		return milvuswait.LoadingProgress{}, errors.New(activity.GetInfo(ctx).ActivityID) // panics without the context of an activity
	}}, milvuswait.WithObserver(milvuswait.ObserverFunc(func(milvuswait.Update) { panic("a bug") })))
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)

	run := p.start(t, temporalwait.Request{
		Targets: temporalwait.On("", milvuswait.Loading("docs")), RetryPolicy: &sdktemporal.RetryPolicy{InitialInterval: 100 * time.Millisecond, MaximumAttempts: 2},
	})
	_, err := result(t, run)

	require.ErrorContains(t, err, "a bug")
	require.Equal(t, []int32{2}, p.attempts(t, run))
}
