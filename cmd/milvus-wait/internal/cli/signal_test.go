//go:build !windows

package cli

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
)

// TestUntilSignal_SignalAfterStop_HasNoEffect has a second SIGHUP between the report of the
// first and the exit. Without a handler, it would kill the process. It runs in a child,
// because signals would end the waits of all tests here.
func TestUntilSignal_SignalAfterStop_HasNoEffect(t *testing.T) {
	const variable = "MILVUSWAIT_TEST_CHILD"
	if os.Getenv(variable) == "" {
		// A child inherits an ignored SIGHUP, as under nohup, but not a caught one.
		caught := make(chan os.Signal, 1)
		signal.Notify(caught, syscall.SIGHUP)
		defer signal.Stop(caught)

		child := exec.Command(os.Args[0], "-test.run=^TestUntilSignal_SignalAfterStop_HasNoEffect$")
		child.Env = append(os.Environ(), variable+"=1")
		out, err := child.CombinedOutput()
		require.NoError(t, err, string(out))
		return
	}

	ctx, stop := untilSignal(context.Background())
	require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGHUP))
	select {
	case <-ctx.Done():
	case <-time.After(time.Minute):
		t.Fatal("the signal did not end the context")
	}

	stop()
	require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGHUP))

	var first *exit.SignalError
	require.ErrorAs(t, context.Cause(ctx), &first)
	require.Equal(t, syscall.SIGHUP, first.Signal)
}
