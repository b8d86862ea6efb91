package dial

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"

	"google.golang.org/grpc/credentials"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// maxPEM is many times the size of a system's file of authorities. It bounds the read of an
// endless file, such as /dev/zero.
const maxPEM = 8 << 20

// pemFile is a file with its contents.
type pemFile struct {
	flag, name string // name is "" for none
	pem        []byte
}

// tlsFiles are the files of a TLS configuration: the authorities to trust, and the
// certificate of the client with its key.
type tlsFiles struct{ ca, cert, key pemFile }

// files returns the files of a connection to the endpoint.
func (e Endpoint) files(ca string) tlsFiles {
	return tlsFiles{
		ca:   pemFile{flag: "--tls-ca", name: ca},
		cert: pemFile{flag: "--tls-cert", name: e.CertFile},
		key:  pemFile{flag: "--tls-key", name: e.KeyFile},
	}
}

// read returns the files with their current contents. It reads all of them if first, and
// otherwise the regular ones, because others, such as a FIFO, cannot be read again.
func (f tlsFiles) read(ctx context.Context, first bool) (tlsFiles, error) {
	for _, file := range []*pemFile{&f.ca, &f.cert, &f.key} {
		if file.name == "" || !first && !secret.Rereadable(file.name) {
			continue
		}

		read := secret.ReadFile
		if file == &f.key {
			read = secret.ReadKey
		}

		pem, err := read(ctx, file.name, maxPEM)
		if err == nil && len(pem) > maxPEM {
			err = fmt.Errorf("%s is too long for a PEM file", untrusted.Text(file.name))
		}
		if err != nil {
			return f, fmt.Errorf("%s: %w", file.flag, err)
		}
		file.pem = pem
	}
	return f, nil
}

// equal reports whether the contents are equal.
func (f tlsFiles) equal(g tlsFiles) bool {
	return bytes.Equal(f.ca.pem, g.ca.pem) && bytes.Equal(f.cert.pem, g.cert.pem) && bytes.Equal(f.key.pem, g.key.pem)
}

// credentials returns TLS credentials with config and the contents of the files.
func (f tlsFiles) credentials(config *tls.Config) (credentials.TransportCredentials, error) {
	config = config.Clone()
	if f.ca.name != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(f.ca.pem) {
			return nil, fmt.Errorf("%s: there is no PEM certificate in %s", f.ca.flag, untrusted.Text(f.ca.name))
		}
	}

	if f.cert.name != "" {
		if isEncrypted(f.key.pem) {
			return nil, fmt.Errorf("%s: the key in %s is encrypted: decrypt it, as by openssl pkey", f.key.flag, untrusted.Text(f.key.name))
		}
		certificate, err := tls.X509KeyPair(f.cert.pem, f.key.pem)
		if err != nil {
			return nil, fmt.Errorf("%s and %s: %w", f.cert.flag, f.key.flag, err)
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	return credentials.NewTLS(config), nil
}

// isEncrypted reports whether a key in PEM needs a password.
func isEncrypted(key []byte) bool {
	for block, rest := pem.Decode(key); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return true
		}
	}
	return false
}

// rotated are TLS credentials made of files. They read the files again before each
// handshake, because authorities and certificates are rotated while a command waits. Files
// that are unreadable or malformed then, or a key that does not fit its certificate yet,
// change nothing.
type rotated struct {
	credentials.TransportCredentials // made of the files at the start
	config                           *tls.Config

	mu      sync.Mutex
	files   tlsFiles
	current credentials.TransportCredentials // made of files
}

// newRotated returns TLS credentials with config and the files.
func newRotated(ctx context.Context, files tlsFiles, config *tls.Config) (*rotated, error) {
	files, err := files.read(ctx, true)
	if err != nil {
		return nil, err
	}

	creds, err := files.credentials(config)
	if err != nil {
		return nil, err
	}
	return &rotated{TransportCredentials: creds, config: config, files: files, current: creds}, nil
}

// ClientHandshake implements credentials.TransportCredentials.
func (r *rotated) ClientHandshake(ctx context.Context, authority string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return r.latest(ctx).ClientHandshake(ctx, authority, conn)
}

// Clone implements credentials.TransportCredentials. A copy needs no state of its own.
func (r *rotated) Clone() credentials.TransportCredentials { return r }

// OverrideServerName implements credentials.TransportCredentials. The name is in Config.
func (r *rotated) OverrideServerName(string) error { return errors.ErrUnsupported }

// latest returns the credentials made of the current contents of the files.
func (r *rotated) latest(ctx context.Context) credentials.TransportCredentials {
	r.mu.Lock()
	defer r.mu.Unlock()
	files, err := r.files.read(ctx, false)
	if err != nil || files.equal(r.files) {
		return r.current
	}

	if creds, err := files.credentials(r.config); err == nil {
		r.files, r.current = files, creds
	}
	return r.current
}
