// Package milvuswait blocks until a Milvus collection is loaded or an index is built.
//
// Milvus works in the background, and clients poll. [WaitForLoadingComplete] and
// [WaitForIndexBuildingComplete] poll for you. They return nil when the server has
// reported the target complete, and an error as soon as it can no longer become complete.
// They only read: they never load, create, flush or release anything.
//
//	p := rpc.New(conn) // or sdk.New(client)
//	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
//	defer cancel()
//
//	_, err := milvuswait.WaitForIndexBuildingComplete(ctx, p, "docs",
//		milvuswait.WithIndex("vidx"), milvuswait.WithExpectedRows(100_000))
//
// # Which wait
//
//   - After LoadCollection or LoadPartitions: [WaitForLoadingComplete]. After
//     LoadCollection with refresh = true, add [WithRefresh].
//   - After CreateIndex, or after an insert into a collection with an index:
//     [WaitForIndexBuildingComplete]. Under continuous writes, add [WithIndexCriterion]
//     with [RowsAtStart].
//   - For many collections and indexes at once, up to a whole cluster: [WaitAll].
//   - If another process starts the load: [WithStartGrace].
//   - To see every poll: [WithObserver], or range over [Watch].
//
// Set [WithExpectedRows] whenever you know the number of rows. Right after a flush, a
// server reports an index as Finished before it counts the new rows, and DescribeIndex
// reports nothing else for a complete index. Without the number, wait for the flush
// first.
//
// # How long it takes
//
// The context is the only time limit of a working server. A wait is late by at most one
// delay and the polls around it. The delay is at most 100 ms, or 2 % of the time waited if
// this is more, and never more than 5 s: see [Backoff], and [WaitAll] for thousands of
// targets. A server that does not answer is tolerated for 5 minutes
// ([WithUnreachableAfter]), and standing progress without limit ([WithStallTimeout]).
//
// # Errors
//
// errors.Is(err, context.DeadlineExceeded) is true exactly when the wait's own time was
// up, whatever an RPC returned. Other errors match a sentinel, such as
// [ErrCollectionNotFound] or [ErrNotLoaded], and errors.As finds the status of the server
// as a *[ServerError]. The *[Error] holds the last progress:
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
