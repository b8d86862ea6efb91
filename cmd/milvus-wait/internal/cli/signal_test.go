//go:build !windows

package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
)

// TestUntilSignal_SignalAfterStop_HasNoEffect has a second SIGHUP between the report of the
// first and the exit. Without a handler, it would kill this process.
func TestUntilSignal_SignalAfterStop_HasNoEffect(t *testing.T) {
	ctx, stop := untilSignal(context.Background())
	require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGHUP))
	select {
	case <-ctx.Done():
	case <-time.After(time.Minute):
		t.Fatal("the signal did not end the context")
	}

	stop()
	require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGHUP))

	// The second SIGHUP may be pending, and would end the wait of another test. Signals are
	// delivered in the order of their numbers, and SIGWINCH comes after it.
	later := make(chan os.Signal, 1)
	signal.Notify(later, syscall.SIGWINCH)
	defer signal.Stop(later)
	require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGWINCH))
	<-later

	var first *exit.SignalError
	require.ErrorAs(t, context.Cause(ctx), &first)
	require.Equal(t, syscall.SIGHUP, first.Signal)
}
