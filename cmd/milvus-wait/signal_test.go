//go:build !windows

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

// command returns a milvus-wait, to be killed if it outlives the test.
func command(t *testing.T, address string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "milvus-wait", args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "MILVUS_URI=http://" + address}
	return cmd
}

// exitCode waits for the command and returns its exit code.
func exitCode(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	err := cmd.Wait()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return failed.ExitCode()
	}
	require.NoError(t, err)
	return 0
}

// docsLoading starts a server with a load that takes an hour.
func docsLoading(t *testing.T) *fakeserver.Server {
	t.Helper()
	s, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	s.Set(milvuswait.Loading("docs"), fake.LoadOver(time.Hour))
	return s
}

func TestSignals_DuringWait_ReportTargets(t *testing.T) {
	catchIgnored()
	s := docsLoading(t)
	for name, sent := range map[string]syscall.Signal{
		"interrupt": syscall.SIGINT, "terminated": syscall.SIGTERM, "hangup": syscall.SIGHUP, "quit": syscall.SIGQUIT,
		"user defined signal 1": syscall.SIGUSR1, "user defined signal 2": syscall.SIGUSR2,
	} {
		for _, format := range []string{"json", "jsonl"} {
			t.Run(name+" "+format, func(t *testing.T) {
				cmd := command(t, s.Address(), "load", "docs", "-v", "-o", format)
				out := new(strings.Builder)
				cmd.Stdout = out
				stderr, err := cmd.StderrPipe()
				require.NoError(t, err)
				require.NoError(t, cmd.Start())
				messages := bufio.NewReader(stderr)
				first, err := messages.ReadString('\n')
				require.NoError(t, err)
				require.Contains(t, first, "docs: loading 0%")

				require.NoError(t, cmd.Process.Signal(sent))
				rest, err := io.ReadAll(messages)
				require.NoError(t, err)

				require.Equal(t, 128+int(sent), exitCode(t, cmd))
				require.Contains(t, string(rest), "ended by signal: "+name+" (")
				require.Contains(t, string(rest), "last 0%")
				require.NotContains(t, string(rest), "hint")
				lines := strings.Split(strings.TrimSpace(out.String()), "\n")
				last := lines[len(lines)-1]
				require.True(t, json.Valid([]byte(last)), last)
				require.Contains(t, last, fmt.Sprintf(`"exit_code":%d`, 128+int(sent)))
				require.Contains(t, out.String(), `"state":"interrupted"`)
				require.Contains(t, last, `"reason":"canceled"`)
			})
		}
	}
}

// TestSignals_HangupTwice_ReportsTargets has the two signals of a closed terminal.
func TestSignals_HangupTwice_ReportsTargets(t *testing.T) {
	catchIgnored()
	address, called, ended := hanging(t)
	in, out, err := os.Pipe()
	require.NoError(t, err)
	cmd := command(t, address, "load", "docs", "-o", "json")
	cmd.Stdout = out
	require.NoError(t, cmd.Start())
	require.NoError(t, out.Close())
	<-called

	require.NoError(t, cmd.Process.Signal(syscall.SIGHUP))
	<-ended
	_ = cmd.Process.Signal(syscall.SIGHUP) // the process may have ended
	document, err := io.ReadAll(in)

	require.NoError(t, err)
	require.Equal(t, 129, exitCode(t, cmd))
	require.Contains(t, string(document), `{"ok":false,"exit_code":129,`)
}

// TestSignals_DuringHint_DecideExitCode has a failed wait and a hint that waits for the server.
func TestSignals_DuringHint_DecideExitCode(t *testing.T) {
	catchIgnored()
	s := docsLoading(t)
	s.Fail("ShowCollections", fakeserver.Hang())
	cmd := command(t, s.Address(), "load", "nosuch", "-q", "-o", "json")
	out := new(strings.Builder)
	cmd.Stdout = out
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool { return s.Count("ShowCollections") > 0 }, 20*time.Second, time.Millisecond)

	require.NoError(t, cmd.Process.Signal(syscall.SIGHUP))

	require.Equal(t, 129, exitCode(t, cmd))
	require.Contains(t, out.String(), `{"ok":false,"exit_code":129,"reason":"collection_not_found"`)
}

// TestSignals_BeforeTargetsAreKnown_AreReported has a command that asks for its targets.
func TestSignals_BeforeTargetsAreKnown_AreReported(t *testing.T) {
	catchIgnored()
	for _, args := range [][]string{{"load", "--all"}, {"index", "--all"}, {"ready"}, {"progress", "load", "docs"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			address, called, _ := hanging(t)
			cmd := command(t, address, append(args, "-o", "json")...)
			out := new(strings.Builder)
			cmd.Stdout = out
			require.NoError(t, cmd.Start())
			<-called

			require.NoError(t, cmd.Process.Signal(syscall.SIGQUIT))

			require.Equal(t, 131, exitCode(t, cmd))
			require.True(t, json.Valid([]byte(out.String())), out.String())
			require.Contains(t, out.String(), "ended by signal: quit")
		})
	}
}

func TestIgnoredSignalsStayIgnored(t *testing.T) {
	s := docsLoading(t)
	cmd := command(t, s.Address())
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", "trap '' INT HUP; exec milvus-wait load docs -v --max-interval 10ms"}
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	said := bufio.NewReader(stderr)
	_, err = said.ReadString('\n')
	require.NoError(t, err)

	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	require.NoError(t, cmd.Process.Signal(syscall.SIGHUP))
	for range 3 {
		poll, err := said.ReadString('\n')
		require.NoError(t, err)
		require.Contains(t, poll, "docs: loading 0%")
	}
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	_, err = io.Copy(io.Discard, said)
	require.NoError(t, err)

	require.Equal(t, 143, exitCode(t, cmd))
}

func TestSignalsEndTheConnecting(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	cmd := command(t, listener.Addr().String(), "load", "docs", "--connect-timeout", "1h")
	stderr := new(strings.Builder)
	cmd.Stderr = stderr
	require.NoError(t, cmd.Start())
	conn, err := listener.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })

	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))

	require.Equal(t, 143, exitCode(t, cmd))
	require.Contains(t, stderr.String(), "ended by signal")
}

func TestSignalsEndTheReadingOfASecret(t *testing.T) {
	in, out, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, errors.Join(in.Close(), out.Close())) })
	cmd := command(t, "127.0.0.1:1", "load", "docs", "--token-file", "-", "--timeout", "100ms")
	stderr := new(strings.Builder)
	cmd.Stdin, cmd.Stderr = in, stderr

	require.NoError(t, cmd.Start())

	require.Equal(t, 124, exitCode(t, cmd))
	require.Contains(t, stderr.String(), "--token-file: reading stdin: ")
}

func TestSignalsEndTheReadingOfAuthorities(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	cmd := command(t, "127.0.0.1:1", "load", "docs", "--uri", "https://127.0.0.1:1", "--tls-ca", fifo, "--timeout", "100ms")
	stderr := new(strings.Builder)
	cmd.Stderr = stderr

	require.NoError(t, cmd.Start())

	require.Equal(t, 124, exitCode(t, cmd))
	require.Contains(t, stderr.String(), "--tls-ca: reading "+fifo+": ")
}

// hanging returns the address of a server that never answers. The channel called is closed at
// the first call, and ended when the client has given this call up.
func hanging(t *testing.T) (address string, called, ended chan struct{}) {
	t.Helper()
	called, ended = make(chan struct{}), make(chan struct{})
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		close(called)
		<-stream.Context().Done()
		close(ended)
		return stream.Context().Err()
	}))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	return listener.Addr().String(), called, ended
}

// The unread result keeps the process alive after the first signal.
func TestSecondCtrlCEndsAtOnce(t *testing.T) {
	address, called, ended := hanging(t)
	in, out := fullPipe(t)
	t.Cleanup(func() { _ = in.Close() })
	cmd := command(t, address, "load", "docs", "-o", "json")
	stderr := new(strings.Builder)
	cmd.Stdout, cmd.Stderr = out, stderr
	require.NoError(t, cmd.Start())
	require.NoError(t, out.Close())
	<-called

	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	<-ended
	require.NoError(t, cmd.Process.Signal(os.Interrupt))

	require.Equal(t, 130, exitCode(t, cmd))
	require.NotContains(t, stderr.String(), "it has no reader")
}
