package temporalwait

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/milvuswait/milvuswait"
)

// Request is the argument of [WaitWorkflow]. A zero field selects its default. In JSON,
// durations are in nanoseconds, the encoding of package encoding/json.
type Request struct {
	// Targets lists the targets of the wait; duplicates count once. A payload of Temporal
	// holds 2 MiB, enough for about 15 000 targets with names of 50 letters. Add further
	// ones by AddSignal, in portions.
	Targets []Target `json:"targets"`
	Options

	// ContinueOnError keeps waiting for the other targets when one fails. The workflow then
	// completes, and the Result holds the failures. By default, the first failed target
	// fails the workflow.
	ContinueOnError bool `json:"continue_on_error,omitempty"`

	// Timeout limits the whole wait, from the start of the first run. Targets that are
	// still incomplete then fail with context.DeadlineExceeded. The default is no limit
	// except the workflow's own timeouts, which leave no Result.
	Timeout time.Duration `json:"timeout,omitempty"`

	// ChunkSize is the maximum number of targets of an activity, all on one cluster. The
	// default is 250, the maximum 500, because each heartbeat carries all ended targets.
	ChunkSize int `json:"chunk_size,omitempty"`

	// MaxChunks is the maximum number of concurrent activities. The default is 32, the
	// maximum 1000. Targets that are not part of an activity yet are not polled.
	MaxChunks int `json:"max_chunks,omitempty"`

	// HeartbeatTimeout is the time until a lost worker is noticed. The default is 10 s.
	HeartbeatTimeout time.Duration `json:"heartbeat_timeout,omitempty"`

	// RetryPolicy is the retry policy of the activities, for failures that are not
	// permanent. The default starts at 1 s, doubles up to 30 s, and has no end.
	RetryPolicy *temporal.RetryPolicy `json:"retry_policy,omitempty"`

	// TaskQueues maps a cluster name to the task queue of the workers that reach the
	// cluster. The default is the workflow's own task queue.
	TaskQueues map[string]string `json:"task_queues,omitempty"`

	// SearchAttributes enables the search attributes listed by the function
	// SearchAttributes. The namespace must know them.
	SearchAttributes bool `json:"search_attributes,omitempty"`

	// MaxHistory is the number of history events after which the workflow continues as new.
	// The default is 5000, the minimum 50. Temporal may suggest an earlier point.
	//
	// If targets are pending at this point, the running activities are cancelled. The next
	// run waits for their unfinished targets like a new attempt, but starts with the
	// initial delay. The targets must fit into a payload: above 1 MiB of targets, the run
	// goes on.
	MaxHistory int `json:"max_history,omitempty"`

	// Carried is set by the workflow itself when it continues as new.
	Carried *Carried `json:"carried,omitempty"`
}

// Carried is the state that a run passes on to the next run.
type Carried struct {
	Began  time.Time `json:"began"` // start of the first run
	Runs   int       `json:"runs"`  // earlier runs
	Chunks int       `json:"chunks"`

	// Clusters lists the clusters of all targets so far, sorted.
	Clusters []string `json:"clusters,omitempty"`

	Result
}

// Result is the result of a workflow: the numbers of targets, and the failures. A target
// that did not fail is complete.
type Result struct {
	Total  int `json:"total"` // distinct targets, including those added by signals
	Done   int `json:"done"`
	Failed int `json:"failed"`

	// Unconfirmed is the number of complete indexes that may lack rows of a flush, because
	// their server cannot report them: see milvuswait.Outcome. The results of the activities
	// name them.
	Unconfirmed int `json:"unconfirmed,omitempty"`

	// Failures lists the failed targets, in the order in which their chunks ended. It holds
	// the first 200 at most; the results of the activities hold all of them.
	Failures []Outcome `json:"failures,omitempty"`
}

// maxFailures limits a Result to a part of a payload: each failure takes up to 3 KiB,
// mostly for the server's reason.
const maxFailures = 200

// Err returns nil if no target has failed. Otherwise it returns an error that wraps the
// *milvuswait.Error of every entry of Failures.
func (r Result) Err() error {
	if r.Failed == 0 {
		return nil
	}
	return &resultError{r}
}

// resultError is the error of a Result with failures.
type resultError struct{ Result }

// Error returns the number of failed targets and the messages of the first ten.
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

// validatePolicy returns ErrInvalid for a policy that Temporal would reject. A workflow
// with such a policy would never start an activity.
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

// resolve replaces zero fields by their defaults.
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

// validate returns ErrInvalid for the first invalid field. Targets added by a signal are
// validated when it arrives.
func (r Request) validate() error {
	const (
		mostInChunk  = 500  // a payload holds this many failures with long reasons
		mostChunks   = 1000 // Temporal allows 2000 pending activities
		leastHistory = 50   // enough for every run to make progress
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
		return nil // the remaining targets may all be of one kind
	}
	return r.Options.validate(r.Targets)
}
