package rpc

// The pure functions for the class of a failure, exported to their tests.
var (
	ClassOf      = classify
	Settle       = settle
	ClassifyCall = classifyCall
)

// ParseVersion returns a version as text, or "" if it is not known, and whether index waits
// need a newer one.
func ParseVersion(text string) (string, bool) {
	v := parseVersion(text)
	switch {
	case v == (version{}):
		return "", false
	case v.lite:
		return "lite " + v.String(), v.olderThan(oldest)
	}
	return v.String(), v.olderThan(oldest)
}

type Class = class

const (
	Succeeded          = succeeded
	Passing            = transient
	Unsettled          = undecided
	PermanentFailure   = permanent
	InvalidArgument    = invalidArgument
	Lasting            = lasting
	CollectionNotFound = collectionNotFound
	PartitionNotFound  = partitionNotFound
	IndexNotFound      = indexNotFound
	DatabaseNotFound   = databaseNotFound
	AmbiguousIndex     = ambiguousIndex
	NotLoaded          = notLoaded
	LoadFailed         = loadFailed

	NoState = noState
)
