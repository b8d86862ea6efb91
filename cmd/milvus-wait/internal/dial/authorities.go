package dial

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"sync"

	"google.golang.org/grpc/credentials"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
)

// maxAuthorities is many times the size of a system's file of authorities. It bounds the
// read of an endless file, such as /dev/zero.
const maxAuthorities = 8 << 20

// authorities are TLS credentials with a file of authorities. They read the file again
// before each handshake, because authorities are rotated while a command waits. A file that
// is unreadable or malformed then changes nothing.
type authorities struct {
	credentials.TransportCredentials // made of the file at the start
	file                             string
	config                           *tls.Config // without authorities

	mu      sync.Mutex
	pem     []byte                           // contents of the file
	current credentials.TransportCredentials // made of pem
}

// newAuthorities returns TLS credentials with config and the authorities in the file. A file
// that is not regular, such as a FIFO, is read once.
func newAuthorities(ctx context.Context, file string, config *tls.Config) (credentials.TransportCredentials, error) {
	rereadable := secret.Rereadable(file)
	pem, creds, err := readAuthorities(ctx, file, config)
	if err != nil || !rereadable {
		return creds, err
	}
	return &authorities{TransportCredentials: creds, file: file, config: config, pem: pem, current: creds}, nil
}

// readAuthorities returns the contents of the file, and the credentials made of it.
func readAuthorities(ctx context.Context, file string, config *tls.Config) ([]byte, credentials.TransportCredentials, error) {
	pem, err := secret.ReadFile(ctx, file, maxAuthorities)
	if err != nil {
		return nil, nil, err
	}
	if len(pem) > maxAuthorities {
		return nil, nil, fmt.Errorf("%s is too long for a file of authorities", file)
	}

	config = config.Clone()
	config.RootCAs = x509.NewCertPool()
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, nil, fmt.Errorf("there is no PEM certificate in %s", file)
	}
	return pem, credentials.NewTLS(config), nil
}

// ClientHandshake implements credentials.TransportCredentials.
func (a *authorities) ClientHandshake(ctx context.Context, authority string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	return a.latest(ctx).ClientHandshake(ctx, authority, conn)
}

// Clone implements credentials.TransportCredentials. A copy needs no state of its own.
func (a *authorities) Clone() credentials.TransportCredentials { return a }

// OverrideServerName implements credentials.TransportCredentials. The name is in Config.
func (a *authorities) OverrideServerName(string) error { return errors.ErrUnsupported }

// latest returns the credentials made of the current contents of the file.
func (a *authorities) latest(ctx context.Context) credentials.TransportCredentials {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !secret.Rereadable(a.file) {
		return a.current
	}
	pem, creds, err := readAuthorities(ctx, a.file, a.config)
	if err == nil && !bytes.Equal(pem, a.pem) {
		a.pem, a.current = pem, creds
	}
	return a.current
}
