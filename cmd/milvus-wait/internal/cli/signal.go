package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
)

// untilSignal returns a context that ends at the first of endingSignals. A second signal
// exits the process at once, because there is no state to restore. A SIGINT or SIGHUP
// ignored by the parent stays ignored, as in background jobs of a shell and by nohup.
//
// The returned function ends the handling of signals, and may be called several times. A
// signal that arrived before is the context's cause then, and later ones have no effect: the
// process is about to exit with the code of the first.
func untilSignal(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 2)
	for _, s := range endingSignals {
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
				switch {
				case first:
					cancel(&exit.SignalError{Signal: s})
				case s != syscall.SIGHUP: // a closed terminal sends two: the kernel's and the shell's
					os.Exit(exit.OfSignal(s))
				}
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
		if ctx.Err() == nil { // otherwise the next signal would kill the process
			signal.Stop(signals)
		}
		close(done)
		<-ended
		cancel(nil)
	})
}
