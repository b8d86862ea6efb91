package realserver

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// Environment variables with the arguments of Attach, for a server that runs already.
const (
	URIVariable   = "MILVUS_URI"
	TokenVariable = "MILVUS_TOKEN"
)

// Attach returns the server at uri, such as "http://127.0.0.1:19530" or
// "127.0.0.1:19530", or "https://milvus.example" for TLS. The token is "user:password", an
// API key, or "" for a server that checks no users. The Release has the version that the
// server reports. The server cannot be killed or started.
func Attach(ctx context.Context, uri, token string) (*Server, error) {
	address, secure, err := parseURI(uri)
	if err != nil {
		return nil, err
	}

	s := &Server{release: Release{Kind: Other}, address: address, token: token, tls: secure}
	conn, err := s.Dial()
	if err != nil {
		return nil, err
	}
	defer conn.Close()

	if err := s.probe(ctx, conn); err != nil {
		return nil, fmt.Errorf("server at %s: %w", address, err)
	}
	version, err := wire.GetVersion.Call(ctx, conn, &wire.GetVersionRequest{})
	if err != nil {
		return nil, fmt.Errorf("server at %s: %w", address, err)
	}
	s.release.Version = version.GetVersion()
	return s, nil
}

// parseURI returns host and port, and whether the server uses TLS.
func parseURI(uri string) (address string, secure bool, err error) {
	if !strings.Contains(uri, "://") {
		uri = "http://" + uri
	}
	u, err := url.Parse(uri)
	switch {
	case err != nil:
		return "", false, err
	case u.User != nil:
		return "", false, fmt.Errorf("%s: set %s to the user and password", u.Redacted(), TokenVariable)
	case u.Scheme != "http" && u.Scheme != "tcp" && u.Scheme != "https":
		return "", false, fmt.Errorf("%s: the scheme is %q, must be http or https", u.Redacted(), u.Scheme)
	case u.Hostname() == "":
		return "", false, fmt.Errorf("%s: no host", u.Redacted())
	}

	secure = u.Scheme == "https"
	port := u.Port()
	if port == "" && secure {
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), cmp.Or(port, "19530")), secure, nil
}
