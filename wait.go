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
// ErrLoadFailed, ErrUnreachable, ErrStalled (if asked for), or a permanent error
// of p.
func WaitForLoadingComplete(ctx context.Context, p Poller, collection string, opts ...Option) (LoadingProgress, error) {
	c, err := newConfig(opts)
	if err == nil {
		err = c.refuse("is for indexes, not for a load", "WithIndex", "WithExpectedRows", "WithIndexCriterion")
	}
	if err != nil {
		return LoadingProgress{}, err
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
// ErrUnreachable, ErrStalled (if asked for), or a permanent error of p.
func WaitForIndexBuildingComplete(ctx context.Context, p Poller, collection string, opts ...Option) (IndexBuildingProgress, error) {
	c, err := newConfig(opts)
	if err == nil {
		err = c.refuse("is for loads, not for an index", "WithPartitions", "WithRefresh")
	}
	if err != nil {
		return IndexBuildingProgress{}, err
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
// has its error in the update. Leaving the loop ends the wait. Options are those
// of the waiting functions, but what the target itself says (WithPartitions,
// WithIndex) is refused with ErrInvalid.
func Watch(ctx context.Context, p Poller, t Target, opts ...Option) iter.Seq2[Update, error] {
	return func(yield func(Update, error) bool) {
		c, err := newConfig(opts)
		if err == nil {
			err = c.refuse("does not go with a Target: say it there", "WithPartitions", "WithIndex")
		}
		if err == nil && t.rows == 0 {
			t.rows = c.rows
		}
		var w *waiter
		if err == nil {
			w, err = newWaiter(ctx, p, t, c)
		}
		if err != nil {
			yield(Update{Target: t, Err: err, Final: true}, err)
			return
		}
		w.run(func(u Update) bool {
			if c.observer != nil {
				c.observer.Observe(u)
			}
			if u.Final {
				return yield(u, u.Err)
			}
			return yield(u, nil)
		})
	}
}

// waitFor runs one wait to its end.
func waitFor(ctx context.Context, p Poller, t Target, c *config) (Progress, error) {
	w, err := newWaiter(ctx, p, t, c)
	if err != nil {
		return nil, err
	}
	w.run(func(u Update) bool {
		if c.observer != nil {
			c.observer.Observe(u)
		}
		return true
	})
	return w.core.last, w.err
}

// waiter is one wait on one goroutine: the clock, the sleep and the polls around
// a core.
type waiter struct {
	ctx    context.Context
	poller Poller
	core   core
	start  time.Time
	err    error // what the wait returns
}

// newWaiter checks the arguments and starts the clock.
func newWaiter(ctx context.Context, p Poller, t Target, c *config) (*waiter, error) {
	switch {
	case ctx == nil:
		return nil, fmt.Errorf("milvuswait: %w: the context is nil", ErrInvalid)
	case isNil(p):
		return nil, fmt.Errorf("milvuswait: %w: the Poller is nil", ErrInvalid)
	}
	if err := t.validate(); err != nil {
		return nil, fmt.Errorf("milvuswait: %w", err)
	}
	pace, err := c.newPace(t.kind)
	if err != nil {
		return nil, err
	}
	w := &waiter{ctx: ctx, poller: p, start: time.Now()}
	limit := noLimit
	if deadline, ok := ctx.Deadline(); ok {
		limit = deadline.Sub(w.start)
	}
	w.core = newCore(c, t, pace, limit)
	return w, nil
}

// run polls until the wait is over and tells sink of every poll. It leaves off,
// without a final update, when sink returns false.
func (w *waiter) run(sink func(Update) bool) {
	var timer *time.Timer
	for {
		if !w.mayPoll() {
			w.finish(sink, w.interruption())
			return
		}
		a := poll(w.ctx, w.poller, &w.core)
		now := time.Since(w.start)
		if a.err != nil && w.ctx.Err() != nil {
			w.core.interrupt(a)
			w.finish(sink, w.interruption())
			return
		}
		d := w.core.observe(now, a, w.core.cfg.random())
		switch {
		case d.verdict == done:
			w.finish(sink, nil)
			return
		case w.ctx.Err() != nil:
			// What the poll has found is beside the point, but worth saying.
			w.core.lastErr = cmp.Or(d.err, w.core.lastErr)
			w.finish(sink, w.interruption())
			return
		case d.verdict == failed:
			w.finish(sink, d.err)
			return
		}
		if !sink(w.core.update(now, a.err, d)) {
			return
		}
		if d.verdict == rest {
			<-w.ctx.Done()
			continue
		}
		// The observer's time is not added to the delay.
		pause := d.delay - (time.Since(w.start) - now)
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

// mayPoll reports whether the context leaves time for a poll. Its timer may be
// late: the deadline itself decides.
func (w *waiter) mayPoll() bool {
	if w.ctx.Err() != nil {
		return false
	}
	if time.Since(w.start) < w.core.limit {
		return true
	}
	<-w.ctx.Done()
	return false
}

// finish sends the final update and keeps the error of a wait that ended because
// of cause, nil if it ended well.
func (w *waiter) finish(sink func(Update) bool, cause error) {
	u := w.core.update(time.Since(w.start), nil, decision{})
	u.Final, u.ETA, u.Next = true, 0, 0
	if cause != nil {
		w.err = w.core.failure(cause, u.Elapsed)
		u.Err = w.err
	} else {
		u.Fraction = 1
	}
	sink(u)
}

// interruption returns what ended the context: its error and, if its caller gave
// one, the cause.
func (w *waiter) interruption() error {
	err, cause := w.ctx.Err(), context.Cause(w.ctx)
	if cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// poll makes one poll for c, within its time-out.
func poll(parent context.Context, p Poller, c *core) (a answer) {
	ctx, cancel := context.WithTimeout(parent, c.timeout)
	defer cancel()
	begin := time.Now()
	t := c.target
	if t.kind == KindIndexBuilding {
		a.progress, a.err = boxed(p.IndexBuildingProgress(ctx, t.collection, t.index))
	} else {
		a.progress, a.err = boxed(p.LoadingProgress(ctx, t.collection, t.Partitions()...))
	}
	if a.err == nil && c.wantsCheck(a.progress) {
		checkLoadState(ctx, p, t, &a)
	}
	a.took = time.Since(begin)
	if a.err != nil && ctx.Err() != nil && parent.Err() == nil {
		a.timedOut = true
		a.err = fmt.Errorf("poll timed out after %v: %w", c.timeout, a.err)
	}
	return a
}

// checkLoadState makes sure of a load that shows 0 %, if p can.
func checkLoadState(ctx context.Context, p Poller, t Target, a *answer) {
	checker, ok := p.(LoadStateChecker)
	if !ok {
		return
	}
	switch err := checker.CheckLoadState(ctx, t.collection, t.Partitions()...); {
	case err == nil:
		a.checked = true
	case isPermanent(err):
		a.checked, a.err = true, err
	}
}

// boxed puts a progress into the interface.
func boxed[P Progress](p P, err error) (Progress, error) { return p, err }
