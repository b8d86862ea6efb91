package rpc_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/test/bufconn"

	"github.com/milvuswait/milvuswait/rpc"
)

// network replaces DNS and TCP in the memory of a bubble. It maps names to addresses and
// addresses to servers, and keeps the lookups and connection attempts.
type network struct {
	mu        sync.Mutex
	names     map[string][]string // the addresses of a name; a missing name is an error
	lookups   []time.Time
	servers   map[string]*bufconn.Listener
	dropping  map[string]bool // addresses that never answer
	resetting map[string]bool // addresses whose connections end at once
	dialed    []string
}

func newNetwork() *network {
	return &network{
		names: map[string][]string{}, servers: map[string]*bufconn.Listener{},
		dropping: map[string]bool{}, resetting: map[string]bool{},
	}
}

// change calls f while no lookup or connection attempt reads the network.
func (n *network) change(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f()
}

// looked returns the times of the lookups, after all goroutines have come to rest.
func (n *network) looked() []time.Time {
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.lookups)
}

// tried returns the addresses of the connection attempts.
func (n *network) tried() []string {
	synctest.Wait()
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.dialed)
}

// lookup is the DNS client.
func (n *network) lookup(_ context.Context, host string) ([]string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lookups = append(n.lookups, time.Now())
	if addresses := n.names[host]; addresses != nil {
		return addresses, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, Server: "10.96.0.10:53", IsNotFound: true}
}

// dial connects to the server at address. Without a server, the address refuses.
func (n *network) dial(ctx context.Context, address string) (net.Conn, error) {
	n.mu.Lock()
	n.dialed = append(n.dialed, address)
	server, dropping, resetting := n.servers[address], n.dropping[address], n.resetting[address]
	n.mu.Unlock()

	switch {
	case dropping:
		<-ctx.Done()
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: context.DeadlineExceeded}
	case resetting:
		client, server := net.Pipe()
		return client, server.Close()
	case server == nil:
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	return server.DialContext(ctx)
}

// serve starts a health server with the ping limits of Milvus. The caller must stop it
// before the bubble ends.
func (n *network) serve(address string, options ...grpc.ServerOption) (stop func()) {
	return n.serveHealth(address, health.NewServer(), options...)
}

// serveHealth is serve for a custom health service.
func (n *network) serveHealth(address string, service grpc_health_v1.HealthServer, options ...grpc.ServerOption) (stop func()) {
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(append(options, grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{
		MinTime: 5 * time.Second, PermitWithoutStream: true,
	}))...)
	grpc_health_v1.RegisterHealthServer(server, service)
	go func() { _ = server.Serve(listener) }()

	n.change(func() { n.servers[address] = listener })
	return sync.OnceFunc(func() {
		n.change(func() { delete(n.servers, address) })
		server.Stop()
	})
}

// connect returns a connection with DialOptions and then the later options. The resolver
// comes first, since gRPC uses the first one of a scheme.
func (n *network) connect(t *testing.T, target string, later ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	options := append([]grpc.DialOption{grpc.WithResolvers(rpc.NewDNSBuilder(n.lookup))}, rpc.DialOptions()...)
	options = append(options,
		grpc.WithContextDialer(n.dial), grpc.WithTransportCredentials(insecure.NewCredentials()))

	conn, err := grpc.NewClient(target, append(options, later...)...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

// poll makes one call. Like a poll of a wait, it does not wait for a connection that is
// down.
func poll(ctx context.Context, conn *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	return err
}

// pollFor polls every 100 ms until d is over. All polls must fail.
func pollFor(t *testing.T, conn *grpc.ClientConn, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	for ctx.Err() == nil {
		require.Error(t, poll(ctx, conn))
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// pollUntilGood polls every 10 ms and returns the time until the first successful poll.
// It gives up after five minutes, in the time of the bubble.
func pollUntilGood(ctx context.Context, conn *grpc.ClientConn) (time.Duration, error) {
	start := time.Now()
	for {
		err := poll(ctx, conn)
		if late := time.Since(start); err == nil || late > 5*time.Minute {
			return late, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// worstOf runs f in 16 bubbles and returns the longest time that f returned: the time from
// a change to the first successful poll. The change happens at first, or up to 4.65 s
// later in steps of 310 ms, to hit every phase of the delays between attempts.
func worstOf(t *testing.T, first time.Duration, f func(t *testing.T, at time.Duration) time.Duration) time.Duration {
	t.Helper()
	var worst time.Duration

	for i := range 16 {
		at := first + time.Duration(i)*310*time.Millisecond
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { worst = max(worst, f(t, at)) })
		})
	}

	t.Logf("found at most %v after the change", worst)
	return worst
}
