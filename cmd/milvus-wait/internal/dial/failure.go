package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
	"github.com/milvuswait/milvuswait/internal/untrusted"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// Error is why there is no connection, and what to do about it.
type Error struct {
	Endpoint Endpoint
	Reason   string
	Advice   string
	Budget   time.Duration // that was used up; 0 if it was not waited for
	Cause    error         // of the context, if that is what ended the waiting

	final bool
}

// Error returns the address, the reason and the advice on one line.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cannot connect to %s", e.Endpoint.URI())
	switch {
	case errors.Is(e.Cause, context.DeadlineExceeded):
		b.WriteString(": timed out")
	case e.Cause != nil:
		fmt.Fprintf(&b, ": %v", e.Cause)
	case e.Budget > 0:
		fmt.Fprintf(&b, " within %v", e.Budget)
	}
	fmt.Fprintf(&b, ": %s", untrusted.Text(e.Reason))
	if e.Advice != "" {
		b.WriteString("; " + e.Advice)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Final reports whether no time cures the failure.
func (e *Error) Final() bool { return e.final }

const (
	adviceReach     = "check the address and the port, that the server runs, and that no firewall is between"
	adviceName      = "check the host in --uri or MILVUS_URI"
	adviceBetween   = "the proxy that HTTPS_PROXY names is in between: check that it runs, or name the host in NO_PROXY if it needs none"
	adviceProxy     = "the proxy that HTTPS_PROXY names refuses it: name the host in NO_PROXY if it needs none"
	adviceOther     = "something else than Milvus answers there: check the port, which is 19530 unless configured otherwise"
	advicePlain     = "the server does not speak TLS there: use http://"
	adviceTLS       = "the server speaks TLS there: use https://"
	adviceHandshake = "the connection broke during the TLS handshake: does the server speak TLS there?"
	adviceClient    = "the server refuses this client's TLS: it may want a certificate of its own from clients, or another version"
	adviceCert      = "the certificate is not trusted: give its authority by --tls-ca, or its name by --tls-server-name"
)

// lastFailure asks the connection, which failed just now, why. It returns nil if
// the connection is better by now, or ctx is done.
func lastFailure(ctx context.Context, conn *grpc.ClientConn, e Endpoint) *Error {
	// A call that fails fast has the last error of the transport in its own. It
	// never reaches the server.
	_, err := wire.GetVersion.Call(ctx, conn, &wire.GetVersionRequest{})
	if ctx.Err() != nil || status.Code(err) != codes.Unavailable {
		return nil
	}
	return Explain(ctx, status.Convert(err).Message(), e)
}

// Explain returns the error of a transport that said text. To tell whether a
// server that broke a plain connection speaks TLS, whether one that broke one of TLS
// had a reason, or whether one that speaks no TLS speaks HTTP/2, it connects to it
// once more.
func Explain(ctx context.Context, text string, e Endpoint) *Error {
	failure := &Error{Endpoint: e, Reason: reason(text), Advice: adviceReach}
	proxy := e.proxy()
	if proxy != nil {
		failure.Advice = adviceBetween
		failure.Reason = secret.NewMask(e.ProxySecrets()...).Text(failure.Reason)
	}
	has := func(part string) bool { return strings.Contains(text, part) }
	switch {
	case has("first record does not look like a TLS handshake"):
		failure.Advice, failure.final = advicePlain, true
		if proxy == nil && speaksOther(ctx, e) {
			failure.Advice, failure.final = adviceOther, false
		}
	case has("x509: "), has("failed to verify certificate"):
		failure.Advice, failure.final = adviceCert, true
	case has(internalAlert): // as of a server that is about to stop
	case has(alertMark):
		failure.Advice, failure.final = adviceClient, true
	case has("authentication handshake failed"):
		failure.Advice = adviceHandshake
	case has("no such host"):
		if proxy == nil {
			failure.Advice = adviceName
		}
	case has("produced zero addresses"):
		failure.Reason, failure.Advice = "no address is known of this host", adviceName
	case has("failed to do connect handshake"):
		failure.Reason, failure.Advice = refused(failure.Reason), adviceProxy
	case has("HTTP/1.1 header"):
		failure.Advice = adviceOther
	case !e.TLS && !has("while dialing") && speaksTLS(ctx, e):
		failure.Advice, failure.final = adviceTLS, true
	case has("http2: frame too large"), has("FRAME_SIZE_ERROR"), has("PROTOCOL_ERROR"):
		failure.Advice = adviceOther
	case e.TLS && proxy == nil && !has("while dialing"):
		if alert := alertOf(ctx, e); alert != "" && !strings.Contains(alert, internalAlert) {
			failure.Reason, failure.Advice, failure.final = alert, adviceClient, true
		}
	}
	return failure
}

// reason returns what gRPC wraps three times.
func reason(text string) string {
	for _, noise := range []string{
		"connection error: desc = ", "last connection error: ", "name resolver error: ", "dns: A record lookup error: ",
		"transport: Error while dialing: ", "transport: authentication handshake failed: ",
	} {
		if _, after, found := strings.Cut(text, noise); found {
			if unquoted, err := strconv.Unquote(after); err == nil {
				after = unquoted
			}
			text = strings.Trim(after, `"`)
		}
	}
	return text
}

// refused returns reason, which has the whole answer of a proxy, with no more of it
// than the status: the rest may echo the password that the proxy was sent.
func refused(reason string) string {
	said, answer, _ := strings.Cut(reason, ", ")
	for _, field := range strings.Fields(answer) {
		if code, err := strconv.Atoi(field); err == nil && http.StatusText(code) != "" {
			return fmt.Sprintf("%s: %d %s", said, code, http.StatusText(code))
		}
	}
	return said
}

// proxy returns the proxy through which gRPC connects to the endpoint, or nil.
func (e Endpoint) proxy() *url.URL {
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: &url.URL{Scheme: "https", Host: e.Address}})
	if err != nil {
		return nil
	}
	return proxy
}

// ProxySecrets returns what the proxy is sent that is between here and the endpoint,
// which answers of it may echo.
func (e Endpoint) ProxySecrets() []string {
	proxy := e.proxy()
	if proxy == nil || proxy.User == nil {
		return nil
	}
	password, _ := proxy.User.Password()
	return secret.Parts(proxy.User.Username() + ":" + password)
}

// speaksTLS reports whether the server answers to a handshake of TLS. Nothing is
// sent besides, so that there is nothing that a certificate would have to be
// checked for.
func speaksTLS(ctx context.Context, e Endpoint) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{ServerName: e.Host, InsecureSkipVerify: true}} //nolint:gosec // see above
	conn, err := dialer.DialContext(ctx, "tcp", e.Address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// What crypto/tls has in the errors of alerts that it is sent: of all of them, and of
// one that is no refusal.
const (
	alertMark     = "remote error: tls: "
	internalAlert = alertMark + "internal error"
)

// alertOf returns the alert with which the server ends a connection whose handshake
// is done, as TLS 1.3 has it for certificates of clients, or "". Who writes first, as
// gRPC does, may be told of a broken pipe instead.
func alertOf(ctx context.Context, e Endpoint) string {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{ServerName: e.Host, NextProtos: []string{"h2"}, InsecureSkipVerify: true}} //nolint:gosec // as in speaksTLS
	conn, err := dialer.DialContext(ctx, "tcp", e.Address)
	if err != nil {
		return ""
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(0, 0)) })()
	if _, err = conn.Read(make([]byte, 1)); err != nil && strings.Contains(err.Error(), alertMark) {
		return err.Error()
	}
	return ""
}

// speaksOther reports whether what answers in plain text is not HTTP/2, whose
// servers begin with a frame of settings.
func speaksOther(ctx context.Context, e Endpoint) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", e.Address)
	if err != nil {
		return false
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(0, 0)) })()
	// RFC 9113: what a client begins with, and a frame of no settings.
	const (
		preface  = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
		settings = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	)
	if _, err := io.WriteString(conn, preface+settings); err != nil {
		return false
	}
	header := make([]byte, len(settings))
	n, _ := io.ReadFull(conn, header)
	return n > 0 && (n < len(header) || header[3] != settings[3])
}
