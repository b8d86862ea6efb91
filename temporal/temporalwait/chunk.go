package temporalwait

import (
	"errors"
	"math"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"
)

// chunk is what one activity waits for.
type chunk struct {
	number  int
	targets []Target
	report  report // the newest
	cancel  workflow.CancelFunc
	given   bool // cancelled, so that what is left goes to the next run
}

// giveBack has the activity end with what has ended.
func (c *chunk) giveBack() {
	if !c.given {
		c.given = true
		c.cancel()
	}
}

// next takes as many targets as a chunk may have, all on the cluster of the first,
// out of those that are pending.
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

// left is how much time the targets that begin now have.
func (w *run) left() time.Duration {
	const noLimit = 10 * 365 * 24 * time.Hour // Temporal wants one
	if w.request.Timeout == 0 {
		return noLimit
	}
	return w.request.Timeout - workflow.Now(w.ctx).Sub(w.Began)
}

// take notes how far a chunk is.
func (w *run) take(r report) {
	for _, c := range w.chunks {
		if c.number == r.Chunk {
			c.report = r
		}
	}
}

// conclude notes how the activity of a chunk has ended.
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
	case w.ctx.Err() != nil: // what is left has not failed
	case c.given && !isFailure(err):
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

// forget notes that a target is not waited for any more.
func (w *run) forget(t Target) {
	if k := t.key(); w.known[k] {
		delete(w.known, k)
		w.size -= t.size()
	}
}

// isFailure reports whether err is that of a wait which has failed by itself.
func isFailure(err error) bool {
	o, found := outcomeOf(err)
	return found && lasts(o.Error)
}

// end counts targets that have ended.
func (w *run) end(outcomes []Outcome) {
	for _, o := range outcomes {
		if !failed(o) {
			w.Done++
			continue
		}
		w.Failed++
		if len(w.Failures) < maxFailures {
			w.Failures = append(w.Failures, o)
		}
	}
}

// outcomes returns how the targets of the chunk have ended, when its activity has
// returned those or err, and the targets of which neither knows.
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

// failureOf returns why targets have failed that err, of their chunk, knows nothing of.
func failureOf(err error) *Failure {
	var application *temporal.ApplicationError
	switch o, found := outcomeOf(err); {
	case found:
		return &Failure{Type: o.Error.Type, Message: o.Error.Message}
	case errors.As(err, &application):
		return &Failure{Type: application.Type(), Message: cut(application.Message(), longestMessage)}
	case err == nil:
		return &Failure{Message: "its activity returned without it"} // of another version
	}
	return &Failure{Message: cut(err.Error(), longestMessage)}
}

// Summary is how far a workflow is. It is told by ProgressQuery, and by the memo,
// under "milvuswait", whenever a tenth of the way is done.
type Summary struct {
	Total   int `json:"total"`   // targets
	Done    int `json:"done"`    // complete
	Failed  int `json:"failed"`  // ended otherwise
	Waiting int `json:"waiting"` // with an activity
	Pending int `json:"pending"` // without one yet
	Chunks  int `json:"chunks"`  // activities under way
	Runs    int `json:"runs"`    // before this one

	// Fraction is that of all targets, from 0 to 1, as milvuswait.Summary has it. Of
	// targets under way it is as new as the last tenth of their chunk, if the workers'
	// Activities have a Client.
	Fraction float64 `json:"fraction"`
}

// summary returns how far the workflow is.
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

// rest is what the next run is started with.
func (w *run) rest() Request {
	r := w.request
	r.Targets = w.pending
	carried := w.Carried
	carried.Runs++
	r.Carried = &carried
	return r
}
