// Package pollertest checks a custom milvuswait.Poller: for another client, a wrapper, or
// a fake.
//
//	func TestPoller(t *testing.T) {
//		p := mypoller.New(…) // against a test server, a recording, or a mock
//		pollertest.Run(t, p, pollertest.World{
//			Collection: "docs", Index: "vidx", Rows: 1000, Partitions: []string{"eu"},
//			NotLoaded:  "cold",
//			NoIndex:    "bare",
//			Several:    "images", Indexes: []string{"by_text", "by_image"},
//			Import:     importJob, Compaction: compactionID, Flush: mark,
//			Hang:       func() (undo func()) { … },
//			Fail:       func() (undo func()) { … },
//		})
//	}
//
// # Checks
//
// A wait depends on its Poller. Each of these defects makes waits hang, end early, or
// fail without a reason:
//
//   - A failure is returned as progress 0 without an error.
//   - The error for a missing, unloaded or ambiguous object does not wrap the sentinel of
//     package milvuswait: the wait polls for ever.
//   - The error for an unreachable server wraps a sentinel, or is marked by
//     milvuswait.Permanent: the wait ends when the server restarts.
//   - A call goes on after its context has ended, returns no error then, or returns an
//     error that ends the wait.
//   - A call without partitions, or with an empty name, panics.
//   - Numbers are out of range: percentages outside of 0 to 100, more pending rows than
//     rows, or progress of a complete target that is not Complete.
//   - Concurrent calls return each other's results. Run with go test -race to find other
//     races.
//   - Optional methods (milvuswait.LoadStateChecker, Lister, IndexLister) contradict
//     individual polls, or change a map after they returned it.
//   - A failure to list segments is returned as an empty list, or a list has segments that
//     are flushed already.
//   - A flush that is done is never reported as done.
//   - A failed import is returned as an error, or an import of a number that does not exist
//     as progress.
//   - A wrapper hides optional methods of the Poller in it: it needs Unwrap.
//
// A Poller can report no more than its server. milvus-lite takes any partition for the
// whole collection, and any name for the only index, so package rpc fails the checks of
// missing partitions and indexes there. It also fails those of segments: a flush ends there
// when Flush returns, and package rpc lists no segments without a call. Check against
// Milvus, or package fakeserver.
//
// Each defect is one error of the test. The error has the call, its result, the
// consequence for a wait, and the correct result. A check without an object in World is
// skipped, and listed in the log. So is an optional method that is not supported by the
// server. An optional interface without an implementation is not checked.
//
// # Time
//
// A call must return within 1 s after its context has ended. Apart from this, Run takes
// the time of its calls, and 50 ms more for each call that hangs. It also works in a
// bubble of testing/synctest. If a call never returns, the end of the bubble panics there,
// after the report of the defect.
//
// The package imports neither testify nor testing.
package pollertest
