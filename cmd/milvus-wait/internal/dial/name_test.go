package dial_test

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/dial"
	"github.com/milvuswait/milvuswait/internal/milvustest"
)

// TestEstablish_NameAppearsLate_ConnectsByIt starts with a name that does not resolve.
// The certificate is for the name, so that an address in its place would be refused.
func TestEstablish_NameAppearsLate_ConnectsByIt(t *testing.T) {
	var dns milvustest.DNSServer
	system := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: dns.Dial}
	t.Cleanup(func() { net.DefaultResolver = system })

	certificate, ca := certificate(t, time.Now().Add(time.Hour), "milvus.test")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	serve(t, &milvus{}, listener, grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{certificate}})))
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	e := endpoint(t, "https://milvus.test:"+port)
	conn := open(t, dial.Config{Endpoint: e, CAFile: ca, Token: token})

	err = dial.Establish(t.Context(), conn, e, 100*time.Millisecond)
	require.ErrorContains(t, err, "no such host; check the host in --uri or MILVUS_URI")

	dns.Set("milvus.test.", "127.0.0.1")
	require.NoError(t, dial.Establish(t.Context(), conn, e, time.Minute))
	require.NoError(t, ask(context.Background(), conn))
}
