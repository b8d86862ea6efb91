package rpc_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// gateway serves HTTP/2 without TLS until the test ends, and returns its address.
func gateway(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewUnstartedServer(answer)
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// page returns a handler for an error page, or for an empty response if the body is empty.
func page(code int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}
}

// dialAt connects to a server on loopback until the test ends.
func dialAt(t *testing.T, address string, opts ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+address, append([]grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}, opts...)...)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestForeignAnswer_IsTransientAndNamed polls servers that are not Milvus over a real
// connection. Their responses are transient for every call, and the error names them.
func TestForeignAnswer_IsTransientAndNamed(t *testing.T) {
	t.Parallel()
	const (
		html = "text/html"
		grpc = "application/grpc"
	)
	tests := []struct {
		name   string
		answer http.HandlerFunc
		code   codes.Code // code that grpc-go made of it
		text   string
	}{
		{"nginx without a route", page(404, "<h1>404 Not Found</h1>", "Content-Type", html), codes.Unimplemented, "HTTP status 404 (Not Found), content-type text/html"},
		{"traefik without a route", page(404, "404 page not found\n", "Content-Type", "text/plain; charset=utf-8"), codes.Unimplemented, "HTTP status 404 (Not Found), content-type text/plain; charset=utf-8"},
		{"404 without a body", page(404, "", "Content-Type", html), codes.Unimplemented, "HTTP status 404 (Not Found), content-type text/html"},
		{"404 of gRPC's type", page(404, "", "Content-Type", grpc, "grpc-status", "12"), codes.Unimplemented, "gRPC status 12 (Unimplemented) without the name of the call"},
		{"404 of gRPC's type and a body", page(404, "not found", "Content-Type", grpc), codes.ResourceExhausted, ""},
		{"401", page(401, "log in", "Content-Type", html), codes.Unauthenticated, "HTTP status 401 (Unauthorized), content-type text/html"},
		{"403", page(403, "forbidden", "Content-Type", html), codes.PermissionDenied, "HTTP status 403 (Forbidden), content-type text/html"},
		{"400", page(400, "bad", "Content-Type", html), codes.Internal, "HTTP status 400 (Bad Request), content-type text/html"},
		{"429", page(429, "slow down", "Content-Type", html), codes.Unavailable, "HTTP status 429 (Too Many Requests), content-type text/html"},
		{"500 with the words of a refusal", page(500, "not authenticated", "Content-Type", html), codes.Unknown, "HTTP status 500 (Internal Server Error), content-type text/html"},
		{"502", page(502, "bad gateway", "Content-Type", html), codes.Unavailable, "HTTP status 502 (Bad Gateway), content-type text/html"},
		{"503", page(503, "no healthy upstream", "Content-Type", html), codes.Unavailable, "HTTP status 503 (Service Unavailable), content-type text/html"},
		{"504", page(504, "", "Content-Type", html), codes.Unavailable, "HTTP status 504 (Gateway Timeout), content-type text/html"},
		{"an unnamed status", page(599, "", "Content-Type", html), codes.Unknown, "HTTP status 599, content-type text/html"},
		{"a redirection", page(307, "", "Content-Type", html, "Location", "https://other"), codes.Unknown, "HTTP status 307 (Temporary Redirect), content-type text/html"},
		{"a page with words of Milvus", page(200, "<p>collection not found", "Content-Type", `text/html; charset="utf-8"`), codes.Unknown, `HTTP status 200 (OK), content-type text/html; charset="utf-8"`},
		{"Envoy without a route", page(200, "", "Content-Type", grpc, "grpc-status", "12"), codes.Unimplemented, "gRPC status 12 (Unimplemented) without the name of the call"},
		{"nginx's status for gRPC", page(204, "", "Content-Type", grpc, "grpc-status", "12", "grpc-message", "unimplemented"), codes.Unimplemented, "gRPC status 12 (Unimplemented) without the name of the call"},
		{"a success without a message", page(200, "", "Content-Type", grpc, "grpc-status", "0"), codes.Internal, "no message"},
		{"a status that is not a number", page(200, "", "Content-Type", grpc, "grpc-status", "OK"), codes.Unknown, "malformed grpc-status"},
		{"no status", page(200, "", "Content-Type", grpc), codes.Unknown, ""},
	}

	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := rpc.New(dialAt(t, gateway(t, tt.answer)))
			all := allPolls()
			delete(all, segmentsCall) // see TestUnflushedSegments_NoSuchCall
			for method, poll := range all {
				err := poll(t.Context(), p)

				requireClass(t, errTransient, err)
				require.Equal(t, tt.code, status.Code(err), "%v", err)
				require.Equal(t, tt.text != "", errors.Is(err, rpc.ErrMalformed), "%v", err)
				if tt.text != "" {
					require.EqualError(t, err, method+": the answer is not from Milvus: "+tt.text)
				}
			}
		})
	}
}

// TestForeignServer_IsTransient covers servers that do not speak HTTP/2, or close every
// connection or stream.
func TestForeignServer_IsTransient(t *testing.T) {
	t.Parallel()
	http1 := httptest.NewServer(page(404, "<h1>404 Not Found</h1>", "Content-Type", "text/html"))
	t.Cleanup(http1.Close)

	closing, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = closing.Close() })
	go func() {
		for {
			conn, err := closing.Accept()
			if err != nil {
				return
			}
			_ = conn.Close()
		}
	}()

	tests := []struct {
		name, address, text string
	}{
		{"HTTP/1.1", http1.Listener.Addr().String(), ": the answer is not from Milvus: HTTP/1.1"},
		{"closed connection", closing.Addr().String(), ": unavailable: "},
		{"closed stream", gateway(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), ": internal: stream terminated by RST_STREAM"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := rpc.New(dialAt(t, tt.address))
			for method, poll := range allPolls() {
				err := poll(t.Context(), p)

				requireClass(t, errTransient, err)
				require.ErrorContains(t, err, method+tt.text)
			}
		})
	}
}

// TestUnknownMethod_IsPermanent calls gRPC servers without Milvus' methods.
func TestUnknownMethod_IsPermanent(t *testing.T) {
	t.Parallel()
	without := grpc.NewServer()
	withoutMethods := grpc.NewServer()
	wire.Register(withoutMethods)

	for text, server := range map[string]*grpc.Server{
		"unknown service milvus.proto.milvus.MilvusService": without,
		"for service milvus.proto.milvus.MilvusService":     withoutMethods,
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		go func() { _ = server.Serve(listener) }()
		t.Cleanup(server.Stop)

		p := rpc.New(dialAt(t, listener.Addr().String()))
		for method, poll := range polls {
			err := poll(t.Context(), p)

			requireClass(t, errPermanent, err)
			require.Equal(t, codes.Unimplemented, status.Code(err))
			require.ErrorContains(t, err, method+": unimplemented: unknown ")
			require.ErrorContains(t, err, text)
			require.NotErrorIs(t, err, rpc.ErrMalformed)
		}

		for method, poll := range optionalPolls {
			err := poll(t.Context(), p)

			require.ErrorIs(t, err, errors.ErrUnsupported)
			require.ErrorContains(t, err, "unsupported operation: "+method+": unimplemented: unknown ")
		}
	}
}

// TestUnimplemented_WordsOfServers_ArePermanent holds the words of gRPC servers for a
// method that they do not have, and the words of gateways for a missing route.
func TestUnimplemented_WordsOfServers_ArePermanent(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]rpc.Class{
		"unknown method GetLoadingProgress for service milvus.proto.milvus.MilvusService":   rpc.PermanentFailure, // Go: Milvus 2.1.0
		"method GetLoadingProgress not implemented":                                         rpc.PermanentFailure, // Go, generated
		"Method not implemented!":                                                           rpc.PermanentFailure, // Python: milvus-lite 3.2.2
		"Method not found!":                                                                 rpc.PermanentFailure, // Python, another service
		"MilvusLite does not support LoadPartitions: partition-level load is not supported": rpc.PermanentFailure, // milvus-lite 3.2.2
		"Method not found: milvus.proto.milvus.MilvusService/GetLoadingProgress":            rpc.PermanentFailure, // Java
		"Method milvus.proto.milvus.MilvusService/GetLoadingProgress is unimplemented":      rpc.PermanentFailure, // Java, generated
		"The server does not implement the method /milvus.proto.milvus.MilvusService/X":     rpc.PermanentFailure, // Node
		"Service is unimplemented.":                                                         rpc.PermanentFailure, // .NET
		`grpc: Decompressor is not installed for grpc-encoding "zstd"`:                      rpc.PermanentFailure, // Go, a compressed request
		"getloadingprogress is gone":                                                        rpc.PermanentFailure,
		"":                                                                                  rpc.Transient, // Envoy, and C++
		"unimplemented":                                                                     rpc.Transient, // nginx
		"no route":                                                                          rpc.Transient,
	} {
		require.Equal(t, want, rpc.ClassifyCall(codes.Unimplemented, message, loadingCall), message)
	}
}

// TestCodesOfGRPC_AreTransient holds permanent codes that grpc-go makes itself.
func TestCodesOfGRPC_AreTransient(t *testing.T) {
	t.Parallel()
	for message, code := range map[string]codes.Code{
		"stream terminated by RST_STREAM with error code: INADEQUATE_SECURITY":                                                 codes.PermissionDenied,
		"tracing: rpc error: code = PermissionDenied desc = unexpected HTTP status code received from server: 403 (Forbidden)": codes.PermissionDenied,
		"malformed header: missing HTTP status":                                                                                codes.Internal,
		"unexpected HTTP status code received from server: 401 (Unauthorized); malformed header: missing HTTP content-type":    codes.Unauthenticated,
	} {
		require.Equal(t, rpc.Transient, rpc.ClassifyCall(code, message, loadingCall), message)
	}
	require.Equal(t, rpc.PermanentFailure, rpc.ClassifyCall(codes.PermissionDenied, "stream is closed", loadingCall))
}

// expired are credentials without a token, because the source of tokens is away.
type expired struct{ credentials.PerRPCCredentials }

func (expired) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return nil, errors.New("the token endpoint is away")
}

func (expired) RequireTransportSecurity() bool { return true }

// TestCredentialsFail_IsTransient shows that a failure of the client's credentials, for
// which grpc-go returns Unauthenticated, does not end a wait. Credentials that need TLS do,
// on a connection without it.
func TestCredentialsFail_IsTransient(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(page(200, ""))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)

	secure := credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})
	p := rpc.New(dialAt(t, s.Listener.Addr().String(), grpc.WithTransportCredentials(secure), grpc.WithPerRPCCredentials(expired{})))
	err := polls[loadingCall](t.Context(), p)
	requireClass(t, errTransient, err)
	require.Equal(t, codes.Unauthenticated, status.Code(err))
	require.ErrorContains(t, err, "the token endpoint is away")

	p = rpc.New(connect(t, new(server)), rpc.WithCallOptions(grpc.PerRPCCredentials(expired{})))
	requireClass(t, errPermanent, polls[loadingCall](t.Context(), p))
}
