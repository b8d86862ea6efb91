package main

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// echo [tls|expired] starts a server that answers every call with the received credentials,
// sets ECHO to its address, and writes its certificate to ca.pem.
func echoServer(ts *testscript.TestScript, _ bool, args []string) {
	options := []grpc.ServerOption{grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		md, _ := metadata.FromIncomingContext(stream.Context())
		sent := strings.Join(md.Get("authorization"), " ")
		plain, _ := base64.StdEncoding.DecodeString(sent)
		_, password, _ := strings.Cut(string(plain), ":")
		return status.Errorf(codes.Unauthenticated, "you sent %s, which is %s and %q, with the password %s", sent, plain, plain, password)
	})}
	if len(args) > 0 {
		until := time.Now().Add(time.Hour)
		if args[0] == "expired" {
			until = time.Now().Add(-time.Hour)
		}
		certificate, pem := selfSigned(ts, until)
		ts.Check(writeFile(ts.MkAbs("ca.pem"), pem))
		config := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
		if args[0] == "mutual" {
			config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, clientAuthority(ts)
		}
		options = append(options, grpc.Creds(credentials.NewTLS(config)))
	}
	listener := listen(ts, "ECHO")
	server := grpc.NewServer(options...)
	go func() { _ = server.Serve(listener) }()
	ts.Defer(server.Stop)
}

// evil is a text to harm a terminal, a log or a CI.
const evil = "\x1b[2J\x1b]0;title\x07\x00\x7f\u009b31m\u202e\r\n::error::forged\n##[error]forged"

// evilServer starts a server with evil in its names and reasons, and invalid UTF-8 in its gRPC
// messages, and sets EVIL to its address.
func evilServer(ts *testscript.TestScript, _ bool, _ []string) {
	said := &wire.Status{Code: 100, ErrorCode: wire.ErrorCode_UnexpectedError, Reason: "no docs" + evil}
	fine := &wire.Status{}
	answers := map[string]any{
		"GetLoadingProgress": &wire.GetLoadingProgressResponse{Status: said},
		"ShowCollections": &wire.ShowCollectionsResponse{
			Status: fine, CollectionNames: []string{"docs\x1b[2J\u202e", evil}, InMemoryPercentages: []int64{40, 40}, //nolint:staticcheck // deprecated, but in use by servers
		},
		"DescribeIndex": &wire.DescribeIndexResponse{Status: fine, IndexDescriptions: []*wire.IndexDescription{
			{IndexName: "a" + evil, State: wire.IndexState_Failed, IndexStateFailReason: evil}, {IndexName: "b" + evil},
		}},
	}
	serveHTTP(ts, "EVIL", true, func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", "application/grpc")
		answer, known := answers[path.Base(r.URL.Path)]
		if !known {
			h.Set("Grpc-Status", "16")
			h.Set("Grpc-Message", "evil%FF%FE%1B[2J%0D%0A::error::forged")
			return
		}
		buffers, err := encoding.GetCodecV2("proto").Marshal(answer)
		ts.Check(err)
		b := buffers.Materialize()
		h.Set("Trailer", "Grpc-Status")
		_, _ = w.Write(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(b))), b...))
		h.Set("Grpc-Status", "0")
	})
}

// httpServer starts a web server, sets WEB to its address for HTTP/1, and WEB2 to its address
// for HTTP/2.
func httpServer(ts *testscript.TestScript, _ bool, _ []string) {
	serveHTTP(ts, "WEB", false, http.NotFound)
	serveHTTP(ts, "WEB2", true, http.NotFound)
}

func serveHTTP(ts *testscript.TestScript, variable string, two bool, handler http.HandlerFunc) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(!two)
	protocols.SetUnencryptedHTTP2(two)
	server := &http.Server{Handler: handler, Protocols: protocols, ReadHeaderTimeout: time.Minute}
	listener := listen(ts, variable)
	go func() { _ = server.Serve(listener) }()
	ts.Defer(func() { _ = server.Close() })
}

// proxy starts two proxies, and sets PROXY and BABEL to their addresses. The first refuses all
// requests and echoes them. The second does not answer in HTTP.
func proxyServer(ts *testscript.TestScript, _ bool, _ []string) {
	for variable, prefix := range map[string]string{"PROXY": "HTTP/1.1 403 Forbidden\r\n\r\nyou sent ", "BABEL": "you sent "} {
		listener := listen(ts, variable)
		ts.Defer(func() { _ = listener.Close() })
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				b := make([]byte, 64<<10)
				n, _ := conn.Read(b)
				sent := string(b[:n])
				_, credentials, _ := strings.Cut(sent, "Basic ")
				_, _ = conn.Write([]byte(prefix + credentials))
				_ = conn.Close()
			}
		}()
	}
}

// tunnel starts a proxy to the fake server, for any requested host, and sets TUNNEL to its
// address. It ends the first connection after some polls, and refuses and echoes all others.
func tunnelProxy(ts *testscript.TestScript, _ bool, _ []string) {
	listener := listen(ts, "TUNNEL")
	ts.Defer(func() { _ = listener.Close() })
	address := ts.Getenv("ADDRESS")
	go func() {
		for first := true; ; first = false {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 64<<10)
			n, _ := conn.Read(b)
			if first {
				relay(conn, address)
			} else {
				_, _ = fmt.Fprintf(conn, "HTTP/1.1 403 Forbidden\r\n\r\nyou sent %s", b[:n])
			}
			_ = conn.Close()
		}
	}()
}

// relay connects conn to address until some data has passed.
func relay(conn net.Conn, address string) {
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
	go func() { _, _ = io.Copy(conn, server) }()
	_, _ = io.CopyN(server, conn, 2<<10)
}

// closed sets CLOSED to an address without a listener.
func closedPort(ts *testscript.TestScript, _ bool, _ []string) {
	ts.Check(listen(ts, "CLOSED").Close())
}

// mute starts a server that accepts connections and sends nothing, and sets MUTE to its address.
func muteServer(ts *testscript.TestScript, _ bool, _ []string) {
	listener := listen(ts, "MUTE")
	ts.Defer(func() { _ = listener.Close() })
}

// listen listens on a free port, and sets the variable to the address and the variable with
// the suffix _PORT to the port.
func listen(ts *testscript.TestScript, variable string) net.Listener {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(variable, listener.Addr().String())
	ts.Setenv(variable+"_PORT", strconv.Itoa(listener.Addr().(*net.TCPAddr).Port))
	return listener
}
