// Package milvuswait blocks until background work of Milvus is finished: a collection is
// loaded, an index is built, a flush, an import or a compaction is done.
//
// Milvus works in the background, and clients poll. [WaitForLoadingComplete],
// [WaitForIndexBuildingComplete] and the other functions poll for you. They return nil when
// the work is finished, and an error as soon as it can no longer finish. They only read:
// they never load, create, flush, import or release anything.
//
//	p := rpc.New(conn) // or sdk.New(client)
//	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
//	defer cancel()
//
//	mark, err := rpc.FlushMarkOf(flushed, "docs") // the response to Flush
//	if err != nil {
//		return err
//	}
//	_, err = milvuswait.WaitForIndexBuildingComplete(ctx, p, "docs",
//		milvuswait.WithIndex("vidx"), milvuswait.WithFlush(mark))
//
// # Which wait
//
//   - After LoadCollection or LoadPartitions: [WaitForLoadingComplete]. After
//     LoadCollection with refresh = true, add [WithRefresh].
//   - After CreateIndex, or after a flush of a collection with an index:
//     [WaitForIndexBuildingComplete], with [WithFlush]. Under continuous writes, add
//     [WithIndexCriterion] with [RowsAtStart].
//   - After Import: [WaitForImportComplete]. After ManualCompaction:
//     [WaitForCompactionComplete], and then for the index.
//   - For the flush alone, or for the server: [Wait] with [Flushing] or [Serving].
//   - For work that the server reports finished too early: [WithVerify].
//   - For many collections and indexes at once, up to a whole cluster: [WaitAll].
//   - If another process starts the load: [WithStartGrace].
//   - To see every poll: [WithObserver], or range over [Watch].
//
// Right after a flush, a server reports an index as Finished before it counts the new rows.
// On Milvus 2.2.9 to 2.5 a wait asks for the segments that are being flushed, and needs no
// help. Milvus 2.6 and newer do not report them: there pass the flush mark, or the number of
// rows by [WithExpectedRows]. Without either, the result is marked as Unconfirmed in
// [Update] and [Outcome].
//
// # Rules of all waits
//
// A wait polls at once, unless ctx is done already, and then at the pace set by [Backoff],
// until the work is complete, ctx ends, or the work can no longer succeed. It returns the
// progress from the last successful poll, even with a non-nil error. A nil error means that
// this poll was complete.
//
// Invalid arguments return [ErrInvalid]. Any other failure is an *[Error]. It matches
// context.DeadlineExceeded or context.Canceled if and only if ctx ended the wait, and then
// also wraps context.Cause(ctx). Otherwise it matches a sentinel of the work, [ErrUnreachable],
// [ErrStalled] or [ErrAborted] (if options ask for them), or wraps a permanent error of the
// Poller.
//
// # How long it takes
//
// The context is the only time limit of a working server. A server that does not answer is
// tolerated for 5 minutes ([WithUnreachableAfter]), and standing progress without limit
// ([WithStallTimeout]).
//
// A wait is late by at most one delay and the polls around it. Five rules set the delays,
// see [Backoff], and [WaitAll] for thousands of targets:
//
//   - The promise: a delay is at most 100 ms, or 2 % of the time waited if this is more,
//     and never more than 5 s.
//   - Delays grow exponentially, and are at most a fifth of the time left, as the mean rate
//     of the progress predicts it.
//   - A predicted end that does not come is doubted: the time left counts as at least a
//     fifth of the sum of all delays shortened by the prediction.
//   - The end is near if the share left is at most 1½ times the greater of the last two
//     steps of progress, or if the doubt exceeds the prediction. Then a delay is at most
//     three quarters of the promise, and grows with the fourth root of the time left: at most
//     0.7 s with 10 s left, and 1.2 s with 100 s.
//   - A delay is at least the first delay, 40 ms for a load, and at least as long as the
//     last poll took, also where the promise is less. Each wait shortens its delays by a
//     random share of up to 5 %.
//
// # Errors
//
// errors.Is(err, context.DeadlineExceeded) is false if only an RPC exceeded its deadline.
// errors.As finds the status of the server as a *[ServerError]. The *[Error] holds the last
// progress:
//
//	milvuswait: loading "docs": context deadline exceeded (60 polls in 1h0m0s, last 40%)
//
// [Reason] returns one word for metrics and logs. A transient failure of a poll, as of a
// server that restarts, is passed to observers and does not end the wait. A custom
// [Poller] marks errors that polling cannot cure by [Permanent].
//
// A permanent failure ends a wait at once only on the first poll, or if it cannot be a
// stale view, as a failed load. Otherwise it must be confirmed, since servers and proxies
// that have just started return "not found" and refusals for a moment: "not found" and
// "not loaded" by a second answer 100 ms later, a refusal by refusals for 30 s.
//
// # Tests
//
// Package fake has a scripted Poller. In a bubble of testing/synctest, a wait for a load
// of 40 minutes takes milliseconds, without a clock to inject. Package milvuswaittest has
// the waits for tests that need a loaded collection: they take a testing.TB and fail it.
// Package pollertest below it checks a custom Poller.
//
// # Goroutines
//
// A wait runs on the goroutine of its caller; only WaitAll polls on others. No goroutine,
// timer or connection outlives a call. Everything is safe for concurrent use.
package milvuswait
