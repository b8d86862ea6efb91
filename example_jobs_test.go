package milvuswait_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/milvuswait/milvuswait"
)

// imports is a Poller of imports with one progress per poll, the last one from then on.
func imports(all ...milvuswait.ImportProgress) milvuswait.PollerFuncs {
	n := 0
	return milvuswait.PollerFuncs{Import: func(context.Context, int64) (milvuswait.ImportProgress, error) {
		n++
		return all[min(n, len(all))-1], nil
	}}
}

func ExampleWaitForImportComplete() {
	p := imports(
		milvuswait.ImportProgress{State: milvuswait.ImportStateStarted, Percent: 40},
		milvuswait.ImportProgress{State: milvuswait.ImportStateCompleted, Percent: 100, Rows: 20_000},
	)
	fmt.Println(milvuswait.WaitForImportComplete(context.Background(), p, 4711, quick))

	p = imports(milvuswait.ImportProgress{State: milvuswait.ImportStateFailed, FailReason: "the file does not exist"})
	_, err := milvuswait.WaitForImportComplete(context.Background(), p, 4711)
	fmt.Println(errors.Is(err, milvuswait.ErrJobFailed), errors.Unwrap(err.(*milvuswait.Error).Cause))
	// Output:
	// 100%, ImportCompleted, 20000 rows <nil>
	// true job failed
}

func ExampleWaitForCompactionComplete() {
	n := 0
	p := milvuswait.PollerFuncs{Compaction: func(context.Context, int64) (milvuswait.CompactionProgress, error) {
		n++
		if n == 1 {
			return milvuswait.CompactionProgress{State: milvuswait.CompactionStateExecuting, Executing: 2, Failed: 1}, nil
		}
		return milvuswait.CompactionProgress{State: milvuswait.CompactionStateCompleted, Completed: 2}, nil
	}}

	progress, err := milvuswait.WaitForCompactionComplete(context.Background(), p, 815, quick)
	fmt.Println(progress)
	fmt.Println(errors.Is(err, milvuswait.ErrJobFailed), milvuswait.Reason(err))
	// Output:
	// 3/3 plans, Completed, 1 failed
	// true job_failed
}

func ExampleWait() {
	p := milvuswait.PollerFuncs{Server: func(context.Context) error { return nil }}

	fmt.Println(milvuswait.Wait(context.Background(), p, milvuswait.Serving()))
	// Output: serving <nil>
}

// A deployment waits for the server, an import and a compaction together.
func ExampleServing() {
	p := imports(milvuswait.ImportProgress{State: milvuswait.ImportStateCompleted, Percent: 100})
	p.Server = func(context.Context) error { return nil }
	p.Compaction = func(context.Context, int64) (milvuswait.CompactionProgress, error) {
		return milvuswait.CompactionProgress{State: milvuswait.CompactionStateCompleted}, nil
	}

	outcomes, err := milvuswait.WaitAll(context.Background(), p, []milvuswait.Target{
		milvuswait.Serving(), milvuswait.Importing(4711), milvuswait.Compacting(815),
	})
	for _, o := range outcomes {
		fmt.Printf("%v: %v\n", o.Target, o.Progress)
	}
	fmt.Println(err)
	// Output:
	// server: serving
	// import 4711: 100%, ImportCompleted
	// compaction 815: 0 plans, Completed
	// <nil>
}

func ExampleImporting() {
	fmt.Println(milvuswait.Importing(4711), milvuswait.Importing(4711).Job())
	// Output: import 4711 4711
}

func ExampleCompacting() {
	fmt.Println(milvuswait.Compacting(815), milvuswait.Compacting(815).Kind())
	// Output: compaction 815 compacting
}

// A backup may begin when the flush is done.
func ExampleFlushing() {
	n := 0
	p := milvuswait.PollerFuncs{Flush: func(_ context.Context, _ string, mark milvuswait.FlushMark) (bool, error) {
		n++
		return n == 3, nil
	}}
	mark := milvuswait.FlushMark{Timestamp: 445_210_000_000_000_000, Segments: []int64{445_210_000_000_000_001}}

	fmt.Println(milvuswait.Wait(context.Background(), p, milvuswait.Flushing("docs", mark), quick))
	// Output: flushed <nil>
}

// The index looks complete before and after the flush, but only then with all rows.
func ExampleWithFlush() {
	n := 0
	p := milvuswait.PollerFuncs{
		IndexBuilding: func(context.Context, string, string) (milvuswait.IndexBuildingProgress, error) {
			total := int64(100)
			if n >= 3 {
				total = 150
			}
			return milvuswait.IndexBuildingProgress{TotalRows: total, IndexedRows: total, State: milvuswait.IndexStateFinished}, nil
		},
		Flush: func(context.Context, string, milvuswait.FlushMark) (bool, error) {
			n++
			return n >= 3, nil
		},
	}
	mark := milvuswait.FlushMark{Timestamp: 445_210_000_000_000_000} // rpc.FlushMarkOf returns it

	fmt.Println(milvuswait.WaitForIndexBuildingComplete(context.Background(), p, "docs", milvuswait.WithFlush(mark), quick))
	// Output: 150/150 rows, Finished <nil>
}

func ExampleWithVerify() {
	p := milvuswait.PollerFuncs{Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
		return milvuswait.LoadingProgress{Percent: 100}, nil
	}}
	searches := 0
	find := func(_ context.Context, t milvuswait.Target) error { // FindRow of package rpc makes one
		searches++
		if searches < 3 {
			return fmt.Errorf("no row found in %v", t)
		}
		return nil
	}

	_, err := milvuswait.WaitForLoadingComplete(context.Background(), p, "parts", milvuswait.WithPartitions("pA"),
		milvuswait.WithVerify(find), quick)
	fmt.Println(searches, err)
	// Output: 3 <nil>
}
