package dial

import (
	"cmp"
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

// Error is a failed connection: the reason and a hint.
type Error struct {
	Endpoint Endpoint
	Reason   string
	Advice   string
	Budget   time.Duration // elapsed connect timeout; 0 without one
	Cause    error         // cause of the context, if its end was the reason to stop

	final bool // see Final
}

// Error returns the address, the reason and the advice on one line.
func (e *Error) Error() string {
	if e.Advice == "" {
		return e.Brief()
	}
	return e.Brief() + "; " + e.Advice
}

// Brief returns the text of Error without the advice.
func (e *Error) Brief() string {
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
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Final reports whether the failure is permanent.
func (e *Error) Final() bool { return e.final }

// Unanswered returns the Error of a connection that was not established before ctx ended.
func Unanswered(e Endpoint) *Error {
	failure := &Error{Endpoint: e, Reason: "it does not answer", Advice: adviceReach}
	if e.proxy() != nil {
		failure.Advice = adviceBetween
	}
	return failure
}

// AdviceOther is the hint for responses that are not gRPC.
const AdviceOther = "something else than Milvus answers there: check the port, which is 19530 unless configured otherwise"

const (
	adviceReach     = "check the address and the port, that the server runs, and that no firewall is between"
	adviceBetween   = "the proxy that HTTPS_PROXY names is in between: check that it runs, or name the host in NO_PROXY if it needs none"
	adviceProxy     = "the proxy that HTTPS_PROXY names refuses it: name the host in NO_PROXY if it needs none"
	advicePlain     = "the server does not speak TLS there: use http://"
	adviceTLS       = "the server speaks TLS there: use https://"
	adviceHandshake = "the connection broke during the TLS handshake: does the server speak TLS there?"
	adviceClient    = "the server refuses this client's TLS: it may want another certificate of the client, set by --tls-cert and --tls-key, or another version"
	adviceCert      = "the certificate is not trusted: give its authority by --tls-ca, or its name by --tls-server-name"
)

// adviceName returns the hint for a host that cannot be resolved.
func adviceName(e Endpoint) string {
	return "check the host in " + cmp.Or(e.Setting, "--uri or MILVUS_URI")
}

// lastFailure returns the failure of a connection in the state TransientFailure, or nil if
// the connection has recovered or ctx has ended.
func lastFailure(ctx context.Context, conn *grpc.ClientConn, e Endpoint) *Error {
	// A call without wait-for-ready never reaches the server. Its error contains the last
	// error of the transport.
	_, err := wire.GetVersion.Call(ctx, conn, &wire.GetVersionRequest{})
	if ctx.Err() != nil || status.Code(err) != codes.Unavailable {
		return nil
	}
	return Explain(ctx, status.Convert(err).Message(), e)
}

// Explain returns the Error for the text of a transport's error. It may connect once more,
// to find out whether a server without plain text speaks TLS, whether a server with TLS
// sends an alert, or whether a server without TLS speaks HTTP/2.
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
			failure.Advice, failure.final = AdviceOther, false
		}
	case has("x509: "), has("failed to verify certificate"):
		failure.Advice, failure.final = adviceCert, true
	case has(internalAlert): // a stopping server sends it
	case has(alertMark):
		failure.Advice, failure.final = adviceClient, true
	case has("authentication handshake failed"):
		failure.Advice = adviceHandshake
	case has("no such host"):
		if proxy == nil {
			failure.Advice = adviceName(e)
		}
	case has("produced zero addresses"):
		failure.Reason, failure.Advice = "no address is known of this host", adviceName(e)
	case has("failed to do connect handshake"):
		failure.Reason, failure.Advice = refused(failure.Reason), adviceProxy
	case has("HTTP/1.1 header"):
		failure.Advice = AdviceOther
	case !e.TLS && !has("while dialing") && speaksTLS(ctx, e):
		failure.Advice, failure.final = adviceTLS, true
	case has("http2: frame too large"), has("FRAME_SIZE_ERROR"), has("PROTOCOL_ERROR"):
		failure.Advice = AdviceOther
	case e.TLS && proxy == nil && !has("while dialing"):
		if alert := alertOf(ctx, e); alert != "" && !strings.Contains(alert, internalAlert) {
			failure.Reason, failure.Advice, failure.final = alert, adviceClient, true
		}
	}
	return failure
}

// reason returns the innermost text of gRPC's error, which wraps it up to three times.
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

// refused returns reason with the status of the proxy's response in place of the whole
// response, because the rest may echo the password for the proxy.
func refused(reason string) string {
	text, answer, _ := strings.Cut(reason, ", ")
	for _, field := range strings.Fields(answer) {
		if code, err := strconv.Atoi(field); err == nil && http.StatusText(code) != "" {
			return fmt.Sprintf("%s: %d %s", text, code, http.StatusText(code))
		}
	}
	return text
}

// proxy returns the proxy through which gRPC connects to the endpoint, or nil.
func (e Endpoint) proxy() *url.URL {
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: &url.URL{Scheme: "https", Host: e.Address}})
	if err != nil {
		return nil
	}
	return proxy
}

// ProxySecrets returns the credentials for the proxy between here and the endpoint. The
// proxy's responses may echo them.
func (e Endpoint) ProxySecrets() []string {
	proxy := e.proxy()
	if proxy == nil || proxy.User == nil {
		return nil
	}
	password, _ := proxy.User.Password()
	return secret.Parts(proxy.User.Username() + ":" + password)
}

// speaksTLS reports whether the server completes a TLS handshake. It sends nothing more,
// so it need not check the certificate.
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

// Texts in the errors of crypto/tls for received alerts: for every alert, and for the only
// one without a refusal.
const (
	alertMark     = "remote error: tls: "
	internalAlert = alertMark + "internal error"
)

// alertOf returns the alert by which the server ends a connection after the handshake, or
// "". In TLS 1.3, a server sends it for a missing client certificate. It reads and does not
// write, because a first write, such as gRPC's, may fail with a broken pipe instead.
func alertOf(ctx context.Context, e Endpoint) string {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()

	config := &tls.Config{ServerName: e.Host, NextProtos: []string{"h2"}, InsecureSkipVerify: true} //nolint:gosec // as in speaksTLS
	if e.CertFile != "" {
		// Without the certificate, the alert would be about the missing one.
		files, err := e.files("").read(ctx, false)
		if err != nil {
			return ""
		}
		certificate, err := tls.X509KeyPair(files.cert.pem, files.key.pem)
		if err != nil {
			return ""
		}
		config.Certificates = []tls.Certificate{certificate}
	}

	dialer := tls.Dialer{Config: config}
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

// speaksOther reports whether the server answers in plain text, but not in HTTP/2. An HTTP/2
// server begins with a settings frame.
func speaksOther(ctx context.Context, e Endpoint) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()

	conn, err := new(net.Dialer).DialContext(ctx, "tcp", e.Address)
	if err != nil {
		return false
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(0, 0)) })()

	// RFC 9113: the client's preface and an empty settings frame.
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
