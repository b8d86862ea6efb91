package rpc

import (
	"context"
	"errors"
	"fmt"
	"path"
	"reflect"
	"runtime"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/milvuswait/milvuswait/internal/typednil"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// A Stub makes the two calls that every Poller needs. A milvuspb.MilvusServiceClient
// of any version of go-api is one.
//
// FromStub finds other calls, such as GetLoadState and ShowCollections, by their
// names.
type Stub[LoadingReq, LoadingResp, IndexReq, IndexResp any] interface {
	GetLoadingProgress(ctx context.Context, req *LoadingReq, opts ...grpc.CallOption) (*LoadingResp, error)
	DescribeIndex(ctx context.Context, req *IndexReq, opts ...grpc.CallOption) (*IndexResp, error)
}

// FromStub returns a Poller that calls stub: the result of GetService of client/v2 or
// client/v3, a generated client of any version of go-api, or a mock of one. The four
// types are inferred. The caller closes the connection of stub.
//
// Use New where the program has the connection: it converts no messages.
// Interceptors on the connection see the request types of stub.
//
// All calls are checked here. If stub is nil, as the GetService of a closed client
// is, or if a call takes or returns other messages than Milvus', every poll fails with
// milvuswait.ErrInvalid, and the error names the call.
//
// A call missing in stub returns an error that wraps errors.ErrUnsupported.
// Without ShowCollections, WaitAll polls targets one by one. Without
// GetPersistentSegmentInfo, waits for indexes are unconfirmed. Without GetLoadState,
// failures of Milvus 2.2 are classified by their texts alone, and on milvus-lite an
// unloaded collection looks like a load at 0 %: set WithStallTimeout there. A call that
// dereferences nil, as a mock with a nil stub in it does, is milvuswait.ErrInvalid, except
// for GetPersistentSegmentInfo: the mock lacks it.
func FromStub[LoadingReq, LoadingResp, IndexReq, IndexResp any](
	stub Stub[LoadingReq, LoadingResp, IndexReq, IndexResp], opts ...Option,
) *Poller {
	if typednil.Is(stub) {
		return &Poller{invalid: invalid("the stub is nil: is its client closed?")}
	}
	conn, err := newStubConn(stub)
	if err != nil {
		return &Poller{invalid: err}
	}
	return newPoller(conn, opts)
}

// stubError is the failure of a stub itself, as opposed to an error from its calls.
type stubError struct {
	class class
	err   error
}

func (e *stubError) Error() string { return e.err.Error() }
func (e *stubError) Unwrap() error { return e.err }

// stubConn is a stub as a wire.Conn. The key is the full name of a call.
type stubConn map[string]stubCall

// Invoke calls the stub with a copy of req, and copies its response to resp.
func (c stubConn) Invoke(ctx context.Context, method string, req, resp any, opts ...grpc.CallOption) error {
	call, found := c[method]
	if !found {
		return &stubError{transient, fmt.Errorf("the stub has no such call: %w", errors.ErrUnsupported)}
	}

	theirs := reflect.New(call.req)
	if err := convert(req, theirs.Interface()); err != nil {
		return err
	}

	answer, err := call.do(ctx, theirs, opts)
	if err != nil {
		return err
	}
	if answer.IsNil() {
		return &stubError{transient, fmt.Errorf("%w: no message", ErrMalformed)}
	}
	return convert(answer.Interface(), resp)
}

// stubCall is a method of a stub.
type stubCall struct {
	method reflect.Value
	req    reflect.Type
}

// do calls the method. A method promoted from a nil value panics, as in a mock with an
// embedded nil stub. No check before the call can find it, since the mock implements some
// methods itself. do returns this panic as an error with the place of the panic. Other
// panics pass.
func (c stubCall) do(ctx context.Context, req reflect.Value, opts []grpc.CallOption) (resp reflect.Value, err error) {
	defer func() {
		switch r := recover(); {
		case r == nil:
		case isNilDereference(r):
			err = &stubError{permanent, invalid("the stub dereferences nil in %s: does it embed a nil stub?", panicked())}
		default:
			panic(r)
		}
	}()

	out := c.method.CallSlice([]reflect.Value{reflect.ValueOf(ctx), req, reflect.ValueOf(opts)})
	err, _ = out[1].Interface().(error)
	return out[0], err
}

func isNilDereference(panicked any) bool {
	err, ok := panicked.(runtime.Error)
	return ok && (strings.Contains(err.Error(), "nil pointer dereference") || strings.Contains(err.Error(), "called using nil"))
}

// panicked returns the function and the line of the panic. A deferred function calls
// it.
func panicked() string {
	pcs := make([]uintptr, 16)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)]) // without Callers, panicked and the deferred function
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "runtime.") || !more {
			return fmt.Sprintf("%s (%s:%d)", frame.Function, path.Base(frame.File), frame.Line)
		}
	}
}

// stubMethods lists the calls that a Poller makes.
//
// Each looks its method up by a constant. By a variable, the linker would have to keep
// every exported method of the program.
var stubMethods = []struct {
	name      string
	req, resp proto.Message
	find      func(stub reflect.Value) reflect.Value
}{
	{
		string(wire.GetLoadingProgress), (*wire.GetLoadingProgressRequest)(nil), (*wire.GetLoadingProgressResponse)(nil),
		func(stub reflect.Value) reflect.Value { return stub.MethodByName("GetLoadingProgress") },
	},
	{
		string(wire.DescribeIndex), (*wire.DescribeIndexRequest)(nil), (*wire.DescribeIndexResponse)(nil),
		func(stub reflect.Value) reflect.Value { return stub.MethodByName("DescribeIndex") },
	},
	{
		string(wire.GetLoadState), (*wire.GetLoadStateRequest)(nil), (*wire.GetLoadStateResponse)(nil),
		func(stub reflect.Value) reflect.Value { return stub.MethodByName("GetLoadState") },
	},
	{
		string(wire.ShowCollections), (*wire.ShowCollectionsRequest)(nil), (*wire.ShowCollectionsResponse)(nil),
		func(stub reflect.Value) reflect.Value { return stub.MethodByName("ShowCollections") },
	},
	{
		string(wire.GetPersistentSegmentInfo), (*wire.GetPersistentSegmentInfoRequest)(nil), (*wire.GetPersistentSegmentInfoResponse)(nil),
		func(stub reflect.Value) reflect.Value { return stub.MethodByName("GetPersistentSegmentInfo") },
	},
	{
		string(wire.GetFlushState), (*wire.GetFlushStateRequest)(nil), (*wire.GetFlushStateResponse)(nil),
		func(stub reflect.Value) reflect.Value { return stub.MethodByName("GetFlushState") },
	},
	{
		string(wire.GetImportState), (*wire.GetImportStateRequest)(nil), (*wire.GetImportStateResponse)(nil),
		func(stub reflect.Value) reflect.Value { return stub.MethodByName("GetImportState") },
	},
	{
		string(wire.GetCompactionState), (*wire.GetCompactionStateRequest)(nil), (*wire.GetCompactionStateResponse)(nil),
		func(stub reflect.Value) reflect.Value { return stub.MethodByName("GetCompactionState") },
	},
	{
		string(wire.Query), (*wire.QueryRequest)(nil), (*wire.QueryResults)(nil),
		func(stub reflect.Value) reflect.Value { return stub.MethodByName("Query") },
	},
	{
		string(wire.GetVersion), (*wire.GetVersionRequest)(nil), (*wire.GetVersionResponse)(nil),
		func(stub reflect.Value) reflect.Value { return stub.MethodByName("GetVersion") },
	},
}

// newStubConn finds and checks the calls of stub.
func newStubConn(stub any) (stubConn, error) {
	conn := stubConn{}
	for _, m := range stubMethods {
		method := m.find(reflect.ValueOf(stub))
		if !method.IsValid() {
			continue
		}
		if err := checkCall(method.Type(), m.req, m.resp); err != nil {
			return nil, invalid("%s of %T: %v", path.Base(m.name), stub, err)
		}
		conn[m.name] = stubCall{method: method, req: method.Type().In(1).Elem()}
	}
	return conn, nil
}

// checkCall returns why a method is not the call that takes and returns messages like
// ours, or nil.
func checkCall(method reflect.Type, req, resp proto.Message) error {
	if method.NumIn() != 3 || method.NumOut() != 2 || !method.IsVariadic() ||
		method.In(0) != reflect.TypeFor[context.Context]() || method.In(2) != reflect.TypeFor[[]grpc.CallOption]() ||
		method.Out(1) != reflect.TypeFor[error]() {
		return fmt.Errorf("%v is not the signature of a gRPC call", method)
	}

	if err := checkMessage(method.In(1), req); err != nil {
		return err
	}
	return checkMessage(method.Out(0), resp)
}

// checkMessage returns why theirs is not Milvus' message, or nil. Ours is Milvus' message.
func checkMessage(theirs reflect.Type, ours proto.Message) error {
	want := ours.ProtoReflect().Descriptor()
	if theirs.Kind() == reflect.Pointer {
		if m := wire.Message(reflect.Zero(theirs).Interface()); m != nil {
			return checkFields(m.ProtoReflect().Descriptor(), want)
		}
	}
	return fmt.Errorf("%v is not a protobuf message, want Milvus' %s", theirs, want.Name())
}

// checkFields compares the fields of both messages. Each version of Milvus has additional
// fields, so a field missing in theirs is no difference.
func checkFields(theirs, ours protoreflect.MessageDescriptor) error {
	if theirs.Name() != ours.Name() {
		return fmt.Errorf("the message is %s, want Milvus' %s", theirs.FullName(), ours.Name())
	}

	fields := ours.Fields()
	for i := range fields.Len() {
		our := fields.Get(i)
		their := theirs.Fields().ByNumber(our.Number())
		if their == nil {
			continue
		}
		if their.Kind() != our.Kind() || their.Cardinality() != our.Cardinality() {
			return fmt.Errorf("field %d of %s is %v %v, want %v %v", our.Number(), theirs.FullName(),
				their.Cardinality(), their.Kind(), our.Cardinality(), our.Kind())
		}

		if our.Kind() == protoreflect.MessageKind {
			if err := checkFields(their.Message(), our.Message()); err != nil {
				return err
			}
		}
	}
	return nil
}

// convert copies a message. Its error is the error of gRPC for a message it cannot encode
// or decode.
func convert(from, to any) error {
	if err := wire.Convert(wire.Message(from), wire.Message(to)); err != nil {
		return status.Errorf(codes.Internal, "converting %T: %v", from, err)
	}
	return nil
}
