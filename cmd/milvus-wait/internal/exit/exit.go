// Package exit has the exit codes of milvus-wait, those of timeout(1) and wait4x.
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

// The exit codes, besides 128 and the number of the signal that ended the wait.
const (
	Done     = 0
	Failed   = 1
	Usage    = 2
	TimedOut = 124
)

// Usagef returns an error of who called the command, whose exit code is Usage.
func Usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// AsUsage returns err as an error of who called the command; AsUsage(nil) is nil.
func AsUsage(err error) error {
	if err == nil {
		return nil
	}
	return &usageError{err}
}

type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// A SignalError says by which signal the command was told to end.
type SignalError struct{ Signal os.Signal }

func (e *SignalError) Error() string { return "ended by signal: " + e.Signal.String() }

// Code returns the exit code of a command that ended with err.
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

// Text returns the text of err, with a time-out as people say it.
func Text(err error) string {
	if !errors.Is(err, context.DeadlineExceeded) {
		return err.Error() // where a server may quote one of its own
	}
	return strings.Replace(err.Error(), context.DeadlineExceeded.Error(), "timed out", 1)
}

// OfSignal returns the exit code of a command that a signal ended: 130 for
// SIGINT, 143 for SIGTERM.
func OfSignal(s os.Signal) int {
	if number, ok := s.(syscall.Signal); ok {
		return 128 + int(number)
	}
	return Failed
}

// OfOutcomes returns the exit code of a wait that ended so: TimedOut if time was
// all that was missing, since waiting again may do then, and Failed if any target
// failed by itself.
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
