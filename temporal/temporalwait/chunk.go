package temporalwait

import (
	"errors"
	"math"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// chunk is the set of targets of one activity.
type chunk struct {
	number  int
	targets []Target
	report  report // latest report of the activity
	cancel  workflow.CancelFunc
	handed  bool // cancelled so that the next run takes the rest
}

// handOver cancels the activity, so that it returns the outcomes so far and the rest
// becomes pending again.
func (c *chunk) handOver() {
	if !c.handed {
		c.handed = true
		c.cancel()
	}
}

// next removes the targets of the next chunk from the pending ones and returns them: at
// most ChunkSize targets, all on the cluster of the first pending one.
func (w *run) next() []Target {
	var taken []Target
	rest := w.pending[:0]

	for _, t := range w.pending {
		if len(taken) < w.request.ChunkSize && (len(taken) == 0 || t.Cluster == taken[0].Cluster) {
			taken = append(taken, t)
		} else {
			rest = append(rest, t)
		}
	}

	w.pending = rest
	return taken
}

// left returns the time limit for an activity that starts now. It is 0 or negative once
// Timeout has passed.
func (w *run) left() time.Duration {
	const noLimit = 10 * 365 * 24 * time.Hour // Temporal requires a limit
	if w.request.Timeout == 0 {
		return noLimit
	}
	return w.request.Timeout - workflow.Now(w.ctx).Sub(w.Began)
}

// take stores a report of a chunk. Reports of ended chunks are ignored.
func (w *run) take(r report) {
	for _, c := range w.chunks {
		if c.number == r.Chunk {
			c.report = r
		}
	}
}

// conclude processes the result of the activity of c: it counts the ended targets and
// decides about the rest.
func (w *run) conclude(c *chunk, outcomes []Outcome, err error) {
	if i := slices.Index(w.chunks, c); i >= 0 {
		w.chunks = slices.Delete(w.chunks, i, i+1)
	}

	ended, left := c.outcomes(outcomes, err)
	for _, o := range ended {
		w.forget(o.Target)
	}
	w.end(ended)

	switch {
	case w.ctx.Err() != nil: // cancelled: the rest has not failed
	case c.handed && !isFailure(err):
		w.pending = append(slices.Clone(left), w.pending...)
	default:
		if err != nil && !w.request.ContinueOnError && w.err == nil {
			w.err = err
		}
		for _, t := range left {
			w.forget(t)
			w.end([]Outcome{{Target: t, Error: failureOf(err)}})
		}
	}

	logger := workflow.GetLogger(w.ctx)
	if err != nil {
		logger.Warn("milvuswait: chunk failed", "chunk", c.number, "targets", len(c.targets), "left", len(left), "err", err)
	} else {
		logger.Info("milvuswait: chunk complete", "chunk", c.number, "targets", len(c.targets))
	}
}

// forget removes an ended target from the known ones, so that a signal may add it again.
func (w *run) forget(t Target) {
	if k := t.key(); w.known[k] {
		delete(w.known, k)
		w.size -= t.size()
	}
}

// isFailure reports whether err is a failure of the wait itself, not an interruption from
// outside.
func isFailure(err error) bool {
	o, found := outcomeOf(err)
	return found && lasts(o.Error)
}

// end counts ended targets, and keeps the first maxFailures failures for the Result.
func (w *run) end(outcomes []Outcome) {
	for _, o := range outcomes {
		if !failed(o) {
			w.Done++
			if o.Unconfirmed {
				w.Unconfirmed++
			}
			continue
		}
		w.Failed++
		if len(w.Failures) < maxFailures {
			w.Failures = append(w.Failures, o)
		}
	}
}

// outcomes splits the targets of the chunk. It returns the outcomes of the ended targets,
// taken from known and the details of err, and the targets without an outcome.
func (c *chunk) outcomes(known []Outcome, err error) (ended []Outcome, left []Target) {
	var application *temporal.ApplicationError
	var timeout *temporal.TimeoutError
	var canceled *temporal.CanceledError
	var one Outcome
	var last Heartbeat

	switch {
	case errors.As(err, &timeout) && timeout.HasLastHeartbeatDetails():
		read(timeout.LastHeartbeatDetails, &last)
	case errors.As(err, &application) && application.HasDetails():
		read(application.Details, &one, &known)
	case errors.As(err, &canceled) && canceled.HasDetails():
		read(canceled.Details, &last)
	}

	by := make(map[key]Outcome, len(c.targets))
	for _, o := range append(known, last.Ended...) {
		by[o.key()] = o
	}

	for _, t := range c.targets {
		if o, found := by[t.key()]; found {
			ended = append(ended, o)
		} else {
			left = append(left, t)
		}
	}
	return ended, left
}

// failureOf returns the failure of the targets without an outcome, for the error of their
// chunk.
func failureOf(err error) *Failure {
	var application *temporal.ApplicationError
	switch o, found := outcomeOf(err); {
	case found:
		return &Failure{Type: o.Error.Type, Message: o.Error.Message}
	case errors.As(err, &application):
		return &Failure{Type: application.Type(), Message: cut(application.Message(), longestMessage)}
	case err == nil:
		return &Failure{Message: "its activity returned without it"} // an activity of another version
	}
	return &Failure{Message: cut(err.Error(), longestMessage)}
}

// Summary is the progress of a workflow. ProgressQuery returns it, and the memo
// "milvuswait" holds it, updated at every tenth of the total.
type Summary struct {
	Total   int `json:"total"`   // targets
	Done    int `json:"done"`    // complete
	Failed  int `json:"failed"`  // ended with an error
	Waiting int `json:"waiting"` // part of a running activity
	Pending int `json:"pending"` // not part of an activity yet
	Chunks  int `json:"chunks"`  // running activities
	Runs    int `json:"runs"`    // earlier runs of the workflow

	// Fraction is the completed share of all targets, from 0 to 1, as in
	// milvuswait.Summary. For running activities it is updated at every tenth of their
	// chunk, provided the workers' Activities have a Client.
	Fraction float64 `json:"fraction"`
}

// summary returns the progress of the workflow.
func (w *run) summary() Summary {
	s := Summary{Total: w.Total, Done: w.Done, Failed: w.Failed, Pending: len(w.pending), Chunks: len(w.chunks), Runs: w.Runs}
	sum := float64(w.Done + w.Failed)

	for _, c := range w.chunks {
		s.Done += c.report.Done
		s.Failed += c.report.Failed
		s.Waiting += len(c.targets) - c.report.Done - c.report.Failed
		sum += c.report.Fraction * float64(len(c.targets))
	}

	s.Fraction = math.Min(1, sum/math.Max(1, float64(s.Total)))
	return s
}

// rest returns the Request of the next run.
func (w *run) rest() Request {
	r := w.request
	r.Targets = w.pending
	carried := w.Carried
	carried.Runs++
	r.Carried = &carried
	return r
}
