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

// AnyMethod, as a method, stands for every RPC.
const AnyMethod = "*"

// Fault is what goes wrong with a call: made by Hang, Slow, Drop, Refuse, Reject
// or Blank. It is a value, and meets every call of its method unless On says
// which.
type Fault struct {
	delay time.Duration
	act   action
	said  failure // of reject
	err   error   // of refuse
	calls []int
}

type action int8

const (
	proceed action = iota // with the real answer
	drop
	refuse
	reject
	blank
)

// Hang returns the fault of calls that are not answered: they end with the
// client's context, its connection, or the server.
func Hang() Fault { return Slow(fake.Forever) }

// Slow returns the fault of calls that are carried out, but only after d. It
// panics if d is negative.
func Slow(d time.Duration) Fault {
	if d < 0 {
		panic(fmt.Sprintf("fakeserver: Slow: %v is negative", d))
	}
	return Fault{delay: d}
}

// Drop returns the fault of calls whose connection breaks. The call is not
// carried out, and other calls on the connection break with it.
func Drop() Fault { return Fault{act: drop} }

// Refuse returns the fault of calls that fail with that gRPC status and are not
// carried out. It panics if the code is OK.
func Refuse(code codes.Code, message string) Fault {
	if code == codes.OK {
		panic("fakeserver: Refuse: the code is OK")
	}
	return Fault{act: refuse, err: status.Error(code, message)}
}

// Reject returns the fault of calls that are answered with that failure in the body,
// as Milvus reports nearly all of its failures, and are not carried out. A code of 0
// stands for Milvus 2.2, which has only error codes. The error code is a
// commonpb.ErrorCode of any version of go-api, or a number.
func Reject[ErrorCode ~int32 | ~int](code int32, errorCode ErrorCode, reason string) Fault {
	return Fault{act: reject, said: failure{code: code, legacy: wire.ErrorCode(errorCode), reason: reason}}
}

// Blank returns the fault of calls that are answered with an empty message,
// which has no status either, and are not carried out.
func Blank() Fault { return Fault{act: blank} }

// On returns f for the calls with these numbers only, 1 being the first after
// Fail. It panics if there are none, or one is not positive.
func (f Fault) On(calls ...int) Fault {
	if len(calls) == 0 || slices.Min(calls) < 1 {
		panic(fmt.Sprintf("fakeserver: On: %v are no numbers of calls, the first one is 1", calls))
	}
	f.calls = slices.Clone(calls)
	return f
}

// Fail makes calls of the method, such as "GetLoadingProgress", or of AnyMethod,
// meet those faults from now on, besides the ones it meets already. The time of
// every Slow that a call meets adds up; then the first of its other faults
// decides. It panics if there is no such method, or if a call that the server does not
// serve is to meet Reject or Blank, which need its response message.
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

// Heal ends the faults of those methods, or all faults if none is named. Calls
// that have met one already are not helped. It panics if there is no such
// method.
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

// Count returns how often the method was called, or all methods for AnyMethod,
// since the server was first started. It panics if there is no such method.
func (s *Server) Count(method string) int {
	s.mustBeMethod("Count", method)
	s.state.Lock()
	defer s.state.Unlock()
	return s.counts[method]
}

// LastRequest copies the newest request of the method, or of all methods for
// AnyMethod, to into, and returns whether there was one. The message into is a request
// of that method of any version of go-api, such as a *milvuspb.DescribeIndexRequest.
// It panics if there is no such method, if into is nil or not a message, or if it is
// another message than the method's. That is not checked for RPCs that the server does
// not serve: their messages are not known here.
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
	_, unserved := last.(*emptypb.Empty) // whose message is not known here
	if is, want := messageName(target), messageName(last); is != want && !unserved {
		panic(fmt.Sprintf("fakeserver: LastRequest: the request is a %s, and into is a %s", want, is))
	}
	if err := wire.Convert(last, target); err != nil {
		panic(fmt.Sprintf("fakeserver: LastRequest: %v", err))
	}
	return true
}

func messageName(m proto.Message) protoreflect.Name { return m.ProtoReflect().Descriptor().Name() }

// trackingCredentials are those of a plain connection, which it remembers so that
// a call can break its own.
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

func breakConnection(ctx context.Context) {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return
	}
	if info, ok := p.AuthInfo.(connInfo); ok {
		_ = info.conn.Close() // broken is what it is to be
	}
}
