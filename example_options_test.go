package milvuswait_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

func ExampleWithIndex() {
	p := new(fake.Poller).
		Set(milvuswait.IndexBuilding("docs", "dense"), fake.Rows(100, 100)).
		Set(milvuswait.IndexBuilding("docs", "sparse"), fake.Rows(100, 40, 100))

	_, err := milvuswait.WaitForIndexBuildingComplete(context.Background(), p, "docs")
	fmt.Println(errors.Is(err, milvuswait.ErrAmbiguousIndex))
	fmt.Println(milvuswait.WaitForIndexBuildingComplete(context.Background(), p, "docs", quick,
		milvuswait.WithIndex(milvuswait.AllIndexes)))
	// Output:
	// true
	// 100/100 rows, Finished <nil>
}

// Right after a flush, a server may still report 0 rows and a finished index.
func ExampleWithExpectedRows() {
	p := new(fake.Poller).Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Steps(
		fake.Step{Progress: milvuswait.IndexBuildingProgress{State: milvuswait.IndexStateFinished}},
		fake.Step{Progress: milvuswait.IndexBuildingProgress{TotalRows: 100, PendingIndexRows: 100, State: milvuswait.IndexStateInProgress}},
		fake.Step{Progress: milvuswait.IndexBuildingProgress{TotalRows: 100, IndexedRows: 100, State: milvuswait.IndexStateFinished}},
	))

	fmt.Println(milvuswait.WaitForIndexBuildingComplete(context.Background(), p, "docs", quick, milvuswait.WithExpectedRows(100)))
	// Output: 100/100 rows, Finished <nil>
}

// Another process keeps writing rows. The wait ends when the rows of its start are indexed.
// Its first poll requests the progress twice: segments may have been flushed in between.
func ExampleWithIndexCriterion() {
	start := fake.Step{Progress: milvuswait.IndexBuildingProgress{TotalRows: 100, PendingIndexRows: 100, State: milvuswait.IndexStateInProgress}}
	p := new(fake.Poller).Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Steps(start, start,
		fake.Step{Progress: milvuswait.IndexBuildingProgress{TotalRows: 150, IndexedRows: 100, PendingIndexRows: 50, State: milvuswait.IndexStateInProgress}},
	))

	fmt.Println(milvuswait.WaitForIndexBuildingComplete(context.Background(), p, "docs", quick,
		milvuswait.WithIndexCriterion(milvuswait.RowsAtStart)))
	// Output: 100/150 rows, InProgress <nil>
}

// After LoadCollection with refresh = true, a collection stays at 100 % during the refresh.
func ExampleWithRefresh() {
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.RefreshOver(20*time.Millisecond))

	progress, err := milvuswait.WaitForLoadingComplete(context.Background(), p, "docs", quick, milvuswait.WithRefresh())
	fmt.Println(progress.Percent, progress.RefreshPercent, err)
	// Output: 100 100 <nil>
}

func ExampleWithSettle() {
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Percents(100, 50, 100)) // a query node was lost in between

	progress, err := milvuswait.WaitForLoadingComplete(context.Background(), p, "docs", quick,
		milvuswait.WithSettle(20*time.Millisecond))
	fmt.Println(progress, err, len(p.Calls()) > 3)
	// Output: 100% <nil> true
}

func ExampleWithStallTimeout() {
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Percents(40))

	_, err := milvuswait.WaitForLoadingComplete(context.Background(), p, "docs", quick,
		milvuswait.WithStallTimeout(20*time.Millisecond))
	fmt.Println(errors.Is(err, milvuswait.ErrStalled))
	// Output: true
}

// Another process is about to load the collection.
func ExampleWithStartGrace() {
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.WithError(fake.Percents(0, 0, 100), milvuswait.ErrNotLoaded, 1, 2))

	fmt.Println(milvuswait.WaitForLoadingComplete(context.Background(), p, "docs", quick, milvuswait.WithStartGrace(time.Minute)))
	// Output: 100% <nil>
}

func ExampleWithUnreachableAfter() {
	refused := errors.New("connection refused")
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.WithError(fake.Percents(0), refused))

	_, err := milvuswait.WaitForLoadingComplete(context.Background(), p, "docs", quick,
		milvuswait.WithUnreachableAfter(20*time.Millisecond))
	fmt.Println(errors.Is(err, milvuswait.ErrUnreachable), errors.Is(err, refused))
	// Output: true true
}

// The first poll hangs and times out. The next one has twice the timeout.
func ExampleWithPollTimeout() {
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.WithDelay(fake.Percents(40, 100), fake.Forever, 1))

	fmt.Println(milvuswait.WaitForLoadingComplete(context.Background(), p, "docs", quick,
		milvuswait.WithPollTimeout(10*time.Millisecond, time.Second)))
	// Output: 100% <nil>
}

func ExampleWithMaxInFlight() {
	// For a distant server and indexes of many collections: no list covers them.
	outcomes, err := milvuswait.WaitAll(context.Background(), server(), []milvuswait.Target{milvuswait.IndexBuilding("docs", "vidx")},
		quick, milvuswait.WithMaxInFlight(64))
	fmt.Println(outcomes[0].Progress, err)
	// Output: 100000/100000 rows, Finished <nil>
}

func ExampleWithContinueOnError() {
	targets := []milvuswait.Target{milvuswait.Loading("imagse"), milvuswait.Loading("docs")}

	outcomes, _ := milvuswait.WaitAll(context.Background(), server(), targets, quick)
	fmt.Println(errors.Is(outcomes[1].Err, milvuswait.ErrAborted))
	outcomes, _ = milvuswait.WaitAll(context.Background(), server(), targets, quick, milvuswait.WithContinueOnError())
	fmt.Println(outcomes[1].Progress, outcomes[1].Err)
	// Output:
	// true
	// 100% <nil>
}

func ExampleNewAggregate() {
	targets := []milvuswait.Target{milvuswait.Loading("docs"), milvuswait.Loading("imagse")}
	whole := milvuswait.NewAggregate(len(targets))

	_, _ = milvuswait.WaitAll(context.Background(), server(), targets, quick,
		milvuswait.WithContinueOnError(), milvuswait.WithObserver(whole))
	s := whole.Summary()
	fmt.Println(s.Total, s.Done, s.Failed, s.Pending)
	// Output: 2 1 1 0
}

func ExampleObservers() {
	count, last := 0, milvuswait.Update{}
	both := milvuswait.Observers(
		milvuswait.ObserverFunc(func(milvuswait.Update) { count++ }),
		milvuswait.ObserverFunc(func(u milvuswait.Update) { last = u }),
	)
	_, _ = milvuswait.WaitForLoadingComplete(context.Background(), server(), "docs", quick, milvuswait.WithObserver(both))
	fmt.Println(count, last.Progress)
	// Output: 3 100%
}

func ExampleOnChange() {
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Percents(0, 0, 0, 40, 40, 100))
	changes := milvuswait.OnChange(milvuswait.ObserverFunc(func(u milvuswait.Update) { fmt.Println(u.Polls, u.Progress) }))

	_, _ = milvuswait.WaitForLoadingComplete(context.Background(), p, "docs", quick, milvuswait.WithObserver(changes))
	// Output:
	// 1 0%
	// 4 40%
	// 6 100%
}
