package pollertest

import (
	"fmt"
	"reflect"

	"github.com/milvuswait/milvuswait"
)

// kind is the part of the suite for one kind of target. The suite runs a check of all kinds
// before the next check. A check records defects, and skips the parts without an object in
// World.
type kind interface {
	// poll returns a poll of a complete target.
	poll() question

	// optional returns one question for each optional method of the Poller.
	optional() []question

	// done returns the questions about complete targets.
	done() []question

	// refusals returns the questions about missing and ambiguous objects. There may be none.
	refusals() []refusal

	// checkAnswers checks the progress of complete targets.
	checkAnswers()

	// checkRefusals checks the errors for missing, ambiguous and unfinished objects.
	checkRefusals()

	// checkArguments makes calls with empty names, which no wait makes. They must not
	// panic.
	checkArguments()

	// checkOptional compares the optional methods with World and with polls.
	checkOptional()
}

// row is the row of one kind of target.
type row struct {
	// begin returns the part of the suite for the kind, or nil if the Poller does not serve
	// it, or if World has no object for it.
	begin func(c *checker) kind

	interfaces []reflect.Type // optional interfaces of a Poller for the kind
}

// kinds has a row for each kind of target.
var kinds = map[milvuswait.Kind]row{
	milvuswait.KindLoading: {newLoading, []reflect.Type{
		reflect.TypeFor[milvuswait.LoadStateChecker](), reflect.TypeFor[milvuswait.Lister](),
	}},
	milvuswait.KindIndexBuilding: {newIndexBuilding, []reflect.Type{
		reflect.TypeFor[milvuswait.IndexLister](), reflect.TypeFor[milvuswait.SegmentLister](),
	}},
	milvuswait.KindFlushing:   {newFlushing, []reflect.Type{reflect.TypeFor[milvuswait.FlushPoller]()}},
	milvuswait.KindImporting:  {newImporting, []reflect.Type{reflect.TypeFor[milvuswait.ImportPoller]()}},
	milvuswait.KindCompacting: {newCompacting, []reflect.Type{reflect.TypeFor[milvuswait.CompactionPoller]()}},
	milvuswait.KindServing:    {newServing, []reflect.Type{reflect.TypeFor[milvuswait.ServerChecker]()}},
}

// findKinds returns the parts of the suite for the Poller, in the order of
// milvuswait.Kinds. It panics if a kind has no row.
func (c *checker) findKinds() (found []kind) {
	for _, name := range milvuswait.Kinds() {
		row, ok := kinds[name]
		if !ok {
			panic(fmt.Sprintf("pollertest: no checks for the kind %q", name))
		}
		if k := row.begin(c); k != nil {
			found = append(found, k)
		}
	}
	return found
}

// each returns a check that runs one check of every kind.
func (c *checker) each(check func(kind)) func() {
	return func() {
		for _, k := range c.kinds {
			check(k)
		}
	}
}

// collect returns the questions of every kind.
func collect[Q any](kinds []kind, questions func(kind) []Q) (all []Q) {
	for _, k := range kinds {
		all = append(all, questions(k)...)
	}
	return all
}
