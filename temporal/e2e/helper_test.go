package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/server/temporaltest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/child"
	"github.com/milvuswait/milvuswait/rpc"
	"github.com/milvuswait/milvuswait/temporal/temporalwait"
)

// safety is the time after which a test fails instead of hanging.
const safety = 2 * time.Minute

// temporal is the server of all tests. Each test has its own task queue.
var temporal *temporaltest.TestServer

// shared is a client of temporal, whose own methods are not safe for concurrent use.
var shared client.Client

// Variables of the environment for a worker process: the addresses and names it uses. Without
// queueVariable, the process runs the tests.
const (
	addressVariable   = "E2E_TEMPORAL_ADDRESS"
	namespaceVariable = "E2E_TEMPORAL_NAMESPACE"
	milvusVariable    = "E2E_MILVUS"
	queueVariable     = "E2E_TASK_QUEUE"
)

func TestMain(m *testing.M) {
	if os.Getenv(queueVariable) != "" {
		if err := work(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	temporal = temporaltest.NewServer(temporaltest.WithBaseClientOptions(client.Options{Logger: silent()}))
	shared = temporal.GetDefaultClient()
	code := m.Run()
	temporal.Stop()
	os.Exit(code)
}

func silent() log.Logger { return log.NewStructuredLogger(slog.New(slog.DiscardHandler)) }

// workerOptions are the options of every worker here. A cancellation arrives within 200 ms,
// and a stopped worker has time to record its last heartbeats.
func workerOptions() worker.Options {
	return worker.Options{MaxHeartbeatThrottleInterval: 200 * time.Millisecond, WorkerStopTimeout: 2 * time.Second}
}

// work runs a worker until its standard input ends.
func work() error {
	conn, err := grpc.NewClient(os.Getenv(milvusVariable), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	c, err := client.Dial(client.Options{HostPort: os.Getenv(addressVariable), Namespace: os.Getenv(namespaceVariable), Logger: silent()})
	if err != nil {
		return err
	}
	defer c.Close()
	w := worker.New(c, os.Getenv(queueVariable), workerOptions())
	register(w, c, rpc.New(conn))
	if err := w.Start(); err != nil {
		return err
	}
	defer w.Stop()
	fmt.Println("working")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func register(w worker.Registry, c client.Client, p milvuswait.Poller, opts ...milvuswait.Option) {
	w.RegisterWorkflow(temporalwait.WaitWorkflow)
	w.RegisterActivity(&temporalwait.Activities{Client: c, Poller: p, Options: opts})
}

// place is a fake Milvus with a task queue.
type place struct {
	*fakeserver.Server
	queue  string
	client client.Client
}

func newPlace(t *testing.T, config fakeserver.Config) *place {
	t.Helper()
	config.Address = "127.0.0.1:0"
	s, err := fakeserver.Start(config)
	require.NoError(t, err)
	t.Cleanup(s.Close)
	return &place{Server: s, queue: t.Name() + s.Address(), client: shared}
}

// poller returns a Poller of the place's Milvus.
func (p *place) poller(t *testing.T) milvuswait.Poller {
	t.Helper()
	conn, err := grpc.NewClient(p.Address(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return rpc.New(conn)
}

// worker starts a worker in this process.
func (p *place) worker(t *testing.T, opts ...milvuswait.Option) worker.Worker {
	t.Helper()
	w := worker.New(p.client, p.queue, workerOptions())
	register(w, p.client, p.poller(t), opts...)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	return w
}

// process starts a worker in a separate process.
func (p *place) process(t *testing.T) *child.Process {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), addressVariable+"="+temporal.GetFrontendHostPort(), namespaceVariable+"="+temporal.GetDefaultNamespace(),
		milvusVariable+"="+p.Address(), queueVariable+"="+p.queue)
	cmd.Stderr = os.Stderr
	_, err = cmd.StdinPipe() // stays open until this process ends
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	w, err := child.Start(cmd)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Kill()) })
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "working\n", line)
	return w
}

// started is a workflow with the ID of its first run. The WorkflowRun of the SDK changes to
// the ID of the last one.
type started struct {
	client.WorkflowRun
	first string
}

func (s started) GetRunID() string { return s.first }

// start starts a WaitWorkflow.
func (p *place) start(t *testing.T, r temporalwait.Request) client.WorkflowRun {
	t.Helper()
	run, err := p.client.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: p.queue}, temporalwait.WaitWorkflow, r)
	require.NoError(t, err)
	return started{run, run.GetRunID()}
}

// result waits for the end of a workflow, and returns its result or error.
func result(t *testing.T, run client.WorkflowRun) (r temporalwait.Result, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), safety)
	defer cancel()
	err = run.Get(ctx, &r)
	require.NoError(t, ctx.Err(), "the workflow hangs")
	return r, err
}

// summary queries the progress of a workflow.
func (p *place) summary(t *testing.T, run client.WorkflowRun) (s temporalwait.Summary) {
	t.Helper()
	value, err := p.client.QueryWorkflow(t.Context(), run.GetID(), "", temporalwait.ProgressQuery)
	require.NoError(t, err)
	require.NoError(t, value.Get(&s))
	return s
}

// history returns the events of one run.
func (p *place) history(t *testing.T, id, run string) (events []*historypb.HistoryEvent) {
	t.Helper()
	iterator := p.client.GetWorkflowHistory(t.Context(), id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for iterator.HasNext() {
		e, err := iterator.Next()
		require.NoError(t, err)
		events = append(events, e)
	}
	return events
}

// runs returns the histories of all runs of a workflow that continued as new.
func (p *place) runs(t *testing.T, run client.WorkflowRun) (all [][]*historypb.HistoryEvent) {
	t.Helper()
	for id := run.GetRunID(); id != ""; {
		events := p.history(t, run.GetID(), id)
		all = append(all, events)
		id = events[len(events)-1].GetWorkflowExecutionContinuedAsNewEventAttributes().GetNewExecutionRunId()
	}
	return all
}

// completions returns the number of activities, of all runs, that reported a target as
// ended. It checks that every reported target was complete.
func (p *place) completions(t *testing.T, run client.WorkflowRun) map[string]int {
	t.Helper()
	completions := make(map[string]int)
	for _, events := range p.runs(t, run) {
		for _, e := range events {
			var ended []temporalwait.Outcome
			if a := e.GetActivityTaskCompletedEventAttributes(); a != nil {
				ended = decode[[]temporalwait.Outcome](t, a.GetResult())
			} else if a := e.GetActivityTaskCanceledEventAttributes(); a != nil {
				ended = decode[temporalwait.Heartbeat](t, a.GetDetails()).Ended
			}
			for _, o := range ended {
				require.NoError(t, o.Err())
				completions[o.Target.String()]++
			}
		}
	}
	return completions
}

// attempts returns the number of attempts at each activity of a run.
func (p *place) attempts(t *testing.T, run client.WorkflowRun) (all []int32) {
	t.Helper()
	for _, e := range p.history(t, run.GetID(), run.GetRunID()) {
		if a := e.GetActivityTaskStartedEventAttributes(); a != nil {
			all = append(all, a.GetAttempt())
		}
	}
	return all
}

func decode[T any](t *testing.T, payloads *commonpb.Payloads) (v T) {
	t.Helper()
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(payloads, &v))
	return v
}

// each is the result of completions if every target was reported once.
func each(targets []temporalwait.Target) map[string]int {
	once := make(map[string]int)
	for _, target := range targets {
		once[target.String()]++
	}
	return once
}

// reaches waits until f returns true.
func reaches(t *testing.T, f func() bool) {
	t.Helper()
	require.Eventually(t, f, safety, 20*time.Millisecond)
}
