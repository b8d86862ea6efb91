package temporalwait

import (
	"context"
	"fmt"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

const (
	// AddSignal is the name of the signal that adds targets to a [WaitWorkflow]. Its
	// argument is an [Add]. Unfinished targets are not added twice.
	AddSignal = "add"

	// ProgressQuery is the name of the query that returns the [Summary] of a
	// [WaitWorkflow].
	ProgressQuery = "progress"
)

// Add is the argument of AddSignal.
type Add struct {
	Targets []Target `json:"targets"`
}

// WaitWorkflow is a workflow that waits for all targets of a [Request]. It splits them into
// chunks, each for one activity:
//
//	w.RegisterWorkflow(temporalwait.WaitWorkflow)
//
// The workflow completes when every target has ended. If a worker is lost, another one
// continues with the unfinished targets. With ContinueOnError, the [Result] lists the
// failures. Without it, the first failure fails the workflow, and [Restore] returns the
// reason from its error.
//
// A cancelled workflow ends when its activities have ended. The details of its
// CanceledError hold the Result so far.
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

// run is one run of the workflow, between two times that it continues as new.
type run struct {
	ctx      workflow.Context
	selector workflow.Selector
	request  Request
	Carried
	pending   []Target
	known     map[key]bool // pending targets and targets of running activities
	size      int          // size of the known targets in JSON, in bytes
	chunks    []*chunk     // running activities
	published published
	err       error // failure of the workflow
}

// newRun returns a run that handles the workflow's signals and cancellation.
func newRun(ctx workflow.Context, r Request) *run {
	w := &run{ctx: ctx, selector: workflow.NewSelector(ctx), request: r, known: make(map[key]bool)}
	if r.Carried != nil {
		w.Carried = *r.Carried
		w.Total -= len(r.Targets) // add counts them again
	} else {
		w.Began = workflow.Now(ctx)
	}

	w.selector.AddReceive(workflow.GetSignalChannel(ctx, AddSignal), func(c workflow.ReceiveChannel, _ bool) {
		var a Add
		if c.ReceiveAsync(&a) { // Receive would block on an unreadable signal
			w.add(a.Targets)
		}
	})
	w.selector.AddReceive(workflow.GetSignalChannel(ctx, reportSignal), func(c workflow.ReceiveChannel, _ bool) {
		var r report
		if c.ReceiveAsync(&r) {
			w.take(r)
		}
	})

	// Cancel the chunks one by one: a context cancels its children in no fixed order, and a
	// replay requires one.
	workflow.Go(ctx, func(ctx workflow.Context) {
		ctx.Done().Receive(ctx, nil)
		for _, c := range w.chunks {
			c.cancel()
		}
	})

	return w
}

// add adds targets to the pending ones, unless they are known already. An invalid target
// counts as failed.
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

// loop starts activities and handles their results until this run has nothing left to do.
func (w *run) loop() {
	for w.err == nil {
		for w.mayStart() {
			w.start()
		}

		// The next run takes the rest now. Otherwise it would have to wait for the slowest
		// chunk.
		if w.full() && len(w.pending) > 0 {
			for _, c := range w.chunks {
				c.handOver()
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

// mayStart reports whether another activity may start.
func (w *run) mayStart() bool {
	return len(w.pending) > 0 && len(w.chunks) < w.request.MaxChunks && w.ctx.Err() == nil && !w.full()
}

// full reports whether the run has reached its history limit. The next run then takes the
// rest, provided it fits into a payload.
func (w *run) full() bool {
	const most = 1 << 20

	info := workflow.GetInfo(w.ctx)
	return w.size <= most && (info.GetCurrentHistoryLength() >= w.request.MaxHistory || info.GetContinueAsNewSuggested())
}

// start starts an activity for the next chunk. If the time is up, it fails the chunk
// instead.
func (w *run) start() {
	const longestSummary = 200 // Temporal rejects more than 400 bytes
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

	// The context is disconnected, so that newRun cancels the chunks in order.
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
