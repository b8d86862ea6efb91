package dial

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
)

// parts are the parts of a URI, before any check. Unlike a url.URL, they are also those of a
// malformed URI, and the password may contain ^, " and other characters, as for pymilvus.
type parts struct {
	uri      string
	explicit bool   // there is a scheme
	scheme   string // in lower case; "" without one
	user     string // text before the last @ of the authority
	hasUser  bool
	host     string // rest of the authority
	path     string // from the first /, ? or # on
}

// split returns the parts of a URI. The authority ends at the first /, ? or #, and the user
// at the last @ in it, as for pymilvus.
func split(uri string) parts {
	p := parts{uri: uri, host: uri}
	if scheme, rest, found := strings.Cut(uri, "://"); found && isScheme.MatchString(scheme) {
		p.explicit, p.scheme, p.host = true, strings.ToLower(scheme), rest
	}

	if end := strings.IndexAny(p.host, "/?#"); end >= 0 {
		p.host, p.path = p.host[:end], p.host[end:]
	}
	if at := strings.LastIndex(p.host, "@"); at >= 0 {
		p.user, p.hasUser, p.host = p.host[:at], true, p.host[at+1:]
	}
	return p
}

var (
	isScheme   = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*$`)
	noSlashes  = regexp.MustCompile(`^(?i)(https?|tcp)(:/?[^/0-9]|:/[0-9]|:[0-9]+[.:]|//)`) // http:19530 is a host with a port
	nested     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*(:[A-Za-z][A-Za-z0-9+.-]*)+://`)
	assignment = regexp.MustCompile(`^(?i)(export\s+)?[a-z_]+\s*=`)
	drive      = regexp.MustCompile(`^[A-Za-z]:[\\/]`)
	escape     = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)
)

// errCredentials refuses credentials in a flag.
var errCredentials = errors.New("it has a user or a secret in it, which everybody on this machine can see; " +
	"set it in MILVUS_URI, or use MILVUS_TOKEN, --token-file, or --user and --password-file")

// mistake returns an error for a URI of a known wrong form, or nil. The more specific form
// comes first: two addresses also have a space or an odd port. The credentials are not
// checked, because a password may contain any of the characters.
func (p parts) mistake() error {
	rest := p.host + p.path
	switch {
	case isQuote(p.uri[:min(1, len(p.uri))]), isQuote(p.uri[max(0, len(p.uri)-1):]), strings.HasPrefix(p.uri, "“"), strings.HasSuffix(p.uri, "”"):
		return errors.New("it has quotation marks around it: leave them out")
	case assignment.MatchString(p.uri):
		return errors.New("it begins with the name of a variable and =: leave both out")
	case p.isSocket():
		return errors.New("it is a Unix socket, and not the address of a TCP port")
	case p.isFile():
		return errors.New("it is the path of a file, such as of milvus-lite, and not the address of a server")
	case strings.ContainsAny(rest, "${}<>"):
		return errors.New("it holds a variable or a placeholder without its value")
	case strings.Contains(p.path, "@"):
		return errors.New("it has an @ after a /, ? or #: if they are part of a password, use MILVUS_USER and MILVUS_PASSWORD")
	case strings.Contains(rest, ":tcp://"):
		return errors.New("its port is an address: Kubernetes sets MILVUS_PORT to tcp://HOST:PORT for a Service called milvus")
	case nested.MatchString(p.uri) && !noSlashes.MatchString(p.uri):
		return schemeMistake("") // such as jdbc:milvus
	case strings.Index(rest, "://") > 0, strings.ContainsAny(p.host, ",;|"):
		return errors.New("it has several addresses: specify one")
	case strings.ContainsFunc(rest, unicode.IsSpace):
		return errors.New("it holds a space or a newline")
	case noSlashes.MatchString(p.uri):
		return errors.New("its scheme is not followed by ://")
	case p.explicit:
		return schemeMistake(p.scheme)
	}
	return nil
}

func isQuote(s string) bool { return s != "" && strings.Contains("\"'`", s) }

// isSocket reports whether the URI is a Unix socket, in the forms of gRPC and of others.
func (p parts) isSocket() bool {
	return strings.HasPrefix(p.uri, "unix:") || strings.HasPrefix(p.uri, "unix-abstract:") || !p.explicit && strings.HasSuffix(p.uri, ".sock")
}

// isFile reports whether the URI is the path of a file. Pymilvus opens a path with the
// suffix .db by milvus-lite.
func (p parts) isFile() bool {
	switch {
	case p.scheme == "file", strings.HasPrefix(p.uri, "file:"):
		return true
	case p.explicit || p.hasUser:
		return false
	case drive.MatchString(p.uri), strings.Contains(p.uri, `\`), strings.HasSuffix(p.uri, ".db"):
		return true
	}
	for _, prefix := range []string{"./", "../", "~"} {
		if strings.HasPrefix(p.uri, prefix) {
			return true
		}
	}
	return strings.HasPrefix(p.uri, "/") && !strings.HasPrefix(p.uri, "//")
}

// schemeMistake returns an error unless the scheme is http, https or tcp. It names only
// known schemes, because any other may be part of a secret.
func schemeMistake(scheme string) error {
	switch scheme {
	case "http", "https", "tcp":
		return nil
	case "grpc", "h2c", "ws", "milvus":
		return fmt.Errorf("its scheme is %s: use http://, or https:// for TLS", scheme)
	case "grpcs", "grpc+tls", "h2", "wss", "tls", "ssl", "tcps":
		return fmt.Errorf("its scheme is %s: use https://", scheme)
	case "dns", "ipv4", "ipv6", "passthrough", "xds":
		return fmt.Errorf("its scheme is %s, of gRPC: use http:// or https:// and the host", scheme)
	case "mysql", "postgres", "postgresql", "redis", "rediss", "mongodb", "mongodb+srv", "sqlite", "etcd", "s3", "minio", "pulsar", "kafka", "amqp", "nats":
		return fmt.Errorf("its scheme is %s, of another kind of server", scheme)
	}
	return errors.New("its scheme is none of http, https and tcp")
}

// token returns the credentials as USER:PASSWORD, or "" without any. They are not decoded:
// pymilvus sends %40 as it is, and the Go SDK sends @. An escape is an error for this reason.
func (p parts) token() (secret.Token, error) {
	if !p.hasUser {
		return "", nil
	}

	user, password, _ := strings.Cut(p.user, ":")
	switch {
	case user == "":
		return "", errors.New("it has an @ without a user before it")
	case password == "":
		return "", errors.New("it has a user without a password")
	case escape.MatchString(p.user):
		return "", errors.New("its user or password holds an escape such as %40, which clients of Milvus read in different ways: " +
			"use MILVUS_USER and MILVUS_PASSWORD")
	case strings.ContainsAny(p.user, "\r\n"):
		return "", errors.New("its user or password holds a newline")
	}

	token, err := secret.Clean(p.user)
	if err != nil {
		return "", fmt.Errorf("its user or password: %w", err)
	}
	return secret.Token(token), nil
}
