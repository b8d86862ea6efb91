package dial_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/dial"
)

const token = "root:hunter22"

func endpoint(t *testing.T, uri string) dial.Endpoint {
	t.Helper()
	e, err := dial.Parse(uri)
	require.NoError(t, err)
	return e
}

// open returns a connection, not yet established.
func open(t *testing.T, c dial.Config) *grpc.ClientConn {
	t.Helper()
	conn, err := dial.Open(t.Context(), c)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	return conn
}

// listen returns a listener that calls serve for each connection.
func listen(t *testing.T, serve func(net.Conn)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(conn)
		}
	}()
	return listener.Addr().String()
}

func TestConfig_Invalid_IsRefused(t *testing.T) {
	file := func(name, text string) string {
		name = filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		return name
	}
	noPEM := file("no.pem", "nothing")
	encrypted := file("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY"})))
	legacy := file("old.pem", string(pem.EncodeToMemory(&pem.Block{
		Type: "RSA PRIVATE KEY", Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00"},
	})))
	plain, secure := endpoint(t, "http://milvus"), endpoint(t, "https://milvus")
	with := func(e dial.Endpoint, cert, key string) dial.Endpoint {
		e.CertFile, e.KeyFile = cert, key
		return e
	}
	tests := []struct {
		name   string
		config dial.Config
		want   string
	}{
		{"a token in plain text", dial.Config{Endpoint: plain, Token: token}, "credentials are not sent in plain text to another machine: use https://, or specify --insecure-credentials"},
		{"authorities of plain text", dial.Config{Endpoint: plain, CAFile: noPEM}, "--tls-ca, --tls-cert, --tls-key and --tls-server-name are for https:// addresses"},
		{"a name of plain text", dial.Config{Endpoint: plain, ServerName: "milvus"}, "--tls-ca, --tls-cert, --tls-key and --tls-server-name are for https:// addresses"},
		{"no file of authorities", dial.Config{Endpoint: secure, CAFile: "missing.pem"}, "--tls-ca: reading missing.pem: no such file or directory"},
		{"a certificate of plain text", dial.Config{Endpoint: with(plain, noPEM, noPEM)}, "--tls-ca, --tls-cert, --tls-key and --tls-server-name are for https:// addresses"},
		{"a certificate without a key", dial.Config{Endpoint: with(secure, noPEM, "")}, "--tls-cert and --tls-key go together"},
		{"a key without a certificate", dial.Config{Endpoint: with(plain, "", noPEM)}, "--tls-cert and --tls-key go together"},
		{"no file of a certificate", dial.Config{Endpoint: with(secure, "missing.pem", noPEM)}, "--tls-cert: reading missing.pem: no such file or directory"},
		{"no file of a key", dial.Config{Endpoint: with(secure, noPEM, "missing.pem")}, "--tls-key: reading the file, whose name is not shown because it may be the secret itself: no such file or directory"},
		{"a file without a certificate", dial.Config{Endpoint: with(secure, noPEM, noPEM)}, "--tls-cert and --tls-key: tls: failed to find any PEM data in certificate input"},
		{"an encrypted key", dial.Config{Endpoint: with(secure, noPEM, encrypted)}, "--tls-key: the key in " + encrypted + " is encrypted: decrypt it, as by openssl pkey"},
		{"an encrypted key of old", dial.Config{Endpoint: with(secure, noPEM, legacy)}, "--tls-key: the key in " + legacy + " is encrypted: decrypt it, as by openssl pkey"},
		{"a file without authorities", dial.Config{Endpoint: secure, CAFile: noPEM}, "--tls-ca: there is no PEM certificate in " + noPEM},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := dial.Open(t.Context(), tt.config)

			require.EqualError(t, err, tt.want)
		})
	}
}

func TestAuthoritiesThatNeverEnd(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no /dev/zero")
	}

	_, err := dial.Open(t.Context(), dial.Config{Endpoint: endpoint(t, "https://milvus"), CAFile: "/dev/zero"})

	require.EqualError(t, err, "--tls-ca: /dev/zero is too long for a PEM file")
}

func TestOpen_Token_NeedsTLSOrLoopback(t *testing.T) {
	for _, uri := range []string{"https://milvus", "http://localhost", "http://127.0.0.1", "http://[::1]", "https://[fe80::1%25lo]:1"} {
		t.Run(uri, func(t *testing.T) {
			open(t, dial.Config{Endpoint: endpoint(t, uri), Token: token})
		})
	}
	open(t, dial.Config{Endpoint: endpoint(t, "http://milvus"), Token: token, Insecure: true})
	_, err := dial.Open(t.Context(), dial.Config{Endpoint: endpoint(t, "http://milvus"), Token: token})
	require.ErrorIs(t, err, dial.ErrPlaintextCredentials)
}

func TestConfig_Printed_HasNoToken(t *testing.T) {
	require.NotContains(t, fmt.Sprintf("%v %+v %#v", dial.Config{Token: token}, dial.Config{Token: token}, dial.Config{Token: token}), "hunter22")
}

func TestEstablish(t *testing.T) {
	server := grpc.NewServer()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	e := endpoint(t, listener.Addr().String())

	require.NoError(t, dial.Establish(t.Context(), open(t, dial.Config{Endpoint: e}), e, time.Minute))
}

func TestEstablish_NoListener_NamesIt(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	e := endpoint(t, listener.Addr().String())
	require.NoError(t, listener.Close())
	start := time.Now()

	err = dial.Establish(t.Context(), open(t, dial.Config{Endpoint: e}), e, 200*time.Millisecond)

	require.GreaterOrEqual(t, time.Since(start), 200*time.Millisecond)
	require.EqualError(t, err, fmt.Sprintf("cannot connect to %s within 200ms: dial tcp %s: connect: connection refused; "+
		"check the address and the port, that the server runs, and that no firewall is between", e.URI(), e.Address))
	var failure *dial.Error
	require.ErrorAs(t, err, &failure)
	require.False(t, failure.Final())
}

func TestEstablish_NoAnswer_NamesIt(t *testing.T) {
	address := listen(t, func(net.Conn) {})
	for _, scheme := range []string{"http://", "https://"} {
		t.Run(scheme, func(t *testing.T) {
			e := endpoint(t, scheme+address)

			err := dial.Establish(t.Context(), open(t, dial.Config{Endpoint: e}), e, 50*time.Millisecond)

			require.ErrorContains(t, err, "within 50ms: it does not answer; check the address")
		})
	}
}

func TestTheContextEndsTheConnecting(t *testing.T) {
	e := endpoint(t, listen(t, func(net.Conn) {}))
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)

	err := dial.Establish(ctx, open(t, dial.Config{Endpoint: e}), e, time.Hour)

	require.ErrorIs(t, err, stop)
	require.ErrorContains(t, err, "cannot connect to "+e.URI()+": stop: it does not answer; ")
	late, cancelLate := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancelLate()
	err = dial.Establish(late, open(t, dial.Config{Endpoint: e}), e, time.Hour)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "cannot connect to "+e.URI()+": timed out: ")
}

// Data for TLS is never sent in plain text, whatever the server answers.
func TestNoTokenWithoutTLS(t *testing.T) {
	tests := []struct {
		name   string
		answer string
		want   string
	}{
		{"a server of the web", "HTTP/1.1 400 Bad Request\r\n\r\n", "something else than Milvus answers there"},
		{"a server of plain gRPC", "\x00\x00\x00\x04\x00\x00\x00\x00\x00", "the server does not speak TLS there: use http://"},
		{"nothing", "", "the connection broke during the TLS handshake: does the server speak TLS there?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := make(chan []byte, 1000)
			e := endpoint(t, "https://"+listen(t, func(conn net.Conn) {
				defer conn.Close()
				b := make([]byte, 64<<10)
				n, _ := conn.Read(b)
				got <- b[:n]
				_, _ = io.WriteString(conn, tt.answer)
			}))

			err := dial.Establish(t.Context(), open(t, dial.Config{Endpoint: e, Token: token, Insecure: true}), e, 150*time.Millisecond)

			require.ErrorContains(t, err, tt.want)
			require.NotEmpty(t, got)
			for len(got) > 0 {
				b := <-got
				require.False(t, bytes.Contains(b, []byte("hunter22")) || bytes.Contains(b, []byte(base64.StdEncoding.EncodeToString([]byte(token)))))
			}
		})
	}
}

func TestOpen_OtherProtocol_NamesIt(t *testing.T) {
	tests := []struct{ name, answer, want string }{
		{"a server of the web", "HTTP/1.1 400 Bad Request\r\n\r\n", "; something else than Milvus answers there: check the port"},
		{"a server of SSH", "SSH-2.0-OpenSSH_9.6\r\n", "; something else than Milvus answers there: check the port"},
		{"frames that are none", "\x00\x00\x07\x04\x00\x00\x00\x00\x00garbage", "; something else than Milvus answers there: check the port"},
		{"a server that hangs up", "", "; check the address and the port"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := endpoint(t, listen(t, func(conn net.Conn) {
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 64<<10))
				_, _ = io.WriteString(conn, tt.answer)
			}))

			err := dial.Establish(t.Context(), open(t, dial.Config{Endpoint: e}), e, 150*time.Millisecond)

			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "use https://")
		})
	}
}
