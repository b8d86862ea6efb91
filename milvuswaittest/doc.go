// Package milvuswaittest provides the waits of package milvuswait as test helpers. They
// take a testing.TB, and return when Milvus is ready or fail the test.
//
//	func TestSearch(t *testing.T) {
//		milvuswaittest.RequireServer(t, p)                // a server that has just been started
//		…                                                 // create, insert, flush, create the index, load
//		milvuswaittest.RequireIndexed(t, p, "docs", 1000) // 1000 rows, all of them indexed
//		milvuswaittest.RequireLoaded(t, p, "docs")
//		…                                                 // search
//	}
//
// p is a milvuswait.Poller: from package rpc or sdk for a server, or from package fake.
// RequireImported and RequireCompacted wait for jobs, and RequireAll for many targets of all
// kinds at once.
//
// # Limits
//
// The helpers wait until the deadline of the test, set by go test -timeout, minus a
// margin: a tenth of the remaining time, at least 1 s and at most 30 s. The margin
// leaves time to report the failure, and to run the functions of t.Cleanup, before go
// test ends the process. A test without a deadline has [DefaultLimit]. [Within] sets a
// shorter limit.
//
// The end of t.Context also ends a wait. This context ends before the functions of
// t.Cleanup run, so do not use the helpers in them.
//
// A permanent failure fails the test at once, as in package milvuswait: a missing
// collection, a collection that is not loaded, a failed index.
//
// # Output
//
// Every change writes a line to the log of the test, with the file and line of the
// helper's call:
//
//	search_test.go:31: loading "docs": 0% after 0s
//	search_test.go:31: loading "docs": 40% after 1.239s, about 1.042s left
//	search_test.go:31: loading "docs": poll 25 failed after 2.054s: GetLoadingProgress: unavailable: connection refused
//	search_test.go:31: loading "docs": 40% after 2.134s, about 2.385s left
//
// A line ends in "waiting for flush" or "waiting for verify" if the target looks complete
// otherwise, and in "unconfirmed" if the server cannot report rows that are being flushed:
// see milvuswait.Update.
//
// A failure reports the error of the wait, the changes of the progress, the last failed
// polls, the server's reason if there is one, and the limit that ended the wait:
//
//	search_test.go:31: milvuswait: loading "docs": context deadline exceeded (198 polls in 1m0s, last 40%)
//	    progress: 0% after 0s; 40% after 1.239s
//	    failed polls: 1 of 198, the last of them:
//	      poll 25 after 2.054s: GetLoadingProgress: unavailable: connection refused
//	    gave up: after 1m0s, the limit of Within
//
// # Virtual time
//
// The helpers also work in a bubble of testing/synctest. A load of 40 minutes takes
// milliseconds there. The deadline of the test belongs to the real clock and does not
// apply: the limit is [BubbleLimit], in the bubble's time. Pass the bubble's *testing.T
// to the helpers: the context of the outer test belongs to the world outside.
//
//	synctest.Test(t, func(t *testing.T) {
//		p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.LoadOver(40*time.Minute))
//		milvuswaittest.RequireLoaded(t, p, "docs")
//	})
//
// # Goroutines
//
// Call the helpers on the goroutine of the test, as t.Fatal requires. They leave no
// goroutine and no timer behind. Observers run on a coroutine of the helper, one at a
// time, and so do polls, except those of RequireAll. A panic in an observer or a poll
// propagates to the test, and t.FailNow ends the test.
//
// The package imports neither testify nor testing. Package milvuswaittest/pollertest
// checks a custom Poller.
package milvuswaittest
