package kind

import "github.com/milvuswait/milvuswait"

// Serving is the row of a server that is waited for until it answers. The library has no
// kind for this wait, so it is not in the table: its target is made by ServingAt, and the
// command selects the row for it.
var Serving = &Kind{
	Word:      "ready",
	Doing:     "starting",
	Finished:  "ready",
	Privilege: "ShowCollections",
	Server:    true,

	Typed:  milvuswait.Target.Collection,
	Title:  milvuswait.Target.Collection,
	Fields: func(t milvuswait.Target) Fields { return Fields{Address: t.Collection()} },
	Start:  func(milvuswait.Target) string { return "" },

	Rows:    noRows,
	Details: noText,
	Part:    noPart,
	Doubt:   noText,
	Overdue: noHint,
	Mask:    noMask,
	Recheck: noRecheck,
}

// ServingAt returns the target for the server at an address. Its collection is the
// address.
func ServingAt(address string) milvuswait.Target { return milvuswait.Loading(address) }
