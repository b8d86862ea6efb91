package milvuswaittest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/milvuswait/milvuswait"
)

// RequireLoaded returns when the collection is loaded or, with milvuswait.WithPartitions,
// the named partitions of it. It fails the test if they are not loaded in time, or if the
// load can no longer succeed. It does not start the load. It returns the last progress.
//
// The options are those of [milvuswait.WaitForLoadingComplete], WithObserver included.
func RequireLoaded(tb TB, p milvuswait.Poller, collection string, opts ...milvuswait.Option) milvuswait.LoadingProgress {
	tb.Helper()
	var progress milvuswait.LoadingProgress
	require(tb, func(ctx context.Context, look milvuswait.Option) (err error) {
		progress, err = milvuswait.WaitForLoadingComplete(ctx, p, collection, with(look, opts)...)
		return err
	})
	return progress
}

// RequireIndexed returns when the index of the collection is built for at least the given
// number of rows. It fails the test if the index is not built in time, or if the build can
// no longer succeed. Without milvuswait.WithIndex, it waits for the only index of the
// collection. It returns the last progress.
//
// The number of rows is not optional: it is the only check that all inserts have arrived.
// Milvus 2.6 and newer do not report rows that are still being flushed, and a wait without
// the number, or milvuswait.WithFlush, can end before they are indexed. See
// [milvuswait.WithExpectedRows]. 0 means no minimum.
//
// The options are those of [milvuswait.WaitForIndexBuildingComplete], WithObserver
// included.
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

// RequireImported returns when the import is completed: job is the number that Import
// returned. It fails the test if the import is not completed in time, or if it has failed or
// is unknown. It returns the last progress.
//
// On Milvus 2.2 and 2.3, imported rows are not indexed or searchable yet: see
// [milvuswait.Importing]. The options are those of [milvuswait.WaitForImportComplete],
// WithObserver included.
func RequireImported(tb TB, p milvuswait.Poller, job int64, opts ...milvuswait.Option) milvuswait.ImportProgress {
	tb.Helper()
	var progress milvuswait.ImportProgress
	require(tb, func(ctx context.Context, look milvuswait.Option) (err error) {
		progress, err = milvuswait.WaitForImportComplete(ctx, p, job, with(look, opts)...)
		return err
	})
	return progress
}

// RequireCompacted returns when no plan of the compaction is executing: id is the number
// that ManualCompaction returned. It fails the test if plans are executing when the time is
// up, or if a plan has failed or timed out. It returns the last progress: it has no plans if
// there was nothing to compact, or if the server does not know the number.
//
// The options are those of [milvuswait.WaitForCompactionComplete], WithObserver included.
func RequireCompacted(tb TB, p milvuswait.Poller, id int64, opts ...milvuswait.Option) milvuswait.CompactionProgress {
	tb.Helper()
	var progress milvuswait.CompactionProgress
	require(tb, func(ctx context.Context, look milvuswait.Option) (err error) {
		progress, err = milvuswait.WaitForCompactionComplete(ctx, p, id, with(look, opts)...)
		return err
	})
	return progress
}

// RequireServer returns when the server answers a request of a user. It fails the test if
// the server does not answer in time, or if it refuses the user. Call it for a server that
// has just been started, before the test creates anything.
//
// The options are those of [milvuswait.Wait] for [milvuswait.Serving], WithObserver
// included.
func RequireServer(tb TB, p milvuswait.Poller, opts ...milvuswait.Option) {
	tb.Helper()
	require(tb, func(ctx context.Context, look milvuswait.Option) error {
		_, err := milvuswait.Wait(ctx, p, milvuswait.Serving(), with(look, opts)...)
		return err
	})
}

// RequireAll returns when all targets are complete; it waits for targets of all kinds
// concurrently. It fails the test if one of them is not complete in time or can no longer
// succeed. The failure reports the details of at most ten targets. It returns one outcome
// per target, in the order of targets.
//
// The options are those of [milvuswait.WaitAll], WithObserver included.
func RequireAll(tb TB, p milvuswait.Poller, targets []milvuswait.Target, opts ...milvuswait.Option) []milvuswait.Outcome {
	tb.Helper()
	var outcomes []milvuswait.Outcome
	require(tb, func(ctx context.Context, look milvuswait.Option) (err error) {
		outcomes, err = milvuswait.WaitAll(ctx, p, targets, with(look, opts)...)
		return err
	})
	return outcomes
}

// with prepends first to the options of the caller.
func with(first milvuswait.Option, opts []milvuswait.Option) []milvuswait.Option {
	return append([]milvuswait.Option{first}, opts...)
}

// require runs the wait, logs its changes, and fails the test if the wait fails.
func require(tb TB, wait func(ctx context.Context, look milvuswait.Option) error) {
	tb.Helper()
	limit := newBudget(tb)
	ctx, cancel := context.WithTimeout(tb.Context(), limit.left)
	defer cancel()

	// Pull the updates, so that this function logs them, and not an observer below the
	// wait: a log line shows the first function up the stack that is not a helper.
	var err error
	next, stop := iter.Pull(func(yield func(milvuswait.Update) bool) {
		err = wait(ctx, milvuswait.WithObserver(milvuswait.ObserverFunc(func(u milvuswait.Update) {
			if !yield(u) { // the loop below has ended: stop the wait too
				cancel()
			}
		})))
	})
	defer stop()

	// Log the changes. The final error is left to the report.
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

// report returns the text of a failure: the error, the details of its targets, and the
// limit.
func report(err error, seen map[milvuswait.Target]*history, limit budget, test context.Context) string {
	const most = 10
	var b strings.Builder
	b.WriteString(err.Error())

	// One section per failed target.
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

// failures returns the errors of the targets, from a single error or a joined one.
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
