//go:build !windows

package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
	"github.com/stretchr/testify/require"
)

// terminal is a milvus-wait on its own terminal.
type terminal struct {
	screen  vt10x.Terminal
	pty     *os.File
	cmd     *exec.Cmd
	read    chan struct{}
	written bytes.Buffer // complete after exit
}

func onTerminal(t *testing.T, columns, lines int, args ...string) *terminal {
	t.Helper()
	cmd := exec.Command("milvus-wait", args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TERM=xterm", "NO_COLOR=1"}
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(columns), Rows: uint16(lines)})
	require.NoError(t, err)
	term := &terminal{screen: vt10x.New(vt10x.WithSize(columns, lines)), pty: f, cmd: cmd, read: make(chan struct{})}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = f.Close() })
	go func() {
		defer close(term.read)
		_, _ = io.Copy(io.MultiWriter(term.screen, &term.written), f)
	}()
	return term
}

// shows waits until f accepts the screen.
func (term *terminal) shows(t *testing.T, f func(screen string) bool) {
	t.Helper()
	require.Eventually(t, func() bool { return f(term.screen.String()) }, 20*time.Second, 10*time.Millisecond)
}

func (term *terminal) press(t *testing.T, key string) {
	t.Helper()
	_, err := term.pty.WriteString(key)
	require.NoError(t, err)
}

// exit waits for the command and returns its exit code.
func (term *terminal) exit(t *testing.T) int {
	t.Helper()
	err := term.cmd.Wait()
	<-term.read
	require.NotContains(t, term.written.String(), "\x1b[?25l", "the cursor is never hidden")
	require.Zero(t, term.screen.Cursor().X, "the cursor stands where the prompt is to be")
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return failed.ExitCode()
	}
	require.NoError(t, err)
	return 0
}

const (
	ctrlC = "\x03"
	ctrlS = "\x13"
)

func TestBarsStayOnTheScreen(t *testing.T) {
	for name, columns := range map[string]int{"80 columns": 80, "40 columns": 40} {
		t.Run(name, func(t *testing.T) {
			term := onTerminal(t, columns, 24, "demo", "--for", "1s")

			require.Zero(t, term.exit(t))

			screen := term.screen.String()
			require.Regexp(t, `(?m)^docs/vidx +\[=+\]  100%  indexed`, screen)
			require.Regexp(t, `(?m)^docs +\[=+\]  100%  loaded`, screen)
			require.Contains(t, screen, "5 of 5 done in ")
			require.Equal(t, 1, strings.Count(screen, "docs/vidx"), screen)
		})
	}
}

func TestBarsOfAFailure(t *testing.T) {
	term := onTerminal(t, 100, 24, "demo", "--for", "1s", "--fail")

	require.Equal(t, 1, term.exit(t))

	screen := term.screen.String()
	require.Regexp(t, `(?m)^archive +\[=+> +\]   \d\d%  failed`, screen)
	require.Contains(t, screen, "5 of 6 done in ")
	require.Contains(t, screen, "OOM if load", "the server's reason")
}

func TestBarsUnderWay(t *testing.T) {
	term := onTerminal(t, 80, 24, "demo", "--for", "20s")
	term.shows(t, func(screen string) bool {
		return strings.Contains(screen, "left") && strings.Contains(screen, "rows/s")
	})

	term.press(t, ctrlC)

	require.Equal(t, 130, term.exit(t))
}

func TestBarsThatDoNotFitAreSummedUp(t *testing.T) {
	term := onTerminal(t, 80, 6, "demo", "--for", "1h", "--fail")
	term.shows(t, func(screen string) bool { return strings.Contains(screen, "3 more; in all 0 of 6 done, 0%") })
	require.Equal(t, 1, strings.Count(term.screen.String(), "docs/vidx"))

	term.press(t, ctrlC)

	require.Equal(t, 130, term.exit(t))
	up := regexp.MustCompile(`\x1b\[(\d+)A`).FindAllStringSubmatch(term.written.String(), -1)
	require.NotEmpty(t, up)
	for _, n := range up {
		require.Equal(t, "4", n[1], "the first line is the command's, and the last the cursor's")
	}
	require.NotRegexp(t, `\x1b\[\d*A\x1b\[J`, term.written.String(), "tmux keeps in its history what is cleared from the first line on")
}

func TestBarsFollowTheSizeOfTheTerminal(t *testing.T) {
	term := onTerminal(t, 80, 24, "demo", "--for", "1h")
	wide := func(screen string) bool { return strings.Contains(screen, "images:y2025,y2026") }
	term.shows(t, wide)

	require.NoError(t, pty.Setsize(term.pty, &pty.Winsize{Cols: 40, Rows: 24}))

	term.shows(t, func(screen string) bool { return strings.Contains(screen, "docs/vidx") && !wide(screen) })
	for _, line := range strings.Split(term.screen.String(), "\n") {
		require.Less(t, len(strings.TrimRight(line, " ")), 40)
	}
	term.press(t, ctrlC)
	require.Equal(t, 130, term.exit(t))
}

func TestCtrlC(t *testing.T) {
	term := onTerminal(t, 80, 24, "demo", "--for", "1h")
	term.shows(t, func(screen string) bool { return strings.Contains(screen, "docs/vidx") })

	term.press(t, ctrlC)

	require.Equal(t, 130, term.exit(t))
	screen := term.screen.String()
	require.Regexp(t, `(?m)^docs +\[ *\]    0%  interrupted`, screen)
	require.Contains(t, screen, "0 of 5 done in ")
}

func TestAStoppedTerminalStopsNoTimeout(t *testing.T) {
	t.Parallel()
	term := onTerminal(t, 80, 24, "demo", "--for", "1h", "--timeout", "2s")
	term.shows(t, func(screen string) bool { return strings.Contains(screen, "docs/vidx") })

	term.press(t, ctrlS)

	var failed *exec.ExitError
	require.ErrorAs(t, term.cmd.Wait(), &failed)
	require.Equal(t, 124, failed.ExitCode())
}
