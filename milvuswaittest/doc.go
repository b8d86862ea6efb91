// Package milvuswaittest has the waits of package milvuswait as a test wants
// them: they take a testing.TB, and return when Milvus is ready or fail the test.
//
//	func TestSearch(t *testing.T) {
//		…                                                 // create, insert, flush, create the index, load
//		milvuswaittest.RequireIndexed(t, p, "docs", 1000) // 1000 rows, all of them indexed
//		milvuswaittest.RequireLoaded(t, p, "docs")
//		…                                                 // search
//	}
//
// p is a milvuswait.Poller: that of package rpc or sdk for a server, or package
// fake's. RequireAll waits for many targets at once.
//
// # How long they wait
//
// Until the deadline of the test, which is what go test -timeout leaves, less a
// margin: a tenth of the time that is left, but at least 1 s and at most 30 s. So
// the failure can still be told, and what t.Cleanup drops can still be dropped,
// before go test ends the process. A test without a deadline has [DefaultLimit].
// [Within] sets a shorter limit, and the end of t.Context ends a wait too. As that
// context ends before the functions of t.Cleanup run, the helpers are of no use
// in them.
//
// What cannot come any more fails at once, as milvuswait's errors say: a
// collection that does not exist or that nobody loaded, an index that failed.
//
// # What they say
//
// Every change is a line in the log of the test, with the test's own line before
// it:
//
//	search_test.go:31: loading "docs": 0% after 0s
//	search_test.go:31: loading "docs": 40% after 1.239s, about 1.042s left
//	search_test.go:31: loading "docs": poll 25 failed after 2.054s: GetLoadingProgress: unavailable: connection refused
//	search_test.go:31: loading "docs": 40% after 2.134s, about 2.385s left
//
// A failure has the error of the wait, the progress that was seen, the last polls
// that failed, the server's reason where it gave one, and why no longer was waited:
//
//	search_test.go:31: milvuswait: loading "docs": context deadline exceeded (198 polls in 1m0s, last 40%)
//	    progress: 0% after 0s; 40% after 1.239s
//	    failed polls: 1 of 198, the last of them:
//	      poll 25 after 2.054s: GetLoadingProgress: unavailable: connection refused
//	    gave up: after 1m0s, as Within says
//
// # Virtual time
//
// The helpers work in a bubble of testing/synctest as they do outside. There a
// load of 40 minutes is waited for in milliseconds, and the deadline of the test,
// which is of the real clock, means nothing: the limit is [BubbleLimit], in the
// bubble's time. Give them the bubble's own *testing.T, as everything else in the
// bubble: the context of the test around it is of the world outside.
//
//	synctest.Test(t, func(t *testing.T) {
//		p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.LoadOver(40*time.Minute))
//		milvuswaittest.RequireLoaded(t, p, "docs")
//	})
//
// # Goroutines
//
// Call the helpers on the goroutine of the test, as t.Fatal wants it. They leave
// no goroutine and no timer behind. Observers, and but for RequireAll the Poller
// too, are called on a coroutine of the helper, one at a time; a panic in them is
// passed on, and t.FailNow in them ends the test.
//
// The package imports neither testify nor testing. Package pollertest, below this
// one, checks a Poller of your own.
package milvuswaittest
