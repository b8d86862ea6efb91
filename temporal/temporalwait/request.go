package temporalwait

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/milvuswait/milvuswait"
)

// Request is what [WaitWorkflow] is started with. A zero field means the default.
// Durations are in nanoseconds in JSON, as Go writes them.
type Request struct {
	// Targets are what is waited for; equal ones are waited for once. A payload of
	// Temporal has 2 MiB, in which some 15 000 targets with names of 50 letters have
	// room: let AddSignal bring what is more, by and by.
	Targets []Target `json:"targets"`
	Options

	// ContinueOnError lets the others go on when a target fails, and the workflow
	// complete: the Result says what has failed. Otherwise the first target that
	// fails fails the workflow.
	ContinueOnError bool `json:"continue_on_error,omitempty"`

	// Timeout bounds the whole, from the start of the first run: targets that are
	// not complete by then have failed with context.DeadlineExceeded. The default is
	// no bound but the workflow's own time-outs, which leave no Result.
	Timeout time.Duration `json:"timeout,omitempty"`

	// ChunkSize is how many targets of one cluster an activity waits for at the
	// most: 250 by default, and no more than 500, since each of its heartbeats has all
	// that have ended.
	ChunkSize int `json:"chunk_size,omitempty"`

	// MaxChunks is how many activities there are at a time: 32 by default, 1000 at the
	// most. What is in none yet is not polled.
	MaxChunks int `json:"max_chunks,omitempty"`

	// HeartbeatTimeout is how long it takes until a worker that is lost is noticed:
	// 10 s by default.
	HeartbeatTimeout time.Duration `json:"heartbeat_timeout,omitempty"`

	// RetryPolicy is that of the activities, for what is not permanent. The default
	// begins at 1 s, doubles up to 30 s, and does not end.
	RetryPolicy *temporal.RetryPolicy `json:"retry_policy,omitempty"`

	// TaskQueues are those of the workers that reach a cluster, by its name. The
	// default is the workflow's own.
	TaskQueues map[string]string `json:"task_queues,omitempty"`

	// SearchAttributes has the workflow set those of SearchAttributes, which the
	// namespace must know.
	SearchAttributes bool `json:"search_attributes,omitempty"`

	// MaxHistory is how many events a run may have before the workflow continues as
	// new: 5000 by default, 50 at least, and fewer than it says if Temporal suggests
	// so. If targets are without an activity then, those of the time are cancelled,
	// and what they have not ended is waited for by the next run, as by a new attempt,
	// but at the pace of the beginning. A payload must have room for it: with more
	// than a MiB of targets the run goes on.
	MaxHistory int `json:"max_history,omitempty"`

	// Carried is for the workflow itself, which continues as new.
	Carried *Carried `json:"carried,omitempty"`
}

// Carried is what a run hands on to the next.
type Carried struct {
	Began  time.Time `json:"began"` // of the first run
	Runs   int       `json:"runs"`  // before this one
	Chunks int       `json:"chunks"`

	// Clusters are those of all targets so far, in order.
	Clusters []string `json:"clusters,omitempty"`

	Result
}

// Result is how the waits of a workflow ended. What it does not name as a failure is
// complete.
type Result struct {
	Total  int `json:"total"` // targets, those added by signals included, equal ones counted once
	Done   int `json:"done"`
	Failed int `json:"failed"`

	// Failures are the targets that failed, in the order in which their chunks ended;
	// of more than 200 the first. The results of the activities have all.
	Failures []Outcome `json:"failures,omitempty"`
}

// maxFailures bounds a Result to a part of what a payload may have: each has up to
// 3 KiB of what a server said.
const maxFailures = 200

// Err returns nil if no target has failed. Otherwise errors.Is and errors.As find
// the failure of each of Failures in it, a *milvuswait.Error.
func (r Result) Err() error {
	if r.Failed == 0 {
		return nil
	}
	return &resultError{r}
}

type resultError struct{ Result }

// Error returns how many targets failed, and of the first ten how.
func (e *resultError) Error() string {
	const most = 10
	s := fmt.Sprintf("milvuswait: %d of %d targets failed", e.Failed, e.Total)
	for i, o := range e.Failures[:min(most, len(e.Failures))] {
		separator := "; "
		if i == 0 {
			separator = ": "
		}
		s += separator + o.Target.String() + ": " + o.Error.Message
	}
	if more := e.Failed - most; more > 0 {
		s += fmt.Sprintf("; and %d more", more)
	}
	return s
}

func (e *resultError) Unwrap() []error {
	errs := make([]error, len(e.Failures))
	for i, o := range e.Failures {
		errs[i] = o.Err()
	}
	return errs
}

// validatePolicy names what Temporal would refuse again and again.
func validatePolicy(p *temporal.RetryPolicy) error {
	switch {
	case p == nil:
	case p.InitialInterval < 0 || p.MaximumInterval < 0 || p.MaximumAttempts < 0:
		return fmt.Errorf("%w: RetryPolicy: %+v has something negative", milvuswait.ErrInvalid, *p)
	case p.BackoffCoefficient != 0 && !(p.BackoffCoefficient >= 1):
		return fmt.Errorf("%w: RetryPolicy: a BackoffCoefficient of %v is below 1", milvuswait.ErrInvalid, p.BackoffCoefficient)
	case p.MaximumInterval != 0 && p.MaximumInterval < p.InitialInterval:
		return fmt.Errorf("%w: RetryPolicy: MaximumInterval, %v, is less than InitialInterval, %v", milvuswait.ErrInvalid, p.MaximumInterval, p.InitialInterval)
	}
	return nil
}

// resolve fills in the defaults.
func (r Request) resolve() Request {
	or := func(n *int, value int) {
		if *n == 0 {
			*n = value
		}
	}
	or(&r.ChunkSize, 250)
	or(&r.MaxChunks, 32)
	or(&r.MaxHistory, 5000)
	if r.HeartbeatTimeout == 0 {
		r.HeartbeatTimeout = 10 * time.Second
	}
	if r.RetryPolicy == nil {
		r.RetryPolicy = &temporal.RetryPolicy{InitialInterval: time.Second, BackoffCoefficient: 2, MaximumInterval: 30 * time.Second}
	}
	return r
}

// validate names what makes no sense. What a signal adds is judged when it comes.
func (r Request) validate() error {
	const (
		mostInChunk  = 500  // so that all may fail with long reasons, and a payload hold it
		mostChunks   = 1000 // a workflow may have 2000 activities under way
		leastHistory = 50   // so that every run gets on
	)
	if err := validatePolicy(r.RetryPolicy); err != nil {
		return err
	}
	durations := map[string]time.Duration{
		"Timeout": r.Timeout, "HeartbeatTimeout": r.HeartbeatTimeout,
		"Settle": r.Settle, "StallTimeout": r.StallTimeout, "StartGrace": r.StartGrace,
	}
	for _, name := range slices.Sorted(maps.Keys(durations)) {
		if durations[name] < 0 {
			return fmt.Errorf("%w: %s: %v is negative", milvuswait.ErrInvalid, name, durations[name])
		}
	}
	switch {
	case r.ChunkSize < 0 || r.ChunkSize > mostInChunk:
		return fmt.Errorf("%w: ChunkSize: %d is not within 1 and %d", milvuswait.ErrInvalid, r.ChunkSize, mostInChunk)
	case r.MaxChunks < 0 || r.MaxChunks > mostChunks:
		return fmt.Errorf("%w: MaxChunks: %d is not within 1 and %d", milvuswait.ErrInvalid, r.MaxChunks, mostChunks)
	case r.MaxHistory != 0 && r.MaxHistory < leastHistory:
		return fmt.Errorf("%w: MaxHistory: %d is less than %d", milvuswait.ErrInvalid, r.MaxHistory, leastHistory)
	case r.Criterion < milvuswait.AllRows || r.Criterion > milvuswait.ServerState:
		return fmt.Errorf("%w: Criterion: there is no criterion %d", milvuswait.ErrInvalid, r.Criterion)
	}
	for i, t := range r.Targets {
		if err := t.validate(); err != nil {
			return fmt.Errorf("target %d of %d: %w", i+1, len(r.Targets), err)
		}
	}
	if r.Carried != nil {
		return nil // the rest may be all of one kind
	}
	return r.Options.validate(r.Targets)
}
