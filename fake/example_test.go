package fake_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

// play prints the steps of s for polls at these minutes.
func play(s fake.Script, minutes ...int) {
	for i, m := range minutes {
		step := s.Step(i+1, time.Duration(m)*time.Minute)
		switch {
		case step.Err != nil:
			fmt.Printf("%d min: %v", m, step.Err)
		default:
			fmt.Printf("%d min: %v", m, step.Progress)
		}
		if step.Delay == fake.Forever {
			fmt.Print(" (hangs)")
		} else if step.Delay > 0 {
			fmt.Printf(" (takes %v)", step.Delay)
		}
		fmt.Println()
	}
}

func Example() {
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Percents(0, 40, 100))

	progress, err := milvuswait.WaitForLoadingComplete(context.Background(), p, "docs",
		milvuswait.WithBackoff(milvuswait.Backoff{Initial: time.Millisecond, Max: time.Millisecond}))

	fmt.Println(progress, err, len(p.Calls()))
	// Output: 100% <nil> 3
}

func ExamplePoller_Set() {
	var p fake.Poller
	docs := milvuswait.Loading("docs")
	ctx := context.Background()

	p.Set(docs, fake.Percents(40))
	fmt.Println(p.LoadingProgress(ctx, "docs"))
	p.Set(docs, nil)
	fmt.Println(p.LoadingProgress(ctx, "docs"))
	// Output:
	// 40% <nil>
	// 0% not loaded: "docs"
}

func ExamplePoller_Drop() {
	p := new(fake.Poller).Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(100, 40))
	ctx := context.Background()

	fmt.Println(p.IndexBuildingProgress(ctx, "docs", "vidx"))
	p.Drop("docs")
	_, err := p.IndexBuildingProgress(ctx, "docs", "vidx")
	fmt.Println(err)
	// Output:
	// 40/100 rows, InProgress <nil>
	// collection not found: "docs"
}

func ExamplePoller_Calls() {
	docs := milvuswait.Loading("docs")
	p := new(fake.Poller).Set(docs, fake.WithError(fake.Percents(0, 40, 100), errors.New("connection reset"), 2))
	_, _ = milvuswait.WaitForLoadingComplete(context.Background(), p, "docs",
		milvuswait.WithBackoff(milvuswait.Backoff{Initial: time.Millisecond, Max: time.Millisecond}))

	for _, c := range p.Calls(docs) {
		fmt.Println(c.Poll, c.Target, c.Progress, c.Err)
	}
	// Output:
	// 1 loading "docs" 0% <nil>
	// 2 loading "docs" <nil> connection reset
	// 3 loading "docs" 100% <nil>
}

func ExamplePoller_CheckLoadState() {
	var p fake.Poller
	p.Set(milvuswait.Loading("docs"), fake.Percents(0))
	p.Set(milvuswait.Loading("old"), nil)
	ctx := context.Background()

	fmt.Println(p.CheckLoadState(ctx, "docs"))
	fmt.Println(p.CheckLoadState(ctx, "old"))
	// Output:
	// <nil>
	// not loaded: "old"
}

func ExampleObserver() {
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Percents(0, 40, 100))
	var o fake.Observer
	_, _ = milvuswait.WaitForLoadingComplete(context.Background(), p, "docs", milvuswait.WithObserver(&o),
		milvuswait.WithBackoff(milvuswait.Backoff{Initial: time.Millisecond, Max: time.Millisecond}))

	for _, u := range o.Updates() {
		fmt.Println(u.Progress, u.Final)
	}
	final, ok := o.Final(milvuswait.Loading("docs"))
	fmt.Println(final.Polls, ok)
	// Output:
	// 0% false
	// 40% false
	// 100% true
	// 3 true
}

func ExampleSteps() {
	play(fake.Steps(
		fake.Step{Progress: milvuswait.LoadingProgress{Percent: 40}},
		fake.Step{Err: milvuswait.ErrNotLoaded, Delay: time.Second},
	), 0, 1, 2)
	// Output:
	// 0 min: 40%
	// 1 min: not loaded (takes 1s)
	// 2 min: not loaded (takes 1s)
}

func ExampleScriptFunc() {
	play(fake.ScriptFunc(func(poll int, elapsed time.Duration) fake.Step {
		return fake.Step{Progress: milvuswait.LoadingProgress{Percent: int64(elapsed.Minutes())}}
	}), 0, 15, 99)
	// Output:
	// 0 min: 0%
	// 15 min: 15%
	// 99 min: 99%
}

func ExamplePercents() {
	play(fake.Percents(0, 40, 100), 0, 1, 2, 3)
	// Output:
	// 0 min: 0%
	// 1 min: 40%
	// 2 min: 100%
	// 3 min: 100%
}

func ExampleRows() {
	play(fake.Rows(100_000, 0, 50_000, 100_000), 0, 1, 2)
	// Output:
	// 0 min: 0/100000 rows, InProgress
	// 1 min: 50000/100000 rows, InProgress
	// 2 min: 100000/100000 rows, Finished
}

func ExampleRefreshOver() {
	s := fake.RefreshOver(time.Minute)

	for _, elapsed := range []time.Duration{0, time.Minute} {
		p := s.Step(1, elapsed).Progress.(milvuswait.LoadingProgress)
		fmt.Println(p.Percent, p.RefreshPercent)
	}
	// Output:
	// 100 0
	// 100 100
}

func ExampleSilentlyReleased() {
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.SilentlyReleased())
	ctx := context.Background()

	fmt.Println(p.LoadingProgress(ctx, "docs"))
	fmt.Println(p.CheckLoadState(ctx, "docs"))
	// Output:
	// 0% <nil>
	// not loaded: "docs"
}

func ExampleLoadOver() {
	play(fake.LoadOver(40*time.Minute), 0, 16, 40)
	// Output:
	// 0 min: 0%
	// 16 min: 40%
	// 40 min: 100%
}

func ExampleLoadCurve_StallAt() {
	play(fake.LoadOver(40*time.Minute).StallAt(30, 10*time.Minute), 12, 22, 50)
	// Output:
	// 12 min: 30%
	// 22 min: 30%
	// 50 min: 100%
}

func ExampleLoadCurve_FallAt() {
	play(fake.LoadOver(10*time.Minute).FallAt(80, 20), 7, 8, 16)
	// Output:
	// 7 min: 70%
	// 8 min: 20%
	// 16 min: 100%
}

func ExampleLoadCurve_FailAt() {
	play(fake.LoadOver(10*time.Minute).FailAt(70, milvuswait.ErrLoadFailed), 6, 7, 60)
	// Output:
	// 6 min: 60%
	// 7 min: load failed
	// 60 min: load failed
}

func ExampleLoadCurve_InSteps() {
	play(fake.LoadOver(10*time.Minute).InSteps(2), 4, 5, 9, 10)
	// Output:
	// 4 min: 0%
	// 5 min: 50%
	// 9 min: 50%
	// 10 min: 100%
}

func ExampleBuildOver() {
	play(fake.BuildOver(100_000, 40*time.Minute), 0, 20, 40)
	// Output:
	// 0 min: 0/100000 rows, InProgress
	// 20 min: 50000/100000 rows, InProgress
	// 40 min: 100000/100000 rows, Finished
}

func ExampleBuildCurve_StallAt() {
	play(fake.BuildOver(100_000, 40*time.Minute).StallAt(50, fake.Forever), 10, 20, 1000)
	// Output:
	// 10 min: 25000/100000 rows, InProgress
	// 20 min: 50000/100000 rows, InProgress
	// 1000 min: 50000/100000 rows, InProgress
}

func ExampleBuildCurve_FallAt() {
	play(fake.BuildOver(100_000, 10*time.Minute).FallAt(50, 0), 4, 5, 15)
	// Output:
	// 4 min: 40000/100000 rows, InProgress
	// 5 min: 0/100000 rows, InProgress
	// 15 min: 100000/100000 rows, Finished
}

func ExampleBuildCurve_FailAt() {
	s := fake.BuildOver(100_000, 10*time.Minute).FailAt(70, "out of memory")

	play(s, 6, 7)
	fmt.Println(s.Step(3, time.Hour).Progress.(milvuswait.IndexBuildingProgress).FailReason)
	// Output:
	// 6 min: 60000/100000 rows, InProgress
	// 7 min: 70000/100000 rows, Failed
	// out of memory
}

func ExampleBuildCurve_InSteps() {
	play(fake.BuildOver(100_000, 10*time.Minute).InSteps(2), 4, 5, 10)
	// Output:
	// 4 min: 0/100000 rows, InProgress
	// 5 min: 50000/100000 rows, InProgress
	// 10 min: 100000/100000 rows, Finished
}

func ExampleBuildCurve_VisibleAfter() {
	play(fake.BuildOver(100_000, 10*time.Minute).VisibleAfter(time.Minute), 0, 1, 11)
	// Output:
	// 0 min: 0/0 rows, Finished
	// 1 min: 0/100000 rows, InProgress
	// 11 min: 100000/100000 rows, Finished
}

func ExampleBuildCurve_AlwaysFinished() {
	play(fake.BuildOver(100_000, 10*time.Minute).AlwaysFinished(), 0, 5, 10)
	// Output:
	// 0 min: 0/100000 rows, Finished
	// 5 min: 50000/100000 rows, Finished
	// 10 min: 100000/100000 rows, Finished
}

func ExampleWithDelay() {
	s := fake.WithDelay(fake.Percents(0, 40, 100), 200*time.Millisecond)
	play(fake.WithDelay(s, fake.Forever, 3), 0, 1, 2)
	// Output:
	// 0 min: 0% (takes 200ms)
	// 1 min: 40% (takes 200ms)
	// 2 min: 100% (hangs)
}

func ExampleWithError() {
	play(fake.WithError(fake.Percents(0, 40, 100), errors.New("connection reset"), 1, 2), 0, 1, 2)
	// Output:
	// 0 min: connection reset
	// 1 min: connection reset
	// 2 min: 100%
}

func ExampleWithOutage() {
	play(fake.WithOutage(fake.LoadOver(10*time.Minute), errors.New("connection refused"), 2*time.Minute, 3*time.Minute), 1, 2, 4, 5)
	// Output:
	// 1 min: 10%
	// 2 min: connection refused
	// 4 min: connection refused
	// 5 min: 50%
}
