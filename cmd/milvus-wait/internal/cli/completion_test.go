package cli_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// Directives of cobra, in the last line of its output.
const (
	files    = ":0\n"
	noFiles  = ":4\n"
	noSpaces = ":6\n"
)

// complete returns the completions of the last word, and the directive after them. It fails
// unless the completion succeeds silently: cobra writes a line about the directive.
func complete(t *testing.T, env map[string]string, words ...string) (string, string) {
	t.Helper()
	code, stdout, stderr := run(env, append([]string{"__completeNoDesc"}, words...)...)
	require.Zero(t, code)
	require.Regexp(t, `^Completion ended with directive: .*\n$`, stderr)

	directive := strings.LastIndexByte(stdout, ':')
	return strings.ReplaceAll(strings.TrimSpace(stdout[:directive]), "\n", " "), stdout[directive:]
}

// stocked starts a server with two databases, and returns its address.
func stocked(t *testing.T) (string, *fakeserver.Server) {
	t.Helper()
	s, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(s.Close)

	s.AddCollection("docs", "p1", "p2", "q")
	s.AddCollection("images")
	s.In("shop").AddCollection("orders")
	for _, index := range []string{"vidx", "meta/date", "meta/price"} {
		s.Set(milvuswait.IndexBuilding("docs", index), fake.Rows(1, 1))
	}
	return "http://" + s.Address(), s
}

func TestCompletion_Names_ComeFromTheServer(t *testing.T) {
	uri, _ := stocked(t)
	env := map[string]string{"MILVUS_URI": uri}
	tests := []struct {
		words     []string
		want      string
		directive string
	}{
		{[]string{"load", ""}, "docs images", noFiles},
		{[]string{"load", "do"}, "docs", noFiles},
		{[]string{"load", "nosuch"}, "", noFiles},
		{[]string{"load", "docs", ""}, "images", noFiles},
		{[]string{"load", "-q", "--timeout", "5s", "i"}, "images", noFiles},
		{[]string{"load", "docs:"}, "docs:_default docs:p1 docs:p2 docs:q", noFiles},
		{[]string{"load", "docs:p"}, "docs:p1 docs:p2", noFiles},
		{[]string{"load", "docs:p1,"}, "docs:p1,_default docs:p1,p2 docs:p1,q", noFiles},
		{[]string{"load", "docs:p1,q,p"}, "docs:p1,q,p2", noFiles},
		{[]string{"load", "nosuch:"}, "", noFiles},
		{[]string{"load", ":"}, "", noFiles},
		{[]string{"index", "d"}, "docs", noFiles},
		{[]string{"index", "docs/"}, "docs/meta/date docs/meta/price docs/vidx", noFiles},
		{[]string{"index", "docs/meta/p"}, "docs/meta/price", noFiles},
		{[]string{"index", "images/"}, "", noFiles},
		{[]string{"index", "--rows", "d"}, "docs=", noSpaces},
		{[]string{"index", "docs", "--rows=d"}, "docs=", noSpaces},
		{[]string{"all", "i"}, "images", noFiles},
		{[]string{"progress", "load", "docs:q"}, "docs:q", noFiles},
		{[]string{"progress", "index", "docs/v"}, "docs/vidx", noFiles},
		{[]string{"load", "--db", ""}, "default shop", noFiles},
		{[]string{"ready", "--db=s"}, "shop", noFiles},
		{[]string{"load", "--db", "shop", ""}, "orders", noFiles},
		{[]string{"load", "--db", "nosuch", ""}, "", noFiles},
		{[]string{"load", "--uri", uri + "/shop", ""}, "orders", noFiles},
		{[]string{"import", ""}, "", noFiles},
		{[]string{"ready", ""}, "", noFiles},
		{[]string{"demo", ""}, "", noFiles},
		{[]string{"load", "--user", ""}, "", noFiles},
		{[]string{"load", "--timeout", ""}, "", noFiles},
		{[]string{"load", "-o", ""}, "text json jsonl", noFiles},
		{[]string{"load", "--token-file", ""}, "", files},
		{[]string{"load", "--tls-key", ""}, "", files},
		{[]string{"load", "docs", "--", ""}, "", files},
		{[]string{"load", "docs", "--", "cat", "i"}, "", files},
		{[]string{"import", "7", "--", "i"}, "", files},
		{[]string{"ready", "--", "i"}, "", files},
	}
	for _, tt := range tests {
		t.Run(strings.Join(tt.words, " "), func(t *testing.T) {
			words, directive := complete(t, env, tt.words...)
			require.Equal(t, tt.want, words)
			require.Equal(t, tt.directive, directive)
		})
	}

	t.Run("the database of the environment", func(t *testing.T) {
		words, _ := complete(t, map[string]string{"MILVUS_URI": uri, "MILVUS_DB": "shop"}, "load", "")
		require.Equal(t, "orders", words)
	})
	t.Run("databases, with a missing one in the environment", func(t *testing.T) {
		words, _ := complete(t, map[string]string{"MILVUS_URI": uri, "MILVUS_DB": "nosuch"}, "load", "--db", "")
		require.Equal(t, "default shop", words)
	})
}

func TestCompletion_Failures_AreSilentAndFast(t *testing.T) {
	uri, refusing := stocked(t)
	refusing.Fail("ShowCollections", fakeserver.Refuse(codes.PermissionDenied, "permission deny"))
	mute, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections by the kernel alone
	require.NoError(t, err)
	t.Cleanup(func() { _ = mute.Close() })
	hanging, s := stocked(t)
	s.Fail("ShowCollections", fakeserver.Hang())

	tests := []struct {
		name  string
		env   map[string]string
		flags []string
	}{
		{"refused connection", nil, []string{"--uri", "http://127.0.0.1:1"}},
		{"no answer to the connection", nil, []string{"--uri", "http://" + mute.Addr().String()}},
		{"no answer to TLS", nil, []string{"--uri", "https://" + mute.Addr().String()}},
		{"no answer to the call", nil, []string{"--uri", hanging}},
		{"refused call", nil, []string{"--uri", uri}},
		{"plain text for TLS", nil, []string{"--uri", strings.Replace(uri, "http:", "https:", 1)}},
		{"invalid address", nil, []string{"--uri", "ftp://x"}},
		{"variables that differ", map[string]string{"MILVUS_URI": uri, "MILVUS_ADDRESS": "http://127.0.0.1:1"}, nil},
		{"missing file", nil, []string{"--token-file", "missing"}},
		{"stdin", nil, []string{"--token-file", "-"}},
		{"plain text to another machine", map[string]string{"MILVUS_TOKEN": "root:hunter22"}, []string{"--uri", "http://192.0.2.1:1"}},
		{"long connect timeout", nil, []string{"--uri", "http://" + mute.Addr().String(), "--connect-timeout", "1h", "--timeout", "0"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, words := range [][]string{{"load"}, {"progress", "index"}} {
				start := time.Now()
				found, directive := complete(t, tt.env, append(append(words, tt.flags...), "")...)
				require.Empty(t, found)
				require.Equal(t, noFiles, directive)
				require.Less(t, time.Since(start), 2*time.Second)
			}
		})
	}
}

func TestCompletion_SendsCredentialsOfTheCommand(t *testing.T) {
	file := t.TempDir() + "/token"
	write(t, file, "root:other22\n")
	g := &guarded{token: "root:hunter22", refusal: refusals["code 1400"]}
	uri := g.serve(t)

	words, _ := complete(t, map[string]string{"MILVUS_URI": uri, "MILVUS_TOKEN": "root:hunter22"}, "load", "")
	require.Equal(t, "docs", words)
	words, _ = complete(t, map[string]string{"MILVUS_URI": uri, "MILVUS_TOKEN": "root:hunter22"}, "load", "--token-file", file, "")
	require.Empty(t, words)
}

func TestCompletion_ManyCollections_AreListed(t *testing.T) {
	uri, s := stocked(t)
	for i := range 10_000 {
		s.AddCollection(fmt.Sprintf("many_%04d", i))
	}
	env := map[string]string{"MILVUS_URI": uri}

	words, _ := complete(t, env, "load", "m")
	require.Len(t, strings.Fields(words), 10_000)
	words, _ = complete(t, env, "load", "many_999")
	require.Len(t, strings.Fields(words), 10)
}

// odd is a server with names that Milvus does not allow.
type odd struct{ names []string }

func (o *odd) ShowCollections(context.Context, *wire.ShowCollectionsRequest) (*wire.ShowCollectionsResponse, error) {
	return &wire.ShowCollectionsResponse{Status: &wire.Status{}, CollectionNames: o.names}, nil
}

func (o *odd) ShowPartitions(context.Context, *wire.ShowPartitionsRequest) (*wire.ShowPartitionsResponse, error) {
	return &wire.ShowPartitionsResponse{Status: &wire.Status{}, PartitionNames: o.names}, nil
}

func (o *odd) rpcs() []grpc.MethodDesc {
	return []grpc.MethodDesc{wire.ShowCollections.Serve(o.ShowCollections), wire.ShowPartitions.Serve(o.ShowPartitions)}
}

func TestCompletion_OddNames_AreNotOffered(t *testing.T) {
	names := []string{"größe", "a$(reboot)", "a`x`", "ab", "b[\"c\"]", "c;d", "e\nf", "g\th", "i j", "k,l", "\x1b[2J", "\u202em", "hunter22", strings.Repeat("z", 1<<20), ""}
	env := map[string]string{"MILVUS_URI": serve(t, &odd{names}), "MILVUS_TOKEN": "root:hunter22"}
	tests := []struct{ name, word, want string }{
		{"all collections", "", "ab größe"},
		{"an alternative to a plain one", "a", "ab"},
		{"the only collection", "a$", "a$(reboot)"},
		{"a separator of arguments", "k", ""},
		{"the only partition", "x:b", `x:b["c"]`},
		{"a comma in a partition", "x:k", ""},
		{"a line break", "x:e", ""},
		{"the secret", "x:hunter", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			words, directive := complete(t, env, "load", tt.word)
			require.Equal(t, tt.want, words)
			require.Equal(t, noFiles, directive)
		})
	}
}

func TestCompletion_TokenFileIsADevice_IsNotRead(t *testing.T) {
	in, out, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _, _ = in.Close(), out.Close() })
	uri, s := stocked(t)

	words, _ := complete(t, map[string]string{"MILVUS_URI": uri}, "load", "--token-file", fmt.Sprintf("/dev/fd/%d", in.Fd()), "")

	require.Empty(t, words)
	require.Zero(t, s.Count("ShowCollections"))
}
