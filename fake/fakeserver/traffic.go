package fakeserver

import (
	"context"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/milvuswait/milvuswait/fake/internal/play"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// traffic holds the counted calls, the newest requests and the faults, by method.
type traffic struct {
	counts map[string]int
	last   map[string]proto.Message
	faults map[string][]*armed
}

// armed is a fault in use, with the number of calls since Fail.
type armed struct {
	Fault
	seen int
}

// note counts a call, and returns its faults as one.
func (t *traffic) note(method string, req proto.Message) Fault {
	var met Fault
	for _, name := range []string{method, AnyMethod} {
		t.counts[name]++
		t.last[name] = req
		for _, a := range t.faults[name] {
			a.seen++
			if a.calls != nil && !slices.Contains(a.calls, a.seen) {
				continue
			}
			met = met.and(a.Fault)
		}
	}
	return met
}

// intercept serves an RPC, or applies its fault.
func (s *Server) intercept(ctx context.Context, req any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
	name := path.Base(info.FullMethod)
	fault, err := s.meet(ctx, name, req.(proto.Message))
	if err != nil {
		return nil, err
	}

	switch fault.act {
	case reject:
		return s.answer(name, fault.body.status()), nil
	case blank:
		return s.answer(name, nil), nil
	}

	if err := s.config.Dialect.unimplemented(name); err != nil {
		return nil, err
	}
	if err := checkDatabase(ctx, req); err != nil {
		return nil, err
	}
	return handler(ctx, req)
}

// refuseUnknown answers RPCs not served by the server. It counts those of Milvus, and not
// those of other services, such as health checks.
func (s *Server) refuseUnknown(_ any, stream grpc.ServerStream) error {
	full, _ := grpc.MethodFromServerStream(stream)
	unimplemented := status.Errorf(codes.Unimplemented, "fakeserver does not serve %s", full)
	method, ours := strings.CutPrefix(full, "/"+wire.Service+"/")
	if !ours {
		return unimplemented
	}

	// Refuse a stream before its first message, since it may never arrive.
	req := new(emptypb.Empty) // keeps all fields as unknown ones
	if !slices.Contains(streams, method) {
		if err := stream.RecvMsg(req); err != nil && err != io.EOF {
			return err
		}
	}

	if _, err := s.meet(stream.Context(), method, req); err != nil {
		return err
	}
	return unimplemented
}

// meet counts a call and applies its fault, or the fault of a server that does not serve. It
// returns an error if the fault ends the call. Otherwise it returns the fault: Reject and
// Blank need a response.
func (s *Server) meet(ctx context.Context, method string, req proto.Message) (Fault, error) {
	s.state.Lock()
	fault := s.note(method, req)
	s.state.Unlock()
	fault = fault.and(s.unready())

	if err := play.Sleep(ctx, fault.delay); err != nil {
		return fault, status.FromContextError(err).Err()
	}

	switch fault.act {
	case drop:
		breakConnection(ctx)
		return fault, status.Error(codes.Unavailable, "fakeserver: dropped")
	case refuse:
		return fault, fault.err
	}
	return fault, nil
}

// checkDatabase refuses a call whose request and dbname header name different
// databases: Milvus 2.2.9 to 2.6 checks rights in the database of the header, and acts
// on the database of the request. CreateDatabase names the new one.
func checkDatabase(ctx context.Context, req any) error {
	named, ok := req.(interface{ GetDbName() string })
	if _, creates := req.(*wire.CreateDatabaseRequest); !ok || creates {
		return nil
	}

	name, header := named.GetDbName(), wire.Database(ctx)
	if name != "" && header != "" && header != name {
		return status.Errorf(codes.InvalidArgument, "fakeserver: the request is for database %q, and its dbname header for %q", name, header)
	}
	return nil
}

// serves reports whether the server serves the method, or at least one for AnyMethod.
func (s *Server) serves(method string) bool {
	_, served := s.methods[method]
	return served || method == AnyMethod
}

// mustBeMethod panics, in the name of the function what, if Milvus has no such method.
func (s *Server) mustBeMethod(what, method string) {
	if !s.serves(method) && !slices.Contains(unserved, method) && !slices.Contains(streams, method) {
		panic(fmt.Sprintf("fakeserver: %s: Milvus has no RPC %q", what, method))
	}
}

// answer returns an empty response of the method with body as its status. A response is a
// Status, or has a field for one.
func (s *Server) answer(method string, body *wire.Status) proto.Message {
	response := s.methods[method].blank()
	if body == nil {
		return response
	}

	if _, is := response.(*wire.Status); is {
		return body
	}

	message := response.ProtoReflect()
	message.Set(message.Descriptor().Fields().ByName("status"), protoreflect.ValueOfMessage(body.ProtoReflect()))
	return response
}
