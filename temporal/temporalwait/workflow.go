package temporalwait

import (
	"context"
	"fmt"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

const (
	// AddSignal is the signal that adds targets to a [WaitWorkflow]: an [Add].
	// Targets that are waited for already are not added again.
	AddSignal = "add"

	// ProgressQuery is the query that a [WaitWorkflow] answers by a [Summary].
	ProgressQuery = "progress"
)

// Add is what AddSignal has.
type Add struct {
	Targets []Target `json:"targets"`
}

// WaitWorkflow is the workflow that waits for all targets of a [Request], in chunks
// over the workers:
//
//	w.RegisterWorkflow(temporalwait.WaitWorkflow)
//
// Where a worker is lost, another one waits on for what was not complete. The
// workflow completes when every target has ended. With ContinueOnError the [Result]
// says which have failed; without it, the first failure fails the workflow, and
// [Restore] says again why. A workflow that is cancelled ends when its activities
// have, and has the Result so far in the details of its CanceledError.
func WaitWorkflow(ctx workflow.Context, r Request) (Result, error) {
	if err := r.validate(); err != nil {
		return Result{}, refusal(err)
	}
	w := newRun(ctx, r.resolve())
	if err := workflow.SetQueryHandler(ctx, ProgressQuery, func() (Summary, error) { return w.summary(), nil }); err != nil {
		return Result{}, err
	}
	w.add(r.Targets)
	w.loop()
	switch {
	case w.err != nil:
		return w.Result, w.err
	case ctx.Err() != nil:
		return w.Result, temporal.NewCanceledError(w.Result)
	case len(w.pending) > 0:
		workflow.GetLogger(ctx).Info("milvuswait: continuing as new", "pending", len(w.pending), "done", w.Done, "failed", w.Failed)
		return Result{}, workflow.NewContinueAsNewError(ctx, WaitWorkflow, w.rest())
	}
	return w.Result, nil
}

// run is one run of the workflow.
type run struct {
	ctx      workflow.Context
	selector workflow.Selector
	request  Request
	Carried
	pending   []Target
	known     map[key]bool // those that are pending or under way
	size      int          // of those in JSON, in bytes
	chunks    []*chunk     // under way
	published published
	err       error // why the workflow fails
}

func newRun(ctx workflow.Context, r Request) *run {
	w := &run{ctx: ctx, selector: workflow.NewSelector(ctx), request: r, known: make(map[key]bool)}
	if r.Carried != nil {
		w.Carried = *r.Carried
		w.Total -= len(r.Targets) // which are added again
	} else {
		w.Began = workflow.Now(ctx)
	}
	w.selector.AddReceive(workflow.GetSignalChannel(ctx, AddSignal), func(c workflow.ReceiveChannel, _ bool) {
		var a Add
		if c.ReceiveAsync(&a) { // Receive waits for another one if this cannot be read
			w.add(a.Targets)
		}
	})
	w.selector.AddReceive(workflow.GetSignalChannel(ctx, reportSignal), func(c workflow.ReceiveChannel, _ bool) {
		var r report
		if c.ReceiveAsync(&r) {
			w.take(r)
		}
	})
	// One by one: a context cancels those below it in no order, and a replay needs one.
	workflow.Go(ctx, func(ctx workflow.Context) {
		ctx.Done().Receive(ctx, nil)
		for _, c := range w.chunks {
			c.cancel()
		}
	})
	return w
}

// add has targets waited for that are not already.
func (w *run) add(targets []Target) {
	for _, t := range targets {
		if err := t.validate(); err != nil {
			w.Total++
			w.end([]Outcome{{Target: t, Error: newFailure(err)}})
			if !w.request.ContinueOnError && w.err == nil {
				w.err = refusal(err)
			}
			continue
		}
		if k := t.key(); !w.known[k] {
			w.known[k] = true
			w.size += t.size()
			w.pending = append(w.pending, t)
			w.Total++
			if i, found := slices.BinarySearch(w.Clusters, t.Cluster); !found && t.Cluster != "" {
				w.Clusters = slices.Insert(w.Clusters, i, t.Cluster)
			}
		}
	}
}

// loop runs until nothing is left to do in this run.
func (w *run) loop() {
	for w.err == nil {
		for w.mayStart() {
			w.start()
		}
		if w.full() && len(w.pending) > 0 { // which would else wait for the slowest
			for _, c := range w.chunks {
				c.giveBack()
			}
		}
		if w.ctx.Err() == nil {
			w.publish()
		}
		if len(w.chunks) == 0 && !w.selector.HasPending() {
			return
		}
		w.selector.Select(w.ctx)
	}
}

// mayStart reports whether another chunk may be started.
func (w *run) mayStart() bool {
	return len(w.pending) > 0 && len(w.chunks) < w.request.MaxChunks && w.ctx.Err() == nil && !w.full()
}

// full reports whether the rest is for the next run, which can only be told as much
// as a payload holds.
func (w *run) full() bool {
	const most = 1 << 20
	info := workflow.GetInfo(w.ctx)
	return w.size <= most && (info.GetCurrentHistoryLength() >= w.request.MaxHistory || info.GetContinueAsNewSuggested())
}

// start has an activity wait for the first targets of one cluster.
func (w *run) start() {
	const longestSummary = 200 // Temporal refuses one of more than 400 bytes
	w.Chunks++
	c := &chunk{number: w.Chunks, targets: w.next()}
	left := w.left()
	if left <= 0 {
		w.conclude(c, nil, applicationError(Outcome{Target: c.targets[0], Error: describe(context.DeadlineExceeded)}, nil))
		return
	}
	cluster := c.targets[0].Cluster
	options := workflow.ActivityOptions{
		TaskQueue: w.request.TaskQueues[cluster], HeartbeatTimeout: w.request.HeartbeatTimeout,
		ScheduleToCloseTimeout: left, StartToCloseTimeout: left,
		WaitForCancellation: true, RetryPolicy: w.request.RetryPolicy,
		Summary: cut(fmt.Sprintf("chunk %d: %d targets, the first %v", c.number, len(c.targets), c.targets[0]), longestSummary),
	}
	ctx, cancel := workflow.NewDisconnectedContext(workflow.WithActivityOptions(w.ctx, options))
	c.cancel = cancel
	var activities *Activities
	w.chunks = append(w.chunks, c)
	workflow.GetLogger(w.ctx).Info("milvuswait: chunk begins", "chunk", c.number, "targets", len(c.targets), "cluster", cluster)
	future := workflow.ExecuteActivity(ctx, activities.WaitAll, Waits{
		Targets: c.targets, Options: w.request.Options.of(c.targets), ContinueOnError: w.request.ContinueOnError, Chunk: c.number,
	})
	w.selector.AddFuture(future, func(f workflow.Future) {
		var outcomes []Outcome
		err := f.Get(w.ctx, &outcomes)
		w.conclude(c, outcomes, err)
	})
}
