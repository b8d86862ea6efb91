package dial_test

import (
	"net"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/dial"
)

func TestParse(t *testing.T) {
	tests := []struct {
		name, uri string
		want      dial.Endpoint
		written   string
		loopback  bool
	}{
		{"http", "http://milvus:19531", dial.Endpoint{Host: "milvus", Address: "milvus:19531", Explicit: true}, "http://milvus:19531", false},
		{"http without a port", "http://milvus", dial.Endpoint{Host: "milvus", Address: "milvus:19530", Explicit: true}, "http://milvus:19530", false},
		{"https without a port", "https://in03.example.com/", dial.Endpoint{Host: "in03.example.com", Address: "in03.example.com:443", TLS: true, Explicit: true}, "https://in03.example.com:443", false},
		{"tcp", "tcp://milvus:1", dial.Endpoint{Host: "milvus", Address: "milvus:1", Explicit: true}, "http://milvus:1", false},
		{"another case", "HTTPS://Milvus:1", dial.Endpoint{Host: "Milvus", Address: "Milvus:1", TLS: true, Explicit: true}, "https://Milvus:1", false},
		{"no scheme", "milvus:65535", dial.Endpoint{Host: "milvus", Address: "milvus:65535"}, "http://milvus:65535", false},
		{"a host alone", " localhost\n", dial.Endpoint{Host: "localhost", Address: "localhost:19530"}, "http://localhost:19530", true},
		{"a database", "http://milvus:1/prod/", dial.Endpoint{Host: "milvus", Address: "milvus:1", Explicit: true, Database: "prod"}, "http://milvus:1", false},
		{"a database without a scheme", "milvus/prod", dial.Endpoint{Host: "milvus", Address: "milvus:19530", Database: "prod"}, "http://milvus:19530", false},
		{"localhost in another case", "http://LOCALHOST:1", dial.Endpoint{Host: "LOCALHOST", Address: "LOCALHOST:1", Explicit: true}, "http://LOCALHOST:1", true},
		{"an IPv4 address", "127.0.0.9:1", dial.Endpoint{Host: "127.0.0.9", Address: "127.0.0.9:1"}, "http://127.0.0.9:1", true},
		{"an IPv4 address elsewhere", "10.0.0.1:1", dial.Endpoint{Host: "10.0.0.1", Address: "10.0.0.1:1"}, "http://10.0.0.1:1", false},
		{"any address", "0.0.0.0:1", dial.Endpoint{Host: "0.0.0.0", Address: "0.0.0.0:1"}, "http://0.0.0.0:1", false},
		{"an IPv6 address", "http://[::1]:1", dial.Endpoint{Host: "::1", Address: "[::1]:1", Explicit: true}, "http://[::1]:1", true},
		{"an IPv6 address without a port", "[2001:db8::1]", dial.Endpoint{Host: "2001:db8::1", Address: "[2001:db8::1]:19530"}, "http://[2001:db8::1]:19530", false},
		{"an IPv6 address with a zone", "http://[fe80::1%25eth0]:1", dial.Endpoint{Host: "fe80::1%eth0", Address: "[fe80::1%eth0]:1", Explicit: true}, "http://[fe80::1%eth0]:1", false},
		{"a fully qualified name", "milvus.svc.:1", dial.Endpoint{Host: "milvus.svc.", Address: "milvus.svc.:1"}, "http://milvus.svc.:1", false},
		{"a name that only begins so", "http://localhost.example:1", dial.Endpoint{Host: "localhost.example", Address: "localhost.example:1", Explicit: true}, "http://localhost.example:1", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := dial.Parse(tt.uri)

			require.NoError(t, err)
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.written, got.URI())
			require.Equal(t, tt.loopback, got.Loopback())
		})
	}
}

func TestAddressesThatCannotBe(t *testing.T) {
	const (
		port      = "its port is no number from 1 to 65535"
		malformed = "it is malformed"
	)
	tests := []struct{ name, uri, want string }{
		{"nothing", "", "it has no host"},
		{"spaces", "  ", "it has no host"},
		{"a scheme alone", "http://", "it has no host"},
		{"an empty part of a name", "http://milvus..svc:1", "its host is no name: a part of it is empty or too long"},
		{"an empty part at the beginning", ".milvus:1", "its host is no name: a part of it is empty or too long"},
		{"a part of 64 bytes", strings.Repeat("a", 64) + ".svc", "its host is no name: a part of it is empty or too long"},
		{"a name of 254 bytes", strings.Repeat("a.", 126) + "aa", "its host is no name: a part of it is empty or too long"},
		{"a dot", ".", "its host is no name: a part of it is empty or too long"},
		{"a port alone", ":19530", "it has no host"},
		{"no port after the colon", "localhost:", port},
		{"port 0", "localhost:0", port},
		{"a port out of range", "localhost:65536", port},
		{"a port that is a word", "localhost:milvus", port},
		{"a port that is no number of this world", "localhost:99999999999999999999", port},
		{"an IPv6 address without brackets", "::1", "an IPv6 address stands in brackets, as in http://[::1]:19530"},
		{"an IPv6 address and a port without brackets", "http://fe80::1:19530", "an IPv6 address stands in brackets, as in http://[::1]:19530"},
		{"a bracket that stays open", "http://[::1", malformed},
		{"a name in brackets", "http://[milvus]:1", malformed},
		{"IPv4 in brackets", "http://[127.0.0.1]:1", malformed},
		{"a socket", "unix:///run/milvus.sock", `its scheme is none of http, https and tcp`},
		{"what Kubernetes does not set", "grpc://milvus:1", `its scheme is none of http, https and tcp`},
		{"a user", "https://root@milvus", "it has a user or a secret in it, which everybody on this machine can see; use --token-file, or --user and --password-file"},
		{"a user and a password", "root:hunter22@milvus", "it has a user or a secret in it, which everybody on this machine can see; use --token-file, or --user and --password-file"},
		{"a password with a slash", "http://root:hunter22/x@milvus", port},
		{"a query", "http://milvus?token=hunter22", "it has a query or a fragment"},
		{"an empty query", "http://milvus?", "it has a query or a fragment"},
		{"a fragment", "http://milvus#hunter22", "it has a query or a fragment"},
		{"a path", "http://milvus/a/hunter22", "its path is more than the name of a database"},
		{"a space in the host", "http://mil vus", malformed},
		{"a control character", "http://mil\x1bvus", malformed},
		{"no UTF-8", "http://mil%ffvus", "its host holds a character that no host does"},
		{"a change of direction", "http://mil\u202evus", "its host holds a character that no host does"},
		{"two hosts", "http://a,b", "its host holds a character that no host does"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := dial.Parse(tt.uri)

			require.EqualError(t, err, "not http://HOST:PORT, https://HOST:PORT or HOST:PORT: "+tt.want)
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"http://milvus:1/db", "[::1]:1", "::1", "a:b@c", "http://%ff", "\x1b", "tcp://10.0.0.1:19530", "http://[fe80::1%25lo]:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		e, err := dial.Parse(uri)
		if err != nil {
			require.NotContains(t, err.Error(), "\x1b")
			require.True(t, utf8.ValidString(err.Error()))
			return
		}
		require.NotContains(t, e.Database, "/")
		host, port, err := net.SplitHostPort(e.Address)
		require.NoError(t, err)
		require.Equal(t, e.Host, host)
		require.NotEmpty(t, host)
		require.NotEmpty(t, port)
		again, err := dial.Parse(strings.ReplaceAll(e.URI(), "%", "%25"))
		require.NoError(t, err)
		require.Equal(t, e.Address, again.Address)
	})
}
