package milvuswait

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// WaitForLoadingComplete returns when the collection is loaded or, by
// WithPartitions, the named partitions of it are. It does not load them: call
// LoadCollection first.
//
// It polls p at once, unless ctx is done already, and then at the pace of
// [Backoff] until the server says 100 %, ctx ends, or the load cannot end well
// any more. The progress that it returns is that of the last good poll, also
// beside an error; a nil error says that this poll showed the target complete.
//
// The error is ErrInvalid for arguments that make no sense, and an *Error
// otherwise. It is context.DeadlineExceeded or context.Canceled exactly if ctx
// ended the wait, and then has context.Cause(ctx) in it too; there is no other
// time limit than that of ctx. Else it is one of ErrNotLoaded,
// ErrCollectionNotFound, ErrPartitionNotFound, ErrDatabaseNotFound, ErrReleased,
// ErrLoadFailed, ErrUnreachable, ErrStalled and ErrAborted (if options ask for
// them), or a permanent error of p.
func WaitForLoadingComplete(ctx context.Context, p Poller, collection string, opts ...Option) (LoadingProgress, error) {
	c, err := newConfig(opts)
	if err != nil {
		return LoadingProgress{}, prefixed(err)
	}
	last, err := waitFor(ctx, p, Loading(collection, c.partitions...), c)
	progress, _ := last.(LoadingProgress)
	return progress, err
}

// WaitForIndexBuildingComplete returns when the index of the collection is built
// for every row: the one that WithIndex names, or the only one there is. Say
// WithExpectedRows whenever you know how many rows there are: rows that were
// inserted or flushed just now are not counted by the server yet, and without
// them an index looks complete.
//
// It polls p at once, unless ctx is done already, and then at the pace of
// [Backoff] until the index is complete by the criterion of WithIndexCriterion,
// ctx ends, or it cannot end well any more. The progress that it returns is that
// of the last good poll, also beside an error; a nil error says that this poll
// showed the target complete.
//
// The error is ErrInvalid for arguments that make no sense, and an *Error
// otherwise. It is context.DeadlineExceeded or context.Canceled exactly if ctx
// ended the wait, and then has context.Cause(ctx) in it too; there is no other
// time limit than that of ctx. Else it is one of ErrCollectionNotFound,
// ErrIndexNotFound, ErrAmbiguousIndex, ErrDatabaseNotFound, ErrIndexFailed,
// ErrUnreachable, ErrStalled and ErrAborted (if options ask for them), or a
// permanent error of p.
func WaitForIndexBuildingComplete(ctx context.Context, p Poller, collection string, opts ...Option) (IndexBuildingProgress, error) {
	c, err := newConfig(opts)
	if err != nil {
		return IndexBuildingProgress{}, prefixed(err)
	}
	last, err := waitFor(ctx, p, IndexBuilding(collection, c.index).ExpectRows(c.rows), c)
	progress, _ := last.(IndexBuildingProgress)
	return progress, err
}

// Watch returns an iterator over the updates of one wait, which it runs on the
// goroutine of the loop: one update a poll, the last of them final.
//
// The error beside an update is nil but for the final one of a wait that failed,
// and is what the waiting functions return; a poll that failed and was tolerated
// has its error in the update. Leaving the loop ends the wait; an observer is then
// told that it was aborted. Options are those of the waiting functions, but what
// the target itself says (WithPartitions, WithIndex, WithExpectedRows) is refused
// with ErrInvalid.
func Watch(ctx context.Context, p Poller, t Target, opts ...Option) iter.Seq2[Update, error] {
	return func(yield func(Update, error) bool) {
		c, err := newConfig(opts)
		if err == nil {
			err = c.refuse("does not go with a Target: say it there", "WithPartitions", "WithIndex", "WithExpectedRows")
		}
		var w *waiter
		if err == nil {
			w, err = newWaiter(ctx, p, t, c)
		}
		if err != nil {
			err = prefixed(err)
			yield(Update{Target: t, Err: err, Final: true}, err)
			return
		}
		w.run(func(u Update) bool {
			c.notify(u)
			if u.Final {
				return yield(u, u.Err)
			}
			if yield(u, nil) {
				return true
			}
			c.notify(w.state.finish(w.now(), fmt.Errorf("%w: the loop over Watch was left", ErrAborted)))
			return false
		})
	}
}

// waitFor runs one wait to its end.
func waitFor(ctx context.Context, p Poller, t Target, c *config) (Progress, error) {
	w, err := newWaiter(ctx, p, t, c)
	if err != nil {
		return nil, prefixed(err)
	}
	var last Update
	w.run(func(u Update) bool {
		c.notify(u)
		last = u
		return true
	})
	return last.Progress, last.Err
}

// prefixed returns err, of arguments, as it leaves the package.
func prefixed(err error) error { return fmt.Errorf("milvuswait: %w", err) }

// waiter is one wait on one goroutine.
type waiter struct {
	clock
	poller Poller
	state  waitState
}

// newWaiter checks the arguments and starts the clock.
func newWaiter(ctx context.Context, p Poller, t Target, c *config) (*waiter, error) {
	err := checkArguments(ctx, p, t)
	if err == nil {
		err = c.refuseFor(t.kind)
	}
	if err == nil {
		err = c.refuse("is for WaitAll", "WithMaxInFlight", "WithContinueOnError")
	}
	var pace pace
	if err == nil {
		pace, err = c.newPace(t.kind)
	}
	if err != nil {
		return nil, err
	}
	w := &waiter{clock: newClock(ctx), poller: p}
	w.state = newWaitState(c, t, pace, w.deadline)
	return w, nil
}

// run polls until the wait is over and tells sink of every poll. It leaves off,
// without a final update, when sink returns false.
func (w *waiter) run(sink func(Update) bool) {
	var timer *time.Timer
	for {
		if w.ended(w.now()) {
			sink(w.state.finish(w.now(), w.interruption()))
			return
		}
		a := poll(w.ctx, w.poller, &w.state)
		now := w.now()
		d := w.judge(&w.state, now, a)
		if d.verdict.final() {
			sink(w.state.finish(now, d.err))
			return
		}
		if !sink(w.state.update(now, a.err, d)) {
			return
		}
		if d.verdict == awaitDeadline {
			<-w.ctx.Done()
			continue
		}
		// The observer's time is not added to the delay.
		pause := now + d.delay - w.now()
		if timer == nil {
			timer = time.NewTimer(pause)
			defer timer.Stop()
		} else {
			timer.Reset(pause)
		}
		select {
		case <-timer.C:
		case <-w.ctx.Done():
		}
	}
}

// clock is what both drivers, of one wait and of many, know of time.
type clock struct {
	ctx      context.Context
	start    time.Time
	deadline time.Duration // since start
}

func newClock(ctx context.Context) clock {
	k := clock{ctx: ctx, start: time.Now(), deadline: noDeadline}
	if deadline, ok := ctx.Deadline(); ok {
		k.deadline = deadline.Sub(k.start)
	}
	return k
}

func (k *clock) now() time.Duration { return time.Since(k.start) }

// ended reports whether the context has ended. Its timer may be late: the deadline
// itself decides.
func (k *clock) ended(now time.Duration) bool {
	if now >= k.deadline {
		<-k.ctx.Done()
	}
	return k.ctx.Err() != nil
}

// interruption returns what ended the context: its error and, if its caller gave
// one, the cause.
func (k *clock) interruption() error {
	err, cause := k.ctx.Err(), context.Cause(k.ctx)
	if cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", err, &maskedError{cause})
}

// judge has s decide about an answer. Only a complete answer wins over a context
// that has ended meanwhile.
func (k *clock) judge(s *waitState, now time.Duration, a answer) decision {
	if a.err != nil && k.ended(now) {
		s.noteInterrupted(a)
		return decision{verdict: failed, err: k.interruption()}
	}
	d := s.decide(now, a, s.cfg.random())
	if d.verdict != succeeded && k.ended(now) {
		// What the poll has found is beside the point, but worth saying.
		s.lastErr = cmp.Or(d.err, s.lastErr)
		return decision{verdict: failed, err: k.interruption()}
	}
	return d
}
