package temporalwait

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/temporal"

	"github.com/milvuswait/milvuswait"
)

// The types of ApplicationErrors that stand for no error of package milvuswait.
const (
	// TypePermanent is that of a Poller's error that polling again cannot cure and
	// that has no name: no permission, say. It is not retried.
	TypePermanent = "milvuswait.Permanent"

	// TypeInterrupted is that of an attempt which was not to go on where it was: its
	// worker stops, or could not reach Temporal. It is retried.
	TypeInterrupted = "milvuswait.Interrupted"
)

// errorType is the type of ApplicationErrors that stand for an error.
type errorType struct {
	name  string
	err   error
	retry bool // whether another attempt may end better
}

// types are those that there are. Of several that match, the first counts.
var types = []errorType{
	{"context.DeadlineExceeded", context.DeadlineExceeded, true},
	{"context.Canceled", context.Canceled, true},
	{"milvuswait.ErrUnreachable", milvuswait.ErrUnreachable, true},
	{"milvuswait.ErrStalled", milvuswait.ErrStalled, false},
	{"milvuswait.ErrReleased", milvuswait.ErrReleased, false},
	{"milvuswait.ErrLoadFailed", milvuswait.ErrLoadFailed, false},
	{"milvuswait.ErrNotLoaded", milvuswait.ErrNotLoaded, false},
	{"milvuswait.ErrIndexFailed", milvuswait.ErrIndexFailed, false},
	{"milvuswait.ErrDatabaseNotFound", milvuswait.ErrDatabaseNotFound, false},
	{"milvuswait.ErrCollectionNotFound", milvuswait.ErrCollectionNotFound, false},
	{"milvuswait.ErrPartitionNotFound", milvuswait.ErrPartitionNotFound, false},
	{"milvuswait.ErrIndexNotFound", milvuswait.ErrIndexNotFound, false},
	{"milvuswait.ErrAmbiguousIndex", milvuswait.ErrAmbiguousIndex, false},
	{"milvuswait.ErrInvalid", milvuswait.ErrInvalid, false},
	{"milvuswait.ErrAborted", milvuswait.ErrAborted, false},
}

// Failure is why a target is not complete.
type Failure struct {
	// Type is that of the ApplicationError: the Go name of the sentinel, such as
	// "milvuswait.ErrNotLoaded", or TypePermanent, or "" of what has no name.
	Type string `json:"type,omitempty"`

	Message   string       `json:"message"`
	Server    *ServerError `json:"server,omitempty"`     // what the server said, if it was that
	LastError *Failure     `json:"last_error,omitempty"` // of the last poll, beside the cause
}

// ServerError is a [milvuswait.ServerError] in JSON.
type ServerError struct {
	Code       int32  `json:"code"`
	LegacyCode int32  `json:"error_code"`
	Reason     string `json:"reason,omitempty"`
	Retriable  bool   `json:"retriable,omitempty"`
	Method     string `json:"method,omitempty"`
}

// newFailure returns what err, of a wait, says; nil if that is nil.
func newFailure(err error) *Failure {
	if err == nil {
		return nil
	}
	var e *milvuswait.Error
	if !errors.As(err, &e) {
		f := describe(err)
		f.Message = strings.TrimPrefix(f.Message, "milvuswait: ") // which the restored error begins with
		return f
	}
	f := describe(e.Cause)
	if f.Type == "" {
		f.Type = TypePermanent // nothing else ends a wait
	}
	if e.LastErr != nil {
		f.LastError = describe(e.LastErr)
		f.LastError.Message, f.LastError.Server = cut(f.LastError.Message, longestLast), nil
	}
	return f
}

// What a failure has room for in JSON, so that a whole chunk may fail and a payload
// hold it: 3 KiB in all.
const (
	longestMessage = 1400
	longestReason  = 600 // beside the message, which has it too
	longestLast    = 600
)

func describe(err error) *Failure {
	f := &Failure{Message: cut(err.Error(), longestMessage)}
	for _, t := range types {
		if errors.Is(err, t.err) {
			f.Type = t.name
			break
		}
	}
	var said *milvuswait.ServerError
	if errors.As(err, &said) {
		bounded := ServerError(*said)
		bounded.Reason, bounded.Method = cut(said.Reason, longestReason), cut(said.Method, 100)
		f.Server = &bounded
	}
	return f
}

// cut returns s, or as much of its beginning as most bytes of JSON hold, and a mark.
func cut(s string, most int) string {
	const mark = "…"
	if b, _ := json.Marshal(s); len(b)-len(`""`) <= most-len(mark) { // as nearly all: of a string it never fails
		return s
	}
	length := 0
	for i, r := range s {
		end := i + utf8.RuneLen(r)
		if r == utf8.RuneError {
			end = i + 1
		}
		b, _ := json.Marshal(s[i:end])
		if length += len(b) - len(`""`); length > most-len(mark) {
			return s[:i] + mark
		}
	}
	return s
}

// errorType returns what is known of the type, or an errorType without a name.
func (f *Failure) errorType() errorType {
	for _, t := range types {
		if t.name == f.Type {
			return t
		}
	}
	return errorType{}
}

// retryable reports whether another attempt may end better.
func (f *Failure) retryable() bool { return f.Type == TypeInterrupted || f.errorType().retry }

// restore returns the error that f was made of, as far as it can be.
func (f *Failure) restore() error {
	r := &restored{text: f.Message}
	if t := f.errorType(); t.err != nil {
		r.is = append(r.is, t.err)
	}
	if f.Server != nil {
		r.is = append(r.is, (*milvuswait.ServerError)(f.Server))
	}
	return r
}

type restored struct {
	text string
	is   []error
}

func (r *restored) Error() string   { return r.text }
func (r *restored) Unwrap() []error { return r.is }

// applicationError returns what fails the activity, or the workflow, because of o,
// and all is how every target of it ended, as far as they have.
func applicationError(o Outcome, all []Outcome) error {
	return temporal.NewApplicationErrorWithOptions(o.Err().Error(), o.Error.Type, temporal.ApplicationErrorOptions{
		NonRetryable: !o.Error.retryable(),
		Details:      []any{o, all},
	})
}

// refusal is the error of arguments that make no sense.
func refusal(err error) error {
	return applicationError(Outcome{Error: newFailure(err)}, nil)
}

// Restore returns err, which came out of an activity or workflow of this package,
// so that it says again what the wait said: errors.Is finds the sentinels of
// package milvuswait, and errors.As the *milvuswait.Error and the
// *milvuswait.ServerError. It is for workflows that wait for the activities and for
// programs that wait for the workflow.
//
// A start-to-close or schedule-to-close time-out is context.DeadlineExceeded, with
// the progress of the last heartbeat, and a cancellation context.Canceled. A
// heartbeat time-out, of a worker that is gone, is neither. Temporal's own errors
// are found too. A workflow may wrap its error or return it as Restore has: Restore
// finds the wait in it again at the other end. An error that says nothing of a wait,
// and nil, is returned as it is.
func Restore(err error) error {
	if o, found := outcomeOf(err); found {
		return &remote{o.Err(), err}
	}
	return err
}

// outcomeOf returns the outcome that err, of an activity or workflow, is of. What
// is outermost counts: a time-out has the failure of the attempt before it inside.
func outcomeOf(err error) (o Outcome, found bool) {
	switch e := err.(type) {
	case *temporal.ApplicationError:
		if e.HasDetails() && read(e.Details, &o) && o.Error != nil {
			return o, true
		}
		return outcomeOf(e.Unwrap()) // what a workflow has wrapped
	case *temporal.TimeoutError:
		if e.TimeoutType() == enumspb.TIMEOUT_TYPE_HEARTBEAT {
			return o, false
		}
		return lastOf(e.HasLastHeartbeatDetails(), e.LastHeartbeatDetails, context.DeadlineExceeded), true
	case *temporal.CanceledError:
		return lastOf(e.HasDetails(), e.Details, context.Canceled), true
	case interface{ Unwrap() error }:
		return outcomeOf(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			if o, found := outcomeOf(err); found {
				return o, true
			}
		}
	}
	return o, false
}

// read reads the details of an error, which may be somebody else's.
func read(details func(...any) error, into ...any) (ok bool) {
	// Details that have not been through Temporal yet panic if they are of other types.
	defer func() { ok = recover() == nil && ok }()
	return details(into...) == nil
}

// lastOf returns the outcome of a wait that was ended by cause from outside, with
// what the last heartbeat, in the details, told.
func lastOf(has bool, details func(...any) error, cause error) Outcome {
	var h Heartbeat
	f := describe(cause)
	if !has || !read(details, &h) || h.Total == 0 || h.Latest == nil {
		return Outcome{Error: f}
	}
	if h.Total > 1 {
		f.Message += fmt.Sprintf(" (%d of %d targets done, %d failed)", h.Done, h.Total, h.Failed)
		return Outcome{Error: f}
	}
	o := *h.Latest
	f.LastError = o.Error
	o.Error = f
	return o
}

// remote is the error of a wait that went on elsewhere.
type remote struct{ said, err error }

func (r *remote) Error() string { return r.said.Error() }

// Unwrap returns Temporal's error alone, which a workflow that returns r hands on so.
func (r *remote) Unwrap() error { return r.err }

func (r *remote) Is(target error) bool { return errors.Is(r.said, target) }
func (r *remote) As(target any) bool   { return errors.As(r.said, target) }
