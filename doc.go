// Package milvuswait blocks until a Milvus collection is really loaded or an
// index is really built.
//
// Milvus does both in the background, and clients poll. WaitForLoadingComplete
// and WaitForIndexBuildingComplete poll for you: they return nil exactly when the
// server has shown the target complete, and an error as soon as it cannot become
// complete any more. They only read: they never load, create, flush or release
// anything.
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
// After LoadCollection or LoadPartitions: [WaitForLoadingComplete]. After
// LoadCollection with refresh = true: the same by [WithRefresh]. After CreateIndex,
// or after more rows went into a collection that has an index:
// [WaitForIndexBuildingComplete].
//
// Say [WithExpectedRows] whenever you know how many rows there must be. A server
// says "Finished" while it has not even begun to count rows that were flushed a
// moment ago, and no poll can tell that from an index that is complete. Without
// the number, wait for the flush first.
//
// For many collections and indexes at once, up to a whole cluster: [WaitAll].
//
// While rows are written without end use [WithIndexCriterion] with [RowsAtStart].
// To see every poll, give an [Observer] by [WithObserver], or range over [Watch].
//
// # How long it takes
//
// As long as the context allows; there is no other time limit. A wait is late by
// its polls and at most 100 ms, or 2 % of the time waited if that is more, and
// never more than 5 s: see [Backoff], and [WaitAll] for thousands of targets. A
// server that cannot be reached is put up with for 5 minutes
// ([WithUnreachableAfter]), one that shows no progress for ever unless
// [WithStallTimeout] says otherwise. A load that somebody else is about to ask for
// wants [WithStartGrace].
//
// # Errors
//
// errors.Is(err, context.DeadlineExceeded) says that the wait's own time was up,
// whatever any RPC said. What the server said is one of the sentinels, such as
// [ErrCollectionNotFound] or [ErrNotLoaded], and in the *[ServerError] that
// errors.As finds. How far the wait was is in the *[Error]:
//
//	milvuswait: loading "docs": context deadline exceeded (60 polls in 1h0m0s, last 40%)
//
// A poll that fails in passing (the server restarts, a connection breaks) is shown
// to observers and does not end the wait. [Permanent] is for a [Poller] of your
// own that knows better.
//
// # Tests
//
// Package fake has a Poller that goes by a script. In a bubble of testing/synctest
// a load of 40 minutes is waited for in milliseconds, and there is no clock to
// inject. Package milvuswaittest has the waits for tests that need a loaded
// collection: they take a testing.TB and fail it. Package pollertest, below that
// one, checks a Poller of your own.
//
// # Goroutines
//
// A wait runs on the goroutine that calls it, but for the polls of [WaitAll], and
// leaves nothing behind: no goroutine, no timer, no connection. Everything may be
// used by many goroutines at once.
package milvuswait
