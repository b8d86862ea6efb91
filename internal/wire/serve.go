package wire

import (
	"context"
	"path"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// Serve returns the RPC for a server. answer returns its responses.
func (m Method[Req, Resp]) Serve(answer func(context.Context, *Req) (*Resp, error)) grpc.MethodDesc {
	return serve(string(m), func() any { return new(Req) }, func(ctx context.Context, req any) (any, error) {
		return answer(ctx, req.(*Req))
	})
}

// serve is Serve without type parameters, so that the linker needs one instance. Each call
// decodes into a new message of request, and passes it to answer.
func serve(method string, request func() any, answer grpc.UnaryHandler) grpc.MethodDesc {
	info := &grpc.UnaryServerInfo{FullMethod: method}

	return grpc.MethodDesc{
		MethodName: path.Base(method),
		Handler: func(_ any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
			req := request()
			if err := decode(req); err != nil {
				return nil, err
			}

			if interceptor == nil {
				return answer(ctx, req)
			}
			return interceptor(ctx, req, info, answer)
		},
	}
}

// Database returns the database in the dbname header of a received call, or "" if there is
// none.
func Database(ctx context.Context) string {
	if values := metadata.ValueFromIncomingContext(ctx, databaseHeader); len(values) > 0 {
		return values[0]
	}
	return ""
}

// Register registers a Milvus with these RPCs. gRPC answers the others with
// Unimplemented.
func Register(server grpc.ServiceRegistrar, methods ...grpc.MethodDesc) {
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: Service,
		HandlerType: (*any)(nil), // the methods know their receivers
		Methods:     methods,
	}, nil)
}
