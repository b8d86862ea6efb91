package temporalwait

import "github.com/milvuswait/milvuswait"

// kinds is the table of kinds. A row converts a Target of its kind, and lists the fields
// and options it accepts. A kind without a row is invalid.
var kinds = map[milvuswait.Kind]kind{
	milvuswait.KindLoading: {
		many: "loads", collection: true, partitions: true, refresh: true,
		target: func(t Target) milvuswait.Target { return milvuswait.Loading(t.Collection, t.Partitions...) },
	},
	milvuswait.KindIndexBuilding: {
		many: "indexes", collection: true, index: true, rows: true, flush: true, criterion: true,
		target: func(t Target) milvuswait.Target {
			index := milvuswait.IndexBuilding(t.Collection, t.Index)
			if t.Flush != nil {
				return index.AfterFlush(milvuswait.FlushMark(*t.Flush))
			}
			return index
		},
	},
	milvuswait.KindFlushing: {
		many: "flushes", collection: true, flush: true, needsFlush: true,
		target: func(t Target) milvuswait.Target {
			if t.Flush == nil {
				t.Flush = &FlushMark{} // for String; validate rejects it
			}
			return milvuswait.Flushing(t.Collection, milvuswait.FlushMark(*t.Flush))
		},
	},
	milvuswait.KindImporting: {
		many: "imports", job: true,
		target: func(t Target) milvuswait.Target { return milvuswait.Importing(t.Job) },
	},
	milvuswait.KindCompacting: {
		many: "compactions", job: true,
		target: func(t Target) milvuswait.Target { return milvuswait.Compacting(t.Job) },
	},
	milvuswait.KindServing: {
		many:   "servers",
		target: func(Target) milvuswait.Target { return milvuswait.Serving() },
	},
}

// kind is a row of the table of kinds.
type kind struct {
	many string // noun for several targets

	// Fields of Target and Options accepted by the kind. It needs the collection and the
	// job if it accepts them.
	collection, partitions, index, rows, flush, job, refresh, criterion bool

	needsFlush bool // the kind needs a flush mark

	// target returns the target without its cluster and its expected rows.
	target func(Target) milvuswait.Target
}
