package e2e

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/operatorservice/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	sdktemporal "go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/temporal/temporalwait"
)

func TestAddSignal_WhileRunning_AddsTargets(t *testing.T) {
	p := newPlace(t, fakeserver.Config{})
	p.worker(t)
	targets := p.fill(20, 4*time.Second)
	run := p.start(t, temporalwait.Request{Targets: targets[:10]})

	require.NoError(t, p.client.SignalWorkflow(t.Context(), run.GetID(), "", temporalwait.AddSignal, temporalwait.Add{Targets: targets}))
	reaches(t, func() bool { return p.summary(t, run).Total == 20 })
	reaches(t, func() bool { s := p.summary(t, run); return s.Done > 0 && s.Waiting > 0 && s.Fraction < 1 })

	r, err := result(t, run)
	require.NoError(t, err)
	require.Equal(t, temporalwait.Result{Total: 20, Done: 20}, r)
	require.Equal(t, each(targets), p.completions(t, run))
}

func TestWaitWorkflow_SomeTargetsFail(t *testing.T) {
	p := newPlace(t, fakeserver.Config{})
	p.worker(t)
	targets := append(p.fill(10, 2*time.Second), temporalwait.On("", milvuswait.Loading("missing"))...)

	r, err := result(t, p.start(t, temporalwait.Request{Targets: targets, ContinueOnError: true, ChunkSize: 4}))
	require.NoError(t, err)
	require.Equal(t, 10, r.Done)
	require.Equal(t, 1, r.Failed)
	require.ErrorIs(t, r.Err(), milvuswait.ErrCollectionNotFound)
	require.Equal(t, "missing", r.Failures[0].Collection)

	_, err = result(t, p.start(t, temporalwait.Request{Targets: targets, ChunkSize: 4}))
	require.ErrorIs(t, temporalwait.Restore(err), milvuswait.ErrCollectionNotFound)
	var application *sdktemporal.ApplicationError
	require.ErrorAs(t, err, &application)
	require.Equal(t, "milvuswait.ErrCollectionNotFound", application.Type())
}

func TestWaitWorkflow_Timeout_FailsTheRest(t *testing.T) {
	p := newPlace(t, fakeserver.Config{})
	p.worker(t)
	p.Set(milvuswait.Loading("good"), fake.LoadOver(time.Second))
	p.Set(milvuswait.Loading("slow"), fake.Percents(40))
	targets := temporalwait.On("", milvuswait.Loading("good"), milvuswait.Loading("slow"))

	r, err := result(t, p.start(t, temporalwait.Request{Targets: targets, Timeout: 4 * time.Second, ContinueOnError: true, HeartbeatTimeout: safety}))

	require.NoError(t, err)
	require.Equal(t, 1, r.Done, "the last heartbeat contains the complete target")
	require.ErrorContains(t, r.Err(), `1 of 2 targets failed: loading "slow": context deadline exceeded`)
}

// TestAddSignal_Unreadable_IsIgnored sends an unreadable signal before a valid one.
func TestAddSignal_Unreadable_IsIgnored(t *testing.T) {
	p := newPlace(t, fakeserver.Config{})
	p.worker(t)
	targets := p.fill(4, 2*time.Second)
	run := p.start(t, temporalwait.Request{Targets: targets[:2]})

	require.NoError(t, p.client.SignalWorkflow(t.Context(), run.GetID(), "", temporalwait.AddSignal, map[string]string{"targets": "docs"}))
	require.NoError(t, p.client.SignalWorkflow(t.Context(), run.GetID(), "", temporalwait.AddSignal, temporalwait.Add{Targets: targets}))

	r, err := result(t, run)
	require.NoError(t, err)
	require.Equal(t, temporalwait.Result{Total: 4, Done: 4}, r)
}

// TestWaitWorkflow_ContinuesAsNew_SlowLoadDelaysNoOthers has one slow load among others.
func TestWaitWorkflow_ContinuesAsNew_SlowLoadDelaysNoOthers(t *testing.T) {
	p := newPlace(t, fakeserver.Config{})
	p.worker(t)
	targets := p.fill(40, 2*time.Second)
	p.Set(milvuswait.Loading("slow"), fake.LoadOver(6*time.Second))
	targets = append(temporalwait.On("", milvuswait.Loading("slow")), targets...)

	run := p.start(t, temporalwait.Request{Targets: targets, ChunkSize: 2, MaxChunks: 2, MaxHistory: 50})

	reaches(t, func() bool { s := p.summary(t, run); return s.Runs > 0 && s.Done > 20 })
	r, err := result(t, run)
	require.NoError(t, err)
	require.Equal(t, temporalwait.Result{Total: 41, Done: 41}, r)
	require.Equal(t, each(targets), p.completions(t, run))
}

func TestWaitWorkflow_ContinuesAsNew_LosesNoTarget(t *testing.T) {
	p := newPlace(t, fakeserver.Config{})
	p.worker(t)
	targets := p.fill(60, 3*time.Second)

	run := p.start(t, temporalwait.Request{Targets: targets, ChunkSize: 2, MaxChunks: 3, MaxHistory: 60})

	r, err := result(t, run)
	require.NoError(t, err)
	require.Equal(t, temporalwait.Result{Total: 60, Done: 60}, r)
	require.Equal(t, each(targets), p.completions(t, run))
	runs := p.runs(t, run)
	require.Greater(t, len(runs), 2)
	for _, events := range runs {
		require.Less(t, len(events), 150)
	}
}

// TestWaitWorkflow_Ended_IsFoundBySearchAttributes also reads the Summary in the memo.
func TestWaitWorkflow_Ended_IsFoundBySearchAttributes(t *testing.T) {
	p := newPlace(t, fakeserver.Config{})
	_, err := p.client.OperatorService().AddSearchAttributes(t.Context(), &operatorservice.AddSearchAttributesRequest{
		Namespace: temporal.GetDefaultNamespace(), SearchAttributes: temporalwait.SearchAttributes(),
	})
	require.NoError(t, err)
	w := worker.New(p.client, p.queue, workerOptions())
	w.RegisterWorkflow(temporalwait.WaitWorkflow)
	w.RegisterActivity(&temporalwait.Activities{Pollers: map[string]milvuswait.Poller{"eu": p.poller(t), "us": p.poller(t)}})
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	p.Set(milvuswait.Loading("docs"), fake.LoadOver(2*time.Second))
	targets := append(temporalwait.On("eu", milvuswait.Loading("docs"), milvuswait.Loading("missing")), temporalwait.On("us", milvuswait.Loading("docs"))...)

	run := p.start(t, temporalwait.Request{Targets: targets, ContinueOnError: true, SearchAttributes: true})
	_, err = result(t, run)
	require.NoError(t, err)

	query := fmt.Sprintf("WorkflowId = %q AND MilvusWaitTotal = 3 AND MilvusWaitDone = 2 AND MilvusWaitFailed = 1 AND MilvusWaitClusters = 'eu' AND MilvusWaitClusters = 'us'", run.GetID())
	reaches(t, func() bool {
		found, err := p.client.ListWorkflow(t.Context(), &workflowservice.ListWorkflowExecutionsRequest{Query: query})
		require.NoError(t, err)
		return len(found.GetExecutions()) == 1
	})

	// A workflow without targets has no clusters to publish; it must not get stuck.
	_, err = result(t, p.start(t, temporalwait.Request{SearchAttributes: true}))
	require.NoError(t, err)
	described, err := p.client.DescribeWorkflowExecution(t.Context(), run.GetID(), run.GetRunID())
	require.NoError(t, err)
	var s temporalwait.Summary
	require.NoError(t, converter.GetDefaultDataConverter().FromPayload(described.GetWorkflowExecutionInfo().GetMemo().GetFields()["milvuswait"], &s))
	require.Equal(t, temporalwait.Summary{Total: 3, Done: 2, Failed: 1, Fraction: 1}, s)
}

// counts are the counters of a client.
type counts struct {
	mu   sync.Mutex
	of   map[string]int64
	tags string
	top  *counts
}

func (c *counts) WithTags(tags map[string]string) client.MetricsHandler {
	next := &counts{tags: c.tags, top: c.top}
	for _, name := range []string{"op", "result"} {
		if value, found := tags[name]; found {
			next.tags += " " + value
		}
	}
	return next
}

func (c *counts) Counter(name string) client.MetricsCounter { return counter{c.top, name + c.tags} }

func (c *counts) Gauge(string) client.MetricsGauge { return client.MetricsNopHandler.Gauge("") }

func (c *counts) Timer(name string) client.MetricsTimer { return counter{c.top, name + c.tags} }

type counter struct {
	counts *counts
	name   string
}

func (c counter) Inc(n int64) {
	c.counts.mu.Lock()
	defer c.counts.mu.Unlock()
	c.counts.of[c.name] += n
}

func (c counter) Record(d time.Duration) { c.Inc(int64(d)) }

func TestActivities_Metrics(t *testing.T) {
	p := newPlace(t, fakeserver.Config{})
	all := &counts{of: make(map[string]int64)}
	all.top = all
	var err error
	p.client, err = client.Dial(client.Options{
		HostPort: temporal.GetFrontendHostPort(), Namespace: temporal.GetDefaultNamespace(), Logger: silent(), MetricsHandler: all,
	})
	require.NoError(t, err)
	t.Cleanup(p.client.Close)
	p.worker(t)
	p.Set(milvuswait.Loading("docs"), fake.LoadOver(time.Second))
	p.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.BuildOver(100, time.Second))
	p.Fail("GetLoadingProgress", fakeserver.Drop().On(2))
	targets := temporalwait.On("", milvuswait.Loading("docs"), milvuswait.IndexBuilding("docs", "vidx"), milvuswait.Loading("missing"))

	_, err = result(t, p.start(t, temporalwait.Request{Targets: targets, ContinueOnError: true}))

	require.NoError(t, err)
	all.mu.Lock()
	defer all.mu.Unlock()
	require.EqualValues(t, 1, all.of["milvuswait_waits loading done"])
	require.EqualValues(t, 1, all.of["milvuswait_waits index_building done"])
	require.EqualValues(t, 1, all.of["milvuswait_waits loading collection_not_found"])
	require.GreaterOrEqual(t, all.of["milvuswait_poll_failures loading"], int64(1))
	require.GreaterOrEqual(t, time.Duration(all.of["milvuswait_wait_duration index_building done"]), time.Second/2)
	require.Greater(t, all.of["milvuswait_polls index_building"], int64(2))
}
