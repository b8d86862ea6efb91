package secret_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
)

func TestRereadable(t *testing.T) {
	folder := t.TempDir()
	file, link := filepath.Join(folder, "token"), filepath.Join(folder, "link")
	require.NoError(t, os.WriteFile(file, []byte("root:hunter22"), 0o600))
	require.NoError(t, os.Symlink(file, link)) // a secret of Kubernetes is a link

	for name, want := range map[string]bool{file: true, link: true, folder: false, filepath.Join(folder, "missing"): false, "-": false, os.DevNull: false} {
		require.Equal(t, want, secret.Rereadable(name), name)
	}
}
