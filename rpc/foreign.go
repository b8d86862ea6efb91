package rpc

import (
	"cmp"
	"errors"
	"regexp"
	"strings"

	"google.golang.org/grpc/codes"
)

// A gateway, an ingress or a service mesh between client and server may answer a call
// instead of Milvus: with an error page while its route is missing, for example. grpc-go
// converts such a response to a gRPC code, 404 to Unimplemented and 403 to
// PermissionDenied. The code is then not Milvus' own, and the failure is transient.

// httpStatus and httpType match the parts of grpc-go's message for a response that is not
// gRPC (operateHeaders in internal/transport/http2_client.go, up to v1.83).
var (
	httpStatus = regexp.MustCompile(`unexpected HTTP status code received from server: (\d+)(?: (\([^)]+\)))?`)
	httpType   = regexp.MustCompile(`unexpected content-type "((?:[^"\\]|\\.)*)"`)
)

// notGRPC holds other messages of grpc-go for responses without the form of gRPC, and the
// description of each.
var notGRPC = []struct{ message, description string }{
	{"looked like an HTTP/1.1 header", "HTTP/1.1"},
	{"initial http2 frame from server is not a settings frame", "HTTP/2 without settings"},
	{"malformed header: missing HTTP status", "no HTTP status"},
	{"malformed header: missing HTTP content-type", "no content-type"},
	{"transport: malformed http-status", "malformed HTTP status"},
	{"transport: malformed grpc-status", "malformed grpc-status"},
	{"protocol error: informational header", "an informational HTTP status alone"},
	{"a HEADERS frame cannot appear in the middle of a stream", "headers in the middle of the response"},
	{"server closed the stream without sending trailers", "no gRPC trailers"},
	{"received no response message from non-server-streaming RPC", "no message"},
	{"stream terminated by RST_STREAM with error code: INADEQUATE_SECURITY", "HTTP/2 error INADEQUATE_SECURITY"},
	{"stream terminated by RST_STREAM with error code: HTTP_1_1_REQUIRED", "HTTP/2 error HTTP_1_1_REQUIRED"},
}

// foreignAnswer returns what answered a call instead of Milvus, or "" if it may have been
// Milvus.
func foreignAnswer(code codes.Code, message, method string) string {
	contentType := ""
	if found := httpType.FindStringSubmatch(message); found != nil {
		contentType = strings.ReplaceAll(found[1], `\"`, `"`)
	}
	if found := httpStatus.FindStringSubmatch(message); found != nil {
		description := strings.TrimSpace("HTTP status " + found[1] + " " + found[2])
		return description + ", content-type " + cmp.Or(contentType, "missing")
	}
	if contentType != "" {
		return "content-type " + contentType
	}

	for _, n := range notGRPC {
		if strings.Contains(message, n.message) {
			return n.description
		}
	}
	if code == codes.Unimplemented && !refusesMethod(message, method) {
		return wordless
	}
	return ""
}

// wordless is the description of an Unimplemented whose message is not that of a server
// without the method.
const wordless = "gRPC status 12 (Unimplemented) without the name of the call"

// isWordless reports whether err is a wordless Unimplemented.
func isWordless(err error) bool {
	var call *callError
	return errors.As(err, &call) && call.foreign == wordless
}

// unknownMethods are the words, in lower case, by which servers report a method that they
// do not have. Envoy reports a missing route by the same gRPC code, without words, and
// nginx by "unimplemented".
var unknownMethods = []string{
	"unknown method", "unknown service", "method not found", "not implemented", "is unimplemented",
	"does not implement", "does not support", "decompressor is not installed",
}

// refusesMethod reports whether the message of an Unimplemented is the message of a gRPC
// server that does not have the method. A server in C++ has no message for it.
func refusesMethod(message, method string) bool {
	message = strings.ToLower(message)
	for _, words := range unknownMethods {
		if strings.Contains(message, words) {
			return true
		}
	}
	return strings.Contains(message, strings.ToLower(method))
}

// credentialsFailed is in the message of grpc-go if the credentials of the client returned
// an error instead of a token. The code is Unauthenticated, although no server refused
// anything: the source of the tokens may be back at the next poll.
const credentialsFailed = "transport: per-RPC creds failed due to error"
