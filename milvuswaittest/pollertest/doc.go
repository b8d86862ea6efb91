// Package pollertest checks a milvuswait.Poller that somebody wrote: for another
// client, as a wrapper, as a fake.
//
//	func TestPoller(t *testing.T) {
//		p := mypoller.New(…) // against a test server, a recording, or a mock
//		pollertest.Run(t, p, pollertest.World{
//			Collection: "docs", Index: "vidx", Rows: 1000, Partitions: []string{"eu"},
//			NotLoaded:  "cold",
//			NoIndex:    "bare",
//			Several:    "images", Indexes: []string{"by_text", "by_image"},
//			Hang:       func() (undo func()) { … },
//			Fail:       func() (undo func()) { … },
//		})
//	}
//
// # What is checked
//
// A wait is only as good as what its Poller says, and each of these makes waits hang,
// end early, or end for nothing:
//
//   - A failure that reads as progress 0 without an error.
//   - An error for what does not exist, is not loaded or is ambiguous that does not
//     wrap the sentinel of package milvuswait: the wait polls on for ever.
//   - An error for a server that is away which does wrap one, or is marked by
//     milvuswait.Permanent: the wait ends when the server restarts.
//   - A call that goes on when its context has ended, returns no error then, or one
//     that ends the wait.
//   - A panic, where there are no partitions, or names are empty.
//   - Numbers that no server means: percentages beyond 0 to 100, more rows pending
//     than there are, and answers for what is done that are not Complete.
//   - Answers that are another's when several calls are made at once. Run with
//     go test -race, which finds the rest.
//   - Optional methods (milvuswait.LoadStateChecker, Lister, IndexLister) that say
//     other things than the single polls do, or change a map that they returned.
//   - A wrapper that hides optional methods of the Poller in it: it needs Unwrap.
//
// A Poller can know no more than its server says. milvus-lite takes any partition
// for the whole collection and any name for the only index, so that package rpc
// itself fails there what is said of those: check against Milvus, or package
// fakeserver.
//
// Every defect is one error of the test, which names the call, what it returned,
// what that does to a wait, and what to return instead. What a World has nothing
// for is not checked, and said in the log.
//
// # Time
//
// A call must be back a second after its context has ended. Nothing else in Run
// takes longer than the Poller does, but for 50 ms with every call that hangs. It
// works in a bubble of testing/synctest too, where a call that never comes back
// makes the bubble's end panic after the defect has been told.
//
// The package imports neither testify nor testing.
package pollertest
