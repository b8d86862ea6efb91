package milvuswaittest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/milvuswait/milvuswait"
)

// RequireLoaded returns when the collection or, by milvuswait.WithPartitions, the
// named partitions of it are loaded, and fails the test if they are not in time or
// cannot be any more. It does not load them. It returns the last progress.
//
// The options are those of [milvuswait.WaitForLoadingComplete], an observer
// among them.
func RequireLoaded(tb TB, p milvuswait.Poller, collection string, opts ...milvuswait.Option) milvuswait.LoadingProgress {
	tb.Helper()
	var progress milvuswait.LoadingProgress
	require(tb, func(ctx context.Context, look milvuswait.Option) (err error) {
		progress, err = milvuswait.WaitForLoadingComplete(ctx, p, collection, with(look, opts)...)
		return err
	})
	return progress
}

// RequireIndexed returns when the index of the collection is built for at least
// that many rows, and fails the test if it is not in time or cannot be any more.
// The index is the only one there is, unless milvuswait.WithIndex names it. It
// returns the last progress.
//
// Rows are asked for, and not an option, because a test that inserts, flushes and
// waits gets a true "Finished" about no rows at all on real servers; see
// [milvuswait.WithExpectedRows]. 0 expects none.
//
// The options are those of [milvuswait.WaitForIndexBuildingComplete], an observer
// among them.
func RequireIndexed(tb TB, p milvuswait.Poller, collection string, rows int64, opts ...milvuswait.Option) milvuswait.IndexBuildingProgress {
	tb.Helper()
	var progress milvuswait.IndexBuildingProgress
	require(tb, func(ctx context.Context, look milvuswait.Option) (err error) {
		opts := append(with(look, opts), milvuswait.WithExpectedRows(rows))
		progress, err = milvuswait.WaitForIndexBuildingComplete(ctx, p, collection, opts...)
		return err
	})
	return progress
}

// RequireAll returns when all targets are complete, loads and indexes side by
// side, and fails the test if one of them is not in time or cannot be any more.
// The failure tells of at most ten targets. It returns the outcomes, which are
// those of the targets, in their order.
//
// The options are those of [milvuswait.WaitAll], an observer among them.
func RequireAll(tb TB, p milvuswait.Poller, targets []milvuswait.Target, opts ...milvuswait.Option) []milvuswait.Outcome {
	tb.Helper()
	var outcomes []milvuswait.Outcome
	require(tb, func(ctx context.Context, look milvuswait.Option) (err error) {
		outcomes, err = milvuswait.WaitAll(ctx, p, targets, with(look, opts)...)
		return err
	})
	return outcomes
}

// with puts an option before those of the caller.
func with(first milvuswait.Option, opts []milvuswait.Option) []milvuswait.Option {
	return append([]milvuswait.Option{first}, opts...)
}

// require makes the wait, logs its changes, and fails the test if it fails.
func require(tb TB, wait func(ctx context.Context, look milvuswait.Option) error) {
	tb.Helper()
	limit := newBudget(tb)
	ctx, cancel := context.WithTimeout(tb.Context(), limit.left)
	defer cancel()

	var err error
	// Pulled, so that lines are logged from here and not from under the wait: a line
	// is said to come from the first function up the stack that is no helper.
	next, stop := iter.Pull(func(yield func(milvuswait.Update) bool) {
		err = wait(ctx, milvuswait.WithObserver(milvuswait.ObserverFunc(func(u milvuswait.Update) {
			if !yield(u) { // nobody is left to tell
				cancel()
			}
		})))
	})
	defer stop()
	seen := map[milvuswait.Target]*history{}
	var line string
	changes := milvuswait.OnChange(milvuswait.ObserverFunc(func(u milvuswait.Update) { line = describe(u) }))
	for u, ok := next(); ok; u, ok = next() {
		if seen[u.Target] == nil {
			seen[u.Target] = new(history)
		}
		seen[u.Target].note(u)
		line = ""
		if changes.Observe(u); line != "" && !(u.Final && u.Err != nil) {
			tb.Log(line)
		}
	}
	if err != nil {
		tb.Fatal(report(err, seen, limit, tb.Context()))
	}
}

// report returns what a failed test says.
func report(err error, seen map[milvuswait.Target]*history, limit budget, test context.Context) string {
	const most = 10
	var b strings.Builder
	b.WriteString(err.Error())
	failures := failures(err)
	for _, f := range failures[:min(most, len(failures))] {
		if len(failures) > 1 {
			fmt.Fprintf(&b, "\n\t%v:", f.Target)
		}
		if h := seen[f.Target]; h != nil {
			for _, line := range h.lines() {
				b.WriteString("\n\t" + line)
			}
		}
	}
	if more := len(failures) - most; more > 0 {
		fmt.Fprintf(&b, "\n\tand %d more targets", more)
	}
	switch {
	case test.Err() != nil:
		b.WriteString("\n\tgave up: the context of the test has ended")
	case errors.Is(err, context.DeadlineExceeded):
		b.WriteString("\n\tgave up: " + limit.why)
	}
	return b.String()
}

// failures returns the errors of the targets that failed by themselves.
func failures(err error) []*milvuswait.Error {
	if e, ok := err.(*milvuswait.Error); ok {
		return []*milvuswait.Error{e}
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return nil
	}
	var all []*milvuswait.Error
	for _, err := range joined.Unwrap() {
		all = append(all, failures(err)...)
	}
	return all
}
