package rpc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/untrusted"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// ErrMalformed is in the error of a poll if the response is not one of Milvus: no
// message, a message without a status, or a response of something else than Milvus, such as
// the error page of a gateway. It is transient, except for a load at 100 % without a
// status: milvus-lite 2.4 reports no other progress, so that a wait would never end.
var ErrMalformed = errors.New("malformed answer")

// failure is a failed poll.
type failure struct {
	class    class
	err      error
	reported *milvuswait.ServerError // nil without a response, and for a malformed one
}

// checkResponse returns the failure of a call of method, or the failure in its response,
// or nil.
func checkResponse(method string, st *wire.Status, err error) *failure {
	var stub *stubError
	switch {
	case errors.As(err, &stub):
		return &failure{class: stub.class, err: fmt.Errorf("%s: %w", method, stub)}
	case err != nil:
		call := newCallError(method, err)
		return &failure{class: classifyCall(call.status.Code(), call.status.Message(), method), err: call}
	}

	if st == nil {
		return &failure{class: transient, err: fmt.Errorf("%s: %w: no status", method, ErrMalformed)}
	}
	reported := &milvuswait.ServerError{
		Code: st.Code, LegacyCode: int32(st.ErrorCode),
		Reason: reason(st), Retriable: st.Retriable, Method: method,
	}

	c := classify(reported.Code, reported.LegacyCode, reported.Reason, method)
	if c == succeeded {
		return nil
	}
	return &failure{class: c, err: reported, reported: reported}
}

// liteReportsNoLoad returns the failure of a load at 100 % without a status. milvus-lite
// 2.4.12 answers every GetLoadingProgress so, also for an unknown collection.
func liteReportsNoLoad() *failure {
	return &failure{class: permanent, err: fmt.Errorf(
		"%s: %w: 100 %% without a status, as milvus-lite 2.4 reports for every collection: milvus-lite 3.0 or newer is needed",
		getLoadingProgress, ErrMalformed)}
}

// isStubError reports whether err is the failure of a stub, which the next call would
// repeat.
func isStubError(err error) bool {
	var stub *stubError
	return errors.As(err, &stub)
}

// reason returns the text of a status, cut and cleaned. Before 2.6.19 only detail has
// the whole text.
func reason(st *wire.Status) string {
	reason, detail := untrusted.Text(st.Reason), untrusted.Text(st.Detail)
	if strings.Contains(detail, reason) {
		return detail
	}
	return reason
}

// settledByText returns f. If its class is undecided, the text decides it.
func (f *failure) settledByText() *failure {
	if f.class == undecided {
		f.class = settle(f.reported.Code, f.reported.Reason, f.reported.Method, noState)
	}
	return f
}

// error returns f as the error of a poll.
func (f *failure) error(ctx context.Context) error {
	err := f.err
	if sentinel, found := sentinels[f.class]; found {
		err = fmt.Errorf("%w: %w", sentinel, err)
	} else if f.class == permanent {
		err = milvuswait.Permanent(err)
	} else if f.class == lasting {
		err = &lastingError{err}
	}
	return withContextErr(ctx, err)
}

// lastingError is an error that ends every wait at once: it matches milvuswait.ErrInvalid,
// which is no view of a server. Its text is that of err alone.
type lastingError struct{ err error }

func (e *lastingError) Error() string        { return e.err.Error() }
func (e *lastingError) Unwrap() error        { return e.err }
func (e *lastingError) Is(target error) bool { return target == milvuswait.ErrInvalid }

// withContextErr adds the error of ctx to err if ctx is done: gRPC's errors do not match
// it. A server knows the deadline too. Its error may arrive before the timer of ctx fires.
func withContextErr(ctx context.Context, err error) error {
	done := ctx.Err()
	if at, limited := ctx.Deadline(); done == nil && limited && !time.Now().Before(at) {
		done = context.DeadlineExceeded
	}

	if done == nil {
		return err
	}
	return &doneError{err, done}
}

type doneError struct{ err, done error }

func (e *doneError) Error() string   { return e.err.Error() }
func (e *doneError) Unwrap() []error { return []error{e.err, e.done} }

// callError is a gRPC error without its details, which may hold text of any length.
type callError struct {
	method  string
	status  *status.Status
	foreign string // description of the server that answered instead of Milvus, or ""
}

func newCallError(method string, err error) *callError {
	st, ok := status.FromError(err)
	if !ok {
		st = status.FromContextError(err)
	}

	if st.Code() == codes.OK {
		st = status.New(codes.Unknown, err.Error())
	}
	message := untrusted.Text(st.Message())
	return &callError{method, status.New(st.Code(), message), foreignAnswer(st.Code(), message, method)}
}

func (e *callError) Error() string {
	if e.foreign != "" {
		return e.method + ": the answer is not from Milvus: " + e.foreign
	}
	return e.method + ": " + codeText(e.status.Code()) + ": " + e.status.Message()
}

// Method returns the name of the RPC that failed, such as "GetLoadingProgress".
func (e *callError) Method() string { return e.method }

// Is matches ErrMalformed if something else than Milvus answered.
func (e *callError) Is(target error) bool { return target == ErrMalformed && e.foreign != "" }

// GRPCStatus makes status.Code and status.FromError work.
func (e *callError) GRPCStatus() *status.Status { return e.status }

// codeText returns the name of a code in the style of errors: "deadline exceeded".
func codeText(code codes.Code) string {
	var b strings.Builder
	for i, r := range code.String() {
		if i > 0 && unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}
