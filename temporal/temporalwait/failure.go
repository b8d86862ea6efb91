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

// Types of ApplicationErrors without a sentinel in package milvuswait.
const (
	// TypePermanent is the type for a permanent error of a Poller without a sentinel, such
	// as a missing permission. It is not retried.
	TypePermanent = "milvuswait.Permanent"

	// TypeInterrupted is the type for an attempt that could not continue, because its
	// worker stopped or could not reach Temporal. It is retried.
	TypeInterrupted = "milvuswait.Interrupted"
)

// errorType maps a sentinel to the type of an ApplicationError.
type errorType struct {
	name  string
	err   error
	retry bool // another attempt may succeed
}

// types lists all mapped sentinels. The first match counts.
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
	{"milvuswait.ErrJobNotFound", milvuswait.ErrJobNotFound, false},
	{"milvuswait.ErrJobFailed", milvuswait.ErrJobFailed, false},
	{"milvuswait.ErrInvalid", milvuswait.ErrInvalid, false},
	{"milvuswait.ErrAborted", milvuswait.ErrAborted, false},
}

// Failure is the reason why a target failed.
type Failure struct {
	// Type is the type of the ApplicationError: the Go name of the sentinel, such as
	// "milvuswait.ErrNotLoaded", or TypePermanent, or "" for an error without a name.
	Type string `json:"type,omitempty"`

	Message   string       `json:"message"`
	Server    *ServerError `json:"server,omitempty"`     // the server's error, if it caused the failure
	LastError *Failure     `json:"last_error,omitempty"` // error of the last poll, if it is not the cause
}

// ServerError is a [milvuswait.ServerError] in JSON.
type ServerError struct {
	Code       int32  `json:"code"`
	LegacyCode int32  `json:"error_code"`
	Reason     string `json:"reason,omitempty"`
	Retriable  bool   `json:"retriable,omitempty"`
	Method     string `json:"method,omitempty"`
}

// newFailure returns the Failure for an error of a wait, or nil for nil.
func newFailure(err error) *Failure {
	if err == nil {
		return nil
	}
	var e *milvuswait.Error
	if !errors.As(err, &e) {
		f := describe(err)
		f.Message = strings.TrimPrefix(f.Message, "milvuswait: ") // restoring adds the prefix again
		return f
	}

	f := describe(e.Cause)
	if f.Type == "" {
		f.Type = TypePermanent // only permanent errors end a wait
	}

	if e.LastErr != nil {
		f.LastError = describe(e.LastErr)
		f.LastError.Message, f.LastError.Server = cut(f.LastError.Message, longestLast), nil
	}
	return f
}

// Maximum lengths in bytes of JSON. A Failure takes at most 3 KiB, so that a payload holds
// a whole chunk of failures.
const (
	longestMessage = 1400
	longestReason  = 600 // the message contains it too
	longestLast    = 600
)

// describe returns the Failure for err itself, without the last poll's error. It truncates
// long texts.
func describe(err error) *Failure {
	f := &Failure{Message: cut(err.Error(), longestMessage)}
	for _, t := range types {
		if errors.Is(err, t.err) {
			f.Type = t.name
			break
		}
	}

	var reported *milvuswait.ServerError
	if errors.As(err, &reported) {
		bounded := ServerError(*reported)
		bounded.Reason, bounded.Method = cut(reported.Reason, longestReason), cut(reported.Method, 100)
		f.Server = &bounded
	}
	return f
}

// cut returns s, truncated and marked with an ellipsis if its JSON is longer than most
// bytes.
func cut(s string, most int) string {
	const mark = "…"
	if b, _ := json.Marshal(s); len(b)-len(`""`) <= most-len(mark) { // the usual case; Marshal never fails for a string
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

// errorType returns the row of types for f, or the zero errorType if there is none.
func (f *Failure) errorType() errorType {
	for _, t := range types {
		if t.name == f.Type {
			return t
		}
	}
	return errorType{}
}

// retryable reports whether another attempt may succeed.
func (f *Failure) retryable() bool { return f.Type == TypeInterrupted || f.errorType().retry }

// restore returns an error with the message of f, in which errors.Is and errors.As find the
// sentinel and the ServerError.
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

// restored is an error rebuilt from a Failure.
type restored struct {
	text string
	is   []error
}

func (r *restored) Error() string   { return r.text }
func (r *restored) Unwrap() []error { return r.is }

// applicationError returns the error of an activity or workflow that fails because of o.
// The list all holds the known outcomes of all its targets.
func applicationError(o Outcome, all []Outcome) error {
	return temporal.NewApplicationErrorWithOptions(o.Err().Error(), o.Error.Type, temporal.ApplicationErrorOptions{
		NonRetryable: !o.Error.retryable(),
		Details:      []any{o, all},
	})
}

// refusal returns the error for invalid arguments.
func refusal(err error) error {
	return applicationError(Outcome{Error: newFailure(err)}, nil)
}

// Restore returns the error of a wait for an error from an activity or workflow of this
// package. In the result, errors.Is finds the sentinels of package milvuswait, and
// errors.As finds the *milvuswait.Error and the *milvuswait.ServerError. Use it in
// workflows that run the activities and in programs that run the workflow.
//
// A start-to-close or schedule-to-close timeout becomes context.DeadlineExceeded, with the
// progress of the last heartbeat. A cancellation becomes context.Canceled. A heartbeat
// timeout, from a lost worker, becomes neither. The result also wraps Temporal's own
// errors.
//
// A workflow may wrap its error, or return the result of Restore: another Restore on the
// caller's side finds the same wait in it. An error without a wait inside, or nil, is
// returned unchanged.
func Restore(err error) error {
	if o, found := outcomeOf(err); found {
		return &remote{o.Err(), err}
	}
	return err
}

// outcomeOf returns the outcome in an error of an activity or workflow, if there is one.
// The outermost error counts, because a timeout wraps the failure of the attempt before it.
func outcomeOf(err error) (o Outcome, found bool) {
	switch e := err.(type) {
	case *temporal.ApplicationError:
		if e.HasDetails() && read(e.Details, &o) && o.Error != nil {
			return o, true
		}
		return outcomeOf(e.Unwrap()) // a workflow may have wrapped it
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

// read decodes the details of an error into the arguments, and reports success. The error
// may come from foreign code, with details of other types.
func read(details func(...any) error, into ...any) (ok bool) {
	// Details that have not passed through Temporal yet panic on a type mismatch.
	defer func() { ok = recover() == nil && ok }()
	return details(into...) == nil
}

// lastOf returns the outcome of a wait that was ended from outside by cause. It takes the
// progress from the last heartbeat, which the details hold.
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

// remote is the error of a wait that ran in another process: own is the wait's error, err
// is Temporal's.
type remote struct{ own, err error }

func (r *remote) Error() string { return r.own.Error() }

// Unwrap returns only Temporal's error, because a workflow that returns r must pass exactly
// this one on.
func (r *remote) Unwrap() error { return r.err }

func (r *remote) Is(target error) bool { return errors.Is(r.own, target) }
func (r *remote) As(target any) bool   { return errors.As(r.own, target) }
