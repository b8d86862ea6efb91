package kind

import (
	"fmt"

	"github.com/milvuswait/milvuswait"
)

// indexBuilding is the row of the build of an index, or of all indexes of a collection.
var indexBuilding = &Kind{
	Word:      string(milvuswait.KindIndexBuilding),
	Doing:     "indexing",
	Finished:  "indexed",
	Privilege: "IndexDetail",
	TakesRows: true,

	Typed: func(t milvuswait.Target) string {
		if t.Index() != "" {
			return t.Collection() + "/" + t.Index()
		}
		return t.Collection()
	},
	Fields: fields,
	Start:  func(t milvuswait.Target) string { return fmt.Sprintf("create_index(%q, …)", t.Collection()) },

	Rows: func(p milvuswait.Progress) (done, total int64, ok bool) {
		index, ok := p.(milvuswait.IndexBuildingProgress)
		return index.IndexedRows, index.TotalRows, ok
	},
	Details: func(p milvuswait.Progress) string {
		if index, ok := p.(milvuswait.IndexBuildingProgress); ok {
			return index.String()
		}
		return ""
	},
	Amount: func(p milvuswait.Progress) string {
		if index, ok := p.(milvuswait.IndexBuildingProgress); ok {
			return count(index.TotalRows, "row")
		}
		return ""
	},

	Part: func(t milvuswait.Target, p milvuswait.Progress) string {
		if index, ok := p.(milvuswait.IndexBuildingProgress); ok && (t.Index() == "" || t.Index() == milvuswait.AllIndexes) {
			return index.IndexName
		}
		return ""
	},
	Doubt: func(p milvuswait.Progress) string {
		if index, ok := p.(milvuswait.IndexBuildingProgress); ok && index.TotalRows == 0 {
			return "was it flushed?"
		}
		return ""
	},
	Hint: noHint,
	Mask: func(p milvuswait.Progress, mask func(string) string) milvuswait.Progress {
		index, ok := p.(milvuswait.IndexBuildingProgress)
		if !ok {
			return p
		}
		index.FailReason, index.IndexName = mask(index.FailReason), mask(index.IndexName)
		return index
	},
	Look:    []milvuswait.Option{milvuswait.WithIndexCriterion(milvuswait.ServerState)},
	Recheck: noRecheck,
}
