//go:build !windows

package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/require"
)

// onPTY runs milvus-wait on a terminal of 100 columns. It returns the output and the exit
// code.
func onPTY(t *testing.T, env []string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command("milvus-wait", args...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "TERM=xterm"}, env...)
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: 100, Rows: 24})
	require.NoError(t, err)
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = f.Close() })
	var written bytes.Buffer
	_, _ = io.Copy(&written, f) // returns an error when the other side is closed
	return written.String(), exitCode(t, cmd)
}

func TestEnvironmentReachesTheTerminal(t *testing.T) {
	var (
		cursor = regexp.MustCompile(`\x1b\[[0-9]*[A-HJK]`)
		color  = regexp.MustCompile(`\x1b\[[0-9;]+m`)
		plain  = regexp.MustCompile(`(?m)^docs: loading `)
	)
	tests := []struct {
		name                string
		env, args           []string
		bars, colors, lines bool
		widest              int
	}{
		{"a terminal", nil, nil, true, true, false, 100},
		{"NO_COLOR", []string{"NO_COLOR=1"}, nil, true, false, false, 100},
		{"--no-color", nil, []string{"--no-color"}, true, false, false, 100},
		{"CI", []string{"CI=true"}, nil, false, false, true, 200},
		{"CI that is none", []string{"CI=false"}, nil, true, true, false, 100},
		{"TERM=dumb", []string{"TERM=dumb"}, nil, false, false, true, 200},
		{"COLUMNS", []string{"COLUMNS=50"}, nil, true, true, false, 50},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			written, code := onPTY(t, tt.env, slices.Concat([]string{"demo", "--for", "400ms"}, tt.args)...)

			require.Zero(t, code, written)
			require.Equal(t, tt.bars, cursor.MatchString(written), "%q", written)
			require.Equal(t, tt.colors, color.MatchString(written), "%q", written)
			require.Equal(t, tt.lines, plain.MatchString(written), "%q", written)
			for _, line := range regexp.MustCompile(`\r?\n`).Split(written, -1) {
				text := regexp.MustCompile(`\x1b\[[0-9;?]*[a-zA-Z]|\r`).ReplaceAllString(line, "")
				require.LessOrEqual(t, len(text), tt.widest, "%q", text)
			}
		})
	}
}

func TestSecretsAreNotTypedOnATerminal(t *testing.T) {
	written, code := onPTY(t, nil, "load", "docs", "--token-file", "-")

	require.Equal(t, 2, code)
	require.Contains(t, written, "--token-file: reading stdin: it is a terminal, which would show the secret")
}
