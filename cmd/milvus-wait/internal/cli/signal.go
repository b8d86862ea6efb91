package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
)

// untilSignal returns a context that ends at the first SIGINT or SIGTERM. A second signal
// exits the process at once, because there is no state to restore. A SIGINT ignored by
// the parent stays ignored, as in background jobs of a shell.
//
// The returned function ends the handling of signals, and may be called several times. A
// signal that arrived before is the context's cause then.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}

	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for first := true; ; first = false {
			select {
			case s := <-signals:
				if !first {
					os.Exit(exit.OfSignal(s))
				}
				cancel(&exit.SignalError{Signal: s})
			case <-done:
				select {
				case s := <-signals:
					cancel(&exit.SignalError{Signal: s})
				default:
				}
				return
			}
		}
	}()

	return ctx, sync.OnceFunc(func() {
		signal.Stop(signals)
		close(done)
		<-ended
		cancel(nil)
	})
}
