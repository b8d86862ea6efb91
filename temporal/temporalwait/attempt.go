package temporalwait

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/milvuswait/milvuswait"
)

// interruption is the cause of an attempt that ends early and must be retried.
type interruption struct{ why string }

func (i *interruption) Error() string { return "interrupted: " + i.why }

// attempt is one attempt of an activity at a wait. It does not depend on Temporal, so that
// tests can run it without a server.
type attempt struct {
	poller    milvuswait.Poller
	cluster   string
	targets   []Target
	options   Options
	continues bool // keep waiting when a target fails
	backoff   milvuswait.Backoff
	own       []milvuswait.Option

	number int32
	before *Heartbeat // last heartbeat of the attempt before; nil for the first attempt

	beat  func(Heartbeat) // records a heartbeat; may block
	every time.Duration   // interval between heartbeats
	stop  <-chan struct{} // closed when the worker stops; may be nil
}

// run waits for the targets that earlier attempts have not ended. It returns the outcomes
// known so far in the order of the targets, and the last heartbeat, even when it also
// returns an error.
func (a *attempt) run(ctx context.Context) ([]Outcome, Heartbeat, error) {
	now := time.Now()
	begin := Heartbeat{Attempt: a.number, Began: a.before.began(now), ClocksSince: now}
	if a.before != nil {
		begin.Ended, begin.Latest = a.before.Ended, a.before.Latest
	}

	waited := now.Sub(begin.Began)
	ended := make(map[key]Outcome, len(a.targets))
	for _, o := range begin.Ended {
		ended[o.key()] = o
	}

	left, distinct := a.left(ended)
	l := newLedger(a.cluster, begin, distinct)

	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := a.keepBeating(l, cancel)
	options := append([]milvuswait.Option{milvuswait.WithBackoff(goOn(a.backoff, waited)), milvuswait.WithObserver(l)}, a.options.of(left).with(waited)...)
	if a.continues {
		options = append(options, milvuswait.WithContinueOnError())
	}

	// WaitAll may panic; the deferred call then stops the heartbeats. After a regular
	// return, stop them first and record the final state, from which the next attempt
	// resumes.
	defer silence()
	outcomes, err := milvuswait.WaitAll(ctx, a.poller, plain(left), append(options, a.own...)...)
	silence()
	if err != nil {
		_ = a.record(l.now()) // best effort
	}

	for _, o := range outcomes {
		ended[key{a.cluster, o.Target}] = newOutcome(a.cluster, o, waited)
	}
	if by := (*interruption)(nil); err != nil && errors.As(context.Cause(ctx), &by) {
		err = by
	}

	all := make([]Outcome, 0, len(a.targets))
	for _, t := range a.targets {
		if o, found := ended[t.key()]; found {
			all = append(all, o)
		}
	}
	return all, l.now(), err
}

// left returns the targets that have not ended, and the number of distinct ones.
func (a *attempt) left(ended map[key]Outcome) (left []Target, distinct int) {
	seen := make(map[key]bool)
	for _, t := range a.targets {
		if _, found := ended[t.key()]; !found {
			left = append(left, t)
			seen[t.key()] = true
		}
	}
	return left, len(seen)
}

// keepBeating records a heartbeat immediately and then at every interval, even while a poll
// or an observer blocks. The returned function stops it and waits for its goroutine.
// keepBeating cancels the wait with an interruption if the worker stops or a heartbeat
// cannot be recorded.
func (a *attempt) keepBeating(l *ledger, cancel context.CancelCauseFunc) (silence func()) {
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		ticker := time.NewTicker(a.every)
		defer ticker.Stop()

		stop := a.stop
		for {
			if err := a.record(l.now()); err != nil {
				cancel(err)
				return
			}

			select {
			case <-ticker.C:
			case <-stop:
				cancel(&interruption{"the worker stops"})
				stop = nil
			case <-done:
				return
			}
		}
	})
	return sync.OnceFunc(func() {
		close(done)
		group.Wait()
	})
}

// record records a heartbeat. The SDK panics if it cannot encode one, for example because an
// encryption key is missing. On this goroutine, the panic would end the process, so record
// returns it as an interruption.
func (a *attempt) record(h Heartbeat) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &interruption{fmt.Sprintf("no heartbeat: %v", p)}
		}
	}()
	a.beat(h)
	return nil
}

// goOn returns the pace for a wait that has already taken waited. The initial delay becomes
// at least the delay of the lost attempt at its end. The promised lateness is kept, because
// it grows with the whole duration of the wait.
func goOn(b milvuswait.Backoff, waited time.Duration) milvuswait.Backoff {
	lateness, most := b.Lateness, b.Max
	if lateness == 0 {
		lateness = 0.02
	}
	if most == 0 {
		most = max(5*time.Second, b.Initial)
	}

	if least := min(lateness*float64(waited), float64(most)); least > float64(100*time.Millisecond) {
		b.Initial = max(b.Initial, time.Duration(least))
	}
	return b
}

// check returns ErrInvalid if an option or a target is invalid, or if the targets are on
// more than one cluster.
func (a *attempt) check() error {
	if err := a.options.validate(a.targets); err != nil {
		return err
	}
	for i, t := range a.targets {
		err := t.validate()
		if err == nil && t.Cluster != a.cluster {
			err = fmt.Errorf("%w: it is on cluster %q, others on %q: an activity waits on one", milvuswait.ErrInvalid, t.Cluster, a.cluster)
		}
		if err != nil && len(a.targets) > 1 {
			err = fmt.Errorf("target %d of %d: %w", i+1, len(a.targets), err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
