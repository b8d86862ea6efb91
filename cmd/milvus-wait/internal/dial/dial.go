// Package dial connects to a Milvus server, and explains failed connections.
package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"path"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
	"github.com/milvuswait/milvuswait/internal/reconnect"
	"github.com/milvuswait/milvuswait/rpc"
)

// Config has the settings of a connection.
type Config struct {
	Endpoint   Endpoint
	Token      secret.Token                                // "" for servers without authentication
	Renew      func(context.Context) (secret.Token, error) // reads the token again; nil if it never changes
	CAFile     string                                      // PEM; "" for the system's roots
	ServerName string                                      // name in the certificate; "" for the host
	Insecure   bool                                        // allow the token in plain text to other machines
	UserAgent  string

	// ConnectTimeout is the timeout of one attempt to connect, within bounds: 3 s to 10 s.
	ConnectTimeout time.Duration
}

// ErrPlaintextCredentials is returned for credentials that would cross the network in plain
// text.
var ErrPlaintextCredentials = errors.New("credentials are not sent in plain text to another machine")

// Open returns a connection, not yet established. It returns an error for an invalid Config,
// and context.Cause if ctx ends before the files for TLS, for example a FIFO, are read.
func Open(ctx context.Context, c Config) (*grpc.ClientConn, error) {
	if !c.Insecure {
		if err := c.checkSecrets(); err != nil {
			return nil, err
		}
	}

	creds, err := c.transport(ctx)
	if err != nil {
		return nil, err
	}

	interceptors := []grpc.UnaryClientInterceptor{recorded, bounded}
	options := append(rpc.DialOptions(),
		grpc.WithTransportCredentials(creds),
		grpc.WithUserAgent(c.UserAgent),
		grpc.WithConnectParams(reconnect.Params(min(max(c.ConnectTimeout, 3*time.Second), 10*time.Second))),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(4<<20)),
	)
	if c.Token != "" {
		credentials := newAuthorization(c)
		options = append(options, grpc.WithPerRPCCredentials(credentials))
		interceptors = append(interceptors, credentials.intercept)
	}
	options = append(options, grpc.WithChainUnaryInterceptor(interceptors...))

	// Zones of IPv6 addresses need the escape, as in [fe80::1%eth0].
	return grpc.NewClient("dns:///"+url.PathEscape(c.Endpoint.Address), options...)
}

// checkSecrets returns an error if a secret would cross the network in plain text: the
// token, or the password for a proxy. A proxy without TLS to the endpoint is enough for the
// token, wherever both are: a proxy has its own rules for names of this machine.
func (c Config) checkSecrets() error {
	proxy := c.Endpoint.proxy()
	switch {
	case c.Token != "" && !c.Endpoint.TLS && proxy != nil:
		return fmt.Errorf("%w: the proxy that HTTPS_PROXY names; use https://, name the host in NO_PROXY, or specify --insecure-credentials", ErrPlaintextCredentials)
	case c.Token != "" && !c.Endpoint.TLS && !c.Endpoint.Loopback():
		return fmt.Errorf("%w: use https://, or specify --insecure-credentials", ErrPlaintextCredentials)
	case proxy != nil && proxy.User != nil && !(Endpoint{Host: proxy.Hostname()}).Loopback():
		return fmt.Errorf("%w: HTTPS_PROXY has a password, and gRPC speaks no TLS to a proxy; "+
			"use a proxy without a password, name the host in NO_PROXY, or specify --insecure-credentials", ErrPlaintextCredentials)
	case proxy != nil && proxy.User != nil && proxy.Scheme != "http":
		// gRPC ignores the scheme, and sends the password without TLS.
		return errors.New("HTTPS_PROXY has a password, and a scheme that promises TLS or SOCKS: gRPC speaks only plain HTTP to a proxy; " +
			"use http:// there, or specify --insecure-credentials")
	}
	return nil
}

// bounded allows 16 MiB for lists of collections, of which a server may have 65 536.
// Other responses are limited to 4 MiB, gRPC's own limit, because an empty message costs
// two bytes in a response and a hundred bytes of memory.
func bounded(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	if path.Base(method) == "ShowCollections" {
		options = append(options, grpc.MaxCallRecvMsgSize(16<<20))
	}
	return invoke(ctx, method, req, reply, conn, options...)
}

// transport returns the credentials of the transport: plain text or TLS.
func (c Config) transport(ctx context.Context) (credentials.TransportCredentials, error) {
	e := c.Endpoint
	switch {
	case (e.CertFile == "") != (e.KeyFile == ""):
		return nil, errors.New("--tls-cert and --tls-key go together")
	case e.TLS:
		return newRotated(ctx, e.files(c.CAFile), &tls.Config{ServerName: c.ServerName, MinVersion: tls.VersionTLS12})
	case c.CAFile != "" || e.CertFile != "" || c.ServerName != "":
		return nil, errors.New("--tls-ca, --tls-cert, --tls-key and --tls-server-name are for https:// addresses")
	}
	return insecure.NewCredentials(), nil
}

// Establish blocks until the connection is established. It returns an *Error at once for a
// permanent failure, such as TLS verification, and otherwise when the budget has elapsed or
// ctx has ended.
func Establish(ctx context.Context, conn *grpc.ClientConn, e Endpoint, budget time.Duration) error {
	within, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	failure := Unanswered(e)

	conn.Connect()
	for state := conn.GetState(); state != connectivity.Ready; state = conn.GetState() {
		if state == connectivity.TransientFailure {
			if f := lastFailure(within, conn, e); f != nil {
				failure = f
			}
			if failure.final {
				return failure
			}
		}

		conn.Connect() // an idle connection does not connect by itself
		if !conn.WaitForStateChange(within, state) {
			if failure.Cause = context.Cause(ctx); failure.Cause == nil {
				failure.Budget = budget
			}
			return failure
		}
	}
	return nil
}
