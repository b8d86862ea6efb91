package rpc

// The pure functions for the class of a failure, exported to their tests.
var (
	ClassOf      = classify
	Settle       = settle
	ClassifyCall = classifyCall
)

type Class = class

const (
	Succeeded          = succeeded
	Passing            = transient
	Unsettled          = undecided
	PermanentFailure   = permanent
	CollectionNotFound = collectionNotFound
	PartitionNotFound  = partitionNotFound
	IndexNotFound      = indexNotFound
	DatabaseNotFound   = databaseNotFound
	AmbiguousIndex     = ambiguousIndex
	NotLoaded          = notLoaded
	LoadFailed         = loadFailed

	NoState = noState
)
