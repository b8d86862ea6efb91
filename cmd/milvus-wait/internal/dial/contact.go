package dial

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// Contact records whether the last call of a context reached the server.
type Contact struct {
	mu      sync.Mutex
	called  bool
	failure *status.Status // nil if the last call reached the server
}

type contactKey struct{}

// WithContact returns a context that records the calls on a connection of Open.
func WithContact(ctx context.Context) (context.Context, *Contact) {
	c := new(Contact)
	return context.WithValue(ctx, contactKey{}, c), c
}

// Reached reports whether the last call reached the server. It returns false without a
// call.
func (c *Contact) Reached() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.called && c.failure == nil
}

// Failure returns gRPC's error if the last call did not reach the server, and nil
// otherwise.
func (c *Contact) Failure() *status.Status {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.failure
}

// recorded records the call in the Contact of ctx, if there is one. Only calls on an
// established connection have a peer.
func recorded(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	c, _ := ctx.Value(contactKey{}).(*Contact)
	if c == nil {
		return invoke(ctx, method, req, reply, conn, options...)
	}

	var server peer.Peer
	err := invoke(ctx, method, req, reply, conn, append(options, grpc.Peer(&server))...)

	c.mu.Lock()
	defer c.mu.Unlock()
	if c.called && status.Code(err) == codes.Canceled {
		return err // given up because another call of the context has ended
	}
	c.called, c.failure = true, nil
	if err != nil && server.Addr == nil {
		c.failure = status.Convert(err)
	}
	return err
}
