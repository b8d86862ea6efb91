package milvuswait

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/milvuswait/milvuswait/internal/typednil"
)

// AllIndexes, as the index of a wait or of a poll, stands for every index of
// the collection: the answer is that of the index which is furthest behind.
// Milvus allows letters, digits and underscores in index names, so that no
// index can be called so.
const AllIndexes = "*"

// A Poller asks a Milvus server, once a call, how far it is.
//
// Package rpc has the Poller for real servers, package sdk one for
// milvus-sdk-go/v2, package fake one for tests, and [PollerFuncs] makes one of
// two functions. Package milvuswaittest/pollertest checks one that you wrote. An
// implementation must be safe for concurrent use, return an error soon after ctx
// is done (any that passes; that of ctx is best), and report every failure of the
// server as an error, also those that came in the body of an answer: progress 0
// with a nil error means that the server itself said 0. No wait asks for empty
// names, but for the index.
//
// An error is taken to be passing, and the wait goes on polling, unless it is
// one of the package's sentinels (such as [ErrCollectionNotFound]) or was marked
// by [Permanent].
type Poller interface {
	// LoadingProgress returns how far the loading of the collection is, or, if
	// partitions are named, of those partitions together. A collection or
	// partition that is not loaded and not being loaded is ErrNotLoaded.
	LoadingProgress(ctx context.Context, collection string, partitions ...string) (LoadingProgress, error)

	// IndexBuildingProgress returns how far the named index of the collection
	// is. The empty name means the only index of the collection: several are
	// ErrAmbiguousIndex, none is ErrIndexNotFound. AllIndexes means the one that
	// is furthest behind.
	IndexBuildingProgress(ctx context.Context, collection, index string) (IndexBuildingProgress, error)
}

// A LoadStateChecker is a Poller that can tell "0 % because nothing was loaded"
// from "0 % so far". A wait for a load asks it once when progress has stood at 0
// for three polls, since milvus-lite answers 0 %, without an error, for a
// collection that was released: such a wait would never end.
type LoadStateChecker interface {
	// CheckLoadState returns nil if the collection (or, if partitions are named,
	// those partitions) is loading or loaded; ErrNotLoaded, ErrLoadFailed or one of
	// the sentinels for what is not found if it is not; and any other error, which
	// does not end the wait, if that cannot be told.
	CheckLoadState(ctx context.Context, collection string, partitions ...string) error
}

// A Lister is a Poller that can tell of all loads at once. WaitAll asks it so
// when two or more loads of whole collections are due together.
type Lister interface {
	// ListLoading returns the progress of every collection that is loading or
	// loaded, by name. It is no error that one is not there: that one is asked for
	// alone. Nor is it if nothing at all can be told: the map is empty then. The
	// caller reads the map later too, so that it may not be changed any more. After an
	// error that wraps errors.ErrUnsupported, the wait makes no more lists.
	ListLoading(ctx context.Context) (map[string]LoadingProgress, error)
}

// An IndexLister is a Poller that can tell of several indexes of one collection
// at once. WaitAll asks it so when it waits for two or more of them.
type IndexLister interface {
	// ListIndexBuilding returns, by one question to the server and in the order of
	// indexes, what IndexBuildingProgress would return for each of them. If every error
	// wraps errors.ErrUnsupported, the wait makes no more such lists.
	ListIndexBuilding(ctx context.Context, collection string, indexes []string) ([]IndexBuildingProgress, []error)
}

// PollerFuncs makes a Poller of two functions, for clients that this module has
// no adapter for. A wait that needs a function which is nil fails with ErrInvalid.
type PollerFuncs struct {
	Loading       func(ctx context.Context, collection string, partitions ...string) (LoadingProgress, error)
	IndexBuilding func(ctx context.Context, collection, index string) (IndexBuildingProgress, error)
}

var _ Poller = PollerFuncs{}

// LoadingProgress calls f.Loading.
func (f PollerFuncs) LoadingProgress(ctx context.Context, collection string, partitions ...string) (LoadingProgress, error) {
	if err := f.validate(KindLoading); err != nil {
		return LoadingProgress{}, err
	}
	return f.Loading(ctx, collection, partitions...)
}

// IndexBuildingProgress calls f.IndexBuilding.
func (f PollerFuncs) IndexBuildingProgress(ctx context.Context, collection, index string) (IndexBuildingProgress, error) {
	if err := f.validate(KindIndexBuilding); err != nil {
		return IndexBuildingProgress{}, err
	}
	return f.IndexBuilding(ctx, collection, index)
}

// validate says that f cannot poll targets of that kind.
func (f PollerFuncs) validate(kind Kind) error {
	switch {
	case kind == KindLoading && f.Loading == nil:
		return fmt.Errorf("%w: PollerFuncs.Loading is nil", ErrInvalid)
	case kind == KindIndexBuilding && f.IndexBuilding == nil:
		return fmt.Errorf("%w: PollerFuncs.IndexBuilding is nil", ErrInvalid)
	}
	return nil
}

// Permanent marks an error of a Poller as one that polling again cannot cure,
// such as a missing permission: the wait ends at once. The mark is invisible in
// the text, and errors.Is and errors.As see through it. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

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

// poll makes one poll for s, within its time-out.
func poll(parent context.Context, p Poller, s *waitState) answer {
	t := s.target
	a := timed(parent, s.timeout, func(ctx context.Context) (a answer) {
		if t.kind == KindIndexBuilding {
			a.progress, a.err = boxed(p.IndexBuildingProgress(ctx, t.collection, t.index))
		} else {
			a.progress, a.err = boxed(p.LoadingProgress(ctx, t.collection, t.Partitions()...))
		}
		return a
	})
	if a.err == nil && s.wantsStateCheck(a.progress) {
		checkLoadState(parent, p, t, &a)
	}
	return a
}

// timed runs call within a time-out.
func timed(parent context.Context, timeout time.Duration, call func(ctx context.Context) answer) answer {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(parent, timeout)
	defer cancel()
	a := call(ctx)
	a.took = time.Since(begin)
	switch {
	case a.err == nil:
	case parent.Err() != nil:
		a.interrupted = true
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

// pollMaker makes the polls of WaitAll.
type pollMaker struct {
	poller      Poller
	lister      Lister      // nil if the Poller is none
	indexLister IndexLister // nil if the Poller is none
}

func newPollMaker(p Poller) pollMaker {
	a := pollMaker{poller: p}
	a.lister, _ = p.(Lister)
	a.indexLister, _ = p.(IndexLister)
	return a
}

// do makes the poll and sends what it brought, whatever the Poller does.
func (a pollMaker) do(ctx context.Context, j job, send func(result)) {
	r := result{job: j}
	returned := false
	defer func() {
		if !returned {
			value := recover()
			if value == nil {
				value = "runtime.Goexit, as t.FailNow calls it"
			}
			r.panic = &pollerPanic{value, debug.Stack()}
		}
		send(r)
	}()
	switch j.kind {
	case pollOne:
		r.answer = poll(ctx, a.poller, &j.one.state)
	case listLoads:
		r.answer = timed(ctx, j.timeout, func(ctx context.Context) (whole answer) {
			r.loads, whole.err = a.lister.ListLoading(ctx)
			return whole
		})
	case listIndexes:
		r.answers = a.listIndexes(ctx, j.covered)
	}
	returned = true
}

// listIndexes polls for the indexes of one collection, within the time-out of the
// first.
func (a pollMaker) listIndexes(ctx context.Context, served []*entry) []answer {
	names := make([]string, len(served))
	for i, e := range served {
		names[i] = e.state.target.index
	}
	var all []IndexBuildingProgress
	var errs []error
	first := &served[0].state
	whole := timed(ctx, first.timeout, func(ctx context.Context) (w answer) {
		all, errs = a.indexLister.ListIndexBuilding(ctx, first.target.collection, names)
		if len(all) != len(names) || len(errs) != len(names) {
			w.err = fmt.Errorf("ListIndexBuilding returned %d answers and %d errors for %d indexes", len(all), len(errs), len(names))
			return w
		}
		w.err = cmp.Or(errs...)
		return w
	})
	answers := make([]answer, len(names))
	for i := range answers {
		answers[i] = whole
		if len(all) != len(names) || len(errs) != len(names) || errs[i] != nil && whole.timedOut {
			continue
		}
		progress, err := boxed(all[i], errs[i])
		answers[i] = answer{progress: progress, err: err, took: whole.took, interrupted: whole.interrupted}
	}
	return answers
}

// pollerPanic is what WaitAll panics with when a Poller did.
type pollerPanic struct {
	value any
	stack []byte
}

func (p *pollerPanic) Error() string {
	return fmt.Sprintf("%v\n\nin the Poller, on a goroutine of WaitAll:\n%s", p.value, p.stack)
}

func (p *pollerPanic) Unwrap() error {
	err, _ := p.value.(error)
	return err
}
