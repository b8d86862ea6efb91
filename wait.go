package milvuswait

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"time"
)

// WaitForLoadingComplete blocks until the collection, or the partitions named by
// WithPartitions, are loaded. It does not start the load: call LoadCollection first.
//
// A load is complete when the server reports 100 %. The rules of all waits apply: see the
// package comment. The sentinels of a load are ErrNotLoaded, ErrCollectionNotFound,
// ErrPartitionNotFound, ErrDatabaseNotFound, ErrReleased and ErrLoadFailed.
func WaitForLoadingComplete(ctx context.Context, p Poller, collection string, opts ...Option) (LoadingProgress, error) {
	c, err := newConfig(opts)
	if err != nil {
		return LoadingProgress{}, prefixed(err)
	}
	last, err := waitFor(ctx, p, Loading(collection, c.partitions...), c)
	progress, _ := last.(LoadingProgress)
	return progress, err
}

// WaitForIndexBuildingComplete blocks until the index named by WithIndex, or the only
// index of the collection, is built for every row that was flushed before the call.
//
// A server does not count the rows of a flush before it is done: without them, an index
// looks complete. On Milvus 2.2.9 to 2.5 the wait finds these rows by itself, if p is a
// [SegmentLister]. Milvus 2.6 and newer do not report them: pass the result of Flush by
// WithFlush, or the number of rows by WithExpectedRows. A wait without either, on a server
// without a report of these rows, is unconfirmed: see [Update].
//
// An index is complete by the criterion of WithIndexCriterion. The rules of all waits apply:
// see the package comment. The sentinels of an index are ErrCollectionNotFound,
// ErrIndexNotFound, ErrAmbiguousIndex, ErrDatabaseNotFound and ErrIndexFailed. A flush mark
// for a Poller that is no [FlushPoller] is ErrInvalid.
func WaitForIndexBuildingComplete(ctx context.Context, p Poller, collection string, opts ...Option) (IndexBuildingProgress, error) {
	c, err := newConfig(opts)
	if err != nil {
		return IndexBuildingProgress{}, prefixed(err)
	}
	t := IndexBuilding(collection, c.index).ExpectRows(c.rows)
	t.mark = c.mark
	last, err := waitFor(ctx, p, t, c)
	progress, _ := last.(IndexBuildingProgress)
	return progress, err
}

// WaitForImportComplete blocks until the import is Completed. It does not start it: job is
// the number that Import returned. See [Importing] for what a completed import means.
//
// The rules of all waits apply: see the package comment. The sentinels of an import are
// ErrJobFailed, with the server's reason, and ErrJobNotFound. A job that is not positive, or
// a Poller that is no [ImportPoller], is ErrInvalid.
func WaitForImportComplete(ctx context.Context, p Poller, job int64, opts ...Option) (ImportProgress, error) {
	last, err := Wait(ctx, p, Importing(job), opts...)
	progress, _ := last.(ImportProgress)
	return progress, err
}

// WaitForCompactionComplete blocks until no plan of the compaction is executing. It does
// not start it: id is the number that ManualCompaction returned.
//
// The progress has the greatest numbers of failed plans of all polls. Servers also report an
// unknown id as completed: the progress has no plans then. The rules of all waits apply: see
// the package comment. The sentinels of a compaction are ErrJobFailed, for plans that failed
// or timed out, and ErrJobNotFound. An id that is not positive, or a Poller that is no
// [CompactionPoller], is ErrInvalid.
func WaitForCompactionComplete(ctx context.Context, p Poller, id int64, opts ...Option) (CompactionProgress, error) {
	last, err := Wait(ctx, p, Compacting(id), opts...)
	progress, _ := last.(CompactionProgress)
	return progress, err
}

// Wait blocks until the target is complete, of any kind. It is the function for targets
// without one of their own, such as [Serving] and [Flushing].
//
// The rules of all waits apply: see the package comment. The progress is nil if no poll
// succeeded. WithPartitions, WithIndex, WithExpectedRows and WithFlush are refused with
// ErrInvalid, since the target holds their values.
func Wait(ctx context.Context, p Poller, t Target, opts ...Option) (Progress, error) {
	c, err := newConfig(opts)
	if err == nil {
		err = c.refuse(optsOfTarget, "does not go with a Target: set it there")
	}
	if err != nil {
		return nil, prefixed(err)
	}
	return waitFor(ctx, p, t, c)
}

// Watch returns an iterator over the updates of one wait: one per poll, the last of them
// final. The wait runs on the goroutine of the loop.
//
// The error is nil, except with the final update of a wait that failed: there it is the
// error a WaitFor function returns. The error of a failed poll is in its update. Leaving
// the loop ends the wait, and observers receive a final update with ErrAborted.
//
// Options are as for [Wait].
func Watch(ctx context.Context, p Poller, t Target, opts ...Option) iter.Seq2[Update, error] {
	return func(yield func(Update, error) bool) {
		c, err := newConfig(opts)
		if err == nil {
			err = c.refuse(optsOfTarget, "does not go with a Target: set it there")
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

			// The loop was left.
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

// prefixed returns an error of invalid arguments with the prefix of the package.
func prefixed(err error) error { return fmt.Errorf("milvuswait: %w", err) }

// waiter runs the wait for one target, on the goroutine of its caller.
type waiter struct {
	clock
	poller Poller
	state  waitState
}

// newWaiter checks the arguments and starts the clock.
func newWaiter(ctx context.Context, p Poller, t Target, c *config) (*waiter, error) {
	err := checkArguments(ctx, p, t)
	if err == nil {
		err = c.refuseUnfit(t)
	}
	if err == nil {
		err = c.refuse(optsOfAll, "is for WaitAll")
	}
	var pace pace
	if err == nil {
		pace, err = c.newPace(findKind(t.kind))
	}
	if err != nil {
		return nil, err
	}

	w := &waiter{clock: newClock(ctx), poller: p}
	w.state = newWaitState(c, t, pace, w.deadline)
	return w, nil
}

// run polls until the wait is over, and calls sink after every poll. It returns early,
// without a final update, when sink returns false.
func (w *waiter) run(sink func(Update) bool) {
	w.state.cfg.id.run(func() { w.loop(sink) })
}

// loop is run without the record of an abnormal end.
func (w *waiter) loop(sink func(Update) bool) {
	var timer *time.Timer
	for {
		now := w.now()
		if w.ended(now) {
			sink(w.state.finish(w.now(), w.interruption()))
			return
		}

		a := poll(w.ctx, w.poller, &w.state, w.state.timeoutAt(now))
		now = w.now()
		d := w.judge(&w.state, now, a)
		if d.verdict == verifying {
			a = verify(w.ctx, &w.state)
			now = w.now()
			d = w.judgeVerify(&w.state, now, a)
		}
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

		// Sleep until the next poll, or the end. The time spent in observers is part of the
		// delay.
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

		if d.verdict == awaitBudget {
			if now := w.now(); !w.ended(now) {
				sink(w.state.finish(now, w.state.unreachable(now, false)))
				return
			}
		}
	}
}

// clock is the time of one call, and its context. Both drivers embed it: waiter for one
// target, and scheduler for many.
type clock struct {
	ctx      context.Context
	start    time.Time
	deadline time.Duration // from start; noDeadline if ctx has none
}

func newClock(ctx context.Context) clock {
	k := clock{ctx: ctx, start: time.Now(), deadline: noDeadline}
	if deadline, ok := ctx.Deadline(); ok {
		k.deadline = deadline.Sub(k.start)
	}
	return k
}

func (k *clock) now() time.Duration { return time.Since(k.start) }

// ended reports whether the context has ended. From the deadline on it waits for the
// context's timer, which may be late, so that the deadline itself decides.
func (k *clock) ended(now time.Duration) bool {
	if now >= k.deadline {
		<-k.ctx.Done()
	}
	return k.ctx.Err() != nil
}

// interruption returns the error of the ended context, with its cause if there is one.
func (k *clock) interruption() error {
	err, cause := k.ctx.Err(), context.Cause(k.ctx)
	if cause == nil || errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", err, &maskedError{cause})
}

// judge has s decide about an answer. If the context has ended meanwhile, only a complete
// answer still counts.
func (k *clock) judge(s *waitState, now time.Duration, a answer) decision {
	if a.err != nil && k.ended(now) {
		s.noteInterrupted(now, a)
		return decision{verdict: failed, err: k.interruption()}
	}

	d := s.decide(now, a)
	if d.verdict != succeeded && k.ended(now) {
		// The context decides, but keep the poll's result in LastErr.
		s.outage.lastErr = cmp.Or(d.err, s.outage.lastErr)
		return decision{verdict: failed, err: k.interruption()}
	}
	return d
}

// judgeVerify has s decide about the result of verify. If the context has ended meanwhile,
// only a success still counts.
func (k *clock) judgeVerify(s *waitState, now time.Duration, a answer) decision {
	if a.err != nil && k.ended(now) {
		if !a.interrupted {
			s.unverified = &maskedError{a.err}
		}
		return decision{verdict: failed, err: k.interruption()}
	}
	return s.decideAfterVerify(now, a)
}
