//go:build !windows

package cli

import (
	"context"
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

	var first *exit.SignalError
	require.ErrorAs(t, context.Cause(ctx), &first)
	require.Equal(t, syscall.SIGHUP, first.Signal)
}
