package output

import (
	"context"
	"errors"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/kind"
)

// subject is a target in JSON. docs/output.md describes the fields.
type subject struct {
	Kind string `json:"kind"`
	kind.Fields
	State     string              `json:"state"`
	IndexName string              `json:"index_name,omitempty"`
	Progress  milvuswait.Progress `json:"progress,omitempty"`
	Fraction  *float64            `json:"fraction,omitempty"`
	Polls     int                 `json:"polls"`
	Elapsed   float64             `json:"elapsed_seconds"`
	ETA       float64             `json:"eta_seconds,omitempty"`
	Waiting   string              `json:"waiting_for,omitempty"`
	Reason    string              `json:"reason,omitempty"`
	Error     string              `json:"error,omitempty"`
	Hint      string              `json:"hint,omitempty"`
	Warning   string              `json:"warning,omitempty"`
}

// result is the result of the command in JSON.
type result struct {
	OK       bool    `json:"ok"`
	ExitCode int     `json:"exit_code"`
	Reason   string  `json:"reason,omitempty"`
	Error    string  `json:"error,omitempty"`
	Elapsed  float64 `json:"elapsed_seconds"`
}

// The states of a target.
const (
	stateWaiting  = "waiting"
	stateComplete = "complete"
	stateFailed   = "failed"
	stateTimedOut = "timed_out"
	stateSignal   = "interrupted"
	stateAborted  = "aborted"
)

// state returns the final state of a target, or of a command that failed before its wait.
func state(err error) string {
	var signal *exit.SignalError
	switch {
	case err == nil:
		return stateComplete
	case errors.Is(err, context.DeadlineExceeded):
		return stateTimedOut
	case errors.Is(err, context.Canceled), errors.As(err, &signal):
		return stateSignal
	case errors.Is(err, milvuswait.ErrAborted):
		return stateAborted
	}
	return stateFailed
}

// subject returns the fields of a target, without its state.
func (c Config) subject(t milvuswait.Target, p milvuswait.Progress) subject {
	k := kind.Of(t)
	s := subject{Kind: k.Word, Fields: k.Fields(t), IndexName: k.Part(t, p)}
	if k.Server {
		s.Address = c.Address
	} else {
		s.Progress = p
	}
	return s
}

// document writes the whole result as one document.
func (c Config) document(report Report, text string) {
	d := struct {
		result
		Targets []subject `json:"targets"`
	}{resultOf(report, text), []subject{}}

	for i, o := range report.Outcomes {
		s := c.subject(o.Target, o.Progress)
		s.State, s.Polls, s.Elapsed, s.Warning = state(o.Err), o.Polls, jsonSeconds(o.Elapsed), warning(o.Target, o.Progress, o.Unconfirmed, o.Err == nil)
		if o.Err != nil {
			s.Reason, s.Error, s.Hint = milvuswait.Reason(o.Err), clean(c.reason(o.Target, o.Progress, o.Err)), clean(report.Advice[i])
		}
		d.Targets = append(d.Targets, s)
	}

	WriteJSON(c.Stdout, d)
}

// events returns an observer that writes a line for every change, or for every update with
// Verbose.
func (c Config) events() milvuswait.Observer {
	write := milvuswait.ObserverFunc(c.event)
	if c.Verbose {
		return write
	}
	return milvuswait.OnChange(write)
}

// event writes a line for an update.
func (c Config) event(u milvuswait.Update) {
	s := c.subject(u.Target, u.Progress)
	fraction := jsonFraction(u.Fraction)
	s.State, s.Polls, s.Elapsed, s.ETA, s.Fraction = stateWaiting, u.Polls, jsonSeconds(u.Elapsed), jsonSeconds(u.ETA), &fraction
	s.Waiting, s.Warning = string(u.WaitingFor), warning(u.Target, u.Progress, u.Unconfirmed, u.Final && u.Err == nil)
	if u.Err != nil {
		s.Error = clean(c.reason(u.Target, u.Progress, u.Err))
	}

	name := "progress"
	switch {
	case u.Final:
		s.State, s.Reason, name = state(u.Err), milvuswait.Reason(u.Err), "final"
	case u.Err != nil:
		name = "poll_failed"
	}

	WriteJSON(c.Stdout, struct {
		Event string `json:"event"`
		subject
	}{name, s})
}

// end writes the last event, with the result of the command.
func (c Config) end(report Report, text string) {
	WriteJSON(c.Stdout, struct {
		Event string `json:"event"`
		result
		Done  int `json:"done"`
		Total int `json:"total"`
	}{"end", resultOf(report, text), report.done(), len(report.Outcomes)})
}

// resultOf returns the result of the command with the text of its error. Its reason is the
// first of a target with the exit code of the command, because others may only have timed out.
func resultOf(r Report, text string) result {
	deciding := r.Err
	for _, o := range r.Outcomes {
		if o.Err != nil && exit.Code(o.Err) == r.Code && !errors.Is(o.Err, milvuswait.ErrAborted) {
			deciding = o.Err
			break
		}
	}
	return result{r.Code == exit.Done, r.Code, milvuswait.Reason(deciding), clean(text), jsonSeconds(r.Elapsed)}
}
