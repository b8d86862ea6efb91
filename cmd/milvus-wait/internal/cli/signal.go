package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
)

// untilSignal returns a context that the first SIGINT or SIGTERM ends. A second
// one ends the process at once: nothing of it has to be put back.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for first := true; ; first = false {
			select {
			case s := <-signals:
				if !first {
					os.Exit(exit.OfSignal(s))
				}
				cancel(&exit.SignalError{Signal: s})
			case <-done:
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel(nil)
	}
}
