package dial_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/dial"
)

func TestExplain_UnknownHost_NamesTheSetting(t *testing.T) {
	e := endpoint(t, "milvus")
	e.Setting = "MILVUS_ADDRESS"

	for _, text := range []string{"name resolver error: produced zero addresses", "dial tcp: lookup milvus: no such host"} {
		require.Equal(t, "check the host in MILVUS_ADDRESS", dial.Explain(t.Context(), text, e).Advice)
	}
}

func TestExplain(t *testing.T) {
	tests := []struct {
		name, text, want string
		final            bool
	}{
		{
			"refused", `connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"`,
			"dial tcp 127.0.0.1:1: connect: connection refused; check the address and the port, that the server runs, and that no firewall is between", false,
		},
		{
			"no such host", `last connection error: connection error: desc = "transport: Error while dialing: dial tcp: lookup milvus: no such host"`,
			"dial tcp: lookup milvus: no such host; check the host in --uri or MILVUS_URI", false,
		},
		{
			"no such name", "name resolver error: dns: A record lookup error: lookup milvus on 10.96.0.10:53: no such host",
			"lookup milvus on 10.96.0.10:53: no such host; check the host in --uri or MILVUS_URI", false,
		},
		{
			"no addresses", "name resolver error: produced zero addresses",
			"no address is known of this host; check the host in --uri or MILVUS_URI", false,
		},
		{
			"not trusted", `connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by unknown authority"`,
			"tls: failed to verify certificate: x509: certificate signed by unknown authority; the certificate is not trusted: give its authority by --tls-ca, or its name by --tls-server-name", true,
		},
		{
			"another certificate wanted", `connection error: desc = "error reading server preface: remote error: tls: certificate required"`,
			"error reading server preface: remote error: tls: certificate required; the server refuses this client's TLS: it may want another certificate of the client, set by --tls-cert and --tls-key, or another version", true,
		},
		{
			"a server that stops", `connection error: desc = "error reading server preface: remote error: tls: internal error"`,
			"error reading server preface: remote error: tls: internal error; check the address and the port, that the server runs, and that no firewall is between", false,
		},
		{
			"no TLS", `connection error: desc = "transport: authentication handshake failed: tls: first record does not look like a TLS handshake"`,
			"tls: first record does not look like a TLS handshake; the server does not speak TLS there: use http://", true,
		},
		{
			"a proxy", `connection error: desc = "transport: Error while dialing: failed to do connect handshake, status: 403 Forbidden"`,
			"failed to do connect handshake: 403 Forbidden; the proxy that HTTPS_PROXY names refuses it: name the host in NO_PROXY if it needs none", false,
		},
		{
			"a proxy that echoes", `connection error: desc = "transport: Error while dialing: failed to do connect handshake, response: \"HTTP/1.1 407 cm9v\\r\\n\\r\\nProxy-Authorization: Basic cm9v\""`,
			"failed to do connect handshake: 407 Proxy Authentication Required; the proxy that HTTPS_PROXY names refuses it: name the host in NO_PROXY if it needs none", false,
		},
		{
			"hung up", `connection error: desc = "transport: authentication handshake failed: EOF"`,
			"EOF; the connection broke during the TLS handshake: does the server speak TLS there?", false,
		},
		{
			"what a terminal would obey", "Error while dialing: \x1b[2J\r\nmore",
			"Error while dialing: [2J  more; check the address and the port, that the server runs, and that no firewall is between", false,
		},
	}
	e := endpoint(t, "https://127.0.0.1:1")
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			failure := dial.Explain(t.Context(), tt.text, e)

			require.EqualError(t, failure, "cannot connect to https://127.0.0.1:1: "+tt.want)
			require.Equal(t, tt.final, failure.Final())
			require.NoError(t, failure.Unwrap())
		})
	}
}
