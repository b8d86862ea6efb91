package milvuswait

import (
	"context"
	"errors"
)

// sentinel is an error that ends a wait.
type sentinel struct {
	err    error
	reason string
	absent bool // the target is not there, or not loaded, and may come
}

// sentinels lists the errors that end a wait. If several match an error, the first
// counts.
var sentinels = []sentinel{
	{ErrReleased, "released", false},
	{ErrLoadFailed, "load_failed", true},
	{ErrNotLoaded, "not_loaded", true},
	{ErrIndexFailed, "index_failed", false},
	{ErrDatabaseNotFound, "database_not_found", true},
	{ErrCollectionNotFound, "collection_not_found", true},
	{ErrPartitionNotFound, "partition_not_found", true},
	{ErrIndexNotFound, "index_not_found", true},
	{ErrAmbiguousIndex, "ambiguous_index", false},
	{ErrStalled, "stalled", false},
	{ErrUnreachable, "unreachable", false},
	{ErrAborted, "aborted", false},
	{ErrInvalid, "invalid", false},
}

// Reason returns why a wait ended with err, as one word for metrics, logs and JSON:
// "timed_out" and "canceled" if its context ended, "released", "load_failed",
// "not_loaded", "index_failed", "database_not_found", "collection_not_found",
// "partition_not_found", "index_not_found", "ambiguous_index", "stalled",
// "unreachable", "aborted" and "invalid" for the errors of those names, and "failed"
// for any other error, such as a missing permission. It returns "" for nil.
//
// Of an [Error], the Cause counts and not the LastErr. Of the error of [WaitAll], the
// first target counts.
func Reason(err error) string {
	if err == nil {
		return ""
	}
	if e, ok := asType[*Error](err); ok {
		err = e.Cause
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timed_out"
	case errors.Is(err, context.Canceled):
		return "canceled"
	}
	if s, found := findSentinel(err); found {
		return s.reason
	}
	return "failed"
}

// findSentinel returns the first sentinel that matches err, and reports whether there is
// one.
func findSentinel(err error) (sentinel, bool) {
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s, true
		}
	}
	return sentinel{}, false
}

// isPermanent reports whether polling again cannot change err.
func isPermanent(err error) bool {
	if _, ok := asType[*permanentError](err); ok {
		return true
	}
	_, found := findSentinel(err)
	return found
}

// isUnsupported reports whether err means that the Poller, or its server, has no such call.
func isUnsupported(err error) bool { return errors.Is(err, errors.ErrUnsupported) }

// isAbsent reports whether err means that the target is not there, or not loaded.
func isAbsent(err error) bool {
	for _, s := range sentinels {
		if s.absent && errors.Is(err, s.err) {
			return true
		}
	}
	return false
}
