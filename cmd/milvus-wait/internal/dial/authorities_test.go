package dial_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/dial"
)

// TestAuthorities_Rotated_AreReadAgain replaces the server's certificate and the file of its
// authority during a connection, and then breaks the file.
func TestAuthorities_Rotated_AreReadAgain(t *testing.T) {
	until := time.Now().Add(time.Hour)
	first, firstCA := certificate(t, until)
	second, secondCA := certificate(t, until)
	file := filepath.Join(t.TempDir(), "ca.pem")
	replace := func(text []byte) {
		require.NoError(t, os.WriteFile(file+".new", text, 0o600))
		require.NoError(t, os.Rename(file+".new", file))
	}
	contents := func(name string) []byte {
		b, err := os.ReadFile(name)
		require.NoError(t, err)
		return b
	}
	replace(contents(firstCA))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := serve(t, &milvus{}, listener, grpc.Creds(credentials.NewServerTLSFromCert(&first)))
	e := endpoint(t, "https://"+listener.Addr().String())
	conn := open(t, dial.Config{Endpoint: e, Token: token, CAFile: file})
	require.NoError(t, dial.Establish(t.Context(), conn, e, time.Minute))
	require.NoError(t, ask(t.Context(), conn))

	for _, text := range [][]byte{contents(secondCA), []byte("no PEM"), nil} {
		server.Stop()
		if replace(text); text == nil {
			require.NoError(t, os.Remove(file))
		}
		listener, err = net.Listen("tcp", e.Address)
		require.NoError(t, err)
		server = serve(t, &milvus{}, listener, grpc.Creds(credentials.NewServerTLSFromCert(&second)))

		require.Eventually(t, func() bool { return ask(t.Context(), conn) == nil }, 20*time.Second, 10*time.Millisecond)
	}

	// The first certificate is no longer trusted.
	server.Stop()
	listener, err = net.Listen("tcp", e.Address)
	require.NoError(t, err)
	serve(t, &milvus{}, listener, grpc.Creds(credentials.NewServerTLSFromCert(&first)))
	require.Eventually(t, func() bool {
		err := ask(t.Context(), conn)
		require.Error(t, err)
		return strings.Contains(err.Error(), "x509: ")
	}, 20*time.Second, 10*time.Millisecond)
}
