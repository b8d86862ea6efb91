package live

import (
	"cmp"
	"errors"
	"slices"

	"github.com/milvuswait/milvuswait"
)

// Done is the Result of a successful wait.
const Done = "done"

// Results returns all values of Result. Their small number makes them suitable as label
// values.
func Results() []string {
	return []string{
		Done, "timed_out", "canceled", "released", "load_failed", "not_loaded", "index_failed", "database_not_found",
		"collection_not_found", "partition_not_found", "index_not_found", "ambiguous_index", "job_not_found", "job_failed",
		"stalled", "unreachable", "aborted", "invalid", "failed",
	}
}

// Result returns the result of a wait with the error err: Done for nil, otherwise its
// milvuswait.Reason.
func Result(err error) string { return cmp.Or(milvuswait.Reason(err), Done) }

// Poll is the result of a poll.
type Poll string

// Results of polls. Their small number makes them suitable as label values.
const (
	PollOK     Poll = "ok"
	PollAbsent Poll = "absent" // a successful call without progress: the target is missing or not loaded
	PollFailed Poll = "failed" // no response, or none about the target
)

// Polls returns all values of Poll.
func Polls() []Poll { return []Poll{PollOK, PollAbsent, PollFailed} }

// absent lists the errors that are answers about a target.
var absent = []error{
	milvuswait.ErrNotLoaded, milvuswait.ErrReleased, milvuswait.ErrLoadFailed, milvuswait.ErrAmbiguousIndex,
	milvuswait.ErrCollectionNotFound, milvuswait.ErrPartitionNotFound, milvuswait.ErrIndexNotFound, milvuswait.ErrDatabaseNotFound,
	milvuswait.ErrJobNotFound,
}

// pollOf returns the result of the poll of an update. For a final update, the result is in
// the last error, or in the cause if a poll caused the end.
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
	case err == nil, errors.Is(err, milvuswait.ErrIndexFailed), errors.Is(err, milvuswait.ErrJobFailed):
		return PollOK
	case slices.ContainsFunc(absent, func(a error) bool { return errors.Is(err, a) }):
		return PollAbsent
	}
	return PollFailed
}

// endsBetweenPolls reports whether a wait with this cause ended without a failed poll as
// its reason. An error of its last poll is in LastErr.
func endsBetweenPolls(cause error) bool {
	switch milvuswait.Reason(cause) {
	case "timed_out", "canceled", "stalled", "aborted":
		return true
	}
	return false
}
