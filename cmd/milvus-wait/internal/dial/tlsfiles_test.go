package dial_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
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

// keyPair writes a self-signed certificate of a client and its key.
func keyPair(t *testing.T) (cert tls.Certificate, certFile, keyFile string) {
	t.Helper()
	cert, certFile = certificate(t, time.Now().Add(time.Hour), "client.test")
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	require.NoError(t, err)
	keyFile = filepath.Join(t.TempDir(), "key.pem")
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}), 0o600))
	return cert, certFile, keyFile
}

// requiring returns the credentials of a server that accepts only the given certificate of a
// client, in the given version of TLS.
func requiring(t *testing.T, server, client tls.Certificate, version uint16) grpc.ServerOption {
	t.Helper()
	pool := x509.NewCertPool()
	leaf, err := x509.ParseCertificate(client.Certificate[0])
	require.NoError(t, err)
	pool.AddCert(leaf)
	return grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{server}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
		MinVersion: version, MaxVersion: version,
	}))
}

func TestClientCertificates(t *testing.T) {
	server, ca := certificate(t, time.Now().Add(time.Hour))
	client, cert, key := keyPair(t)
	_, otherCert, otherKey := keyPair(t)
	for version, name := range map[uint16]string{tls.VersionTLS12: "TLS 1.2", tls.VersionTLS13: "TLS 1.3"} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			serve(t, &milvus{}, listener, requiring(t, server, client, version))
			e := endpoint(t, "https://"+listener.Addr().String())

			t.Run("the right one", func(t *testing.T) {
				e.CertFile, e.KeyFile = cert, key
				conn := open(t, dial.Config{Endpoint: e, Token: token, CAFile: ca})
				require.NoError(t, dial.Establish(t.Context(), conn, e, time.Minute))
				require.NoError(t, ask(t.Context(), conn))
			})

			t.Run("another one", func(t *testing.T) {
				e.CertFile, e.KeyFile = otherCert, otherKey
				conn := open(t, dial.Config{Endpoint: e, Token: token, CAFile: ca})
				err := dial.Establish(t.Context(), conn, e, time.Minute)

				var failure *dial.Error
				require.ErrorAs(t, err, &failure)
				require.True(t, failure.Final())
				require.ErrorContains(t, err, "remote error: tls: ")
				require.ErrorContains(t, err, "another certificate of the client, set by --tls-cert and --tls-key")
			})

			t.Run("the key of another one", func(t *testing.T) {
				e.CertFile, e.KeyFile = cert, otherKey
				_, err := dial.Open(t.Context(), dial.Config{Endpoint: e, CAFile: ca})
				require.EqualError(t, err, "--tls-cert and --tls-key: tls: private key does not match public key")
			})
		})
	}
}

// TestClientCertificates_Rotated_AreReadAgain replaces the certificate first and its key some
// handshakes later, and the server by one that accepts only the new certificate.
func TestClientCertificates_Rotated_AreReadAgain(t *testing.T) {
	server, ca := certificate(t, time.Now().Add(time.Hour))
	first, cert, key := keyPair(t)
	second, newCert, newKey := keyPair(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	running := serve(t, &milvus{}, listener, requiring(t, server, first, tls.VersionTLS13))
	restart := func(client tls.Certificate) {
		running.Stop()
		listener, err := net.Listen("tcp", address)
		require.NoError(t, err)
		running = serve(t, &milvus{}, listener, requiring(t, server, client, tls.VersionTLS13))
	}
	e := endpoint(t, "https://"+address)
	e.CertFile, e.KeyFile = cert, key
	conn := open(t, dial.Config{Endpoint: e, Token: token, CAFile: ca})
	answers := func() bool { return ask(t.Context(), conn) == nil }
	require.NoError(t, dial.Establish(t.Context(), conn, e, time.Minute))

	require.NoError(t, os.Rename(newCert, cert))
	restart(first)
	require.Eventually(t, answers, 20*time.Second, 10*time.Millisecond, "the old key does not fit the new certificate")

	require.NoError(t, os.Rename(newKey, key))
	restart(second)
	require.Eventually(t, answers, 20*time.Second, 10*time.Millisecond)
}
