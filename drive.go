package milvuswait

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/milvuswait/milvuswait/internal/typednil"
)

// clock is what both drivers, of one wait and of many, know of time.
type clock struct {
	ctx   context.Context
	start time.Time
	limit time.Duration // the deadline, from start
}

func newClock(ctx context.Context) clock {
	k := clock{ctx: ctx, start: time.Now(), limit: noLimit}
	if deadline, ok := ctx.Deadline(); ok {
		k.limit = deadline.Sub(k.start)
	}
	return k
}

func (k *clock) now() time.Duration { return time.Since(k.start) }

// ended reports whether the context has ended. Its timer may be late: the deadline
// itself decides.
func (k *clock) ended(now time.Duration) bool {
	if now >= k.limit {
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

// judge has c decide about an answer. Only a complete answer wins over a context
// that has ended meanwhile.
func (k *clock) judge(c *core, now time.Duration, a answer) decision {
	if a.err != nil && k.ended(now) {
		c.interrupt(a)
		return decision{verdict: failed, err: k.interruption()}
	}
	d := c.observe(now, a, c.cfg.random())
	if d.verdict != done && k.ended(now) {
		// What the poll has found is beside the point, but worth saying.
		c.lastErr = cmp.Or(d.err, c.lastErr)
		return decision{verdict: failed, err: k.interruption()}
	}
	return d
}

func checkPoller(ctx context.Context, p Poller) error {
	if ctx == nil {
		return fmt.Errorf("%w: the context is nil", ErrInvalid)
	}
	if typednil.Is(p) {
		return fmt.Errorf("%w: the Poller is nil", ErrInvalid)
	}
	return nil
}

// checkArguments says what is wrong with the arguments that every wait has.
func checkArguments(ctx context.Context, p Poller, t Target) error {
	if err := checkPoller(ctx, p); err != nil {
		return err
	}
	if err := t.validate(); err != nil {
		return err
	}
	if f, ok := p.(PollerFuncs); ok {
		return f.validate(t.kind)
	}
	return nil
}

// checkTimeout bounds the question for the state of a load that shows 0 %: the
// poll itself has been answered.
const checkTimeout = time.Second

// poll makes one poll for c, within its time-out.
func poll(parent context.Context, p Poller, c *core) answer {
	t := c.target
	a := timed(parent, c.timeout, func(ctx context.Context) (a answer) {
		if t.kind == KindIndexBuilding {
			a.progress, a.err = boxed(p.IndexBuildingProgress(ctx, t.collection, t.index))
		} else {
			a.progress, a.err = boxed(p.LoadingProgress(ctx, t.collection, t.Partitions()...))
		}
		return a
	})
	if a.err == nil && c.wantsCheck(a.progress) {
		checkLoadState(parent, p, t, &a)
	}
	return a
}

// timed runs ask within a time-out.
func timed(parent context.Context, timeout time.Duration, ask func(ctx context.Context) answer) answer {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(parent, timeout)
	defer cancel()
	a := ask(ctx)
	a.took = time.Since(begin)
	switch {
	case a.err == nil:
	case parent.Err() != nil:
		a.cut = true
	case a.took >= timeout:
		// The time decides: the timer of ctx may be late, and the server's, which goes
		// by the same deadline, not; and that deadline may be the wall clock's.
		a.timedOut = true
		a.err = fmt.Errorf("poll timed out after %v: %w", timeout, a.err)
	}
	return a
}

// checkLoadState makes sure of a load that shows 0 %, if p can.
func checkLoadState(parent context.Context, p Poller, t Target, a *answer) {
	checker, ok := p.(LoadStateChecker)
	if !ok {
		a.check = checked // as far as can be
		return
	}
	ctx, cancel := context.WithTimeout(parent, checkTimeout)
	defer cancel()
	err := checker.CheckLoadState(ctx, t.collection, t.Partitions()...)
	switch {
	case isAbsent(err):
		a.check, a.err = checked, err
	case err == nil || isPermanent(err) || errors.Is(err, errors.ErrUnsupported): // if it may not be asked, the progress has to do
		a.check = checked
	default:
		a.check = unclear
	}
}

// boxed puts a progress into the interface.
func boxed[P Progress](p P, err error) (Progress, error) { return p, err }
