package temporalwait

import "github.com/milvuswait/milvuswait"

// kinds is the table of kinds. A row converts a Target of its kind, and lists the fields
// and options it accepts. A kind without a row is invalid.
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

	// Fields of Target and Options accepted by the kind.
	partitions, index, rows, refresh, criterion bool

	// target returns the target without its cluster and its expected rows.
	target func(Target) milvuswait.Target
}
