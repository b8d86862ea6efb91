//go:build !windows

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

func TestResult_NoReader_EndsInTime(t *testing.T) {
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
		{"a failure, SIGHUP", []string{"load", "nosuch", "-q", "-o", "json"}, syscall.SIGHUP, true, 129, "ended by signal: hangup"},
		{"a failure and errors, SIGHUP", []string{"load", "nosuch", "-q"}, syscall.SIGHUP, false, 129, ""},
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
				require.Contains(t, stderr.String(), "milvus-wait: the result was not written: it has no reader: "+tt.why+"\n")
			}
		})
	}
}

func TestResult_ReaderIsLate_IsWritten(t *testing.T) {
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
