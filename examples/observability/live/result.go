package live

import (
	"cmp"
	"errors"
	"slices"

	"github.com/milvuswait/milvuswait"
)

// Done is the Result of a wait that is complete.
const Done = "done"

// Results returns all values of Result. They are few, so that they can be label values.
func Results() []string {
	return []string{
		Done, "timed_out", "canceled", "released", "load_failed", "not_loaded", "index_failed", "database_not_found",
		"collection_not_found", "partition_not_found", "index_not_found", "ambiguous_index", "stalled", "unreachable",
		"aborted", "invalid", "failed",
	}
}

// Result returns why a wait ended that returned err: Done, or its milvuswait.Reason.
func Result(err error) string { return cmp.Or(milvuswait.Reason(err), Done) }

// Poll is what a poll brought.
type Poll string

// What polls bring: few, so that they can be label values.
const (
	PollOK     Poll = "ok"
	PollAbsent Poll = "absent" // the server answered that there is nothing to measure: none such, or not loaded
	PollFailed Poll = "failed" // no answer, or one that says nothing of the target
)

// Polls are all that a poll may bring.
func Polls() []Poll { return []Poll{PollOK, PollAbsent, PollFailed} }

// absent are the errors that are answers about a target.
var absent = []error{
	milvuswait.ErrNotLoaded, milvuswait.ErrReleased, milvuswait.ErrLoadFailed, milvuswait.ErrAmbiguousIndex,
	milvuswait.ErrCollectionNotFound, milvuswait.ErrPartitionNotFound, milvuswait.ErrIndexNotFound, milvuswait.ErrDatabaseNotFound,
}

// pollOf returns what the poll of an update brought.
func pollOf(u milvuswait.Update) Poll {
	err := u.Err
	var e *milvuswait.Error
	if u.Final && errors.As(err, &e) {
		err = e.LastErr
		if err == nil && !endsBetweenPolls(e.Cause) {
			err = e.Cause
		}
	}
	switch {
	case err == nil, errors.Is(err, milvuswait.ErrIndexFailed):
		return PollOK
	case slices.ContainsFunc(absent, func(a error) bool { return errors.Is(err, a) }):
		return PollAbsent
	}
	return PollFailed
}

// endsBetweenPolls reports whether a wait that ended so had no bad poll at the
// end: what it met there would be its LastErr.
func endsBetweenPolls(cause error) bool {
	switch milvuswait.Reason(cause) {
	case "timed_out", "canceled", "stalled", "aborted":
		return true
	}
	return false
}
