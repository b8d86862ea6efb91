package main

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCommittedManualIsCurrent(t *testing.T) {
	dir := t.TempDir()

	require.NoError(t, Write(dir))

	written := files(t, os.DirFS(dir))
	require.NotEmpty(t, written["milvus-wait.md"])
	require.NotEmpty(t, written["man/milvus-wait.1"])
	committed := os.DirFS("../../../../docs")
	for name, text := range written {
		got, err := fs.ReadFile(committed, name)
		require.NoError(t, err)
		require.Equal(t, text, string(got), "%s: run make docs", name)
	}
	for name := range files(t, committed) {
		if strings.HasPrefix(name, "man/") {
			require.Contains(t, written, name, "of a command that is none any more")
		}
	}
}

func files(t *testing.T, dir fs.FS) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, fs.WalkDir(dir, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(dir, path)
		all[path] = string(b)
		return err
	}))
	return all
}
