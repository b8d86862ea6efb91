package cli_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/cli"
	"github.com/milvuswait/milvuswait/internal/milvustest"
)

// run runs the command and returns its exit code and its outputs.
func run(env map[string]string, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = cli.Main(args, cli.Streams{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err,
		Getenv: func(name string) string { return env[name] },
	})
	return code, out.String(), err.String()
}

func TestFailuresLeaveNothingOpen(t *testing.T) {
	goroutines, files := runtime.NumGoroutine(), milvustest.OpenFiles(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(any, grpc.ServerStream) error {
		return status.Error(codes.Unauthenticated, "auth check failure, please check username and password are correct")
	}))
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	env := map[string]string{"MILVUS_URI": "http://" + listener.Addr().String(), "MILVUS_TOKEN": "root:wrong"}
	fail := func() {
		for _, args := range [][]string{
			{"load", "docs"}, {"load", "--all"}, {"progress", "load", "docs"}, {"ready"},
			{"load", "docs", "--uri", "https://" + listener.Addr().String()},
			{"load", "docs", "--uri", "http://127.0.0.1:1", "--unreachable", "1ms"},
			{"load", "--all", "--uri", "http://127.0.0.1:1", "--unreachable", "1ms"},
			{"progress", "load", "docs", "--uri", "http://127.0.0.1:1", "--connect-timeout", "1ms"},
			{"load", "docs", "--timeout", "1ns"},
			{"load", "docs", "--tls-ca", "missing"},
		} {
			code, _, stderr := run(env, args...)
			require.NotZero(t, code, stderr)
		}
	}

	for range 10 {
		fail()
	}

	// The server has a few of both, and closes its connections a moment later. A leak in one
	// of the failures would be 10 of them.
	const few = 8
	require.Eventually(t, func() bool {
		return runtime.NumGoroutine() < goroutines+few && milvustest.OpenFiles(t) < files+few
	}, 20*time.Second, 10*time.Millisecond)
}

func TestBugsAreNoErrorsOfUsage(t *testing.T) {
	var stderr bytes.Buffer

	code := cli.Main([]string{"load", "docs"}, cli.Streams{
		Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: &stderr,
		Getenv: func(string) string { panic("\x1b[2J") },
	})

	require.Equal(t, 1, code)
	require.Contains(t, stderr.String(), "milvus-wait: this is a bug: [2J\n")
	require.Contains(t, stderr.String(), "main_test.go")
	require.NotContains(t, stderr.String(), "\x1b")
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestResult_NotWritable_Fails(t *testing.T) {
	for _, args := range [][]string{{"--version"}, {"--help"}, {"completion", "bash"}, {"demo", "--for", "1ms", "-q"}, {"demo", "--for", "1ms", "-o", "jsonl", "-q"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			var stderr bytes.Buffer

			code := cli.Main(args, cli.Streams{Stdin: strings.NewReader(""), Stdout: broken{}, Stderr: &stderr, Getenv: func(string) string { return "" }})

			require.Equal(t, 1, code)
			require.Equal(t, "milvus-wait: the result was not written: short write\n", stderr.String())
		})
	}
}

func TestHelpHasNoSecrets(t *testing.T) {
	env := map[string]string{"MILVUS_TOKEN": "root:hunter22"}
	for _, args := range [][]string{{"--help"}, {"load", "--help"}, {"progress", "index", "--help"}, {"help", "all"}} {
		code, stdout, stderr := run(env, args...)

		require.Zero(t, code)
		require.NotContains(t, stdout+stderr, "hunter22")
		require.NotRegexp(t, `--(token|password) `, stdout)
	}
}

func TestArgumentsCannotActOnATerminal(t *testing.T) {
	for _, arg := range []string{
		"\x1b[2J", "\u202e", "\xff", "a\r\nb", "--\x1b[2J", "-\x1b", "--uri=\x1b", "--uri=http://\x1b", "--timeout=\x1b[2J",
		"--output=\x1b[2J", "--db=\x1b", "--db=\xff", "--rows=\x1b=5", "--token-file=\x1b", "--tls-ca=\x1b",
	} {
		for _, command := range [][]string{{}, {"load"}, {"index"}, {"all"}, {"ready"}, {"progress"}, {"progress", "index"}, {"completion"}} {
			args := append(command, arg)
			if strings.Contains(arg, "db") || strings.Contains(arg, "file") || strings.Contains(arg, "ca=") || strings.Contains(arg, "uri") {
				args = append(args, "docs") // an argument, so that the flag is checked
			}
			t.Run(fmt.Sprintf("%q", args), func(t *testing.T) {
				code, stdout, stderr := run(map[string]string{"MILVUS_URI": "https://127.0.0.1:1"}, append(args, "--connect-timeout", "1ms")...)

				require.Equal(t, 2, code, stderr)
				require.Empty(t, stdout)
				require.True(t, utf8.ValidString(stderr), "%q", stderr)
				require.NotRegexp(t, `[^\P{C}\n]`, stderr)
				require.Equal(t, 2, strings.Count(stderr, "\n"), stderr)
			})
		}
	}
}
