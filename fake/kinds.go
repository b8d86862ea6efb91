package fake

import (
	"fmt"

	"github.com/milvuswait/milvuswait"
)

// kind holds the rules for the targets of one kind. The polls of a kind are in the file of
// its functions.
type kind struct {
	// split returns the targets to which Set gives a script, each with its own role. It
	// panics for a target that cannot have one. It is nil if the target itself has the
	// script.
	split func(target milvuswait.Target) []milvuswait.Target

	// plain returns the target without a flush mark that makes no difference for the
	// script. It is nil if there is no such mark.
	plain func(target milvuswait.Target) milvuswait.Target

	// ofServer is set if the targets belong to the server, not to a collection.
	ofServer bool
}

// kinds has a row for each kind of target.
var kinds = map[milvuswait.Kind]kind{
	milvuswait.KindLoading:       {split: splitLoading},
	milvuswait.KindIndexBuilding: {split: splitIndexBuilding, plain: plainIndexBuilding},
	milvuswait.KindFlushing:      {},
	milvuswait.KindImporting:     {ofServer: true},
	milvuswait.KindCompacting:    {ofServer: true},
	milvuswait.KindServing:       {ofServer: true},
}

// split returns the targets to which Set gives a script. It panics if there are none.
func split(target milvuswait.Target) []milvuswait.Target {
	if target.Kind() == "" {
		panic("fake: Set: the zero Target")
	}

	row, ok := kinds[target.Kind()]
	switch target = plain(target); {
	case !ok:
		panic(fmt.Sprintf("fake: Set: targets of the kind %q are not supported", target.Kind()))
	case row.split == nil:
		return []milvuswait.Target{target}
	}
	return row.split(target)
}

// plain returns the target without the values that make no difference for its script:
// expected rows, and the flush mark of an index.
func plain(target milvuswait.Target) milvuswait.Target {
	target = target.ExpectRows(0)
	if strip := kinds[target.Kind()].plain; strip != nil {
		return strip(target)
	}
	return target
}

// place is the name of a collection, or the server itself.
type place struct {
	collection string
	server     bool
}

// placeOf returns the place to which the target belongs.
func placeOf(target milvuswait.Target) place {
	return place{target.Collection(), kinds[target.Kind()].ofServer}
}
