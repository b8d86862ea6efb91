package dial

import (
	"context"
	"encoding/base64"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// Codes of Milvus for unknown users and missing privileges.
const (
	CodeNotAuthenticated = 1400
	CodeNotPermitted     = 1401
)

// authorization sends the token as Milvus expects it: in base64 in a header. When the
// server refuses a call, it asks for a new token and repeats the call with it, because
// tokens and passwords are rotated while a command waits.
type authorization struct {
	tls     bool
	renew   func(context.Context) (secret.Token, error) // nil if the token never changes
	token   atomic.Pointer[secret.Token]
	reading chan struct{} // holds one element while a call of renew is in flight
}

func newAuthorization(c Config) *authorization {
	a := &authorization{tls: c.Endpoint.TLS, renew: c.Renew, reading: make(chan struct{}, 1)}
	a.token.Store(&c.Token)
	return a
}

type tokenKey struct{}

// GetRequestMetadata implements credentials.PerRPCCredentials. It returns the token of the
// attempt, or the current one outside of attempts.
func (a *authorization) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, found := ctx.Value(tokenKey{}).(secret.Token)
	if !found {
		token = *a.token.Load()
	}
	return map[string]string{"authorization": base64.StdEncoding.EncodeToString([]byte(token))}, nil
}

// RequireTransportSecurity makes gRPC refuse to send the token in plain text if the endpoint
// has TLS.
func (a *authorization) RequireTransportSecurity() bool { return a.tls }

// intercept makes a call, and repeats it as long as the server refuses the token and there
// is a newer one.
func (a *authorization) intercept(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	for {
		token := *a.token.Load()
		err := invoke(context.WithValue(ctx, tokenKey{}, token), method, req, reply, conn, options...)
		if !refuses(reply, err) || !a.renewed(ctx, token) {
			return err
		}
	}
}

// renewed reports whether there is a newer token than the refused one. Calls that are
// refused at the same time read a new token once.
func (a *authorization) renewed(ctx context.Context, refused secret.Token) bool {
	if a.renew == nil {
		return false
	}
	select {
	case a.reading <- struct{}{}:
		defer func() { <-a.reading }()
	case <-ctx.Done():
		return false
	}

	if *a.token.Load() != refused {
		return true // another call has read it
	}
	token, err := a.renew(ctx)
	if err != nil || token == refused {
		return false
	}
	a.token.Store(&token)
	return true
}

// refuses reports whether a server refused the user of a call: by gRPC's code, by the
// status in the response, or by a text. Milvus 2.2 reports bad credentials with the code
// Unknown.
func refuses(reply any, err error) bool {
	if err != nil {
		st := status.Convert(err)
		return st.Code() == codes.Unauthenticated || st.Code() == codes.PermissionDenied ||
			st.Code() == codes.Unknown && isRefusal(st.Message())
	}

	response, ok := reply.(interface{ GetStatus() *wire.Status })
	if !ok {
		return false
	}
	switch st := response.GetStatus(); {
	case st.GetCode() == CodeNotAuthenticated, st.GetCode() == CodeNotPermitted, st.GetErrorCode() == wire.ErrorCode_PermissionDenied:
		return true
	default:
		return st.GetErrorCode() != wire.ErrorCode_Success && isRefusal(st.GetReason())
	}
}

// isRefusal reports whether the text of a server refuses a user.
func isRefusal(text string) bool {
	text = strings.ToLower(text)
	return strings.Contains(text, "auth check failure") || strings.Contains(text, "not authenticated") || strings.Contains(text, "permission deny")
}
