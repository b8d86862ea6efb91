package temporalwait

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/milvuswait/milvuswait"
)

// interruption is why a wait is to go on in another attempt.
type interruption struct{ why string }

func (i *interruption) Error() string { return "interrupted: " + i.why }

// attempt is one attempt of an activity at a wait. It knows nothing of Temporal.
type attempt struct {
	poller    milvuswait.Poller
	cluster   string
	targets   []Target
	options   Options
	continues bool // when a target fails
	backoff   milvuswait.Backoff
	own       []milvuswait.Option

	number int32
	before *Heartbeat // the last one of the attempt before; nil if this is the first

	beat  func(Heartbeat) // may block
	every time.Duration   // between heartbeats
	stop  <-chan struct{} // closed when the worker stops; may be nil
}

// run waits, and returns how each target ended, in order, also beside an error.
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
	defer silence()
	outcomes, err := milvuswait.WaitAll(ctx, a.poller, plain(left), append(options, a.own...)...)
	silence()
	if err != nil {
		_ = a.tell(l.now()) // which the next attempt begins with, if it can be told
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

// left returns the targets that have not ended, and how many of them differ.
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

// keepBeating tells Temporal how far the wait is, however long a poll or an observer
// takes, until the function that it returns is called.
func (a *attempt) keepBeating(l *ledger, cancel context.CancelCauseFunc) (silence func()) {
	done := make(chan struct{})
	var group sync.WaitGroup
	group.Go(func() {
		ticker := time.NewTicker(a.every)
		defer ticker.Stop()
		stop := a.stop
		for {
			if err := a.tell(l.now()); err != nil {
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

// tell tells Temporal. What cannot be put into a heartbeat, for want of a key, say,
// panics in the SDK: on a goroutine of its own that would end the process.
func (a *attempt) tell(h Heartbeat) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &interruption{fmt.Sprintf("no heartbeat: %v", p)}
		}
	}()
	a.beat(h)
	return nil
}

// goOn returns the pace of a wait that has taken that long already: no delay is
// shorter than the wait that was lost would have had by then, but the promise is
// kept, which grows with the whole of the wait.
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

// check names what is wrong with the arguments.
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
