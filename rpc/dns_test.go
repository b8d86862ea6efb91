package rpc_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/milvuswait/milvuswait/internal/milvustest"
	"github.com/milvuswait/milvuswait/rpc"
)

// TestDialOptions_NameAppearsLate_IsFoundSoonerThanByGRPC compares DialOptions with gRPC's
// own resolver. The second case holds the reason for our resolver: if gRPC's becomes as
// fast, remove ours.
func TestDialOptions_NameAppearsLate_IsFoundSoonerThanByGRPC(t *testing.T) {
	// Not parallel: gRPC's resolver uses net.DefaultResolver, which the test replaces.
	system := net.DefaultResolver
	defer func() { net.DefaultResolver = system }()

	// The first lookup of package net creates channels for the whole process. They must not
	// belong to a bubble.
	_, err := (&net.Resolver{PreferGo: true}).LookupHost(t.Context(), "localhost")
	require.NoError(t, err)

	for name, c := range map[string]struct {
		options  []grpc.DialOption
		earliest time.Duration
		latest   time.Duration
	}{
		"DialOptions": {rpc.DialOptions(), 0, 2100 * time.Millisecond},
		"gRPC":        {nil, 10 * time.Second, 2 * time.Minute},
	} {
		var worst time.Duration

		for i := range 8 {
			synctest.Test(t, func(t *testing.T) {
				var dns milvustest.DNSServer
				net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: dns.Dial}

				n := newNetwork()
				defer n.serve("192.0.2.1:19530")()
				conn, err := grpc.NewClient("milvus.test.:19530", append(c.options,
					grpc.WithContextDialer(n.dial), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
				require.NoError(t, err)
				defer conn.Close()

				pollFor(t, conn, 80*time.Second+time.Duration(i)*5*time.Second)

				dns.Set("milvus.test.", "192.0.2.1")
				late, err := pollUntilGood(t.Context(), conn)

				require.NoError(t, err)
				worst = max(worst, late)
			})
		}

		t.Logf("%s: found at most %v after the change", name, worst)
		require.GreaterOrEqual(t, worst, c.earliest)
		require.LessOrEqual(t, worst, c.latest)
	}
}

// TestDialOptions_OwnDNSServer_IsUsed names a DNS server in the target. The
// name moves from 127.0.0.1 to ::1, and the connection follows.
func TestDialOptions_OwnDNSServer_IsUsed(t *testing.T) {
	t.Parallel()
	listen := func(address string) (net.Addr, func()) {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Skip("the server moves from 127.0.0.1 to ::1, and one of them is missing: ", err)
		}

		server := grpc.NewServer()
		grpc_health_v1.RegisterHealthServer(server, health.NewServer())
		go func() { _ = server.Serve(listener) }()
		t.Cleanup(server.Stop)
		return listener.Addr(), server.Stop
	}

	before, stopBefore := listen("127.0.0.1:0")
	_, port, err := net.SplitHostPort(before.String())
	require.NoError(t, err)
	listen("[::1]:" + port)

	var dns milvustest.DNSServer
	dns.Set("milvus.test.", "127.0.0.1")
	conn, err := grpc.NewClient("dns://"+dns.Listen(t)+"/milvus.test.:"+port,
		append(rpc.DialOptions(), grpc.WithNoProxy(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	require.NoError(t, err)
	defer conn.Close()

	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	check := func() error {
		_, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{}, grpc.WaitForReady(true))
		return err
	}

	require.NoError(t, check())

	dns.Set("milvus.test.", "::1")
	stopBefore()

	// Calls may fail until the connection to the new address is up.
	for err = check(); err != nil && ctx.Err() == nil; err = check() {
	}
	require.NoError(t, err)
}
