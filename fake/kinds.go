package fake

import (
	"fmt"

	"github.com/milvuswait/milvuswait"
)

// kinds has a row for each kind of target: a function that returns the targets to which
// Set gives a script, each with its own role. It panics for a target that cannot have one.
// The polls of a kind are in the file of its functions.
var kinds = map[milvuswait.Kind]func(target milvuswait.Target) []milvuswait.Target{
	milvuswait.KindLoading:       splitLoading,
	milvuswait.KindIndexBuilding: splitIndexBuilding,
}

// split returns the targets to which Set gives a script. It panics if there are none.
func split(target milvuswait.Target) []milvuswait.Target {
	if target.Kind() == "" {
		panic("fake: Set: the zero Target")
	}

	row := kinds[target.Kind()]
	if row == nil {
		panic(fmt.Sprintf("fake: Set: targets of the kind %q are not supported", target.Kind()))
	}
	return row(target)
}
