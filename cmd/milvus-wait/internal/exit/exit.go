// Package exit has the exit codes of milvus-wait: the codes of timeout(1) and wait4x.
package exit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/milvuswait/milvuswait"
)

// Exit codes. OfSignal returns the code for a signal.
const (
	Done     = 0
	Failed   = 1
	Usage    = 2
	TimedOut = 124
)

// Usagef returns a usage error. Its exit code is Usage.
func Usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// AsUsage returns err as a usage error, or nil for nil.
func AsUsage(err error) error {
	if err == nil {
		return nil
	}
	return &usageError{err}
}

type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// A SignalError is the cause of a context ended by a signal.
type SignalError struct{ Signal os.Signal }

func (e *SignalError) Error() string { return "ended by signal: " + e.Signal.String() }

// Is reports whether target is context.Canceled: a signal cancels.
func (e *SignalError) Is(target error) bool { return target == context.Canceled }

// Code returns the exit code for the error of a command.
func Code(err error) int {
	var (
		usage  *usageError
		signal *SignalError
	)

	switch {
	case err == nil:
		return Done
	case errors.As(err, &usage):
		return Usage
	case errors.As(err, &signal):
		return OfSignal(signal.Signal)
	case errors.Is(err, context.DeadlineExceeded):
		return TimedOut
	}
	return Failed
}

// Text returns the text of err, with "timed out" for an exceeded deadline.
func Text(err error) string {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err.Error() // a server's text may contain the same words
	}

	return strings.Replace(err.Error(), context.DeadlineExceeded.Error(), "timed out", 1)
}

// OfSignal returns the exit code for a signal: 129 for SIGHUP, 130 for SIGINT, 131 for
// SIGQUIT, 143 for SIGTERM.
func OfSignal(s os.Signal) int {
	if number, ok := s.(syscall.Signal); ok {
		return 128 + int(number)
	}
	return Failed
}

// Interrupted returns the code of the signal in one of errs, or else the given code.
func Interrupted(code int, errs ...error) int {
	var signal *SignalError
	if errors.As(errors.Join(errs...), &signal) {
		return Code(signal)
	}
	return code
}

// OfOutcomes returns the exit code of a wait: Failed if any target failed by itself, and
// TimedOut if every unfinished target only ran out of time. After TimedOut, another wait may
// succeed.
func OfOutcomes(outcomes []milvuswait.Outcome) int {
	code := Done

	for _, o := range outcomes {
		switch {
		case o.Err == nil:
		case errors.Is(o.Err, context.DeadlineExceeded):
			code = TimedOut
		default:
			return Failed
		}
	}

	return code
}
