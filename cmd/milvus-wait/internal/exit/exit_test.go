package exit_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
)

func TestCode(t *testing.T) {
	interrupted := &exit.SignalError{Signal: os.Interrupt}
	tests := []struct {
		name string
		err  error
		want int
	}{
		{"done", nil, 0},
		{"failed", errors.New("no"), 1},
		{"not found", milvuswait.ErrCollectionNotFound, 1},
		{"usage", exit.Usagef("no %s", "target"), 2},
		{"usage, wrapped", fmt.Errorf("load: %w", exit.AsUsage(errors.New("no"))), 2},
		{"the time was up", fmt.Errorf("waiting: %w", context.DeadlineExceeded), 124},
		{"ctrl-C", fmt.Errorf("waiting: %w", interrupted), 130},
		{"SIGTERM", &exit.SignalError{Signal: syscall.SIGTERM}, 143},
		{"ctrl-C when the time was up", errors.Join(context.DeadlineExceeded, interrupted), 130},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, exit.Code(tt.err))
		})
	}
}

func TestErrorsOfUsage(t *testing.T) {
	cause := errors.New("cause")

	require.NoError(t, exit.AsUsage(nil))
	require.EqualError(t, exit.AsUsage(cause), "cause")
	require.ErrorIs(t, exit.Usagef("no: %w", cause), cause)
}

func TestOfOutcomes(t *testing.T) {
	timedOut, failed, aborted := fmt.Errorf("no: %w", context.DeadlineExceeded), milvuswait.ErrLoadFailed, milvuswait.ErrAborted
	tests := []struct {
		name string
		errs []error
		want int
	}{
		{"nothing", nil, 0},
		{"all done", []error{nil, nil}, 0},
		{"one failed", []error{nil, failed, nil}, 1},
		{"one timed out", []error{nil, timedOut, nil}, 124},
		{"all timed out", []error{timedOut, timedOut}, 124},
		{"one failed and one timed out", []error{timedOut, failed}, 1},
		{"one failed and one was given up", []error{failed, aborted}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var outcomes []milvuswait.Outcome
			for _, err := range tt.errs {
				outcomes = append(outcomes, milvuswait.Outcome{Err: err})
			}
			require.Equal(t, tt.want, exit.OfOutcomes(outcomes))
		})
	}
}

func TestInterrupted(t *testing.T) {
	hangup := &exit.SignalError{Signal: syscall.SIGHUP}

	require.Equal(t, 129, exit.Interrupted(1, nil, fmt.Errorf("no: %w", hangup)))
	require.Equal(t, 124, exit.Interrupted(124, nil, context.DeadlineExceeded))
	require.Equal(t, 1, exit.Interrupted(1))
}

// private is a signal of no system.
type private struct{}

func (private) String() string { return "private" }
func (private) Signal()        {}

func TestSignals(t *testing.T) {
	require.Equal(t, 130, exit.OfSignal(os.Interrupt))
	require.Equal(t, 143, exit.OfSignal(syscall.SIGTERM))
	require.Equal(t, 1, exit.OfSignal(private{}))
	require.EqualError(t, &exit.SignalError{Signal: private{}}, "ended by signal: private")
	require.Equal(t, "canceled", milvuswait.Reason(fmt.Errorf("reading: %w", &exit.SignalError{Signal: syscall.SIGTERM})))
}
