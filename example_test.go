package milvuswait_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"os"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

// server returns the Poller of the examples: "docs" is loading, and the index "vidx" of
// "docs" is being built.
func server() *fake.Poller {
	return new(fake.Poller).
		Set(milvuswait.Loading("docs"), fake.Percents(0, 40, 100)).
		Set(milvuswait.Loading("docs", "eu"), fake.Percents(50, 100)).
		Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(100_000, 0, 50_000, 100_000))
}

// quick polls every millisecond, so the examples end soon.
var quick = milvuswait.WithBackoff(milvuswait.Backoff{Initial: time.Millisecond, Max: time.Millisecond})

func ExampleWaitForLoadingComplete() {
	p := server() // for a real server: rpc.New(conn)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()

	progress, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", quick)
	fmt.Println(progress, err)
	// Output: 100% <nil>
}

func ExampleWaitForIndexBuildingComplete() {
	p := server()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()

	progress, err := milvuswait.WaitForIndexBuildingComplete(ctx, p, "docs", quick,
		milvuswait.WithIndex("vidx"),
		milvuswait.WithExpectedRows(100_000)) // inserted rows, flushed or not
	fmt.Println(progress, err)
	// Output: 100000/100000 rows, Finished <nil>
}

// A caller distinguishes the errors of a wait by errors.Is.
func ExampleError() {
	p := server()
	_, err := milvuswait.WaitForLoadingComplete(context.Background(), p, "imagse")

	var failure *milvuswait.Error
	switch {
	case err == nil:
		fmt.Println("loaded")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		fmt.Println("out of time, try again later")
	case errors.Is(err, milvuswait.ErrNotLoaded), errors.Is(err, milvuswait.ErrReleased):
		fmt.Println("somebody has to call LoadCollection")
	case errors.Is(err, milvuswait.ErrCollectionNotFound):
		fmt.Println("no such collection: is the name right?")
	case errors.As(err, &failure):
		fmt.Println("gave up at", failure.Last, "after", failure.Polls, "polls:", err)
	default:
		fmt.Println("wrong arguments:", err)
	}
	// Output: no such collection: is the name right?
}

func ExampleWatch() {
	p := server()
	for u, err := range milvuswait.Watch(context.Background(), p, milvuswait.IndexBuilding("docs", "vidx"), quick) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%3.0f %% %v\n", 100*u.Fraction, u.Progress)
	}
	// Output:
	//   0 % 0/100000 rows, InProgress
	//  50 % 50000/100000 rows, InProgress
	// 100 % 100000/100000 rows, Finished
}

func ExampleWaitAll() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()

	outcomes, err := milvuswait.WaitAll(ctx, server(), []milvuswait.Target{
		milvuswait.IndexBuilding("docs", "vidx").ExpectRows(100_000),
		milvuswait.Loading("docs"),
		milvuswait.Loading("imagse"),
	}, quick, milvuswait.WithContinueOnError())

	for _, o := range outcomes {
		fmt.Println(o.Target, o.Progress, errors.Is(o.Err, milvuswait.ErrCollectionNotFound))
	}
	fmt.Println(errors.Is(err, milvuswait.ErrCollectionNotFound))
	// Output:
	// index "vidx" of "docs" 100000/100000 rows, Finished false
	// loading "docs" 100% false
	// loading "imagse" <nil> true
	// true
}

func ExampleAggregate() {
	targets := []milvuswait.Target{milvuswait.Loading("docs"), milvuswait.IndexBuilding("docs", "vidx")}
	whole := milvuswait.NewAggregate(len(targets))

	_, err := milvuswait.WaitAll(context.Background(), server(), targets, quick, milvuswait.WithObserver(whole))
	fmt.Println(whole.Summary(), err) // or from a ticker, during the wait
	// Output: 2 of 2 done, 100% <nil>
}

func ExampleLoading() {
	fmt.Println(milvuswait.Loading("docs"))
	fmt.Println(milvuswait.Loading("docs", "eu", "us"))
	// Output:
	// loading "docs"
	// loading "docs", partitions "eu", "us"
}

func ExampleIndexBuilding() {
	fmt.Println(milvuswait.IndexBuilding("docs", "vidx").ExpectRows(100_000))
	fmt.Println(milvuswait.IndexBuilding("docs", ""))
	fmt.Println(milvuswait.IndexBuilding("docs", milvuswait.AllIndexes))
	// Output:
	// index "vidx" of "docs"
	// index of "docs"
	// all indexes of "docs"
}

// PollerFuncs makes a Poller from any client.
func ExamplePollerFuncs() {
	p := milvuswait.PollerFuncs{
		Loading: func(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error) {
			percent, err := int64(100), error(nil) // call your client here
			return milvuswait.LoadingProgress{Percent: percent}, err
		},
	}
	fmt.Println(milvuswait.WaitForLoadingComplete(context.Background(), p, "docs"))
	// Output: 100% <nil>
}

func ExamplePermanent() {
	errForbidden := errors.New("403 Forbidden")
	p := milvuswait.PollerFuncs{
		Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{}, milvuswait.Permanent(errForbidden)
		},
	}

	_, err := milvuswait.WaitForLoadingComplete(context.Background(), p, "docs")
	fmt.Println(errors.Is(err, errForbidden))
	// Output: true
}

func ExampleWithPartitions() {
	fmt.Println(milvuswait.WaitForLoadingComplete(context.Background(), server(), "docs", quick,
		milvuswait.WithPartitions("eu")))
	// Output: 100% <nil>
}

func ExampleWithObserver() {
	print := milvuswait.ObserverFunc(func(u milvuswait.Update) {
		fmt.Println(u.Polls, u.Progress, u.Final)
	})

	_, _ = milvuswait.WaitForLoadingComplete(context.Background(), server(), "docs", quick,
		milvuswait.WithObserver(milvuswait.OnChange(print)))
	// Output:
	// 1 0% false
	// 2 40% false
	// 3 100% true
}

func ExampleLog() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "elapsed" || a.Key == "eta" {
				return slog.Attr{} // differs from run to run
			}
			return a
		},
	}))

	_, _ = milvuswait.WaitForLoadingComplete(context.Background(), server(), "docs", quick,
		milvuswait.WithObserver(milvuswait.Log(logger)))
	// Output:
	// level=INFO msg="milvuswait: waiting" op=loading collection=docs progress=0% polls=1
	// level=INFO msg="milvuswait: progress" op=loading collection=docs progress=40% polls=2
	// level=INFO msg="milvuswait: complete" op=loading collection=docs progress=100% polls=3
}

func ExampleAsync() {
	slow := milvuswait.Async(milvuswait.ObserverFunc(func(u milvuswait.Update) {
		time.Sleep(10 * time.Millisecond) // a slow dashboard
		if u.Final {
			fmt.Println("told of", u.Progress)
		}
	}))

	_, _ = milvuswait.WaitForLoadingComplete(context.Background(), server(), "docs", quick, milvuswait.WithObserver(slow))
	slow.Wait()
	// Output: told of 100%
}

func ExampleWithBackoff() {
	// The wait returns at most half a second after the load, however long the load takes.
	_, err := milvuswait.WaitForLoadingComplete(context.Background(), server(), "docs",
		milvuswait.WithBackoff(milvuswait.Backoff{Initial: 5 * time.Millisecond, Max: 500 * time.Millisecond}))
	fmt.Println(err)
	// Output: <nil>
}

func ExampleWithBackoffFunc() {
	_, err := milvuswait.WaitForLoadingComplete(context.Background(), server(), "docs",
		milvuswait.WithBackoffFunc(func() func() time.Duration { return backoff.NewConstantBackOff(time.Millisecond).NextBackOff }))
	fmt.Println(err)
	// Output: <nil>
}

func ExampleLoadingProgress_MarshalJSON() {
	b, _ := json.Marshal(milvuswait.LoadingProgress{Percent: 40})
	fmt.Println(string(b))
	// Output: {"loading_progress":"40%"}
}

func ExampleIndexBuildingProgress_MarshalJSON() {
	b, _ := json.Marshal(milvuswait.IndexBuildingProgress{
		TotalRows: 100, IndexedRows: 40, PendingIndexRows: 60, State: milvuswait.IndexStateInProgress,
	})
	fmt.Println(string(b))
	// Output: {"total_rows":100,"indexed_rows":40,"pending_index_rows":60,"state":"InProgress"}
}

func ExampleFurthestBehind() {
	behind := milvuswait.FurthestBehind([]milvuswait.IndexBuildingProgress{
		{IndexName: "by_text", State: milvuswait.IndexStateFinished, TotalRows: 100, IndexedRows: 100},
		{IndexName: "by_image", State: milvuswait.IndexStateInProgress, TotalRows: 100, IndexedRows: 40, PendingIndexRows: 60},
	})
	fmt.Println(behind.IndexName, behind)
	// Output: by_image 40/100 rows, InProgress
}

func ExampleKinds() {
	fmt.Println(milvuswait.Kinds())
	// Output: [loading index_building flushing importing compacting serving]
}

func ExampleUnmarshalProgress() {
	p, err := milvuswait.UnmarshalProgress([]byte(`{"total_rows":100,"indexed_rows":40,"pending_index_rows":60,"state":"InProgress"}`))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p, p.Fraction())
	// Output: 40/100 rows, InProgress 0.4
}

func ExampleMarshalProgress() {
	b, err := milvuswait.MarshalProgress(milvuswait.LoadingProgress{Percent: 100, RefreshPercent: 30})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(b))
	// Output: {"loading_progress":"100%","refresh_progress":30}
}
