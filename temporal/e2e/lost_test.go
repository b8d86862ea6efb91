package e2e

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/temporal/temporalwait"
)

// fill starts n targets, alternately loads and index builds. Their durations rise linearly
// up to over.
func (p *place) fill(n int, over time.Duration) []temporalwait.Target {
	var targets []milvuswait.Target
	for i := range n {
		d := over * time.Duration(i+1) / time.Duration(n)
		name := fmt.Sprintf("c%d", i)
		target := milvuswait.Loading(name)
		if i%2 == 1 {
			target = milvuswait.IndexBuilding(name, "vidx").ExpectRows(1000)
			p.Set(target, fake.BuildOver(1000, d).InSteps(20))
		} else {
			p.Set(target, fake.LoadOver(d).InSteps(20))
		}
		targets = append(targets, target)
	}
	return temporalwait.On("", targets...)
}

// TestWorker_Killed_AnotherContinues kills a worker in the middle of a wait for 100 targets.
// A second wait, on its own server, runs undisturbed for comparison.
func TestWorker_Killed_AnotherContinues(t *testing.T) {
	const over = 24 * time.Second
	request := temporalwait.Request{HeartbeatTimeout: 5 * time.Second}
	var places [2]*place
	var runs [2]client.WorkflowRun
	for i := range places {
		p := newPlace(t, fakeserver.Config{})
		places[i] = p
		killed := p.process(t)
		request.Targets = p.fill(100, over)
		runs[i] = p.start(t, request)
		if i == 0 {
			continue
		}
		// Half of the targets are done.
		reaches(t, func() bool { return p.summary(t, runs[1]).Done >= 50 })
		require.NoError(t, killed.Kill())
		p.process(t)
	}
	for i, run := range runs {
		r, err := result(t, run)
		require.NoError(t, err)
		require.Equal(t, temporalwait.Result{Total: 100, Done: 100}, r)
		require.Equal(t, each(request.Targets), places[i].completions(t, run))
		require.Equal(t, []int32{int32(i + 1)}, places[i].attempts(t, run))
	}
	undisturbed, disturbed := places[0].Count(fakeserver.AnyMethod), places[1].Count(fakeserver.AnyMethod)
	t.Logf("polls: %d, and %d with a worker killed", undisturbed, disturbed)
	require.Less(t, float64(disturbed), 1.3*float64(undisturbed))
}

func TestWorker_Stopped_AnotherContinuesAtOnce(t *testing.T) {
	p := newPlace(t, fakeserver.Config{})
	first := p.worker(t)
	targets := p.fill(20, 10*time.Second)
	run := p.start(t, temporalwait.Request{Targets: targets, HeartbeatTimeout: safety})
	reaches(t, func() bool { return p.summary(t, run).Done >= 10 })

	p.worker(t)
	first.Stop()

	r, err := result(t, run) // returns long before the heartbeat timeout
	require.NoError(t, err)
	require.Equal(t, 20, r.Done)
	require.Equal(t, each(targets), p.completions(t, run))
	require.Equal(t, []int32{2}, p.attempts(t, run))
}

func TestMilvus_Restarted_KeepsTheAttempt(t *testing.T) {
	var failed atomic.Int32
	p := newPlace(t, fakeserver.Config{})
	p.worker(t, milvuswait.WithObserver(milvuswait.ObserverFunc(func(u milvuswait.Update) {
		if u.Err != nil && !u.Final {
			failed.Add(1)
		}
	})))
	targets := p.fill(20, 8*time.Second)
	run := p.start(t, temporalwait.Request{Targets: targets})
	reaches(t, func() bool { return p.summary(t, run).Done >= 5 })

	p.Stop()
	polls := p.Count(fakeserver.AnyMethod)
	reaches(t, func() bool { return failed.Load() > 20 })
	require.NoError(t, p.Restart())

	r, err := result(t, run)
	require.NoError(t, err)
	require.Equal(t, 20, r.Done)
	require.Equal(t, each(targets), p.completions(t, run))
	require.Equal(t, []int32{1}, p.attempts(t, run), "the wait tolerates the outage")
	require.Greater(t, p.Count(fakeserver.AnyMethod), polls)
}

// TestPoll_HangsLongerThanTheHeartbeatTimeout_KeepsTheAttempt has a poll of 10 s with a
// heartbeat timeout of 5 s.
func TestPoll_HangsLongerThanTheHeartbeatTimeout_KeepsTheAttempt(t *testing.T) {
	p := newPlace(t, fakeserver.Config{})
	p.worker(t, milvuswait.WithPollTimeout(time.Minute, time.Minute))
	p.Set(milvuswait.Loading("docs"), fake.LoadOver(time.Second))
	p.Fail("GetLoadingProgress", fakeserver.Slow(10*time.Second).On(2))
	run := p.start(t, temporalwait.Request{Targets: temporalwait.On("", milvuswait.Loading("docs")), HeartbeatTimeout: 5 * time.Second})

	r, err := result(t, run)

	require.NoError(t, err)
	require.Equal(t, 1, r.Done)
	require.Equal(t, []int32{1}, p.attempts(t, run))
}

func TestWorkflow_Cancelled_EndsItsPolls(t *testing.T) {
	for name, fault := range map[string][]fakeserver.Fault{"between polls": nil, "while a poll hangs": {fakeserver.Hang().On(3)}} {
		t.Run(name, func(t *testing.T) {
			p := newPlace(t, fakeserver.Config{})
			p.worker(t)
			p.Set(milvuswait.Loading("docs"), fake.LoadOver(time.Hour))
			p.Fail("GetLoadingProgress", fault...)
			run := p.start(t, temporalwait.Request{Targets: temporalwait.On("", milvuswait.Loading("docs")), HeartbeatTimeout: safety})
			reaches(t, func() bool { return p.Count("GetLoadingProgress") >= 3 })

			require.NoError(t, p.client.CancelWorkflow(t.Context(), run.GetID(), run.GetRunID()))

			_, err := result(t, run)
			require.ErrorContains(t, temporalwait.Restore(err), "context canceled")
			polls := p.Count(fakeserver.AnyMethod)
			require.Never(t, func() bool { return p.Count(fakeserver.AnyMethod) > polls }, time.Second, 100*time.Millisecond)
		})
	}
}
