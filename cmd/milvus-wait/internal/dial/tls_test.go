package dial_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/dial"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// certificate returns a self-signed certificate for 127.0.0.1 or for a name, with an expiry
// time.
func certificate(t *testing.T, until time.Time, names ...string) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "milvus.test"},
		NotBefore: until.Add(-24 * time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		DNSNames: names,
	}
	if len(names) == 0 {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// recording records the bytes from clients to a server.
type recording struct {
	mu    sync.Mutex
	conns []*bytes.Buffer
}

// recorded returns a listener whose connections are recorded by w.
func (w *recording) recorded(t *testing.T, address string) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	require.NoError(t, err)
	return &recordingListener{listener, w}
}

type recordingListener struct {
	net.Listener
	*recording
}

func (l *recordingListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns = append(l.conns, new(bytes.Buffer))
	return &recordingConn{conn, l.recording, l.conns[len(l.conns)-1]}, nil
}

type recordingConn struct {
	net.Conn
	*recording
	got *bytes.Buffer
}

func (c *recordingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.got.Write(b[:n])
	return n, err
}

// requireNoPlaintext fails unless each connection consists of TLS records, or of the probe for
// HTTP/2. It allows no header at all, because HPACK makes the token hard to recognize.
func (w *recording) requireNoPlaintext(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.NotEmpty(t, w.conns)
	for _, conn := range w.conns {
		const question = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"
		if conn.Len() == 0 || conn.String() == question {
			continue
		}
		for b := conn.Bytes(); len(b) > 0; {
			// RFC 8446, 5.1: the type (change_cipher_spec, alert, handshake or
			// application_data), the version, and the length.
			require.True(t, b[0] >= 20 && b[0] <= 23 && len(b) > 4 && b[1] == 3, "%q", b)
			b = b[min(len(b), 5+int(b[3])<<8+int(b[4])):]
		}
	}
}

// milvus is a server that keeps the last credentials and counts the calls.
type milvus struct {
	asked atomic.Int32
	told  atomic.Value // last credentials
}

func (m *milvus) GetVersion(ctx context.Context, _ *wire.GetVersionRequest) (*wire.GetVersionResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	m.asked.Add(1)
	m.told.Store(md.Get("authorization")[0])
	return &wire.GetVersionResponse{}, nil
}

func (m *milvus) rpcs() []grpc.MethodDesc {
	return []grpc.MethodDesc{wire.GetVersion.Serve(m.GetVersion)}
}

// serve serves s until the test ends or the returned server is stopped.
func serve(t *testing.T, s interface{ rpcs() []grpc.MethodDesc }, listener net.Listener, options ...grpc.ServerOption) *grpc.Server {
	t.Helper()
	server := grpc.NewServer(options...)
	wire.Register(server, s.rpcs()...)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return server
}

func ask(ctx context.Context, conn *grpc.ClientConn) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	_, err := wire.GetVersion.Call(ctx, conn, &wire.GetVersionRequest{})
	return err
}

// encoded is the token as sent.
const encoded = "cm9vdDpodW50ZXIyMg=="

// TestTLSThatFailsEndsIt checks that no plain text passes after a failure of TLS, neither
// while connecting nor by a call afterwards.
func TestTLSThatFailsEndsIt(t *testing.T) {
	until := time.Now().Add(time.Hour)
	good, goodCA := certificate(t, until)
	named, namedCA := certificate(t, until, "milvus.test")
	expired, expiredCA := certificate(t, time.Now().Add(-time.Hour))
	secure := func(c tls.Certificate) []grpc.ServerOption {
		return []grpc.ServerOption{grpc.Creds(credentials.NewServerTLSFromCert(&c))}
	}
	tests := []struct {
		name   string
		server []grpc.ServerOption
		config dial.Config
		want   string
	}{
		{"a plain server", nil, dial.Config{CAFile: goodCA}, "first record does not look like a TLS handshake; the server does not speak TLS there: use http://"},
		{"nobody vouches for it", secure(good), dial.Config{}, "x509: certificate signed by unknown authority"},
		{"somebody else is vouched for", secure(good), dial.Config{CAFile: namedCA}, "x509: "},
		{"a certificate of another host", secure(named), dial.Config{CAFile: namedCA}, "x509: cannot validate certificate for 127.0.0.1"},
		{"a certificate of another name", secure(named), dial.Config{CAFile: namedCA, ServerName: "other.test"}, "x509: certificate is valid for milvus.test, not other.test"},
		{"an expired certificate", secure(expired), dial.Config{CAFile: expiredCA}, "x509: certificate has expired or is not yet valid"},
		{"a version of TLS that is broken", []grpc.ServerOption{grpc.Creds(credentials.NewTLS(&tls.Config{
			Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11, //nolint:gosec // to be refused
		}))}, dial.Config{CAFile: goodCA}, "tls: "},
		{"a server that wants a certificate of us", []grpc.ServerOption{grpc.Creds(credentials.NewTLS(&tls.Config{
			Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAnyClientCert, MinVersion: tls.VersionTLS12,
		}))}, dial.Config{CAFile: goodCA}, "remote error: tls: certificate required"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var (
				w recording
				m milvus
			)
			listener := w.recorded(t, "127.0.0.1:0")
			serve(t, &m, listener, tt.server...)
			tt.config.Endpoint, tt.config.Token, tt.config.Insecure = endpoint(t, "https://"+listener.Addr().String()), token, true
			conn := open(t, tt.config)

			err := dial.Establish(t.Context(), conn, tt.config.Endpoint, time.Minute)

			var failure *dial.Error
			require.ErrorAs(t, err, &failure)
			require.True(t, failure.Final())
			require.ErrorContains(t, err, tt.want)
			require.Equal(t, codes.Unavailable, status.Code(ask(t.Context(), conn)))
			require.Zero(t, m.asked.Load())
			w.requireNoPlaintext(t)
		})
	}
}

// TestTLS_Succeeds_SendsTheToken is the counterpart of the other tests: TLS sends the token,
// and so does plain text, but only to an http:// address.
func TestTLS_Succeeds_SendsTheToken(t *testing.T) {
	good, ca := certificate(t, time.Now().Add(time.Hour))
	for scheme, options := range map[string][]grpc.ServerOption{"https": {grpc.Creds(credentials.NewServerTLSFromCert(&good))}, "http": nil} {
		t.Run(scheme, func(t *testing.T) {
			var (
				w recording
				m milvus
			)
			listener := w.recorded(t, "127.0.0.1:0")
			serve(t, &m, listener, options...)
			e := endpoint(t, scheme+"://"+listener.Addr().String())
			config := dial.Config{Endpoint: e, Token: token}
			if e.TLS {
				config.CAFile = ca
			}
			conn := open(t, config)
			require.NoError(t, dial.Establish(t.Context(), conn, e, time.Minute))

			require.NoError(t, ask(t.Context(), conn))

			require.Equal(t, encoded, m.told.Load())
			if e.TLS {
				w.requireNoPlaintext(t)
				return
			}
			w.mu.Lock()
			defer w.mu.Unlock()
			require.Contains(t, w.conns[0].String(), "PRI * HTTP/2.0")
		})
	}
}

// TestTLS_LostDuringWait_StaysLost replaces a server with TLS by a plain one, as an
// attacker would who redirects the traffic during a wait.
func TestTLS_LostDuringWait_StaysLost(t *testing.T) {
	good, ca := certificate(t, time.Now().Add(time.Hour))
	var (
		first, second recording
		before, after milvus
	)
	listener := first.recorded(t, "127.0.0.1:0")
	server := serve(t, &before, listener, grpc.Creds(credentials.NewServerTLSFromCert(&good)))
	e := endpoint(t, "https://"+listener.Addr().String())
	conn := open(t, dial.Config{Endpoint: e, Token: token, CAFile: ca, Insecure: true})
	require.NoError(t, dial.Establish(t.Context(), conn, e, time.Minute))
	require.NoError(t, ask(t.Context(), conn))
	server.Stop()
	serve(t, &after, second.recorded(t, listener.Addr().String()))

	require.Eventually(t, func() bool {
		require.Equal(t, codes.Unavailable, status.Code(ask(t.Context(), conn)))
		second.mu.Lock()
		defer second.mu.Unlock()
		return len(second.conns) > 1
	}, 20*time.Second, 10*time.Millisecond)

	require.Zero(t, after.asked.Load())
	second.requireNoPlaintext(t)
}

// TestNoTokenInPlainTextElsewhere listens on an address of this machine other than the
// loopback.
func TestNoTokenInPlainTextElsewhere(t *testing.T) {
	var (
		w recording
		m milvus
	)
	listener := w.recorded(t, "127.0.0.1:0")
	serve(t, &m, listener)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	config := dial.Config{Endpoint: endpoint(t, "http://0.0.0.0:"+port), Token: token}

	conn, err := dial.Open(t.Context(), config)

	require.ErrorIs(t, err, dial.ErrPlaintextCredentials)
	require.Nil(t, conn)
	// With Insecure, the token is sent. This is the first connection.
	config.Insecure = true
	conn = open(t, config)
	if err := dial.Establish(t.Context(), conn, config.Endpoint, 5*time.Second); err != nil {
		t.Skip("0.0.0.0 is not this machine here:", err)
	}
	require.NoError(t, ask(t.Context(), conn))
	require.Equal(t, encoded, m.told.Load())
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Len(t, w.conns, 1)
}
