package main

import (
	"fmt"
	"net"
	"path"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
)

// proxy forwards unary RPCs to a server, and counts them.
type proxy struct {
	address string
	server  *grpc.Server
	conn    *grpc.ClientConn

	mu     sync.Mutex
	counts map[string]int // by method
}

func newProxy(target string) (*proxy, error) {
	unlimited := grpc.MaxCallRecvMsgSize(1 << 30)
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodecV2(raw{}), unlimited))
	if err != nil {
		return nil, err
	}

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		conn.Close()
		return nil, err
	}

	p := &proxy{address: listener.Addr().String(), conn: conn, counts: make(map[string]int)}
	p.server = grpc.NewServer(grpc.ForceServerCodecV2(raw{}), grpc.UnknownServiceHandler(p.pass))
	go p.server.Serve(listener)
	return p, nil
}

func (p *proxy) close() {
	p.server.Stop()
	p.conn.Close()
}

// taken returns the counts since the last call.
func (p *proxy) taken() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	counts := p.counts
	p.counts = make(map[string]int)
	return counts
}

func (p *proxy) pass(_ any, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	p.mu.Lock()
	p.counts[path.Base(method)]++
	p.mu.Unlock()
	var question, answer mem.BufferSlice
	if err := stream.RecvMsg(&question); err != nil {
		return err
	}

	ctx := stream.Context()
	if header, ok := metadata.FromIncomingContext(ctx); ok {
		ctx = metadata.NewOutgoingContext(ctx, header)
	}
	if err := p.conn.Invoke(ctx, method, &question, &answer); err != nil {
		return err
	}

	return stream.SendMsg(&answer)
}

// raw is a codec that leaves messages encoded.
type raw struct{}

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.(*mem.BufferSlice)
	if !ok {
		return nil, fmt.Errorf("%T is not raw", v)
	}
	return *b, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	b, ok := v.(*mem.BufferSlice)
	if !ok {
		return fmt.Errorf("%T is not raw", v)
	}
	data.Ref()
	*b = data
	return nil
}

// Name returns "": gRPC would append a name to the content type application/grpc, by which
// Milvus recognizes its clients.
func (raw) Name() string { return "" }
