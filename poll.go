package milvuswait

import (
	"cmp"
	"context"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/milvuswait/milvuswait/internal/typednil"
	"github.com/milvuswait/milvuswait/internal/unwrap"
)

// A Poller makes one progress request to a Milvus server per call.
//
// Package rpc has the Poller for real servers, package sdk one for milvus-sdk-go/v2,
// package fake one for tests, and [PollerFuncs] makes one of functions. Package
// milvuswaittest/pollertest checks your own.
//
// An implementation must be safe for concurrent use. It must return an error soon after
// ctx is done, best ctx.Err(). It must report every failure of the server as an error,
// including failures in the body of a response: progress 0 with a nil error means that the
// server itself reported 0. Waits pass no empty names, except for the index.
//
// A Poller may also implement [SegmentLister], without which waits for indexes are
// unconfirmed; [LoadStateChecker], [Lister] and [IndexLister], which waits do without; and
// [FlushPoller], [ImportPoller], [CompactionPoller] and [ServerChecker], which the targets
// of their names need. A Poller that wraps another one, to trace calls for example, has a
// method
//
//	Unwrap() milvuswait.Poller
//
// A wait looks for these interfaces along it, so that a wrapper does not hide them. If the
// server cannot answer such a method, it returns an error that wraps
// errors.ErrUnsupported, and the wait does not call it again.
//
// Errors are treated as transient, and the wait goes on polling. The package's sentinels
// (such as [ErrCollectionNotFound]) and errors marked by [Permanent] end it.
type Poller interface {
	// LoadingProgress returns the progress of loading the collection or, if partitions are
	// named, of these partitions together. It returns ErrNotLoaded if one of them is
	// neither loaded nor loading.
	LoadingProgress(ctx context.Context, collection string, partitions ...string) (LoadingProgress, error)

	// IndexBuildingProgress returns the progress of building the named index. The empty
	// name means the only index of the collection: it returns ErrAmbiguousIndex if there
	// are several, and ErrIndexNotFound if there is none. AllIndexes means the index
	// furthest behind.
	IndexBuildingProgress(ctx context.Context, collection, index string) (IndexBuildingProgress, error)
}

// A LoadStateChecker is a Poller that can distinguish "0 %, not loading" from "0 % so
// far". A wait for a load calls it after three polls in a row at 0 %, up to three times
// while the answer is unclear: milvus-lite reports 0 %, without an error, for a released
// collection, and the wait would never end.
type LoadStateChecker interface {
	// CheckLoadState returns nil if the collection or, if partitions are named, these
	// partitions are loading or loaded. If they are not, it returns ErrNotLoaded,
	// ErrLoadFailed or a sentinel for a missing object. Any other error means that the
	// state is unknown, and does not end the wait.
	CheckLoadState(ctx context.Context, collection string, partitions ...string) error
}

// A Lister is a Poller that can list all loads by one call. WaitAll calls it when two or
// more loads of whole collections are due together.
type Lister interface {
	// ListLoading returns the progress of every loading or loaded collection, by name. A
	// missing collection is not an error; it is polled individually. A nil map means that
	// the server did not report the progress, an empty map that nothing is loading or
	// loaded. WaitAll reads the map after the call, so it must not change any more. After
	// an error that wraps errors.ErrUnsupported, the wait makes no more lists.
	ListLoading(ctx context.Context) (map[string]LoadingProgress, error)
}

// An IndexLister is a Poller that can poll several indexes of one collection by one call.
// WaitAll calls it when it waits for two or more of them.
type IndexLister interface {
	// ListIndexBuilding returns the results of IndexBuildingProgress for each of indexes, in
	// their order, by one request to the server. If every error wraps
	// errors.ErrUnsupported, the wait makes no more such lists.
	ListIndexBuilding(ctx context.Context, collection string, indexes []string) ([]IndexBuildingProgress, []error)
}

// A SegmentLister is a Poller that can list the segments of a collection that are being
// flushed. A wait for an index calls it when the index looks complete: a server does not
// count the rows of these segments yet. On real servers (2.2.16, 2.3.5), an index without
// them was reported complete for up to 4 s after Flush had returned, and for 28 s after the
// server was killed in this time.
type SegmentLister interface {
	// UnflushedSegments returns the segments of the collection that are sealed or being
	// flushed, in any order. It returns an error that wraps errors.ErrUnsupported if the
	// server does not list them all, as Milvus 2.6 and newer: then the wait is unconfirmed.
	UnflushedSegments(ctx context.Context, collection string) ([]int64, error)
}

// A FlushPoller is a Poller that can report whether a flush is done. [Flushing], and
// [WithFlush] for indexes, need it.
type FlushPoller interface {
	// FlushDone reports whether the flush of the collection with this mark is done. The
	// segments of the mark are sorted.
	FlushDone(ctx context.Context, collection string, mark FlushMark) (bool, error)
}

// An ImportPoller is a Poller that can report the progress of imports. [Importing] needs
// it.
type ImportPoller interface {
	// ImportProgress returns the progress of the job. A failed job is an answer, not an
	// error. It returns ErrJobNotFound for a job that the server does not know.
	ImportProgress(ctx context.Context, job int64) (ImportProgress, error)
}

// A CompactionPoller is a Poller that can report the progress of compactions. [Compacting]
// needs it.
type CompactionPoller interface {
	// CompactionProgress returns the progress of the compaction. Failed plans are an
	// answer, not an error. It returns ErrJobNotFound for a compaction that the server
	// reports as unknown.
	CompactionProgress(ctx context.Context, id int64) (CompactionProgress, error)
}

// A ServerChecker is a Poller that can check the server itself. [Serving] needs it.
type ServerChecker interface {
	// CheckServer returns nil if the server answers requests of users.
	CheckServer(ctx context.Context) error
}

// Permanent marks an error of a Poller as permanent, such as a missing permission: the wait
// ends at once on its first poll, and otherwise when all answers for 30 s are permanent
// failures. The mark does not change the text, and errors.Is and errors.As see through
// it. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return e.err.Error() }
func (e *permanentError) Unwrap() error { return e.err }

// checkPoller returns ErrInvalid for a nil context or Poller.
func checkPoller(ctx context.Context, p Poller) error {
	if ctx == nil {
		return fmt.Errorf("%w: the context is nil", ErrInvalid)
	}
	if typednil.Is(p) {
		return fmt.Errorf("%w: the Poller is nil", ErrInvalid)
	}
	return nil
}

// checkArguments returns ErrInvalid for invalid arguments that all waits have in common.
func checkArguments(ctx context.Context, p Poller, t Target) error {
	if err := checkPoller(ctx, p); err != nil {
		return err
	}
	if err := t.validate(); err != nil {
		return err
	}
	return findKind(t.kind).checkPoller(p, t)
}

// requires returns ErrInvalid, with the name of the interface, for a Poller that does not
// implement it. isSet reports whether PollerFuncs have its function, in the named field.
func requires[I any](p Poller, name, field string, isSet func(PollerFuncs) bool) error {
	found, ok := unwrap.Find[I](p)
	if !ok {
		return fmt.Errorf("%w: the Poller does not implement %s", ErrInvalid, name)
	}
	f, isFuncs := any(found).(PollerFuncs)
	if pointer, ok := any(found).(*PollerFuncs); ok {
		f, isFuncs = *pointer, true
	}
	if isFuncs && !isSet(f) {
		return fmt.Errorf("%w: the Poller does not implement %s: PollerFuncs.%s is nil", ErrInvalid, name, field)
	}
	return nil
}

// poll makes one poll for s, within the timeout. It only reads s, which WaitAll shares with
// a worker while the entry is in flight.
func poll(parent context.Context, p Poller, s *waitState, timeout time.Duration) answer {
	a := timed(parent, timeout, func(ctx context.Context) answer {
		return s.kind.poll(ctx, p, s)
	})

	if a.err == nil && s.kind.follow != nil {
		a = s.kind.follow(parent, p, s, a)
	}
	return a
}

// timed runs call with a timeout, and measures it. A call of several requests sets the
// duration of the last one itself.
func timed(parent context.Context, timeout time.Duration, call func(ctx context.Context) answer) answer {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(parent, timeout)
	defer cancel()
	a := call(ctx)
	a.elapsed = time.Since(begin)
	if a.took == 0 {
		a.took = a.elapsed
	}

	switch {
	case a.err == nil:
	case a.elapsed >= timeout:
		// The measured time decides, not ctx.Err(): the server ends a call by the same
		// deadline, while the timer of ctx may be late, or follow the wall clock. It also
		// decides if parent has ended meanwhile: polls that end with the unreachable budget
		// time out together, and the first one ends the wait of all.
		a.timedOut = true
		a.err = fmt.Errorf("poll timed out after %v: %w", round(timeout), a.err)
	case parent.Err() != nil:
		a.interrupted = true
	}
	return a
}

// measure returns a function that sets took to the time since the call.
func measure(took *time.Duration) func() {
	begin := time.Now()
	return func() { *took = time.Since(begin) }
}

// timedCheck runs check with a timeout, and returns its duration and its error.
func timedCheck(parent context.Context, timeout time.Duration, check func(ctx context.Context) error) (time.Duration, error) {
	begin := time.Now()
	ctx, cancel := context.WithTimeout(parent, timeout)
	defer cancel()
	err := check(ctx)
	return time.Since(begin), err
}

// answerOf returns the answer of a single request.
func answerOf[P Progress](p P, err error) answer {
	if err != nil {
		return answer{err: err}
	}
	return answer{progress: p}
}

// pollMaker makes the polls of WaitAll. All workers share it; it is never written.
type pollMaker struct {
	poller      Poller
	lister      Lister      // nil if the Poller has no such method
	indexLister IndexLister // nil if the Poller has no such method
}

func newPollMaker(p Poller) pollMaker {
	m := pollMaker{poller: p}
	m.lister, _ = unwrap.Find[Lister](p)
	m.indexLister, _ = unwrap.Find[IndexLister](p)

	// Save the first list of a Poller of functions without the function.
	if f, ok := m.lister.(PollerFuncs); ok && f.LoadingList == nil {
		m.lister = nil
	}
	if f, ok := m.indexLister.(PollerFuncs); ok && f.IndexBuildingList == nil {
		m.indexLister = nil
	}
	return m
}

// do makes the poll of a job on a worker's goroutine, and sends its result even if the
// Poller panics or ends the goroutine: the scheduler counts on one result per job. It only
// reads the entries of the job.
func (m pollMaker) do(ctx context.Context, j job, send func(result)) {
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
		r.answer = poll(ctx, m.poller, &j.one.state, j.timeout)
	case listLoads:
		r.answer = timed(ctx, j.timeout, func(ctx context.Context) (whole answer) {
			r.loads, whole.err = m.lister.ListLoading(ctx)
			return whole
		})
	case listIndexes:
		r.answers = m.listIndexes(ctx, j.covered, j.timeout)
	case verifyOne:
		r.answer = verify(ctx, &j.one.state)
	}

	returned = true
}

// listIndexes polls several indexes of one collection, within the timeout. It returns an
// answer for each entry, in their order.
func (m pollMaker) listIndexes(ctx context.Context, covered []*entry, timeout time.Duration) []answer {
	names, states := make([]string, len(covered)), make([]*waitState, len(covered))
	for i, e := range covered {
		names[i], states[i] = e.state.target.index, &e.state
	}

	x := indexPoll{poller: m.poller, states: states, describe: func(ctx context.Context) []answer {
		return m.describeIndexes(ctx, covered[0].state.target.collection, names)
	}}
	var answers []answer
	whole := timed(ctx, timeout, func(ctx context.Context) (w answer) {
		answers = x.run(ctx)
		for _, a := range answers {
			if !isPermanent(a.err) {
				w.err = cmp.Or(w.err, a.err)
			}
		}
		w.took = x.took
		return w
	})

	// A poll that timed out fails all indexes without an answer. The permanent error of an
	// index is an answer: the index keeps it, and the others do not get it.
	for i := range answers {
		a := &answers[i]
		if whole.timedOut && a.err != nil && !isPermanent(a.err) {
			a.err, a.timedOut = whole.err, true
		}
		a.took, a.elapsed, a.interrupted = whole.took, whole.elapsed, whole.interrupted
	}
	return answers
}

// describeIndexes requests a list of indexes, and returns an answer for each.
func (m pollMaker) describeIndexes(ctx context.Context, collection string, names []string) []answer {
	all, errs := m.indexLister.ListIndexBuilding(ctx, collection, names)

	// A list of the wrong length fails as a whole: its answers cannot be assigned.
	answers := make([]answer, len(names))
	wrong := len(all) != len(names) || len(errs) != len(names)
	for i := range answers {
		if wrong {
			answers[i].err = fmt.Errorf("ListIndexBuilding returned %d answers and %d errors for %d indexes", len(all), len(errs), len(names))
			continue
		}
		answers[i] = answerOf(all[i], errs[i])
	}
	return answers
}

// pollerPanic is the value WaitAll panics with when a Poller panicked.
type pollerPanic struct {
	value any
	stack []byte
}

func (p *pollerPanic) Error() string {
	return fmt.Sprintf("%v\n\nin the Poller or verify, on a goroutine of WaitAll:\n%s", p.value, p.stack)
}

func (p *pollerPanic) Unwrap() error {
	err, _ := p.value.(error)
	return err
}
