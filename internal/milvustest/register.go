package milvustest

import (
	"context"
	"reflect"

	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// Register registers a Milvus on g. Each method of server that has the signature of an
// RPC is one; the others of Milvus are answered Unimplemented.
func Register(g grpc.ServiceRegistrar, server any) {
	v, rpc := reflect.ValueOf(server), reflect.TypeFor[func(context.Context, any) (any, error)]()
	var methods []grpc.MethodDesc
	for i := range v.NumMethod() {
		name, m := v.Type().Method(i).Name, v.Method(i)
		if m.Type().NumIn() == 2 && m.Type().In(0) == rpc.In(0) && m.Type().NumOut() == 2 && m.Type().Out(1) == rpc.Out(1) {
			methods = append(methods, method(name, m))
		}
	}
	wire.Register(g, methods...)
}

func method(name string, answer reflect.Value) grpc.MethodDesc {
	request := func() any { return reflect.New(answer.Type().In(1).Elem()).Interface() }
	return wire.Serve("/"+wire.Service+"/"+name, request, func(ctx context.Context, req any) (any, error) {
		out := answer.Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(req)})
		err, _ := out[1].Interface().(error)
		return out[0].Interface(), err
	})
}
