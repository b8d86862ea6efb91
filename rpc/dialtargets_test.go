package rpc_test

import (
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// TestDialOptions_SeveralAddresses_AreAllTried has a server behind the last of four
// addresses. The first one never answers: gRPC starts the next attempt after 250 ms.
func TestDialOptions_SeveralAddresses_AreAllTried(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		n.names["milvus"] = []string{"192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2"}

		n.dropping["192.0.2.1:19530"] = true
		defer n.serve("[2001:db8::2]:19530")()
		conn := n.connect(t, "dns:///milvus:19530")

		late, err := pollUntilGood(t.Context(), conn)

		require.NoError(t, err)
		require.Less(t, late, time.Second)
		require.Equal(t, []string{
			"192.0.2.1:19530", "[2001:db8::1]:19530", "192.0.2.2:19530", "[2001:db8::2]:19530",
		}, n.tried(), "gRPC alternates between IPv4 and IPv6")
	})
}

// TestDialOptions_OtherTargets_AreNotLookedUp covers IP addresses and schemes other than
// dns: gRPC connects to them without a lookup.
func TestDialOptions_OtherTargets_AreNotLookedUp(t *testing.T) {
	t.Parallel()
	for target, address := range map[string]string{
		"192.0.2.1:19530":                "192.0.2.1:19530",
		"dns:///192.0.2.1:19530":         "192.0.2.1:19530",
		"[2001:db8::1]:19530":            "[2001:db8::1]:19530",
		"dns:///[fe80::1%25eth0]:19530":  "[fe80::1%eth0]:19530",
		"passthrough:///milvus:19530":    "milvus:19530",
		"unix:///run/milvus/milvus.sock": "unix:///run/milvus/milvus.sock",
	} {
		t.Run(target, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				conn := n.connect(t, target)

				require.Equal(t, codes.Unavailable, status.Code(poll(t.Context(), conn)))
				time.Sleep(time.Second)

				require.Empty(t, n.looked())
				require.Contains(t, n.tried(), address)
			})
		})
	}
}

// TestDialOptions_TLS_VerifiesTheNameInTheTarget shows that the certificate must be valid
// for the name in the target. The address from the lookup does not matter.
func TestDialOptions_TLS_VerifiesTheNameInTheTarget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		certificate, roots := certify(t, "milvus.test")
		n := newNetwork()
		n.names["milvus.test"] = []string{"192.0.2.1"}
		n.names["other.test"] = []string{"192.0.2.1"}

		var authority []string
		defer n.serve("192.0.2.1:19530", grpc.Creds(credentials.NewServerTLSFromCert(&certificate)),
			grpc.UnaryInterceptor(func(ctx context.Context, req any, _ *grpc.UnaryServerInfo, handler grpc.UnaryHandler) (any, error) {
				authority = metadata.ValueFromIncomingContext(ctx, ":authority")
				return handler(ctx, req)
			}))()
		creds := grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(roots, ""))

		require.NoError(t, poll(t.Context(), n.connect(t, "milvus.test:19530", creds)))
		require.Equal(t, []string{"milvus.test:19530"}, authority)

		err := poll(t.Context(), n.connect(t, "other.test:19530", creds))
		require.ErrorContains(t, err, "certificate is valid for milvus.test, not other.test")
	})
}

// certify returns a self-signed certificate for name, and a pool with it as the only root.
func certify(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)

	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{name},
		NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	require.NoError(t, err)

	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)

	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, roots
}
