package milvuswait

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/milvuswait/milvuswait/internal/duration"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// Errors that end a wait. Test for them with errors.Is.
var (
	// ErrCollectionNotFound: the collection does not exist, or was dropped. Milvus code
	// 100; on 2.2, GetLoadState NotExist.
	ErrCollectionNotFound = errors.New("collection not found")
	// ErrPartitionNotFound: the collection has no partition of this name. Milvus code 200.
	ErrPartitionNotFound = errors.New("partition not found")
	// ErrIndexNotFound: the collection has no index of this name, or none at all. Milvus
	// code 700.
	ErrIndexNotFound = errors.New("index not found")
	// ErrDatabaseNotFound: the database does not exist. Milvus code 800; 2.2.16 and 2.3.5
	// report ErrCollectionNotFound instead, except for lists.
	ErrDatabaseNotFound = errors.New("database not found")
	// ErrAmbiguousIndex: the collection has several indexes and none was named.
	// Name one by WithIndex, or wait for AllIndexes.
	ErrAmbiguousIndex = errors.New("ambiguous index")
	// ErrNotLoaded: the collection or partition is neither loaded nor loading. Call
	// LoadCollection first; if another process does, see WithStartGrace. Milvus codes
	// 101 and 201.
	ErrNotLoaded = errors.New("not loaded")
	// ErrReleased: the collection or partition was released during the wait.
	ErrReleased = errors.New("released during the wait")
	// ErrLoadFailed: the server gave the load up, for lack of memory or disk for example.
	ErrLoadFailed = errors.New("load failed")
	// ErrIndexFailed: the server reports that the index cannot be built.
	ErrIndexFailed = errors.New("index build failed")
	// ErrJobNotFound: the server does not know the import. Milvus code 2100, 2101 since 3.0,
	// 1000 on 2.3, and a text on 2.2. For an unknown compaction servers report success.
	ErrJobNotFound = errors.New("job not found")
	// ErrJobFailed: the server reports that the import failed, or plans of the compaction.
	ErrJobFailed = errors.New("job failed")
	// ErrStalled: progress did not change for as long as WithStallTimeout allows.
	ErrStalled = errors.New("stalled")
	// ErrUnreachable: no poll was answered for as long as WithUnreachableAfter allows.
	ErrUnreachable = errors.New("server unreachable")
	// ErrAborted: the wait ended early for a reason outside its target. Another target of
	// WaitAll failed, a custom generator returned a negative delay, or a loop over Watch
	// was left.
	ErrAborted = errors.New("aborted")
	// ErrInvalid: an argument or option is invalid. Nothing was polled, unless the Poller
	// returned it, for a name that the server refuses or a client that is closed.
	ErrInvalid = errors.New("invalid argument")
)

// Error is returned by every wait that fails, except for invalid arguments. Get it by
// errors.As.
type Error struct {
	Target  Target
	Last    Progress      // progress from the last successful poll; nil if there was none
	Polls   int           // number of polls, failed ones included
	Elapsed time.Duration // time from the call to the return

	// WaitingFor is the work that the target waited for when it looked complete otherwise,
	// or "".
	WaitingFor WaitingFor

	// Cause is why the wait ended. It wraps one of the package's sentinels, a
	// permanent error of the Poller, or the context's error and its context.Cause.
	Cause error

	// LastErr is the tolerated error of the last poll, also a permanent failure that was not
	// confirmed yet, or the error that would have ended the wait if the context had not
	// ended first. Otherwise it is nil.
	//
	// Neither LastErr nor a context.Cause matches context.DeadlineExceeded or
	// context.Canceled. An Error matches one of them exactly when the wait's own context
	// has ended: the one that its Err returns.
	LastErr error
}

// Error returns the target, the cause and the last progress on one line, such as
//
//	milvuswait: loading "docs": context deadline exceeded (60 polls in 1h0m0s, last 40%)
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "milvuswait: %v: %s (%s in %v", e.Target, oneLine(e.Cause), plural(e.Polls, "poll"), round(e.Elapsed))

	if e.Last != nil {
		b.WriteString(", last ")
		if noun, name := partOf(e.Target, e.Last); name != "" {
			fmt.Fprintf(&b, "%s %q: ", noun, name)
		}
		fmt.Fprint(&b, e.Last)
	}
	if e.WaitingFor != "" {
		fmt.Fprintf(&b, ", waiting for %s", e.WaitingFor)
	}
	if e.LastErr != nil {
		fmt.Fprintf(&b, ", last error: %s", oneLine(e.LastErr))
	}
	b.WriteString(")")

	if k := findKind(e.Target.kind); k != nil && k.hint != nil {
		if hint := k.hint(e); hint != "" {
			b.WriteString("; " + hint)
		}
	}
	return b.String()
}

// Unwrap returns Cause and LastErr without nil ones. As for every error with several
// causes, errors.Unwrap returns nil: use errors.Is and errors.As.
func (e *Error) Unwrap() []error {
	var errs []error
	for _, err := range []error{e.Cause, e.LastErr} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// ServerError is a failure reported in the body of a response, a MilvusException of
// pymilvus.
//
// Source: common.proto, message Status.
type ServerError struct {
	Code       int32  // code of Milvus 2.3 and newer; 0 on 2.2
	LegacyCode int32  // error_code, the only code on 2.2; 1 (UnexpectedError) has no meaning of its own
	Reason     string // text of the server, at most 1 KiB, without control characters
	Retriable  bool   // the server's retriable flag; not reliable
	Method     string // name of the RPC, such as "GetLoadingProgress"
}

// Error returns the method, the reason and the code, on one line.
func (e *ServerError) Error() string {
	var b strings.Builder
	if e.Method != "" {
		b.WriteString(e.Method + ": ")
	}

	if reason := untrusted.Text(e.Reason); reason != "" {
		b.WriteString(reason)
	} else {
		b.WriteString("the server gave no reason")
	}

	if e.Code != 0 {
		fmt.Fprintf(&b, " (code %d)", e.Code)
	} else {
		fmt.Fprintf(&b, " (error code %d)", e.LegacyCode)
	}
	return b.String()
}

// maskedError holds an error of a Poller, or the cause of a context, in an Error. The
// context of a single poll or of a server may have timed out while the wait's own context
// did not: errors.Is must not take one for the other.
type maskedError struct{ err error }

func (e *maskedError) Error() string { return oneLine(e.err) }

func (e *maskedError) Is(target error) bool {
	if target == context.DeadlineExceeded || target == context.Canceled {
		return false
	}
	return errors.Is(e.err, target)
}

func (e *maskedError) As(target any) bool { return errors.As(e.err, target) }

// because returns sentinel with the text of err, and with its ServerError if it has one.
// Any other sentinel in err no longer holds.
func because(sentinel, err error) error {
	if said, ok := asType[*ServerError](err); ok {
		return fmt.Errorf("%w: %w", sentinel, said)
	}
	return fmt.Errorf("%w: %s", sentinel, oneLine(err))
}

// oneLine returns the text of an error on one line, cut to its maximum length. The text
// around the reason of a ServerError has room of its own: the code is worth more than the
// end of a long reason.
func oneLine(err error) string {
	most := untrusted.MaxText
	if _, ok := asType[*ServerError](err); ok {
		most += 256
	}
	return untrusted.Cut(fmt.Sprint(err), most)
}

func asType[E error](err error) (E, bool) {
	var e E
	ok := errors.As(err, &e)
	return e, ok
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// round rounds d to about three significant digits.
func round(d time.Duration) time.Duration { return duration.Round(d) }
