package rpc

// The pure functions for the class of a failure, exported to their tests.
var (
	ClassOf      = classify
	Settle       = settle
	ClassifyCall = classifyCall
)

// ParseVersion returns a version as text, or "" if it is not known, whether index waits
// need a newer one, and whether it lists no segments that are being flushed.
func ParseVersion(text string) (name string, tooOld, unlisted bool) {
	v := parseVersion(text)
	switch {
	case v == (version{}):
		return "", false, false
	case v.lite:
		name = "lite "
	case v.later:
		name = "after "
	}
	return name + v.String(), v.olderThan(oldest), v.isFrom(streaming)
}

type Class = class

const (
	Succeeded          = succeeded
	Transient          = transient
	Undecided          = undecided
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
	JobNotFound        = jobNotFound
	Unsupported        = unsupported

	NoState = noState
)
