package temporalwait

import "github.com/milvuswait/milvuswait"

// kinds is the table of kinds: what a Target of each kind becomes, and which of the fields
// and options belong to it. A kind without a row is refused.
var kinds = map[milvuswait.Kind]kind{
	milvuswait.KindLoading: {
		many: "loads", partitions: true, refresh: true,
		target: func(t Target) milvuswait.Target { return milvuswait.Loading(t.Collection, t.Partitions...) },
	},
	milvuswait.KindIndexBuilding: {
		many: "indexes", index: true, rows: true, criterion: true,
		target: func(t Target) milvuswait.Target { return milvuswait.IndexBuilding(t.Collection, t.Index) },
	},
}

// kind is a row of the table of kinds.
type kind struct {
	many string // noun for several targets

	// Fields of Target, and Options, that belong to the kind.
	partitions, index, rows, refresh, criterion bool

	// target returns the target without its cluster and its expected rows.
	target func(Target) milvuswait.Target
}
