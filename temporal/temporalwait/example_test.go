package temporalwait_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/temporal/temporalwait"
)

func ExampleOn() {
	for _, target := range temporalwait.On("eu", milvuswait.Loading("docs"), milvuswait.IndexBuilding("docs", "vidx").ExpectRows(100_000)) {
		text, err := json.Marshal(target)
		fmt.Println(string(text), err)
	}
	// Output:
	// {"cluster":"eu","kind":"loading","collection":"docs"} <nil>
	// {"cluster":"eu","kind":"index_building","collection":"docs","index":"vidx","expected_rows":100000} <nil>
}

// suite returns Temporal's test suite, which runs in one process.
func suite() *testsuite.WorkflowTestSuite {
	s := new(testsuite.WorkflowTestSuite)
	s.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	return s
}

func ExampleWaitWorkflow() {
	p := new(fake.Poller).
		Set(milvuswait.Loading("docs"), fake.Percents(0, 50, 100)).
		Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(1000, 0, 1000))
	env := suite().NewTestWorkflowEnvironment()
	env.RegisterActivity(&temporalwait.Activities{Poller: p})

	env.ExecuteWorkflow(temporalwait.WaitWorkflow, temporalwait.Request{
		Targets: temporalwait.On("",
			milvuswait.Loading("docs"), milvuswait.IndexBuilding("docs", "vidx").ExpectRows(1000), milvuswait.Loading("missing")),
		ContinueOnError: true,
	})

	var result temporalwait.Result
	fmt.Println(env.GetWorkflowResult(&result))
	fmt.Printf("%d of %d\n", result.Done, result.Total)
	fmt.Println(errors.Is(result.Err(), milvuswait.ErrCollectionNotFound))
	// Output:
	// <nil>
	// 2 of 3
	// true
}

func ExampleRestore() {
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), nil) // the load was not requested
	a := &temporalwait.Activities{Poller: p}
	env := suite().NewTestActivityEnvironment()
	env.RegisterActivity(a)

	_, err := env.ExecuteActivity(a.WaitForLoading, temporalwait.Wait{Target: temporalwait.On("", milvuswait.Loading("docs"))[0]})

	fmt.Println(errors.Is(err, milvuswait.ErrNotLoaded))
	fmt.Println(errors.Is(temporalwait.Restore(err), milvuswait.ErrNotLoaded))
	// Output:
	// false
	// true
}

func ExampleSearchAttributes() {
	attributes := temporalwait.SearchAttributes() // for operatorservice.AddSearchAttributesRequest
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		fmt.Println(name, attributes[name])
	}
	// Output:
	// MilvusWaitClusters KeywordList
	// MilvusWaitDone Int
	// MilvusWaitFailed Int
	// MilvusWaitTotal Int
}
