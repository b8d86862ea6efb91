package kind

import "github.com/milvuswait/milvuswait"

// flushing is the row of a flush. No command has it as a target: the mark of a flush is
// known only to the program that called Flush.
var flushing = &Kind{
	Word:      string(milvuswait.KindFlushing),
	Doing:     "flushing",
	Finished:  "flushed",
	Privilege: "GetFlushState",

	Typed:  milvuswait.Target.Collection,
	Fields: fields,
	Start:  noStart,

	Rows:    noRows,
	Details: noText,
	Amount:  noText,
	Part:    noPart,
	Doubt:   noText,
	Hint:    noHint,
	Mask:    noMask,
	Look:    noOptions,
	Recheck: noRecheck,
}
