package rpc_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/milvuswait/milvuswait/rpc"
)

// proxyVariable marks the child process that runs the test with a proxy. It needs its own
// process, because net/http reads the proxy variables only once.
const proxyVariable = "MILVUSWAIT_TEST_PROXY"

// TestDialOptions_Proxy_ResolvesTheName shows that a proxy receives the name of the server
// without a lookup. With WithLocalDNSResolution, the resolver of DialOptions looks it up
// and the proxy receives the address.
func TestDialOptions_Proxy_ResolvesTheName(t *testing.T) {
	if os.Getenv(proxyVariable) == "" {
		t.Parallel()
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		child.Env = append(os.Environ(), proxyVariable+"=1")
		output, err := child.CombinedOutput()
		require.NoErrorf(t, err, "%s", output)
		require.Contains(t, string(output), "--- PASS: "+t.Name())
		return
	}

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)

	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	go func() { _ = server.Serve(listener) }()
	defer server.Stop()

	asked := make(chan string, 100)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Host
		tunnel(t, w, listener.Addr().String())
	}))
	defer proxy.Close()

	t.Setenv("HTTPS_PROXY", proxy.URL)
	t.Setenv("NO_PROXY", "")
	t.Setenv("no_proxy", "")

	for _, c := range []struct {
		later   []grpc.DialOption
		asked   string
		lookups int
	}{
		{nil, "milvus.invalid:19530", 0},
		{[]grpc.DialOption{grpc.WithLocalDNSResolution()}, "192.0.2.1:19530", 1},
	} {
		n := newNetwork()
		n.names["milvus.invalid"] = []string{"192.0.2.1"}
		options := append([]grpc.DialOption{grpc.WithResolvers(rpc.NewDNSBuilder(n.lookup))}, rpc.DialOptions()...)
		options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()))

		conn, err := grpc.NewClient("dns:///milvus.invalid:19530", append(options, c.later...)...)
		require.NoError(t, err)

		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		_, err = grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{}, grpc.WaitForReady(true))
		cancel()
		require.NoError(t, err)
		require.NoError(t, conn.Close())

		require.Equal(t, c.asked, <-asked)
		require.Len(t, n.lookups, c.lookups)
	}
}

// tunnel connects the client of a CONNECT request to the server at address.
func tunnel(t *testing.T, w http.ResponseWriter, address string) {
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		t.Error(err)
		return
	}
	defer client.Close()

	server, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
		return
	}
	defer server.Close()

	_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, _ = io.Copy(client, server)
}
