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

// Activities are the waits of package milvuswait as activities of a worker:
//
//	w.RegisterActivity(&temporalwait.Activities{Client: c, Poller: rpc.New(conn)})
//
// They must be given a heartbeat time-out: without one nobody notices that a worker
// is lost. Their start-to-close time-out is the deadline of the wait, and an attempt
// that it ends is retried like any other, unless the retry policy or the
// schedule-to-close time-out forbids.
//
// An error is an ApplicationError whose type is the name of the sentinel, such as
// "milvuswait.ErrNotLoaded", and whose first detail is the [Outcome] of the target
// that failed; see [Restore]. It is not retryable where package milvuswait calls it
// permanent: what could not be reached, ErrUnreachable, is retried.
//
// Cancellation reaches an activity with the answer to a heartbeat. The SDK sends one
// when 80 % of the heartbeat time-out have passed, or as often as the worker's
// MaxHeartbeatThrottleInterval says.
//
// It must not be copied after it was registered.
type Activities struct {
	// Client is that of the worker. By it WaitWorkflow is told of every tenth of the
	// way of a chunk; without it, its progress is as new as the chunks that have ended.
	Client client.Client

	Poller  milvuswait.Poller            // of targets without a cluster; may be nil
	Pollers map[string]milvuswait.Poller // of the others, by the name of the cluster

	// Backoff is the pace. An attempt that takes up a wait goes on with the delays
	// that the wait had come to.
	Backoff milvuswait.Backoff

	// Options are those of every wait besides: observers, and time-outs of polls.
	// Not WithBackoff, with which an attempt would begin its delays anew.
	Options []milvuswait.Option

	mu    sync.Mutex
	lists map[string]*lists // of the clusters
}

// Wait is what WaitForLoading and WaitForIndexBuilding are given: one target.
type Wait struct {
	Target
	Options
}

// Waits is what WaitAll is given.
type Waits struct {
	// Targets are all on one cluster. Some hundred are enough: each heartbeat has all
	// that have ended.
	Targets []Target `json:"targets"`
	Options

	// ContinueOnError lets the others go on when a target fails. The activity does
	// not fail then: the outcomes say what has.
	ContinueOnError bool `json:"continue_on_error,omitempty"`

	// Chunk, if it is not 0, is the number by which WaitWorkflow is told of every
	// tenth of the way.
	Chunk int `json:"chunk,omitempty"`
}

// WaitForLoading is the activity that waits until a load is complete, and returns
// its progress, a milvuswait.LoadingProgress. See
// [milvuswait.WaitForLoadingComplete].
func (a *Activities) WaitForLoading(ctx context.Context, w Wait) (Progress, error) {
	return a.waitOne(ctx, w, milvuswait.KindLoading)
}

// WaitForIndexBuilding is the activity that waits until an index is built, and
// returns its progress, a milvuswait.IndexBuildingProgress. Say ExpectedRows
// whenever you know how many rows there must be. See
// [milvuswait.WaitForIndexBuildingComplete].
func (a *Activities) WaitForIndexBuilding(ctx context.Context, w Wait) (Progress, error) {
	return a.waitOne(ctx, w, milvuswait.KindIndexBuilding)
}

// WaitAll is the activity that waits for loads and index builds of one cluster, and
// returns an outcome for each target, in their order. See [milvuswait.WaitAll].
//
// The first target that fails fails the activity, unless ContinueOnError lets the
// others go on; then the outcomes have the failures, and the activity fails only
// if targets could not be reached, after the others have ended. The second detail
// of its error has the outcomes of all.
//
// Targets that were complete in an attempt before, or had failed for good, are not
// waited for again.
func (a *Activities) WaitAll(ctx context.Context, w Waits) ([]Outcome, error) {
	return a.wait(ctx, w)
}

// waitOne waits for one target of that kind.
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

// wait makes one attempt.
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
	if activity.HasHeartbeatDetails(ctx) {
		var before Heartbeat
		if err := activity.GetHeartbeatDetails(ctx, &before); err != nil {
			activity.GetLogger(ctx).Warn("milvuswait: the wait begins anew: the heartbeat of the attempt before cannot be read", "err", err)
		} else {
			t.before = &before
			activity.GetLogger(ctx).Info("milvuswait: taken up from the attempt before; stall and settle times and the ETA begin anew",
				"attempt", info.Attempt, "done", before.Done, "failed", before.Failed, "total", before.Total, "began", before.Began)
		}
	}
	if t.before != nil && !w.ContinueOnError {
		if i := slices.IndexFunc(t.before.Ended, failed); i >= 0 { // which nobody was told of any more
			return nil, applicationError(t.before.Ended[i], t.before.Ended)
		}
	}
	t.poller = a.shared(t.cluster, poller, t.before.began(time.Now()))
	t.beat = a.beater(ctx, w.Chunk, t.before)
	t.own = append(slices.Clone(a.Options), milvuswait.WithObserver(newObserver(ctx, len(w.Targets))))

	outcomes, last, err := t.run(ctx)
	return outcomes, failure(ctx, w.ContinueOnError, outcomes, last, err)
}

// beatEvery is the time between heartbeats. The SDK holds them back until 80 % of the
// time-out have passed: one must come soon after that.
func beatEvery(timeout time.Duration) time.Duration {
	const least, most = 10 * time.Millisecond, time.Second
	if timeout <= 0 {
		return most
	}
	return min(max(timeout/10, least), most)
}

// failure returns the error of an activity whose attempt has ended so.
func failure(ctx context.Context, continues bool, outcomes []Outcome, last Heartbeat, err error) error {
	var said *milvuswait.Error
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
	case !errors.As(err, &said):
		return refusal(err)
	}
	if i := slices.IndexFunc(outcomes, again); i >= 0 {
		return applicationError(outcomes[i], outcomes)
	}
	if continues {
		return nil
	}
	i := slices.IndexFunc(outcomes, primary)
	if i < 0 { // what was aborted by itself: its generator returned a negative delay
		i = slices.IndexFunc(outcomes, failed)
	}
	return applicationError(outcomes[i], outcomes)
}

// failed reports whether o is not complete.
func failed(o Outcome) bool { return o.Error != nil }

// primary reports whether o has failed by itself.
func primary(o Outcome) bool { return failed(o) && o.Error.Type != "milvuswait.ErrAborted" }

// again reports whether another attempt may complete o.
func again(o Outcome) bool { return failed(o) && o.Error.retryable() }

// poller returns the Poller of the cluster.
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
