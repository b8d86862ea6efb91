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
	class  failureClass
}

// failureClass is what a wait makes of an error of a Poller. See decideAfterFailure.
type failureClass int8

const (
	transient failureClass = iota // polling again may succeed
	absent                        // the target is not there; may be a stale view
	refusal                       // the server does not serve the call, or this user; may be a stale view
	decisive                      // cannot be a stale view
)

// sentinels lists the errors that end a wait. If several match an error, the first
// counts.
var sentinels = []sentinel{
	{ErrReleased, "released", false, decisive},
	{ErrLoadFailed, "load_failed", true, decisive},
	{ErrNotLoaded, "not_loaded", true, absent},
	{ErrIndexFailed, "index_failed", false, decisive},
	{ErrDatabaseNotFound, "database_not_found", true, absent},
	{ErrCollectionNotFound, "collection_not_found", true, absent},
	{ErrPartitionNotFound, "partition_not_found", true, absent},
	{ErrIndexNotFound, "index_not_found", true, absent},
	{ErrAmbiguousIndex, "ambiguous_index", false, decisive},
	{ErrJobNotFound, "job_not_found", true, absent},
	{ErrJobFailed, "job_failed", false, decisive},
	{ErrStalled, "stalled", false, decisive},
	{ErrUnreachable, "unreachable", false, decisive},
	{ErrAborted, "aborted", false, decisive},
	{ErrInvalid, "invalid", false, decisive},
}

// Reason returns why a wait ended with err, as one word for metrics, logs and JSON:
// "timed_out" and "canceled" if its context ended, "released", "load_failed",
// "not_loaded", "index_failed", "database_not_found", "collection_not_found",
// "partition_not_found", "index_not_found", "ambiguous_index", "job_not_found",
// "job_failed", "stalled", "unreachable", "aborted" and "invalid" for the errors of those names, and "failed"
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

// classOf returns the class of an error of a Poller.
func classOf(err error) failureClass {
	if s, found := findSentinel(err); found {
		return s.class
	}
	if _, ok := asType[*permanentError](err); ok || isUnsupported(err) {
		return refusal
	}
	return transient
}

// isPermanent reports whether err is an answer that polling again need not change.
func isPermanent(err error) bool { return classOf(err) != transient }

// isUnsupported reports whether err means that the Poller, or its server, has no such call.
func isUnsupported(err error) bool { return errors.Is(err, errors.ErrUnsupported) }

// isAbsent reports whether err means that the target is not there, or not loaded.
func isAbsent(err error) bool {
	s, _ := findSentinel(err)
	return s.absent
}
