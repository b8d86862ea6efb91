package dial

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Ports for URIs without a port, as in pymilvus and milvus-sdk-go.
const (
	plainPort = "19530"
	tlsPort   = "443"
)

// Endpoint is the address of a server.
type Endpoint struct {
	Host     string // without a port
	Address  string // host and port
	TLS      bool
	Explicit bool   // the URI has a scheme, so the user chose plain text or TLS
	Database string // path of the URI, "" without one
}

// URI returns the endpoint as a URI without the database.
func (e Endpoint) URI() string {
	if e.TLS {
		return "https://" + e.Address
	}
	return "http://" + e.Address
}

// Loopback reports whether data sent to the endpoint stays on this machine. A name other
// than localhost is not looked up, because it may have another address later.
func (e Endpoint) Loopback() bool {
	if strings.EqualFold(e.Host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(e.Host)
	return err == nil && ip.IsLoopback()
}

// Parse reads http://HOST:PORT/DATABASE, https://, tcp:// for http://, or
// HOST:PORT/DATABASE. The port and the database are optional. Its errors never quote the
// URI, because a user may have put a secret in it.
func Parse(uri string) (Endpoint, error) {
	e, err := parse(strings.TrimSpace(uri))
	if err != nil {
		return Endpoint{}, fmt.Errorf("not http://HOST:PORT, https://HOST:PORT or HOST:PORT: %w", err)
	}
	return e, nil
}

func parse(uri string) (Endpoint, error) {
	e := Endpoint{Explicit: strings.Contains(uri, "://")}
	if !e.Explicit {
		uri = "http://" + uri
	}

	u, err := url.Parse(uri)
	switch {
	case err != nil && strings.Contains(err.Error(), "invalid port"):
		return e, errPort
	case err != nil:
		return e, errMalformed
	case u.User != nil:
		return e, errors.New("it has a user or a secret in it, which everybody on this machine can see; use --token-file, or --user and --password-file")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return e, errors.New("it has a query or a fragment")
	}

	port := plainPort
	switch u.Scheme {
	case "http", "tcp":
	case "https":
		e.TLS, port = true, tlsPort
	default:
		return e, errors.New("its scheme is none of http, https and tcp")
	}
	if e.Host, err = host(u); err != nil {
		return e, err
	}

	if u.Port() != "" {
		port = u.Port()
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 || strings.HasSuffix(u.Host, ":") {
		return e, errPort
	}

	e.Database = strings.Trim(u.Path, "/")
	if strings.Contains(e.Database, "/") {
		return e, errors.New("its path is more than the name of a database")
	}
	e.Address = net.JoinHostPort(e.Host, port)
	return e, nil
}

var (
	errMalformed = errors.New("it is malformed")
	errPort      = errors.New("its port is no number from 1 to 65535")
)

// host returns the host of u without port and brackets.
func host(u *url.URL) (string, error) {
	name := u.Hostname()
	if strings.HasPrefix(u.Host, "[") {
		if ip, err := netip.ParseAddr(name); err != nil || !ip.Is6() {
			return "", errMalformed
		}
		return name, nil
	}

	switch {
	case strings.Count(u.Host, ":") > 1:
		return "", errors.New("an IPv6 address stands in brackets, as in http://[::1]:19530")
	case name == "":
		return "", errors.New("it has no host")
	case !utf8.ValidString(name) || strings.ContainsFunc(name, notInHost):
		return "", errors.New("its host holds a character that no host does")
	case !isDomain(name):
		return "", errors.New("its host is no name: a part of it is empty or too long")
	}
	return name, nil
}

// isDomain reports whether a name could be in the DNS (RFC 1035). No later lookup finds
// another one, so it is an error of the address.
func isDomain(name string) bool {
	name = strings.TrimSuffix(name, ".") // a fully qualified name
	for part := range strings.SplitSeq(name, ".") {
		if part == "" || len(part) > 63 {
			return false
		}
	}
	return len(name) <= 253
}

func notInHost(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("-._", r)
}
