package temporalwait

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"

	"github.com/milvuswait/milvuswait"
)

// Activities holds the waits of package milvuswait as activities of a worker:
//
//	w.RegisterActivity(&temporalwait.Activities{Client: c, Poller: rpc.New(conn)})
//
// Give them a heartbeat timeout: without one, Temporal does not notice a lost worker. The
// start-to-close timeout is the deadline of the wait. An attempt that it ends is retried
// like any other, unless the retry policy or the schedule-to-close timeout forbids it.
//
// An error is an ApplicationError. Its type is the name of the sentinel, such as
// "milvuswait.ErrNotLoaded", and its first detail is the [Outcome] of the failed target;
// see [Restore]. It is not retryable if package milvuswait considers it permanent.
// ErrUnreachable is retried.
//
// Cancellation reaches an activity with the response to a heartbeat. The SDK sends a
// heartbeat after 80 % of the heartbeat timeout, or at least every
// MaxHeartbeatThrottleInterval of the worker.
//
// Activities must not be copied after registration.
type Activities struct {
	// Client is the worker's client. With it, an activity signals WaitWorkflow at every
	// tenth of its chunk. Without it, the workflow's progress changes only when a chunk
	// ends.
	Client client.Client

	Poller  milvuswait.Poller            // for targets without a cluster; may be nil
	Pollers map[string]milvuswait.Poller // for the other targets, by cluster name

	// Backoff is the pace of the polls. An attempt that resumes a wait continues with the
	// delays of the attempt before, not with the initial one.
	Backoff milvuswait.Backoff

	// Options apply to every wait in addition: observers and poll timeouts, for example. Do
	// not set WithBackoff here: an attempt would restart with the initial delay.
	Options []milvuswait.Option

	mu    sync.Mutex
	lists map[string]*lists // shared lists, by cluster name
}

// Wait is the argument of the activities for one target, such as WaitForLoading.
type Wait struct {
	Target
	Options
}

// Waits is the argument of WaitAll.
type Waits struct {
	// Targets are all on one cluster. A few hundred are a sensible maximum, because each
	// heartbeat carries all ended targets.
	Targets []Target `json:"targets"`
	Options

	// ContinueOnError keeps waiting for the other targets when one fails. The activity then
	// succeeds, and its outcomes hold the failures.
	ContinueOnError bool `json:"continue_on_error,omitempty"`

	// Chunk is the number of the chunk in the WaitWorkflow that started the activity. The
	// activity reports every tenth of the chunk under this number; 0 disables the reports.
	Chunk int `json:"chunk,omitempty"`
}

// WaitForLoading is an activity that waits until a load is complete. It returns the
// progress, a milvuswait.LoadingProgress. See [milvuswait.WaitForLoadingComplete].
func (a *Activities) WaitForLoading(ctx context.Context, w Wait) (Progress, error) {
	return a.waitOne(ctx, w, milvuswait.KindLoading)
}

// WaitForIndexBuilding is an activity that waits until an index is built. It returns the
// progress, a milvuswait.IndexBuildingProgress. Set Flush or ExpectedRows whenever you know
// them. The progress does not show whether the result is unconfirmed; an Outcome of WaitAll
// does. See [milvuswait.WaitForIndexBuildingComplete].
func (a *Activities) WaitForIndexBuilding(ctx context.Context, w Wait) (Progress, error) {
	return a.waitOne(ctx, w, milvuswait.KindIndexBuilding)
}

// WaitForImport is an activity that waits until an import is complete. It returns the
// progress, a milvuswait.ImportProgress. See [milvuswait.WaitForImportComplete].
func (a *Activities) WaitForImport(ctx context.Context, w Wait) (Progress, error) {
	return a.waitOne(ctx, w, milvuswait.KindImporting)
}

// WaitForCompaction is an activity that waits until a compaction is complete. It returns the
// progress, a milvuswait.CompactionProgress. See [milvuswait.WaitForCompactionComplete].
func (a *Activities) WaitForCompaction(ctx context.Context, w Wait) (Progress, error) {
	return a.waitOne(ctx, w, milvuswait.KindCompacting)
}

// WaitAll is an activity that waits for targets of any kind on one cluster. It returns one
// outcome per target, in the order of the targets. See [milvuswait.WaitAll].
//
// The Poller of the cluster must have the optional interface that a kind needs, such as
// milvuswait.ImportPoller. Otherwise the activity fails with milvuswait.ErrInvalid, which
// names the interface and is not retried.
//
// By default, the first failed target fails the activity. With ContinueOnError, the
// outcomes hold the failures, and the activity fails only if targets were unreachable,
// after all others have ended. The second detail of its error is the list of all outcomes.
//
// A retry does not wait again for targets that an earlier attempt completed, or found to
// have failed permanently.
func (a *Activities) WaitAll(ctx context.Context, w Waits) ([]Outcome, error) {
	return a.wait(ctx, w)
}

// waitOne waits for one target, whose kind must be empty or kind.
func (a *Activities) waitOne(ctx context.Context, w Wait, kind milvuswait.Kind) (Progress, error) {
	if w.Kind != "" && w.Kind != kind {
		return Progress{}, refusal(fmt.Errorf("%w: the kind of the target is %q, not %q", milvuswait.ErrInvalid, w.Kind, kind))
	}
	w.Kind = kind
	outcomes, err := a.wait(ctx, Waits{Targets: []Target{w.Target}, Options: w.Options})
	if err != nil {
		return Progress{}, err
	}
	return outcomes[0].Progress, nil
}

// wait makes one attempt at the wait and returns one outcome per target.
func (a *Activities) wait(ctx context.Context, w Waits) ([]Outcome, error) {
	if len(w.Targets) == 0 {
		return []Outcome{}, nil
	}

	info := activity.GetInfo(ctx)
	t := attempt{
		cluster: w.Targets[0].Cluster, targets: w.Targets, options: w.Options, continues: w.ContinueOnError,
		backoff: a.Backoff, number: info.Attempt, every: beatEvery(info.HeartbeatTimeout), stop: activity.GetWorkerStopChannel(ctx),
	}

	poller, err := a.poller(t.cluster)
	if err == nil {
		err = t.check()
	}
	if err != nil {
		return nil, refusal(err)
	}

	// Resume from the last heartbeat of the attempt before, if there is one.
	if activity.HasHeartbeatDetails(ctx) {
		var before Heartbeat
		if err := activity.GetHeartbeatDetails(ctx, &before); err != nil {
			activity.GetLogger(ctx).Warn("milvuswait: the wait restarts: the last heartbeat of the attempt before is unreadable", "err", err)
		} else {
			t.before = &before
			activity.GetLogger(ctx).Info("milvuswait: resumed from the attempt before; stall and settle times and the ETA restart",
				"attempt", info.Attempt, "done", before.Done, "failed", before.Failed, "total", before.Total, "began", before.Began)
		}
	}

	// That attempt may have been lost after a target failed and before it could return the
	// failure.
	if t.before != nil && !w.ContinueOnError {
		if i := slices.IndexFunc(t.before.Ended, failed); i >= 0 {
			return nil, applicationError(t.before.Ended[i], t.before.Ended)
		}
	}

	t.poller = a.shared(t.cluster, poller, t.before.began(time.Now()))
	t.beat = a.beater(ctx, w.Chunk, t.before)
	t.own = append(slices.Clone(a.Options), milvuswait.WithObserver(newObserver(ctx, len(w.Targets))))

	outcomes, last, err := t.run(ctx)
	return outcomes, failure(ctx, w.ContinueOnError, outcomes, last, err)
}

// beatEvery returns the interval between heartbeats. The SDK holds heartbeats back until 80
// % of the timeout have passed, and one must follow soon after.
func beatEvery(timeout time.Duration) time.Duration {
	const least, most = 10 * time.Millisecond, time.Second
	if timeout <= 0 {
		return most
	}
	return min(max(timeout/10, least), most)
}

// failure returns the error of an activity for the result of its attempt. Cancellation
// comes first, then interruptions, which are retried, then the targets' own failures.
func failure(ctx context.Context, continues bool, outcomes []Outcome, last Heartbeat, err error) error {
	var own *milvuswait.Error
	var by *interruption
	switch {
	case err == nil:
		return nil
	case temporal.IsCanceledError(context.Cause(ctx)):
		return temporal.NewCanceledError(last)
	case errors.As(err, &by), errors.Is(ctx.Err(), context.Canceled):
		if by == nil {
			by = &interruption{context.Cause(ctx).Error()}
		}
		return applicationError(Outcome{Error: &Failure{Type: TypeInterrupted, Message: by.Error()}}, last.Ended)
	case !errors.As(err, &own):
		return refusal(err)
	}

	if i := slices.IndexFunc(outcomes, again); i >= 0 {
		return applicationError(outcomes[i], outcomes)
	}

	if continues {
		return nil
	}

	// Without a primary failure, a target aborted itself: its custom delay generator
	// returned a negative delay.
	i := slices.IndexFunc(outcomes, primary)
	if i < 0 {
		i = slices.IndexFunc(outcomes, failed)
	}
	return applicationError(outcomes[i], outcomes)
}

// failed reports whether the target of o failed.
func failed(o Outcome) bool { return o.Error != nil }

// primary reports whether o failed for its own reason, not because another target did.
func primary(o Outcome) bool { return failed(o) && o.Error.Type != "milvuswait.ErrAborted" }

// again reports whether another attempt may complete the target of o.
func again(o Outcome) bool { return failed(o) && o.Error.retryable() }

// poller returns the Poller of the cluster, or ErrInvalid if the worker has none.
func (a *Activities) poller(cluster string) (milvuswait.Poller, error) {
	if cluster == "" {
		if a.Poller == nil {
			return nil, fmt.Errorf("%w: the target names no cluster, and the worker has only %q", milvuswait.ErrInvalid, slices.Sorted(maps.Keys(a.Pollers)))
		}
		return a.Poller, nil
	}

	p := a.Pollers[cluster]
	if p == nil {
		return nil, fmt.Errorf("%w: the worker knows no cluster %q, but %q", milvuswait.ErrInvalid, cluster, slices.Sorted(maps.Keys(a.Pollers)))
	}
	return p, nil
}
