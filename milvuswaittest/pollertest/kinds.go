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
	// interfaces returns the optional interfaces of a Poller for this kind.
	interfaces() []reflect.Type

	// poll returns a poll of a complete target.
	poll() question

	// optional returns one question for each optional method of the Poller.
	optional() []question

	// done returns the questions about complete targets.
	done() []question

	// refusals returns the questions about missing and ambiguous objects.
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

// kinds has a row for each kind of target: a function that returns its part of the suite,
// or nil if the Poller does not serve the kind.
var kinds = map[milvuswait.Kind]func(c *checker) kind{
	milvuswait.KindLoading:       newLoading,
	milvuswait.KindIndexBuilding: newIndexBuilding,
}

// findKinds returns the parts of the suite for the Poller, in the order of
// milvuswait.Kinds. It panics if a kind has no row.
func (c *checker) findKinds() (found []kind) {
	for _, name := range milvuswait.Kinds() {
		row := kinds[name]
		if row == nil {
			panic(fmt.Sprintf("pollertest: no checks for the kind %q", name))
		}
		if k := row(c); k != nil {
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
