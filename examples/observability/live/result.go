package live

import (
	"context"
	"errors"

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

// pollFailed reports whether the poll that a wait ended with failed, by the error
// of the wait.
func pollFailed(err error) bool {
	var e *milvuswait.Error
	if err == nil || errors.Is(err, milvuswait.ErrIndexFailed) {
		return false
	}
	if errors.As(err, &e) && e.LastErr != nil {
		return true
	}
	switch Result(err) {
	case Timeout, Canceled, Stalled, Aborted:
		return false
	}
	return true
}
