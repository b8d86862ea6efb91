// Package fake has a milvuswait.Poller for tests that answers by scripts, and an
// Observer that keeps what it was told.
//
// # Scripts
//
// A script says what each poll of a target meets. There are scripts by polls,
// one answer a poll, the last one repeated:
//
//	fake.Percents(0, 40, 100)                  // a load
//	fake.Rows(100_000, 0, 50_000, 100_000)     // an index over 100 000 rows
//	fake.Steps(fake.Step{Err: err}, …)         // anything
//
// and by time, for waits of any length:
//
//	fake.LoadOver(40*time.Minute)
//	fake.LoadOver(40*time.Minute).StallAt(30, 10*time.Minute).FailAt(70, err)
//	fake.LoadOver(time.Hour).FallAt(80, 20).InSteps(8)
//	fake.BuildOver(100_000, 40*time.Minute).StallAt(50, fake.Forever)
//	fake.BuildOver(100_000, 40*time.Second).VisibleAfter(2600*time.Millisecond)
//	fake.RefreshOver(time.Minute)
//
// and all of them can be made to answer late, not at all, or with an error:
//
//	fake.WithDelay(s, 200*time.Millisecond)          // every poll
//	fake.WithDelay(s, fake.Forever, 3)               // the third poll hangs
//	fake.WithError(s, err, 2, 3)                     // the second and third poll fail
//	fake.WithOutage(s, err, time.Minute, time.Hour)  // from 1:00 to 61:00
//
// Scripts are values without state. A script that makes no sense panics where it
// is made, with a message that says why: it is a mistake in the test. Numbers
// that no server should answer are no mistake in Percents, Rows and Steps, so
// that a wait can be tested against rubbish.
//
// # The Poller
//
// The zero Poller is ready for use. Set gives targets their scripts, and may be
// called in the middle of a wait:
//
//	var p fake.Poller
//	p.Set(milvuswait.Loading("docs"), fake.LoadOver(40*time.Minute))
//	p.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(100, 100))
//	p.Set(milvuswait.Loading("docs"), nil) // released
//	p.Drop("docs")
//
// Calls tells what it was asked, when, and what it answered.
//
// # Time
//
// A Poller has no goroutine, and no timer but for the delay of a poll that has
// one. It takes time as it finds it, so that in a bubble of testing/synctest a
// wait of 40 minutes is over in milliseconds, on the nanosecond:
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
// It may be made inside the bubble or outside. Outside of bubbles, in Examples
// and benchmarks, scripts by polls and a short milvuswait.Backoff keep a wait
// short.
//
// Package fakeserver, below this one, plays the same scripts over gRPC.
package fake
