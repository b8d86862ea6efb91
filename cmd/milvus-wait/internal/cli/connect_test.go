package cli_test

import (
	"bytes"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/cli"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/milvustest"
)

// trigger is a stderr that calls f once, when a line with text is written.
type trigger struct {
	bytes.Buffer
	text string
	once sync.Once
	f    func()
}

func (w *trigger) Write(b []byte) (int, error) {
	if strings.Contains(string(b), w.text) {
		w.once.Do(w.f)
	}
	return w.Buffer.Write(b)
}

// runUntil runs the command as run does, and calls f when text is on stderr.
func runUntil(text string, f func(), env map[string]string, args ...string) (code int, stdout, stderr string) {
	var out bytes.Buffer
	messages := &trigger{text: text, f: f}
	code = cli.Main(args, cli.Streams{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: messages,
		Getenv: func(name string) string { return env[name] },
	})
	return code, out.String(), messages.String()
}

// start starts a fake server with a load and an index of the collection docs, in which a query
// finds a row, and with an import.
func start(t *testing.T) *fakeserver.Server {
	t.Helper()
	s, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	s.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(100, 100))
	s.Set(milvuswait.Loading("docs"), fake.Percents(100))
	s.SetQuery("docs", fake.Percents(100))
	s.Set(milvuswait.Importing(4711), fake.Steps(fake.Step{Progress: milvuswait.ImportProgress{State: milvuswait.ImportStateCompleted}}))
	return s
}

// TestWait_ServerStartsLate_Ends0 starts the server after the first failed attempt to
// connect to it, of commands that wait.
func TestWait_ServerStartsLate_Ends0(t *testing.T) {
	tests := []struct{ args, want string }{
		{"load docs", "docs: loaded"},
		{"load docs:_default", "docs:_default: loaded"},
		{"load --all", "docs: loaded"},
		{"index docs/vidx", "docs/vidx: indexed"},
		{"index docs/*", "docs/*: indexed"},
		{"index --all", "docs/*: indexed"},
		{"all docs", "docs: loaded"},
		{"load docs --verify true", "docs: loaded"},
		{"import 4711", "4711: imported"},
		{"compaction 815", "815: compacted"},
		{"ready", ": ready"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			s := start(t)
			address := s.Address()
			s.Stop()

			// The attempt to connect has no budget of its own: 1ms is below every round trip.
			args := append(strings.Fields(tt.args), "--timeout", "1m", "--connect-timeout", "1ms")
			code, stdout, stderr := runUntil(": cannot connect to", func() { require.NoError(t, s.Restart()) },
				map[string]string{"MILVUS_URI": address}, args...)

			require.Zero(t, code, stderr)
			require.Contains(t, stdout, tt.want)
		})
	}
}

// TestWait_NameAppearsLate_Ends0 starts with a name that does not resolve, as that of a pod.
func TestWait_NameAppearsLate_Ends0(t *testing.T) {
	var dns milvustest.DNSServer
	system := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: dns.Dial}
	t.Cleanup(func() { net.DefaultResolver = system })
	s := start(t)
	_, port, err := net.SplitHostPort(s.Address())
	require.NoError(t, err)

	code, stdout, stderr := runUntil("no such host", func() { dns.Set("milvus.test.", "127.0.0.1") },
		map[string]string{"MILVUS_URI": "milvus.test:" + port}, "load", "docs", "--timeout", "1m")

	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "docs: loaded")
}

// TestWait_PlainTextToTLS_EndsAtOnce checks that a permanent failure of the connection does
// not use up --timeout, whatever call meets it first.
func TestWait_PlainTextToTLS_EndsAtOnce(t *testing.T) {
	s := start(t)
	for _, args := range []string{"load docs", "load docs images", "load --all", "index docs/vidx docs/b", "index --all", "all docs", "import 4711", "compaction 815", "ready"} {
		t.Run(args, func(t *testing.T) {
			code, _, stderr := run(map[string]string{"MILVUS_URI": "https://" + s.Address()}, append(strings.Fields(args), "--timeout", "1h")...)

			require.Equal(t, 1, code, stderr)
			require.Contains(t, stderr, "the server does not speak TLS there: use http://")
			require.NotContains(t, stderr, "going on")
		})
	}
}

// TestWait_ServerHangsUp_HintHasReason ends the connections before the first response.
func TestWait_ServerHangsUp_HintHasReason(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for conn, err := listener.Accept(); err == nil; conn, err = listener.Accept() {
			_, _ = io.ReadFull(conn, make([]byte, 24)) // the preface of HTTP/2
			_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.6\r\n")
			_ = conn.Close()
		}
	}()

	code, _, stderr := run(map[string]string{"MILVUS_URI": listener.Addr().String()}, "load", "docs", "-q", "--unreachable", "100ms")

	require.Equal(t, 1, code, stderr)
	require.Contains(t, stderr, `milvus-wait: loading "docs": server unreachable`)
	require.Contains(t, stderr, "milvus-wait: hint: something else than Milvus answers there")
	require.Contains(t, stderr, "a longer --unreachable is more patient")
}
