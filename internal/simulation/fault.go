package simulation

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
)

// Class is the name of an error in a log; "" means no error.
type Class string

// Classes of polls that were ended by their context.
const (
	outOfTime Class = "out of time" // the poll's timeout
	cut       Class = "cut"         // the end of the wait
)

// Classes of ends without an answer of a server.
const (
	deadline    Class = "deadline exceeded"
	canceled    Class = "canceled"
	stalled     Class = "stalled"
	unreachable Class = "server unreachable"
	aborted     Class = "aborted"
	released    Class = "released during the wait"
)

// Classes of answers that match a sentinel of milvuswait.
const (
	noCollection Class = "collection not found"
	noPartition  Class = "partition not found"
	noIndex      Class = "index not found"
	noDatabase   Class = "database not found"
	ambiguous    Class = "ambiguous index"
	notLoaded    Class = "not loaded"
	loadFailed   Class = "load failed"
	indexFailed  Class = "index build failed"
)

// fault is an error in its two forms: from a fake.Poller and from a server.
type fault struct {
	class     Class
	ofPoller  error
	ofServer  error
	loadsOnly bool
}

// said returns an error of a server.
func said(code, legacy int32, reason string) error {
	return &milvuswait.ServerError{Code: code, LegacyCode: legacy, Reason: reason}
}

// passing returns a transient fault.
func passing(class Class, err error) fault { return fault{class: class, ofPoller: err, ofServer: err} }

// permanent returns a fault that ends a wait.
func permanent(class Class, err error) fault {
	return fault{class: class, ofPoller: milvuswait.Permanent(err), ofServer: err}
}

// invalid returns a fault that package rpc reports as ErrInvalid.
func invalid(class Class, err error) fault {
	return fault{class: class, ofPoller: fmt.Errorf("%w: %w", milvuswait.ErrInvalid, err), ofServer: err}
}

// passingFaults are transient.
var passingFaults = []fault{
	passing("Unavailable", status.Error(codes.Unavailable, "node is offline")),
	passing("Aborted", status.Error(codes.Aborted, "leader switch")),
	passing("Internal", status.Error(codes.Internal, "channel is lost")),
	passing("Unknown", status.Error(codes.Unknown, "stack of the proxy")),
	passing("ResourceExhausted", status.Error(codes.ResourceExhausted, "too many requests")),
	passing("DeadlineExceeded", status.Error(codes.DeadlineExceeded, "a coordinator did not answer")),
	passing("Canceled", status.Error(codes.Canceled, "the server is stopping")),
	passing("code 1", said(1, 1, "service not ready")),
	passing("code 8", said(8, 49, "rate limit exceeded")),
	passing("code 503", said(503, 1, "channel not available")),
}

// permanentFaults end a wait, immediately or after a confirmation.
var permanentFaults = []fault{
	permanent("PermissionDenied", status.Error(codes.PermissionDenied, "not for you")),
	permanent("Unauthenticated", status.Error(codes.Unauthenticated, "token has expired")),
	permanent("Unimplemented", status.Error(codes.Unimplemented, "unknown method")),
	permanent("code 1401", said(1401, 3, "privilege not permitted")),
	invalid("InvalidArgument", status.Error(codes.InvalidArgument, "what is this")),
	invalid("code 1100", said(1100, 5, "invalid parameter")),
	{noDatabase, milvuswait.ErrDatabaseNotFound, milvuswait.ErrDatabaseNotFound, false},
	{loadFailed, milvuswait.ErrLoadFailed, milvuswait.ErrLoadFailed, true},
}

// refusals are the permanent faults without a sentinel.
var refusals = permanentFaults[:4]

// absences are the faults returned from a stale view of the cluster.
var absences = []fault{
	{noCollection, milvuswait.ErrCollectionNotFound, milvuswait.ErrCollectionNotFound, false},
	{noDatabase, milvuswait.ErrDatabaseNotFound, milvuswait.ErrDatabaseNotFound, false},
	{notLoaded, milvuswait.ErrNotLoaded, milvuswait.ErrNotLoaded, true},
}

// sentinels lists milvuswait's errors. If an error matches several, the first, more
// specific one counts.
var sentinels = []struct {
	class Class
	err   error
}{
	{loadFailed, milvuswait.ErrLoadFailed}, {released, milvuswait.ErrReleased}, {notLoaded, milvuswait.ErrNotLoaded},
	{noCollection, milvuswait.ErrCollectionNotFound}, {noPartition, milvuswait.ErrPartitionNotFound},
	{noIndex, milvuswait.ErrIndexNotFound}, {noDatabase, milvuswait.ErrDatabaseNotFound}, {ambiguous, milvuswait.ErrAmbiguousIndex},
	{indexFailed, milvuswait.ErrIndexFailed}, {stalled, milvuswait.ErrStalled}, {unreachable, milvuswait.ErrUnreachable},
	{aborted, milvuswait.ErrAborted}, {deadline, context.DeadlineExceeded}, {canceled, context.Canceled},
}

// classOf returns the class of an error of a poll or of a wait.
func classOf(err error) Class {
	if err == nil {
		return ""
	}

	if strings.HasPrefix(err.Error(), "poll timed out after ") {
		return outOfTime
	}
	var asked interface{ GRPCStatus() *status.Status }
	if errors.As(err, &asked) {
		return Class(asked.GRPCStatus().Code().String())
	}

	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.class
		}
	}
	var server *milvuswait.ServerError
	if errors.As(err, &server) {
		return Class(fmt.Sprintf("code %d", server.Code))
	}

	switch text := err.Error(); text { // hidden from errors.Is
	case context.DeadlineExceeded.Error():
		return Class(codes.DeadlineExceeded.String())
	case context.Canceled.Error():
		return Class(codes.Canceled.String())
	default:
		return Class(text)
	}
}

// permanent reports whether answers of the class end a wait, immediately or after a
// confirmation. All others are transient.
func (c Class) permanent() bool {
	switch c {
	case noCollection, noPartition, noIndex, noDatabase, ambiguous, notLoaded, loadFailed, indexFailed,
		"PermissionDenied", "Unauthenticated", "Unimplemented", "InvalidArgument", "code 1100", "code 1401":
		return true
	}
	return false
}

// invalidError is an error of its class that matches milvuswait.ErrInvalid.
type invalidError Class

func (e invalidError) Error() string        { return string(e) }
func (e invalidError) Is(target error) bool { return target == milvuswait.ErrInvalid }

// asError returns an error of the class, or nil for "".
func (c Class) asError() error {
	if c == "" {
		return nil
	}
	for _, s := range sentinels {
		if s.class == c {
			return s.err
		}
	}
	if c == "InvalidArgument" || c == "code 1100" {
		return invalidError(c)
	}
	return errors.New(string(c))
}
