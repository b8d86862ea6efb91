// Package fake provides a milvuswait.Poller with scripted results for tests, and an
// Observer that records every update.
//
// # Scripts
//
// A script defines the result of each poll of a target. Scripts by polls return one
// result per poll, and repeat the last one:
//
//	fake.Percents(0, 40, 100)                  // a load
//	fake.Rows(100_000, 0, 50_000, 100_000)     // an index over 100 000 rows
//	fake.Steps(fake.Step{Err: err}, …)         // anything
//
// Scripts by time return the progress at the time of the poll, for waits of any length:
//
//	fake.LoadOver(40*time.Minute)
//	fake.LoadOver(40*time.Minute).StallAt(30, 10*time.Minute).FailAt(70, err)
//	fake.LoadOver(time.Hour).FallAt(80, 20).InSteps(8)
//	fake.BuildOver(100_000, 40*time.Minute).StallAt(50, fake.Forever)
//	fake.BuildOver(100_000, 40*time.Second).VisibleAfter(2600*time.Millisecond)
//	fake.RefreshOver(time.Minute)
//	fake.FlushOver(3*time.Second)
//	fake.ImportOver(20_000, 10*time.Minute).StallAt(80, time.Minute).FailAt(90, "no such file")
//	fake.CompactOver(8, 10*time.Minute).FailPlans(1)
//	fake.ServeAfter(30*time.Second, err)
//
// Three functions add delays and errors to any script:
//
//	fake.WithDelay(s, 200*time.Millisecond)          // every poll
//	fake.WithDelay(s, fake.Forever, 3)               // the third poll hangs
//	fake.WithError(s, err, 2, 3)                     // the second and third poll fail
//	fake.WithOutage(s, err, time.Minute, time.Hour)  // from 1:00 to 61:00
//
// Scripts are values without state. Invalid arguments are mistakes in the test: the
// function that makes the script panics, with the reason. Percents, Rows and Steps
// accept out-of-range values, so a test can check a wait against a faulty server.
//
// # The Poller
//
// The zero Poller is ready for use. Set gives targets their scripts, also in the
// middle of a wait:
//
//	var p fake.Poller
//	p.Set(milvuswait.Loading("docs"), fake.LoadOver(40*time.Minute))
//	p.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(100, 100))
//	p.Set(milvuswait.Importing(7), fake.ImportOver(20_000, 10*time.Minute))
//	p.Set(milvuswait.Loading("docs"), nil) // released
//	p.Drop("docs")
//
// Calls returns all calls so far, with their targets, times and results.
//
// # Flushes
//
// The script of a flush plays for two methods: FlushDone reports the end of the flush, and
// UnflushedSegments lists the segments of its mark until then. So a wait for an index goes
// on until the flush is done, with the mark or without:
//
//	p.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(100, 100))
//	p.Set(milvuswait.Flushing("docs", mark), fake.FlushOver(3*time.Second))
//
// VisibleAfter is shorter, for an index without a mark: its rows are in an unflushed segment
// until that time. Without either, no segment is unflushed. A wait for an index then makes
// two calls more: a list of the segments, and a last poll.
//
// # Servers without an interface
//
// Milvus 2.6 and newer cannot list unflushed segments. For a Poller of such a server, or of
// any other without an optional interface, take only some methods:
//
//	milvuswait.PollerFuncs{Loading: p.LoadingProgress, IndexBuilding: p.IndexBuildingProgress, Flush: p.FlushDone}
//
// # Time
//
// A Poller starts no goroutines, and a timer only for a poll with a delay. It uses the
// clock of package time: in a bubble of testing/synctest, a wait of 40 minutes takes
// milliseconds, and its times are exact to the nanosecond:
//
//	func TestIngest(t *testing.T) {
//		synctest.Test(t, func(t *testing.T) {
//			p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.LoadOver(40*time.Minute))
//			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
//			defer cancel()
//
//			_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs")
//
//			require.NoError(t, err)
//		})
//	}
//
// The Poller may be made inside or outside the bubble. Outside of bubbles, as in
// examples and benchmarks, use scripts by polls and a short milvuswait.Backoff.
//
// Package fake/fakeserver plays the same scripts over gRPC.
package fake
