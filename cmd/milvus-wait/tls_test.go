package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// servers has the fake server of each script, by the directory of the script.
var servers sync.Map

func writeFile(name string, b []byte) error { return os.WriteFile(name, b, 0o600) }

// selfSigned returns a certificate for 127.0.0.1 and the name milvus.test with an expiry time.
func selfSigned(ts *testscript.TestScript, until time.Time) (certificate tls.Certificate, authority []byte) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "milvus.test"},
		NotBefore: until.Add(-24 * time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		DNSNames: []string{"milvus.test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	ts.Check(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// clientAuthority writes a certificate of a client into client.pem and its key into client.key,
// and returns the certificate as the authority to trust.
func clientAuthority(ts *testscript.TestScript) *x509.CertPool {
	certificate, authority := selfSigned(ts, time.Now().Add(time.Hour))
	key, err := x509.MarshalPKCS8PrivateKey(certificate.PrivateKey)
	ts.Check(err)
	ts.Check(writeFile(ts.MkAbs("client.pem"), authority))
	ts.Check(writeFile(ts.MkAbs("client.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))

	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authority)
	return pool
}
