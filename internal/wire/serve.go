package wire

import (
	"context"

	"google.golang.org/grpc"
)

// Serve returns the RPC as a server describes it, answered by answer.
func (m Method[Req, Resp]) Serve(answer func(context.Context, *Req) (*Resp, error)) grpc.MethodDesc {
	info := &grpc.UnaryServerInfo{FullMethod: string(m)}
	handler := func(ctx context.Context, req any) (any, error) { return answer(ctx, req.(*Req)) }
	return grpc.MethodDesc{
		MethodName: m.Name(),
		Handler: func(_ any, ctx context.Context, decode func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error) {
			req := new(Req)
			if err := decode(req); err != nil {
				return nil, err
			}
			if interceptor == nil {
				return handler(ctx, req)
			}
			return interceptor(ctx, req, info, handler)
		},
	}
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
