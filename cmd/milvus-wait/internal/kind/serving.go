package kind

import "github.com/milvuswait/milvuswait"

// serving is the row of a server that is waited for until it answers. The outputs name it
// by its address, which the target does not have.
var serving = &Kind{
	Word:      string(milvuswait.KindServing),
	Doing:     "starting",
	Finished:  "ready",
	Privilege: "ShowCollections",
	Server:    true,

	Typed:  milvuswait.Target.String,
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
