package live

import (
	"context"
	"errors"
	"slices"

	"github.com/milvuswait/milvuswait"
)

// What [Result] returns: few, so that they can be label values.
const (
	Done        = "done"
	Failed      = "failed" // the load or the index, or a permanent error of the Poller
	Timeout     = "timeout"
	Canceled    = "canceled"
	Stalled     = "stalled"
	Unreachable = "unreachable"
	NotFound    = "not_found"
	NotLoaded   = "not_loaded"
	Released    = "released"
	Aborted     = "aborted"
)

// Results are all that Result may return.
func Results() []string {
	return []string{Done, Failed, Timeout, Canceled, Stalled, Unreachable, NotFound, NotLoaded, Released, Aborted}
}

var results = []struct {
	err  error
	name string
}{
	{context.DeadlineExceeded, Timeout},
	{context.Canceled, Canceled},
	{milvuswait.ErrStalled, Stalled},
	{milvuswait.ErrUnreachable, Unreachable},
	{milvuswait.ErrAborted, Aborted},
	{milvuswait.ErrReleased, Released},
	{milvuswait.ErrNotLoaded, NotLoaded},
	{milvuswait.ErrCollectionNotFound, NotFound},
	{milvuswait.ErrPartitionNotFound, NotFound},
	{milvuswait.ErrIndexNotFound, NotFound},
	{milvuswait.ErrDatabaseNotFound, NotFound},
}

// Result names how a wait ended that returned err.
func Result(err error) string {
	if err == nil {
		return Done
	}
	// What the last poll met is in err too, but did not end the wait.
	var e *milvuswait.Error
	if errors.As(err, &e) {
		err = e.Cause
	}
	for _, r := range results {
		if errors.Is(err, r.err) {
			return r.name
		}
	}
	return Failed
}

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
	switch Result(cause) {
	case Timeout, Canceled, Stalled, Aborted:
		return true
	}
	return false
}
