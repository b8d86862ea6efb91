package milvuswaittest_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/milvuswaittest"
)

// printer stands for a *testing.T: it prints failures, without the times in them.
type printer struct{}

func (printer) Helper()                  {}
func (printer) Log(...any)               {}
func (printer) Context() context.Context { return context.Background() }

func (printer) Fatal(args ...any) {
	line, _, _ := strings.Cut(fmt.Sprint(args...), " (")
	fmt.Println("FAIL:", line)
	runtime.Goexit()
}

// run stands for go test.
func run(test func(t printer)) {
	var wg sync.WaitGroup
	wg.Go(func() { test(printer{}) })
	wg.Wait()
}

func ExampleRequireLoaded() {
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Percents(0, 100)) // or rpc.FromStub(stub)

	run(func(t printer) { // func TestSearch(t *testing.T) {
		progress := milvuswaittest.RequireLoaded(t, p, "docs")
		fmt.Println(progress)

		milvuswaittest.RequireLoaded(t, p, "images")
		fmt.Println("never printed")
	})
	// Output:
	// 100%
	// FAIL: milvuswait: loading "images": collection not found: "images"
}

func ExampleRequireIndexed() {
	p := new(fake.Poller).Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(1000, 0, 1000))

	run(func(t printer) { // func TestSearch(t *testing.T) {
		progress := milvuswaittest.RequireIndexed(t, p, "docs", 1000, milvuswait.WithIndex("vidx"))
		fmt.Println(progress)
	})
	// Output: 1000/1000 rows, Finished
}

func ExampleRequireImported() {
	p := new(fake.Poller).Set(milvuswait.Importing(7), fake.ImportOver(20_000, 0))

	run(func(t printer) { // func TestImport(t *testing.T) {
		progress := milvuswaittest.RequireImported(t, p, 7)
		fmt.Println(progress)

		milvuswaittest.RequireImported(t, p, 8)
		fmt.Println("never printed")
	})
	// Output:
	// 100%, ImportCompleted, 20000 rows
	// FAIL: milvuswait: import 8: job not found: import 8
}

func ExampleRequireCompacted() {
	p := new(fake.Poller).Set(milvuswait.Compacting(7), fake.CompactOver(3, 0))

	run(func(t printer) { // func TestCompaction(t *testing.T) {
		progress := milvuswaittest.RequireCompacted(t, p, 7)
		fmt.Println(progress)
	})
	// Output: 3/3 plans, Completed
}

func ExampleRequireServer() {
	var p fake.Poller // or rpc.FromStub(stub)

	run(func(t printer) { // func TestMain(m *testing.M) {
		milvuswaittest.RequireServer(t, &p)
		fmt.Println("the server answers")
	})
	// Output: the server answers
}

func ExampleRequireAll() {
	p := new(fake.Poller).
		Set(milvuswait.Loading("docs"), fake.Percents(100)).
		Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(1000, 1000))

	run(func(t printer) { // func TestSearch(t *testing.T) {
		outcomes := milvuswaittest.RequireAll(t, p, []milvuswait.Target{
			milvuswait.IndexBuilding("docs", "vidx").ExpectRows(1000),
			milvuswait.Loading("docs"),
		})
		for _, o := range outcomes {
			fmt.Println(o.Target, o.Progress)
		}
	})
	// Output:
	// index "vidx" of "docs" 1000/1000 rows, Finished
	// loading "docs" 100%
}

func ExampleWithin() {
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Percents(40)) // for ever

	run(func(t printer) { // func TestSearch(t *testing.T) {
		milvuswaittest.RequireLoaded(milvuswaittest.Within(t, 50*time.Millisecond), p, "docs")
	})
	// Output: FAIL: milvuswait: loading "docs": context deadline exceeded
}

// logger prints the log of a test, without the times.
type logger struct{ printer }

func (logger) Log(args ...any) {
	line, _, _ := strings.Cut(fmt.Sprint(args...), " after ")
	fmt.Println(line)
}

func ExampleLog() {
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Percents(0, 40, 100))
	var t logger // func TestPipeline(t *testing.T) {

	_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithObserver(milvuswaittest.Log(t)))
	fmt.Println(err)
	// Output:
	// loading "docs": 0%
	// loading "docs": 40%
	// loading "docs": complete
	// <nil>
}
