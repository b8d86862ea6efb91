//go:build !windows

package cli_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCredentials_FIFO_IsReadOnce has a FIFO with a single writer: another read of it would
// block.
func TestCredentials_FIFO_IsReadOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, syscall.Mkfifo(file, 0o600))
	go func() { _ = os.WriteFile(file, []byte("root:Before22"), 0) }()
	g := &guarded{token: "root:After22", refusal: refusals["Unauthenticated"]}

	code, _, stderr := run(map[string]string{"MILVUS_URI": g.serve(t)}, "load", "docs", "--token-file", file, "--timeout", "20s")

	require.Equal(t, 1, code, stderr)
	require.Contains(t, stderr, "hint: check the token")
}

// TestSummary_FIFOWithoutReader_EndsCommand has a summary that cannot be opened.
func TestSummary_FIFOWithoutReader_EndsCommand(t *testing.T) {
	file := filepath.Join(t.TempDir(), "summary.md")
	require.NoError(t, syscall.Mkfifo(file, 0o600))

	code, stdout, stderr := run(map[string]string{"MILVUS_URI": start(t).Address(), "GITHUB_STEP_SUMMARY": file}, "load", "docs")

	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "docs: loaded")
	require.Contains(t, stderr, "milvus-wait: the summary was not written: it takes longer than 2s\n")

	// A reader ends the open of the command, which is in this process.
	reader, err := os.OpenFile(file, os.O_RDWR, 0)
	require.NoError(t, err)
	require.NoError(t, reader.Close())
}
