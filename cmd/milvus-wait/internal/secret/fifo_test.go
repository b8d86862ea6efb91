//go:build !windows

package secret_test

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
)

// TestRead_ContextEndsFirst_ShowsNoSecret reads FIFOs without a writer, which block. The end
// of the context may come before the check of a name too.
func TestRead_ContextEndsFirst_ShowsNoSecret(t *testing.T) {
	t.Chdir(t.TempDir())
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	token := func(ctx context.Context, name string) error { _, err := secret.Read(ctx, name, nil); return err }
	key := func(ctx context.Context, name string) error { _, err := secret.ReadKey(ctx, name, 100); return err }
	public := func(ctx context.Context, name string) error { _, err := secret.ReadFile(ctx, name, 100); return err }

	tests := []struct {
		name, file string
		read       func(ctx context.Context, name string) error
		want       string
	}{
		{"a token", "root:hunter22", token, "reading the file: stop"},
		{"a token without a colon", "hunter23", token, "reading the file: stop"},
		{"a key", "hunter24", key, "reading the file: stop"},
		{"a token in place of a certificate", "root:hunter25", public, "reading the file: stop"},
		{"a certificate", "ca.pem", public, "reading ca.pem: stop"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, syscall.Mkfifo(tt.file, 0o600))

			err := tt.read(ctx, tt.file)

			require.EqualError(t, err, tt.want)
			require.ErrorIs(t, err, stop)
			writer, err := os.OpenFile(tt.file, os.O_RDWR, 0) // ends the open of the read
			require.NoError(t, err)
			require.NoError(t, writer.Close())
		})
	}
}
