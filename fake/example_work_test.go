package fake_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

func ExampleFlushOver() {
	play(fake.FlushOver(2*time.Minute), 0, 1, 2)
	// Output:
	// 0 min: flushing
	// 1 min: flushing
	// 2 min: flushed
}

func ExamplePoller_FlushDone() {
	mark := milvuswait.FlushMark{Timestamp: 451, Segments: []int64{1, 2}}
	p := new(fake.Poller).Set(milvuswait.Flushing("docs", mark), fake.FlushOver(time.Hour))
	ctx := context.Background()

	fmt.Println(p.FlushDone(ctx, "docs", mark))
	fmt.Println(p.FlushDone(ctx, "docs", milvuswait.FlushMark{}))
	// Output:
	// false <nil>
	// true <nil>
}

func ExamplePoller_UnflushedSegments() {
	mark := milvuswait.FlushMark{Timestamp: 451, Segments: []int64{1, 2}}
	p := new(fake.Poller).Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(100, 100))
	ctx := context.Background()

	fmt.Println(p.UnflushedSegments(ctx, "docs"))
	p.Set(milvuswait.Flushing("docs", mark), fake.FlushOver(time.Hour))
	fmt.Println(p.UnflushedSegments(ctx, "docs"))
	// Output:
	// [] <nil>
	// [1 2] <nil>
}

func ExampleBuildCurve_Unflushed() {
	s := fake.BuildOver(100_000, 10*time.Minute).VisibleAfter(time.Minute)

	fmt.Println(s.Unflushed(0), s.Unflushed(time.Minute))
	// Output: true false
}

func ExampleImportOver() {
	play(fake.ImportOver(20_000, 10*time.Minute), 0, 4, 9, 10)
	// Output:
	// 0 min: 0%, ImportPending
	// 4 min: 40%, ImportStarted
	// 9 min: 90%, ImportPersisted, 20000 rows
	// 10 min: 100%, ImportCompleted, 20000 rows
}

func ExampleImportCurve_StallAt() {
	play(fake.ImportOver(20_000, 10*time.Minute).StallAt(80, 5*time.Minute), 8, 12, 15)
	// Output:
	// 8 min: 80%, ImportStarted
	// 12 min: 80%, ImportStarted
	// 15 min: 100%, ImportCompleted, 20000 rows
}

func ExampleImportCurve_FailAt() {
	p := new(fake.Poller).Set(milvuswait.Importing(7), fake.ImportOver(20_000, 0).FailAt(0, "no such file"))

	progress, err := milvuswait.WaitForImportComplete(context.Background(), p, 7)

	fmt.Println(progress)
	fmt.Println(errors.Is(err, milvuswait.ErrJobFailed), progress.FailReason)
	// Output:
	// 0%, ImportFailed
	// true no such file
}

func ExamplePoller_ImportProgress() {
	p := new(fake.Poller).Set(milvuswait.Importing(7), fake.ImportOver(20_000, 0))
	ctx := context.Background()

	fmt.Println(p.ImportProgress(ctx, 7))
	_, err := p.ImportProgress(ctx, 8)
	fmt.Println(err)
	// Output:
	// 100%, ImportCompleted, 20000 rows <nil>
	// job not found: import 8
}

func ExampleCompactOver() {
	play(fake.CompactOver(4, 8*time.Minute), 0, 4, 8)
	// Output:
	// 0 min: 0/4 plans, Executing
	// 4 min: 2/4 plans, Executing
	// 8 min: 4/4 plans, Completed
}

func ExampleCompactCurve_FailPlans() {
	play(fake.CompactOver(4, 8*time.Minute).FailPlans(1), 0, 2, 8)
	// Output:
	// 0 min: 0/4 plans, Executing
	// 2 min: 1/4 plans, Executing, 1 failed
	// 8 min: 4/4 plans, Completed, 1 failed
}

func ExampleCompactCurve_ForgetAfter() {
	play(fake.CompactOver(4, 8*time.Minute).FailPlans(1).ForgetAfter(time.Minute), 2, 3, 8)
	// Output:
	// 2 min: 1/4 plans, Executing, 1 failed
	// 3 min: 0/3 plans, Executing
	// 8 min: 3/3 plans, Completed
}

func ExamplePoller_CompactionProgress() {
	p := new(fake.Poller).Set(milvuswait.Compacting(7), fake.CompactOver(4, 0))
	ctx := context.Background()

	fmt.Println(p.CompactionProgress(ctx, 7))
	fmt.Println(p.CompactionProgress(ctx, 8))
	// Output:
	// 4/4 plans, Completed <nil>
	// 0 plans, Completed <nil>
}

func ExampleServeAfter() {
	play(fake.ServeAfter(2*time.Minute, errors.New("connection refused")), 0, 1, 2)
	// Output:
	// 0 min: connection refused
	// 1 min: connection refused
	// 2 min: serving
}

func ExamplePoller_CheckServer() {
	var p fake.Poller
	ctx := context.Background()

	fmt.Println(p.CheckServer(ctx))
	p.Set(milvuswait.Serving(), fake.ServeAfter(time.Hour, errors.New("connection refused")))
	fmt.Println(p.CheckServer(ctx))
	// Output:
	// <nil>
	// connection refused
}
