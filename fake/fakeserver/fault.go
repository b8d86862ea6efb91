package fakeserver

import (
	"context"
	"fmt"
	"net"
	"slices"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/internal/typednil"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// AnyMethod stands for every RPC, in place of the name of a method.
const AnyMethod = "*"

// Fault changes the result of a call. Hang, Slow, Drop, Refuse, Reject and Blank return
// one. It is a value, and applies to every call of its method unless On selects some.
type Fault struct {
	delay time.Duration
	act   action
	body  failure // the body for reject
	err   error   // the gRPC error for refuse
	calls []int
}

// action is the effect of a fault apart from its delay.
type action int8

const (
	proceed action = iota // give the regular response
	drop
	refuse
	reject
	blank
)

// Hang returns a fault for calls without a response: a call hangs until the client's
// context, its connection or the server ends.
func Hang() Fault { return Slow(fake.Forever) }

// Slow returns a fault that delays calls by d before they are carried out. It panics if d
// is negative.
func Slow(d time.Duration) Fault {
	if d < 0 {
		panic(fmt.Sprintf("fakeserver: Slow: %v is negative", d))
	}
	return Fault{delay: d}
}

// Drop returns a fault that breaks the connection of a call. The call is not carried out,
// and other calls on the connection break too.
func Drop() Fault { return Fault{act: drop} }

// Refuse returns a fault that makes calls fail with a gRPC status. The calls are not
// carried out. It panics if the code is OK.
func Refuse(code codes.Code, message string) Fault {
	if code == codes.OK {
		panic("fakeserver: Refuse: the code is OK")
	}
	return Fault{act: refuse, err: status.Error(code, message)}
}

// Reject returns a fault that makes calls return a failure in the body of the response, as
// Milvus reports nearly all of its failures. The calls are not carried out. A code of 0
// stands for Milvus 2.2, where a failure has only an error code. The error code is a
// commonpb.ErrorCode of any version of go-api, or a number.
func Reject[ErrorCode ~int32 | ~int](code int32, errorCode ErrorCode, reason string) Fault {
	return Fault{act: reject, body: failure{code: code, legacy: wire.ErrorCode(errorCode), reason: reason}}
}

// Blank returns a fault that makes calls return an empty message, without a status. The
// calls are not carried out.
func Blank() Fault { return Fault{act: blank} }

// On returns f for the calls with the given numbers only, where 1 is the first call after
// Fail. It panics if there are no numbers, or one is not positive.
func (f Fault) On(calls ...int) Fault {
	if len(calls) == 0 || slices.Min(calls) < 1 {
		panic(fmt.Sprintf("fakeserver: On: %v are no numbers of calls, the first one is 1", calls))
	}
	f.calls = slices.Clone(calls)
	return f
}

// Fail adds faults to all further calls of the method, such as "GetLoadingProgress", or of
// all methods with AnyMethod. Earlier faults of the method remain. The delays of all Slow
// faults of a call add up. Then the first of its other faults decides.
//
// It panics if Milvus has no such method, or for Reject or Blank on a method that the
// server does not serve: both need the response message of the method.
func (s *Server) Fail(method string, faults ...Fault) {
	s.mustBeMethod("Fail", method)
	for _, f := range faults {
		if !s.serves(method) && (f.act == reject || f.act == blank) {
			panic(fmt.Sprintf("fakeserver: Fail: %s is not served: use Refuse", method))
		}
	}

	s.state.Lock()
	defer s.state.Unlock()
	for _, f := range faults {
		s.faults[method] = append(s.faults[method], &armed{Fault: f})
	}
}

// Heal removes the faults of the given methods, or all faults if there are no methods. It
// does not affect faults of calls in flight. It panics if Milvus has no such method.
func (s *Server) Heal(methods ...string) {
	for _, method := range methods {
		s.mustBeMethod("Heal", method)
	}

	s.state.Lock()
	defer s.state.Unlock()
	if len(methods) == 0 {
		clear(s.faults)
	}
	for _, method := range methods {
		delete(s.faults, method)
	}
}

// Count returns the number of calls of the method, or of all methods for AnyMethod, since
// Start. It panics if Milvus has no such method.
func (s *Server) Count(method string) int {
	s.mustBeMethod("Count", method)
	s.state.Lock()
	defer s.state.Unlock()
	return s.counts[method]
}

// LastRequest copies the newest request of the method, or of all methods for AnyMethod,
// into the message into, and reports whether there was one. The message is a request of the
// method of any version of go-api, such as a *milvuspb.DescribeIndexRequest.
//
// It panics if Milvus has no such method, if into is nil or not a message, or if it is not
// the request message of the method. The last check is omitted for RPCs that the server
// does not serve, since it does not know their messages.
func (s *Server) LastRequest(method string, into any) bool {
	s.mustBeMethod("LastRequest", method)
	target := wire.Message(into)
	if target == nil || typednil.Is(into) {
		panic(fmt.Sprintf("fakeserver: LastRequest: into is nil or not a protobuf message: %T", into))
	}

	s.state.Lock()
	last := s.last[method]
	s.state.Unlock()
	if last == nil {
		return false
	}

	_, unserved := last.(*emptypb.Empty) // the message type is not known here
	if is, want := messageName(target), messageName(last); is != want && !unserved {
		panic(fmt.Sprintf("fakeserver: LastRequest: the request is a %s, and into is a %s", want, is))
	}
	if err := wire.Convert(last, target); err != nil {
		panic(fmt.Sprintf("fakeserver: LastRequest: %v", err))
	}
	return true
}

// messageName returns the name of the message type, without its package.
func messageName(m proto.Message) protoreflect.Name { return m.ProtoReflect().Descriptor().Name() }

// trackingCredentials are credentials without encryption. They keep the connection in the
// peer of each call, so that breakConnection can close it.
type trackingCredentials struct {
	credentials.TransportCredentials
}

type connInfo struct {
	credentials.AuthInfo
	conn net.Conn
}

func (c trackingCredentials) ServerHandshake(conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	conn, info, err := c.TransportCredentials.ServerHandshake(conn)
	return conn, connInfo{info, conn}, err
}

// breakConnection closes the connection of the call with this context.
func breakConnection(ctx context.Context) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return
	}
	if info, ok := p.AuthInfo.(connInfo); ok {
		_ = info.conn.Close() // broken either way
	}
}
