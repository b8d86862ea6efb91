package dial_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/dial"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
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
		{"a host with the name of a scheme", "http:19531", dial.Endpoint{Host: "http", Address: "http:19531"}, "http://http:19531", false},
		{"a number with a port", "1:19531", dial.Endpoint{Host: "1", Address: "1:19531"}, "http://1:19531", false},
		{"a name with a number at its end", "milvus.1", dial.Endpoint{Host: "milvus.1", Address: "milvus.1:19530"}, "http://milvus.1:19530", false},
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

func TestParse_NotAnAddress_IsNamed(t *testing.T) {
	const (
		port      = "its port is no number from 1 to 65535"
		malformed = "it is malformed"
		label     = "its host is no name: a part of it is empty or too long"
		quotes    = "it has quotation marks around it: leave them out"
		variable  = "it begins with the name of a variable and =: leave both out"
		value     = "it holds a variable or a placeholder without its value"
		several   = "it has several addresses: specify one"
		file      = "it is the path of a file, such as of milvus-lite, and not the address of a server"
		socket    = "it is a Unix socket, and not the address of a TCP port"
		space     = "it holds a space or a newline"
		slashes   = "its scheme is not followed by ://"
		unknown   = "its scheme is none of http, https and tcp"
		query     = "it has a query or a fragment"
		brackets  = "an IPv6 address stands in brackets, with %25 before its zone, as in http://[fe80::1%25eth0]:19530"
		zone      = "the zone of an IPv6 address stands after %25, as in http://[fe80::1%25eth0]:19530"
		alone     = "it is a port without a host"
		numbers   = "its host is neither an IPv4 address nor a name"
		letter    = "its host holds a character that no host does"
	)
	tests := []struct{ name, uri, want string }{
		{"nothing", "", "it has no host"},
		{"spaces", "  ", "it has no host"},
		{"a scheme alone", "http://", "it has no host"},
		{"an empty part of a name", "http://milvus..svc:1", label},
		{"an empty part at the beginning", ".milvus:1", label},
		{"a part of 64 bytes", strings.Repeat("a", 64) + ".svc", label},
		{"a name of 254 bytes", strings.Repeat("a.", 126) + "aa", label},
		{"a dot", ".", label},
		{"a port alone", ":19530", "it has no host"},
		{"no port after the colon", "localhost:", port},
		{"port 0", "localhost:0", port},
		{"a port out of range", "localhost:65536", port},
		{"a port that is a word", "localhost:milvus", port},
		{"a port of 20 digits", "localhost:99999999999999999999", port},
		{"two ports", "http://milvus:443:19530", "it has several ports"},
		{"the MILVUS_PORT of Kubernetes", "http://milvus:tcp://10.0.0.1:19530", "its port is an address: Kubernetes sets MILVUS_PORT to tcp://HOST:PORT for a Service called milvus"},
		{"an IPv6 address without brackets", "::1", "an IPv6 address stands in brackets, as in http://[::1]:19530"},
		{"an IPv6 address and a port without brackets", "http://fe80::1:19530", "an IPv6 address stands in brackets, as in http://[::1]:19530"},
		{"a zone without brackets", "fe80::1%eth0", brackets},
		{"an escaped zone without brackets", "http://fe80::1%25eth0", brackets},
		{"a zone and a port without brackets", "http://fe80::1%eth0:19530", brackets},
		{"a zone that is not escaped", "[fe80::1%eth0]:19530", zone},
		{"a zone that is not escaped, without a port", "http://[fe80::1%1]", zone},
		{"a zone without a name", "http://[fe80::1%]", zone},
		{"an escaped zone without a name", "http://[fe80::1%25]", malformed},
		{"a number", "19530", alone},
		{"a number after a scheme", "http://19530", alone},
		{"a number before a database", "19530/prod", alone},
		{"three numbers", "10.0.0:19530", numbers},
		{"five numbers", "http://10.0.0.0.1", numbers},
		{"a number out of range", "10.0.0.256:19530", numbers},
		{"a bracket that stays open", "http://[::1", malformed},
		{"a name in brackets", "http://[milvus]:1", malformed},
		{"IPv4 in brackets", "http://[127.0.0.1]:1", malformed},

		{"quotation marks", `"http://milvus:19530"`, quotes},
		{"single quotation marks", `'http://milvus:19530'`, quotes},
		{"a quotation mark at the end", `http://milvus:19530"`, quotes},
		{"quotation marks of a word processor", "“http://milvus:19530”", quotes},
		{"a quotation mark alone", `"`, quotes},
		{"the name of its variable", "MILVUS_URI=http://milvus:19530", variable},
		{"a line of a shell", "export MILVUS_URI=http://milvus:19530", variable},
		{"a variable of a shell", "http://${MILVUS_HOST}:19530", value},
		{"a variable of Kubernetes", "$(MILVUS_URI)", value},
		{"a template of Helm", "http://{{ .Release.Name }}-milvus:19530", value},
		{"a placeholder", "https://<cluster>.zillizcloud.com", value},
		{"two addresses", "http://a:1,http://b:2", several},
		{"two addresses without a scheme", "a:1,b:2", several},
		{"two hosts", "http://a,b", several},
		{"two addresses after a database", "http://a/db;http://b", several},
		{"a scheme twice", "http://http://milvus:19530", several},
		{"a space in the host", "http://mil vus", space},
		{"two lines", "http://milvus:19530\nhttp://other:19530 ", several},
		{"a tab", "milvus\t19530", space},
		{"a relative path", "./milvus_demo.db", file},
		{"a file of milvus-lite", "milvus_demo.db", file},
		{"an absolute path", "/var/lib/milvus/milvus.db", file},
		{"a path without a suffix", "../milvus", file},
		{"a home directory", "~/milvus.db", file},
		{"a path of Windows", `C:\milvus\milvus.db`, file},
		{"another path of Windows", `C:/milvus/milvus.db`, file},
		{"a file URI", "file:///var/lib/milvus.db", file},
		{"a socket", "unix:///run/milvus.sock", socket},
		{"a socket of gRPC", "unix:/run/milvus.sock", socket},
		{"an abstract socket", "unix-abstract:milvus", socket},
		{"a path of a socket", "/run/milvus.sock", socket},

		{"gRPC", "grpc://milvus:1", "its scheme is grpc: use http://, or https:// for TLS"},
		{"gRPC with TLS", "GRPCS://milvus:1", "its scheme is grpcs: use https://"},
		{"a resolver of gRPC", "dns:///milvus:1", "its scheme is dns, of gRPC: use http:// or https:// and the host"},
		{"MySQL", "mysql://milvus:3306", "its scheme is mysql, of another kind of server"},
		{"an unknown scheme", "hunter22://milvus", unknown},
		{"one slash", "http:/milvus:19530", slashes},
		{"no slash", "https:milvus:19530", slashes},
		{"no colon", "http//milvus:19530", slashes},
		{"no slash before a number", "http:127.0.0.1:19530", slashes},
		{"no slash before an IPv4 address", "tcp:10.0.0.1", slashes},
		{"a scheme of Java", "jdbc:milvus://milvus:19530", unknown},
		{"three schemes", "jdbc:a:b://milvus", unknown},
		{"a scheme before a URI", "http:http://milvus", several},
		{"pymilvus' tcp without slashes", "tcp:localhost:19530", slashes},

		{"a query", "http://milvus?token=hunter22", query},
		{"an empty query", "http://milvus?", query},
		{"a fragment", "http://milvus#hunter22", query},
		{"a path", "http://milvus/a/hunter22", "its path is more than the name of a database"},
		{"a control character", "http://mil\x1bvus", malformed},
		{"no UTF-8", "http://mil%ffvus", letter},
		{"a change of direction", "http://mil\u202evus", letter},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := dial.Parse(tt.uri)
			require.EqualError(t, err, "not http://HOST:PORT, https://HOST:PORT or HOST:PORT: "+tt.want)

			_, token, err := dial.ParseWithCredentials(tt.uri)
			require.EqualError(t, err, "not http://HOST:PORT, https://HOST:PORT or HOST:PORT: "+tt.want)
			require.Empty(t, token)
		})
	}
}

func TestParseWithCredentials(t *testing.T) {
	tests := []struct {
		name, uri string
		token     secret.Token
		written   string
		database  string
	}{
		{"none", "http://milvus:1", "", "http://milvus:1", ""},
		{"a user and a password", "http://root:hunter22@milvus:1", "root:hunter22", "http://milvus:1", ""},
		{"with TLS and a database", "https://root:hunter22@milvus/prod", "root:hunter22", "https://milvus:443", "prod"},
		{"without a scheme", "root:hunter22@milvus", "root:hunter22", "http://milvus:19530", ""},
		{"an IPv6 address", "http://root:hunter22@[::1]:1", "root:hunter22", "http://[::1]:1", ""},
		{"an @ in the password", "http://root:hunt@er22@milvus", "root:hunt@er22", "http://milvus:19530", ""},
		{"a colon in the password", "http://root:hunt:er22@milvus", "root:hunt:er22", "http://milvus:19530", ""},
		{"characters that Go refuses", `http://root:h"u^n t,e{r}$2<|\ö@milvus`, `root:h"u^n t,e{r}$2<|\ö`, "http://milvus:19530", ""},
		{"a % without an escape", "http://root:100%@milvus", "root:100%", "http://milvus:19530", ""},
		{"the default password", "http://root:Milvus@localhost:19530\n", "root:Milvus", "http://localhost:19530", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e, token, err := dial.ParseWithCredentials(tt.uri)

			require.NoError(t, err)
			require.Equal(t, string(tt.token), string(token))
			require.Equal(t, tt.written, e.URI())
			require.Equal(t, tt.database, e.Database)
			require.NotContains(t, fmt.Sprintf("%v %+v %#v", e, e, e), "hunter22")
		})
	}
}

func TestParse_Credentials_NamesOtherWays(t *testing.T) {
	for _, uri := range []string{
		"https://root@milvus", "root:hunter22@milvus", "http://root:hunter22/x@milvus", "http://root:hunter22#@milvus",
		`"http://root:hunter22@milvus"`, "http://root:hunter22@milvus:0", "mysql://root:hunter22@milvus",
	} {
		t.Run(uri, func(t *testing.T) {
			_, err := dial.Parse(uri)

			require.EqualError(t, err, "not http://HOST:PORT, https://HOST:PORT or HOST:PORT: it has a user or a secret in it, "+
				"which everybody on this machine can see; set it in MILVUS_URI, or use MILVUS_TOKEN, --token-file, or --user and --password-file")
		})
	}
}

func TestParseWithCredentials_Wrong_IsNamedWithoutThem(t *testing.T) {
	const outside = "it has an @ after a /, ? or #: if they are part of a password, use MILVUS_USER and MILVUS_PASSWORD"
	tests := []struct{ name, uri, want string }{
		{"no password", "http://hunter22@milvus", "it has a user without a password"},
		{"an empty password", "http://hunter22:@milvus", "it has a user without a password"},
		{"no user", "http://:hunter22@milvus", "it has an @ without a user before it"},
		{"nothing", "http://@milvus", "it has an @ without a user before it"},
		{"an escape", "http://root:hunter%32%32@milvus", "its user or password holds an escape such as %40"},
		{"a slash", "http://root:hunter22/x@milvus", outside},
		{"a question mark", "http://root:hunter22?x@milvus", outside},
		{"a number sign", "http://root:hunter22#x@milvus", outside},
		{"a newline", "http://root:hunter22\n@milvus", "its user or password holds a newline"},
		{"quotation marks", `"http://root:hunter22@milvus"`, "it has quotation marks around it"},
		{"several schemes", "http://root:hunter22@a:1,http://root:hunter22@b:1", outside},
		{"another scheme", "mysql://root:hunter22@milvus:3306", "its scheme is mysql, of another kind of server"},
		{"a bad port", "http://root:hunter22@milvus:0", "its port is no number from 1 to 65535"},
		{"a bad host", "http://root:hunter22@", "it has no host"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, token, err := dial.ParseWithCredentials(tt.uri)

			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, err.Error(), "hunter")
			require.Empty(t, token)
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"http://milvus:1/db", "[::1]:1", "::1", "a:b@c", "http://%ff", "\x1b", "tcp://10.0.0.1:19530", "http://[fe80::1%25lo]:1",
		`"http://a"`, "http://a,b", "unix:x", "~/a.db", "http://a:b@c@d/e", "http:/a", "mysql://a", "A=b",
		"fe80::1%eth0", "[fe80::1%eth0]:1", "jdbc:a://b", "http:1.2", "19530", "1.2.3", "127.0.0.1.:1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		e, token, err := dial.ParseWithCredentials(uri)
		plain, plainErr := dial.Parse(uri)
		if !strings.Contains(uri, "@") {
			require.Equal(t, err, plainErr)
			require.Equal(t, e, plain)
			require.Empty(t, token)
		} else {
			require.Error(t, plainErr)
		}

		if err != nil {
			require.NotContains(t, err.Error(), "\x1b")
			require.True(t, utf8.ValidString(err.Error()))
			return
		}
		if token != "" {
			user, password, found := strings.Cut(string(token), ":")
			require.True(t, found && user != "" && password != "")
			require.Contains(t, uri, string(token)+"@")
		}
		require.NotContains(t, e.Address, "@")
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
