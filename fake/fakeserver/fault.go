package fakeserver

import (
	"context"
	"fmt"
	"net"
	"path"
	"reflect"
	"slices"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"

	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/internal/play"
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

// Reject returns the fault of calls that are answered with that failure in the
// body, as Milvus says nearly all of its own, and are not carried out. A code of
// 0 is that of Milvus 2.2, which has only error codes.
func Reject(code int32, errorCode commonpb.ErrorCode, reason string) Fault {
	return Fault{act: reject, said: failure{code: code, legacy: errorCode, reason: reason}}
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
// decides. It panics if there is no such method.
func (s *Server) Fail(method string, faults ...Fault) {
	mustBeMethod("Fail", method)
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
		mustBeMethod("Heal", method)
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
	mustBeMethod("Count", method)
	s.state.Lock()
	defer s.state.Unlock()
	return s.counts[method]
}

// LastRequest returns the newest request of the method, such as a
// *milvuspb.DescribeIndexRequest, or nil if there was none. It must not be
// written to. It panics if there is no such method.
func (s *Server) LastRequest(method string) any {
	mustBeMethod("LastRequest", method)
	s.state.Lock()
	defer s.state.Unlock()
	return s.last[method]
}

// traffic is what went over the wire and what is to go wrong there.
type traffic struct {
	counts map[string]int
	last   map[string]any
	faults map[string][]*armed
}

// armed is a fault and how many calls have come by it.
type armed struct {
	Fault
	seen int
}

// note counts a call and returns the fault that it meets.
func (t *traffic) note(method string, req any) Fault {
	var met Fault
	for _, name := range []string{method, AnyMethod} {
		t.counts[name]++
		t.last[name] = req
		for _, a := range t.faults[name] {
			a.seen++
			if a.calls != nil && !slices.Contains(a.calls, a.seen) {
				continue
			}
			met.delay += min(a.delay, fake.Forever-met.delay)
			if met.act == proceed {
				met.act, met.said, met.err = a.act, a.said, a.err
			}
		}
	}
	return met
}

func (s *Server) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	method := path.Base(info.FullMethod)
	s.state.Lock()
	fault := s.note(method, req)
	s.state.Unlock()
	if err := play.Sleep(ctx, fault.delay); err != nil {
		return nil, status.FromContextError(err).Err()
	}
	switch fault.act {
	case drop:
		breakConnection(ctx)
		return nil, status.Error(codes.Unavailable, "fakeserver: dropped")
	case refuse:
		return nil, fault.err
	case reject:
		return answerOf(method, fault.said.status()), nil
	case blank:
		return answerOf(method, nil), nil
	}
	if err := s.config.Dialect.unimplemented(method); err != nil {
		return nil, err
	}
	return handler(ctx, req)
}

var serviceType = reflect.TypeFor[milvuspb.MilvusServiceServer]()

func mustBeMethod(what, method string) {
	if _, ok := serviceType.MethodByName(method); !ok && method != AnyMethod {
		panic(fmt.Sprintf("fakeserver: %s: Milvus has no RPC %q", what, method))
	}
}

// answerOf returns the message that answers the method, empty but for its
// status: every answer either is one or has one.
func answerOf(method string, body *commonpb.Status) any {
	m, _ := serviceType.MethodByName(method)
	answer := reflect.New(m.Type.Out(0).Elem())
	switch message := answer.Interface().(type) {
	case *commonpb.Status:
		if body != nil {
			return body
		}
		return message
	default:
		if field := answer.Elem().FieldByName("Status"); field.IsValid() && body != nil {
			field.Set(reflect.ValueOf(body))
		}
		return message
	}
}

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
