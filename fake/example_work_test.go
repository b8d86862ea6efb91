package fake_test

import (
	"context"
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
