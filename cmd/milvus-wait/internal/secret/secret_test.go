package secret_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
)

func TestClean(t *testing.T) {
	tests := []struct{ name, in, want, err string }{
		{"a token", "root:Milvus", "root:Milvus", ""},
		{"a newline at the end", "root:Milvus\n", "root:Milvus", ""},
		{"newlines of Windows at the end", "root:Milvus\r\n\r\n", "root:Milvus", ""},
		{"spaces are part of it", " a b ", " a b ", ""},
		{"letters of the world", "root:größe", "root:größe", ""},
		{"nothing", "", "", "it is empty"},
		{"a newline", "\n", "", "it is empty"},
		{"two lines", "a\nb\n", "", "it has several lines: a secret has one"},
		{"UTF-16", "\xff\xfea\x00b\x00", "", "it holds what no secret does: is it text in UTF-8, without a byte order mark?"},
		{"a byte order mark", "\ufeffab", "", "it holds what no secret does: is it text in UTF-8, without a byte order mark?"},
		{"a control character", "a\x00b", "", "it holds what no secret does: is it text in UTF-8, without a byte order mark?"},
		{"too much", strings.Repeat("a", 1<<17), "", "it is too long for a secret"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := secret.Clean(tt.in)
			if tt.err != "" {
				require.EqualError(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestReadFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(name, []byte("root:Milvus\n"), 0o600))

	got, err := secret.Read(t.Context(), name, nil)

	require.NoError(t, err)
	require.Equal(t, "root:Milvus", got)
}

func TestReadStdin(t *testing.T) {
	got, err := secret.Read(t.Context(), "-", strings.NewReader("root:Milvus\n"))

	require.NoError(t, err)
	require.Equal(t, "root:Milvus", got)
}

func TestErrorsOfReadNameTheFileOnce(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	require.NoError(t, os.WriteFile(empty, nil, 0o600))

	_, err := secret.Read(t.Context(), filepath.Join(dir, "missing"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Equal(t, 1, strings.Count(err.Error(), "missing"), err)
	_, err = secret.Read(t.Context(), dir, nil)
	require.ErrorContains(t, err, "reading "+dir)
	_, err = secret.Read(t.Context(), empty, nil)
	require.EqualError(t, err, empty+": it is empty")
	_, err = secret.Read(t.Context(), "-", strings.NewReader("first\nsecond"))
	require.EqualError(t, err, "stdin: it has several lines: a secret has one")
}

func TestRead_MissingFile_ShowsOnlyNamesOfFiles(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	require.NoError(t, os.Mkdir("secrets", 0o700))
	require.NoError(t, os.WriteFile("file", nil, 0o600))
	long := "hunter22" + strings.Repeat("a", 4096)
	tests := []struct {
		name, file string
		shown      bool // by Read and ReadKey
		public     bool // by ReadFile
	}{
		{"a name in a directory", filepath.Join(dir, "hunter22"), true, true},
		{"a long name in a directory", filepath.Join(dir, long), true, true},
		{"a name in a relative directory", "secrets/hunter22", true, true},
		{"a name in the current directory", "./hunter22", true, true},
		{"an API key", "hunter22", false, true},
		{"USER:PASSWORD", "root:hunter22", false, false},
		{"a password with a slash", "root:hunter22/x", false, false},
		{"a password with a slash in front", "/hunter22", false, true},
		{"a password with two slashes in front", "//hunter22", false, true},
		{"a password with a backslash", `\hunter22\x`, false, true},
		{"a directory that is missing", "/no/such/hunter22", false, true},
		{"a file as a directory", "file/hunter22", false, true},
		{"a long token", long, false, false},
		{"a token with NUL", "hunter22\x00", false, true},
		{"a key", "-----BEGIN PRIVATE KEY-----\nhunter22\n-----END PRIVATE KEY-----", false, false},
		{"a key on one line", "MC4CAQAwBQYDK2VwBCIEIhunter22" + strings.Repeat("a", 35), false, false},
		{"a key in base64 of its file", "LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tCk1DNENBUUF3QlFZREsyVnd/hunter22", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := secret.Read(t.Context(), tt.file, nil)
			requireShown(t, tt.shown, err)
			_, err = secret.ReadKey(t.Context(), tt.file, 100)
			requireShown(t, tt.shown, err)
			_, err = secret.ReadFile(t.Context(), tt.file, 100)
			requireShown(t, tt.public, err)
		})
	}
}

// requireShown fails unless the error of a file shows its name, or not, and is short.
func requireShown(t *testing.T, shown bool, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, shown, strings.Contains(err.Error(), "hunter22"), err)
	require.Equal(t, !shown, strings.Contains(err.Error(), "whose name is not shown because it may be the secret itself: "), err)
	require.Less(t, len(err.Error()), 1200, err)
}

// zeros is an endless reader, as /dev/zero.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

func TestRead_EndlessFile_IsRefused(t *testing.T) {
	_, err := secret.Read(t.Context(), "-", zeros{})

	require.EqualError(t, err, "stdin: it is too long for a secret")
}

func TestReadEndsWithItsContext(t *testing.T) {
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	in, out := io.Pipe()
	t.Cleanup(func() { require.NoError(t, out.Close()) })
	cancel(stop)

	_, err := secret.Read(ctx, "-", in)

	require.ErrorIs(t, err, stop)
}

func TestTokensAreNotWritten(t *testing.T) {
	token := secret.Token("root:hunter22")
	held := struct{ Token secret.Token }{token}

	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		require.NotContains(t, fmt.Sprintf(verb, token), "hunter22")
		require.NotContains(t, fmt.Sprintf(verb, held), "hunter22")
		require.NotContains(t, fmt.Sprintf(verb, held), "68756e746572") // in hexadecimal
	}
	b, err := json.Marshal(held)
	require.NoError(t, err)
	require.JSONEq(t, `{"Token":"[secret]"}`, string(b))
}

func TestParts(t *testing.T) {
	require.Equal(t, []string{"key"}, secret.Parts("key"))
	require.Equal(t, []string{"root:a:b", "a:b"}, secret.Parts("root:a:b"))
	require.Equal(t, []string{"root:Milvus"}, secret.Parts("root:Milvus"))
}
