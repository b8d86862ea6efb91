//go:build !windows

package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

// catchIgnored catches the signals that are ignored where the tests are started, as in the
// background of a script. They would be ignored by every process that the tests start.
var catchIgnored = sync.OnceFunc(func() {
	for _, s := range []os.Signal{syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGTERM} {
		if signal.Ignored(s) {
			signal.Notify(make(chan os.Signal, 1), s)
		}
	}
})

// then returns a milvus-wait that runs a script of the shell after a complete load.
func then(t *testing.T, script string) *exec.Cmd {
	t.Helper()

	catchIgnored()

	s, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	s.Set(milvuswait.Loading("docs"), fake.Percents(100))
	return command(t, s.Address(), "load", "docs", "-q", "--", "sh", "-c", script)
}

// untilLine reads lines until one ends with text, and returns the rest of the input.
func untilLine(t *testing.T, from io.Reader, text string) *bufio.Reader {
	t.Helper()
	r := bufio.NewReader(from)
	for {
		line, err := r.ReadString('\n')
		require.NoError(t, err)
		if strings.HasSuffix(strings.TrimSpace(line), text) {
			return r
		}
	}
}

func TestCommandAfterWait_Signals_AreHandedOn(t *testing.T) {
	for name, s := range map[string]syscall.Signal{
		"INT": syscall.SIGINT, "TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "QUIT": syscall.SIGQUIT, "USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2,
	} {
		for _, tt := range []struct {
			name, script, output string
			code                 int
		}{
			{"handled", fmt.Sprintf(`trap 'echo got it; exit 9' %s; echo up; while :; do sleep 0.05; done`, name), "got it\n", 9},
			{"not handled", `echo up; exec sleep 60`, "", 128 + int(s)},
		} {
			t.Run(name+" "+tt.name, func(t *testing.T) {
				cmd := then(t, tt.script)
				cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // away from the terminal of the test
				cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
				stdout, err := cmd.StdoutPipe()
				require.NoError(t, err)
				require.NoError(t, cmd.Start())
				out := untilLine(t, stdout, "up")

				require.NoError(t, cmd.Process.Signal(s))

				rest, err := io.ReadAll(out)
				require.NoError(t, err)
				require.Equal(t, tt.output, string(rest))
				require.Equal(t, tt.code, exitCode(t, cmd))
			})
		}
	}
}

// TestCommandAfterWait_SignalIsIgnored_StaysIgnored: nohup protects the command too.
func TestCommandAfterWait_SignalIsIgnored_StaysIgnored(t *testing.T) {
	cmd := then(t, `kill -HUP $$; echo alive`)
	cmd.Args = append([]string{"sh", "-c", `trap '' HUP; exec "$@"`, "sh"}, cmd.Args...)
	cmd.Path = "/bin/sh"

	out, err := cmd.Output()

	require.NoError(t, err)
	require.Contains(t, string(out), "alive\n")
}

// TestCommandAfterWait_OnTerminal_CtrlCCountsOnce: the terminal sends ctrl-C to the command
// itself, and a SIGINT to milvus-wait is not handed on. Other signals are.
func TestCommandAfterWait_OnTerminal_CtrlCCountsOnce(t *testing.T) {
	const script = `n=0; trap 'n=$((n+1)); echo ctrl-C' INT; trap 'echo counted $n' USR1; trap 'exit 0' USR2; echo up; while :; do sleep 0.05; done`
	cmd := then(t, script)
	terminal, err := pty.Start(cmd)
	require.NoError(t, err)
	t.Cleanup(func() { _ = terminal.Close() })
	out := untilLine(t, terminal, "up")

	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	require.NoError(t, cmd.Process.Signal(syscall.SIGUSR1))
	out = untilLine(t, out, "counted 0")
	_, err = terminal.WriteString("\x03")
	require.NoError(t, err)
	out = untilLine(t, out, "ctrl-C")
	require.NoError(t, cmd.Process.Signal(syscall.SIGUSR1))

	untilLine(t, out, "counted 1")
	require.NoError(t, cmd.Process.Signal(syscall.SIGUSR2))
	require.Zero(t, exitCode(t, cmd))
}
