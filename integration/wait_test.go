package integration_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/integration/milvusops"
)

// tooLate is the maximum lateness of a wait on a busy machine. The promise is 0.1 s or 2 % of
// the wait; the log has the measured times.
const tooLate = 3 * time.Second

// wait is a wait on a separate goroutine.
type wait[P milvuswait.Progress] struct {
	polled   chan struct{} // closed when a poll has succeeded and the wait goes on
	stumbled chan struct{} // closed when a poll has failed and the wait goes on
	ended    chan struct{} // closed when the wait has returned; the fields below are set then

	progress P
	err      error
	timing
}

type timing struct {
	began, returned time.Time
	polls           int
	succeeded       int      // number of the last successful poll
	unconfirmed     bool     // Unconfirmed of the last update
	trace           []string // one line for every change: the time and the progress
}

func waitForIndex(ctx context.Context, p milvuswait.Poller, collection string, opts ...milvuswait.Option) *wait[milvuswait.IndexBuildingProgress] {
	return begin(func(observe milvuswait.Option) (milvuswait.IndexBuildingProgress, error) {
		return milvuswait.WaitForIndexBuildingComplete(ctx, p, collection, append(opts, observe)...)
	})
}

func waitForLoad(ctx context.Context, p milvuswait.Poller, collection string, opts ...milvuswait.Option) *wait[milvuswait.LoadingProgress] {
	return begin(func(observe milvuswait.Option) (milvuswait.LoadingProgress, error) {
		return milvuswait.WaitForLoadingComplete(ctx, p, collection, append(opts, observe)...)
	})
}

func waitForTarget(ctx context.Context, p milvuswait.Poller, target milvuswait.Target, opts ...milvuswait.Option) *wait[milvuswait.Progress] {
	return begin(func(observe milvuswait.Option) (milvuswait.Progress, error) {
		return milvuswait.Wait(ctx, p, target, append(opts, observe)...)
	})
}

// waitFor waits for the target on this goroutine, and returns the final update.
func (s *site) waitFor(ctx context.Context, target milvuswait.Target, opts ...milvuswait.Option) (last milvuswait.Update, err error) {
	for last, err = range milvuswait.Watch(ctx, s.poller, target, opts...) {
	}
	return last, err
}

func begin[P milvuswait.Progress](run func(observe milvuswait.Option) (P, error)) *wait[P] {
	w := &wait[P]{polled: make(chan struct{}), stumbled: make(chan struct{}), ended: make(chan struct{})}
	var polled, stumbled sync.Once
	observe := milvuswait.ObserverFunc(func(u milvuswait.Update) {
		w.observe(u)
		switch {
		case u.Final:
		case u.Err == nil:
			polled.Do(func() { close(w.polled) })
		default:
			stumbled.Do(func() { close(w.stumbled) })
		}
	})
	go func() {
		defer close(w.ended)
		w.began = time.Now()
		w.progress, w.err = run(milvuswait.WithObserver(observe))
		w.returned = time.Now()
	}()
	return w
}

// observe adds u to the trace if it differs from the update before.
func (tm *timing) observe(u milvuswait.Update) {
	tm.polls, tm.unconfirmed = u.Polls, u.Unconfirmed
	if u.Err == nil {
		tm.succeeded = u.Polls
	}

	what := fmt.Sprint(u.Progress)
	if u.WaitingFor != "" {
		what += ", waits for " + string(u.WaitingFor)
	}
	switch {
	case u.Final && u.Err == nil:
		what += ", returned"
	case u.Err != nil:
		what = u.Err.Error()
	}
	if n := len(tm.trace); n == 0 || !strings.HasSuffix(tm.trace[n-1], " "+what) {
		tm.trace = append(tm.trace, fmt.Sprintf("%8.3fs poll %3d: %s", u.Elapsed.Seconds(), u.Polls, what))
	}
}

func (tm *timing) log(t *testing.T, what string) {
	t.Helper()
	t.Logf("%s: %d polls in %.3f s\n  %s", what, tm.polls, tm.took().Seconds(), strings.Join(tm.trace, "\n  "))
}

func (tm *timing) took() time.Duration { return tm.returned.Sub(tm.began) }

// midway waits for the event, polled or stumbled.
func (w *wait[P]) midway(t *testing.T, event <-chan struct{}) {
	t.Helper()
	select {
	case <-event:
	case <-w.ended:
		t.Fatalf("the wait is over too soon: %v, %v", w.progress, w.err)
	}
}

// complete waits for the end of the wait, and checks that it succeeded.
func (w *wait[P]) complete(t *testing.T) {
	t.Helper()
	<-w.ended
	if w.err != nil {
		w.log(t, "failed wait")
	}
	require.NoError(t, w.err)
}

// fails waits for the end of the wait, and returns the one of the reasons for which it failed.
func (w *wait[P]) fails(t *testing.T, reasons ...error) (reason error) {
	t.Helper()
	<-w.ended
	w.log(t, "wait that must fail")
	var e *milvuswait.Error
	require.ErrorAs(t, w.err, &e)
	require.Equal(t, w.polls, e.Polls)
	i := slices.IndexFunc(reasons, func(reason error) bool { return errors.Is(e, reason) })
	require.GreaterOrEqual(t, i, 0, "%v is none of %v", w.err, reasons)
	return reasons[i]
}

// question is the question of a watcher to a server: whether a condition is true.
type question = func(context.Context) (bool, error)

// sight is a watcher: it asks a question on a separate goroutine until the answer is true.
func sight(ctx context.Context, question question) func(t *testing.T) milvusops.Sighting {
	var seen milvusops.Sighting
	var err error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		seen, err = milvusops.Watch(ctx, 5*time.Millisecond, question)
	}()
	return func(t *testing.T) milvusops.Sighting {
		t.Helper()
		<-ended
		require.NoError(t, err)
		return seen
	}
}

// onTime checks that a wait returned when the watcher's condition became true: not earlier,
// and not much later.
func (r *row) onTime(t *testing.T, tm timing, seen milvusops.Sighting) {
	t.Helper()
	late := r.measure(t, tm, seen)
	require.False(t, tm.returned.Before(seen.NotBefore), "returned %v before it was true", seen.NotBefore.Sub(tm.returned))
	require.Less(t, late, r.limit)
}

// early checks that a wait returned before the watcher's condition was true.
func (r *row) early(t *testing.T, tm timing, seen milvusops.Sighting) {
	t.Helper()
	late := r.measure(t, tm, seen)
	require.True(t, tm.returned.Before(seen.NotBefore), "returned %v, and not early", late)
}

// measure returns the time from the watcher's sighting to the return of the wait.
func (r *row) measure(t *testing.T, tm timing, seen milvusops.Sighting) time.Duration {
	t.Helper()
	late := tm.returned.Sub(seen.NotAfter)
	r.waited, r.polls = tm.took(), tm.polls
	tm.log(t, r.name)
	if seen.NotBefore.IsZero() {
		return late // true from the beginning
	}
	r.late = &late
	t.Logf("%s: returned %.3f s after the watcher saw it, which looked %d times, the last two %v apart",
		r.name, late.Seconds(), seen.Polls, seen.NotAfter.Sub(seen.NotBefore).Round(100*time.Microsecond))
	return late
}
