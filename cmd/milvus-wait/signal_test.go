//go:build !windows

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

func TestSignalsEndAWait(t *testing.T) {
	s, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	s.Set(milvuswait.Loading("docs"), fake.LoadOver(time.Hour))
	tests := []struct {
		name   string
		signal syscall.Signal
		code   int
	}{
		{"ctrl-C", syscall.SIGINT, 130},
		{"SIGTERM", syscall.SIGTERM, 143},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cmd := command(t, s.Address(), "load", "docs", "-v", "-o", "json")
			out := new(strings.Builder)
			cmd.Stdout = out
			stderr, err := cmd.StderrPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			said := bufio.NewReader(stderr)
			first, err := said.ReadString('\n')
			require.NoError(t, err)
			require.Contains(t, first, "docs: loading 0%")

			require.NoError(t, cmd.Process.Signal(tt.signal))
			rest, err := io.ReadAll(said)
			require.NoError(t, err)

			require.Equal(t, tt.code, exitCode(t, cmd))
			require.Contains(t, string(rest), `milvus-wait: loading "docs": `)
			require.Contains(t, string(rest), "last 0%")
			require.NotContains(t, string(rest), "hint")
			require.Contains(t, out.String(), `"state":"interrupted"`)
		})
	}
}

func TestIgnoredSignalsStayIgnored(t *testing.T) {
	s, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	s.Set(milvuswait.Loading("docs"), fake.LoadOver(time.Hour))
	cmd := command(t, s.Address())
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", "trap '' INT; exec milvus-wait load docs -v --max-interval 10ms"}
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	said := bufio.NewReader(stderr)
	_, err = said.ReadString('\n')
	require.NoError(t, err)

	require.NoError(t, cmd.Process.Signal(os.Interrupt))
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
	require.NotContains(t, stderr.String(), "nobody reads it")
}

func TestResultsThatNobodyReads(t *testing.T) {
	t.Parallel()
	many := []string{"load", "-q"}
	for i := range 300 {
		many = append(many, fmt.Sprintf("c%03d", i))
	}
	tests := []struct {
		name   string
		args   []string
		signal syscall.Signal // 0 for none
		errors bool           // stderr is read, and has the reason
		code   int
		why    string
	}{
		{"events, timed out", append(many, "-o", "jsonl", "--timeout", "1s"), 0, true, 124, "timed out"},
		{"events and errors, SIGTERM", append(many, "-o", "jsonl"), syscall.SIGTERM, false, 143, ""},
		{"a document, ctrl-C", []string{"load", "c000", "-q", "-o", "json"}, syscall.SIGINT, true, 130, "ended by signal: interrupt"},
		{"what is done, timed out", []string{"load", "done", "--timeout", "1s"}, 0, true, 124, "timed out"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
			require.NoError(t, err)
			t.Cleanup(s.Close)
			s.Set(milvuswait.Loading("done"), fake.Percents(100))
			for _, name := range many[2:] {
				s.Set(milvuswait.Loading(name), fake.LoadOver(time.Hour))
			}
			in, out := fullPipe(t)
			t.Cleanup(func() { _ = in.Close() })
			cmd := command(t, s.Address(), slices.Clone(tt.args)...)
			stderr := new(strings.Builder)
			cmd.Stdout, cmd.Stderr = out, out
			if tt.errors {
				cmd.Stderr = stderr
			}
			require.NoError(t, cmd.Start())
			require.NoError(t, out.Close())
			if tt.signal != 0 {
				require.Eventually(t, func() bool {
					return s.Count("GetLoadingProgress")+s.Count("ShowCollections") > 0
				}, 20*time.Second, 10*time.Millisecond)
				require.NoError(t, cmd.Process.Signal(tt.signal))
			}

			require.Equal(t, tt.code, exitCode(t, cmd))
			if tt.errors {
				require.Contains(t, stderr.String(), "milvus-wait: the result was not written: nobody reads it: "+tt.why+"\n")
			}
		})
	}
}

func TestResultsThatAreReadLate(t *testing.T) {
	address, _, ended := hanging(t)
	in, out := fullPipe(t)
	cmd := command(t, address, "load", "docs", "-o", "json", "--timeout", "1s")
	cmd.Stdout = out
	require.NoError(t, cmd.Start())
	require.NoError(t, out.Close())
	<-ended

	read, err := io.ReadAll(in)
	require.NoError(t, err)

	require.Equal(t, 124, exitCode(t, cmd))
	require.Contains(t, string(read), `{"ok":false,"exit_code":124,`)
}

// The signal is exit code 141 in a shell.
func TestReadersThatHaveGoneEndIt(t *testing.T) {
	s, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	s.Set(milvuswait.Loading("docs"), fake.LoadOver(time.Hour))
	in, out, err := os.Pipe()
	require.NoError(t, err)
	cmd := command(t, s.Address(), "load", "docs", "-o", "jsonl", "-v")
	cmd.Stdout = out
	require.NoError(t, cmd.Start())
	require.NoError(t, errors.Join(in.Close(), out.Close()))

	var failed *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &failed)
	require.Equal(t, syscall.SIGPIPE, failed.Sys().(syscall.WaitStatus).Signal())
}

// fullPipe returns a pipe with a full buffer.
func fullPipe(t *testing.T) (in, out *os.File) {
	t.Helper()
	in, out, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, out.SetWriteDeadline(time.Now().Add(50*time.Millisecond)))
	for err == nil {
		_, err = out.Write(make([]byte, 4096))
	}
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	// The last page may have room for less than 4096 bytes.
	require.NoError(t, out.SetWriteDeadline(time.Now().Add(50*time.Millisecond)))
	for err = nil; err == nil; {
		_, err = out.Write([]byte{0})
	}
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	return in, out
}
