package realserver

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// URIVariable is the environment variable that names a server which is running
// already, for Attach.
const URIVariable = "MILVUS_URI"

// Attach returns the server at uri, such as "http://127.0.0.1:19530" or
// "127.0.0.1:19530": plaintext, without a password. Its version is what the
// server says. It cannot be killed or started.
func Attach(ctx context.Context, uri string) (*Server, error) {
	address, err := parseURI(uri)
	if err != nil {
		return nil, err
	}
	s := &Server{release: Release{Kind: Other}, address: address}
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

// parseURI returns host and port.
func parseURI(uri string) (string, error) {
	if !strings.Contains(uri, "://") {
		uri = "http://" + uri
	}
	u, err := url.Parse(uri)
	switch {
	case err != nil:
		return "", err
	case u.Scheme != "http" && u.Scheme != "tcp":
		return "", fmt.Errorf("%s: %q is not a scheme that is understood; use http", u.Redacted(), u.Scheme)
	case u.Hostname() == "":
		return "", fmt.Errorf("%s: no host", u.Redacted())
	case u.Port() == "":
		return net.JoinHostPort(u.Hostname(), "19530"), nil
	}
	return u.Host, nil
}
