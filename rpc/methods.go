package rpc

import "slices"

// The names of the RPCs that a Poller calls.
const (
	getLoadingProgress       = "GetLoadingProgress"
	getLoadState             = "GetLoadState"
	showCollections          = "ShowCollections"
	describeIndex            = "DescribeIndex"
	getPersistentSegmentInfo = "GetPersistentSegmentInfo"
	getFlushState            = "GetFlushState"
	getImportState           = "GetImportState"
	getCompactionState       = "GetCompactionState"
	query                    = "Query"
	getVersion               = "GetVersion"
	flush                    = "Flush" // called by the program, for FlushMarkOf
)

// failuresOf lists the classes about objects that a failure of a method can have, for
// methods that cannot have them all. A text or a code of another class has another cause:
// GetImportState, for example, knows no loads.
var failuresOf = map[string][]class{
	describeIndex:            {collectionNotFound, databaseNotFound, indexNotFound, ambiguousIndex},
	getPersistentSegmentInfo: {collectionNotFound, databaseNotFound},
	getFlushState:            {collectionNotFound, databaseNotFound},
	getImportState:           {databaseNotFound, jobNotFound},
	getCompactionState:       {databaseNotFound},
	query:                    {collectionNotFound, databaseNotFound, partitionNotFound, notLoaded},
}

// optional lists the methods that a server need not have: a wait does without them, or
// needs them for some targets only.
var optional = []string{getPersistentSegmentInfo, getFlushState, getImportState, getCompactionState, query}

// canBe reports whether a failure of method can be of class c.
func canBe(c class, method string) bool {
	classes, restricted := failuresOf[method]
	switch {
	case !c.isAboutObject():
		return true
	case !restricted:
		return c != jobNotFound
	}
	return slices.Contains(classes, c)
}

// restrictToMethod returns c, or transient if a failure of method cannot be of class c.
func restrictToMethod(c class, method string) class {
	if !canBe(c, method) {
		return transient
	}
	return c
}
