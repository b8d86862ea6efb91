// Package furthest tells which of several indexes is furthest behind.
package furthest

import (
	"cmp"
	"slices"

	"github.com/milvuswait/milvuswait"
)

// Behind returns the one that is furthest behind of all, of which there must be
// one: one that has failed, then one that is not finished, then one that is not
// complete, then the one with the least share of rows done; of equals the first by
// name.
func Behind(all []milvuswait.IndexBuildingProgress) milvuswait.IndexBuildingProgress {
	return slices.MinFunc(all, func(a, b milvuswait.IndexBuildingProgress) int {
		return cmp.Or(
			cmp.Compare(rank(a), rank(b)),
			cmp.Compare(a.Fraction(), b.Fraction()),
			cmp.Compare(a.IndexName, b.IndexName),
		)
	})
}

// rank is lower for an index that is further behind. The state comes before the
// rows, so that a wait by the state alone sees every index finished too.
func rank(p milvuswait.IndexBuildingProgress) int {
	if p.State == milvuswait.IndexStateFailed {
		return 0
	}
	if p.State != milvuswait.IndexStateFinished {
		return 1
	}
	if !p.Complete() {
		return 2
	}
	return 3
}
