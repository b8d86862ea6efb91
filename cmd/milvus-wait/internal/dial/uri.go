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

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
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
	Setting  string // flag or variable with the URI, for hints; "" for none

	// CertFile and KeyFile are the PEM files of the client's certificate and its key; ""
	// for none.
	CertFile, KeyFile string
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
// HOST:PORT/DATABASE. The port and the database are optional. It returns an error for a URI
// with credentials, as in a flag, because other users of the machine can read it there. The
// errors never quote the URI, because a user may have put a secret in it.
func Parse(uri string) (Endpoint, error) {
	e, _, err := read(uri, false)
	return e, err
}

// ParseWithCredentials reads a URI as Parse does, or one with credentials, as in
// http://USER:PASSWORD@HOST:PORT. It returns them as USER:PASSWORD, or "" without any.
func ParseWithCredentials(uri string) (Endpoint, secret.Token, error) {
	return read(uri, true)
}

// read parses a URI with or without credentials.
func read(uri string, credentials bool) (Endpoint, secret.Token, error) {
	e, token, err := parse(strings.TrimSpace(uri), credentials)
	if err != nil {
		return Endpoint{}, "", fmt.Errorf("not http://HOST:PORT, https://HOST:PORT or HOST:PORT: %w", err)
	}
	return e, token, nil
}

func parse(uri string, credentials bool) (Endpoint, secret.Token, error) {
	p := split(uri)
	if !credentials && strings.Contains(uri, "@") {
		return Endpoint{}, "", errCredentials
	}
	if err := p.mistake(); err != nil {
		return Endpoint{}, "", err
	}

	token, err := p.token()
	if err != nil {
		return Endpoint{}, "", err
	}
	e, err := p.endpoint()
	return e, token, err
}

// endpoint returns the endpoint of a URI without its credentials.
func (p parts) endpoint() (Endpoint, error) {
	e := Endpoint{Explicit: p.explicit}
	if err := ipv6Mistake(p.host); err != nil {
		return e, err
	}

	u, err := url.Parse("http://" + p.host + p.path)
	switch {
	case err != nil && strings.Contains(err.Error(), "invalid port"):
		return e, errPort
	case err != nil:
		return e, errMalformed
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return e, errors.New("it has a query or a fragment")
	}

	port := plainPort
	if p.scheme == "https" {
		e.TLS, port = true, tlsPort
	}
	if e.Host, err = host(u); err != nil {
		return e, err
	}

	if u.Port() != "" {
		port = u.Port()
	}
	if !isPort(port) || strings.HasSuffix(u.Host, ":") {
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
		return "", errors.New("it has several ports")
	case name == "":
		return "", errors.New("it has no host")
	case !utf8.ValidString(name) || strings.ContainsFunc(name, notInHost):
		return "", errors.New("its host holds a character that no host does")
	case !isDomain(name):
		return "", errors.New("its host is no name: a part of it is empty or too long")
	case u.Port() == "" && isPort(name):
		return "", errors.New("it is a port without a host")
	case strings.Contains(name, ".") && strings.Trim(name, "0123456789.") == "" && !isIPv4(name):
		return "", errors.New("its host is neither an IPv4 address nor a name")
	}
	return name, nil
}

// ipv6Mistake returns an error for a host, with or without a port, that is an IPv6 address
// without brackets, or with a zone that is not escaped.
func ipv6Mistake(host string) error {
	bracketed := strings.HasPrefix(host, "[")
	_, zone, hasZone := strings.Cut(host, "%")
	switch {
	case !bracketed && strings.Count(host, ":") > 1 && isIPv6(host) && hasZone:
		return errors.New("an IPv6 address stands in brackets, with %25 before its zone, as in http://[fe80::1%25eth0]:19530")
	case !bracketed && strings.Count(host, ":") > 1 && isIPv6(host):
		return errors.New("an IPv6 address stands in brackets, as in http://[::1]:19530")
	case bracketed && hasZone && !strings.HasPrefix(zone, "25"):
		return errors.New("the zone of an IPv6 address stands after %25, as in http://[fe80::1%25eth0]:19530")
	}
	return nil
}

func isPort(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0
}

// isIPv4 reports whether s is an IPv4 address, possibly with the dot at the end of a fully
// qualified name.
func isIPv4(s string) bool {
	ip, err := netip.ParseAddr(strings.TrimSuffix(s, "."))
	return err == nil && ip.Is4()
}

// isIPv6 reports whether s is an IPv6 address, possibly with a port, without brackets.
func isIPv6(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil || strings.Contains(s, "::")
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
