package realserver

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakePython puts a python3 into PATH. The python of its virtual environments appends its
// arguments to the file calls, and then runs the script in the file behaviour.
func fakePython(t *testing.T) (calls, behaviour string) {
	t.Helper()
	bin := t.TempDir()
	calls, behaviour = filepath.Join(bin, "calls"), filepath.Join(bin, "behaviour")
	script := `#!/bin/sh
mkdir -p "$3/bin"
cat >"$3/bin/python" <<'END'
#!/bin/sh
echo "$1 $2 $3" >>'` + calls + `'
. '` + behaviour + `'
END
chmod +x "$3/bin/python"
`
	require.NoError(t, os.WriteFile(filepath.Join(bin, "python3"), []byte(script), 0o755))
	t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return calls, behaviour
}

func behave(t *testing.T, file, script string) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, []byte(script), 0o644))
}

func TestInstall_Incomplete_IsRepeated(t *testing.T) {
	calls, behaviour := fakePython(t)
	cache := t.TempDir()

	behave(t, behaviour, "echo no matching distribution; exit 1")
	_, err := install(t.Context(), cache, Lite32)
	require.ErrorIs(t, err, ErrUnavailable)
	require.ErrorContains(t, err, "no matching distribution")

	behave(t, behaviour, "exit 0")
	folder, err := install(t.Context(), cache, Lite32)
	require.NoError(t, err)
	require.FileExists(t, python(folder))
	require.Equal(t, 2, countLines(t, calls))

	_, err = install(t.Context(), cache, Lite32)
	require.NoError(t, err)
	require.Equal(t, 2, countLines(t, calls), "the installation is reused")

	// The process is killed while it writes the marker.
	require.NoError(t, os.Truncate(filepath.Join(folder, "installed"), 3))
	_, err = install(t.Context(), cache, Lite32)
	require.NoError(t, err)
	require.Equal(t, 3, countLines(t, calls))
}

func TestInstall_WithoutPython_IsUnavailable(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := install(t.Context(), t.TempDir(), Lite32)
	require.ErrorIs(t, err, ErrUnavailable)
}

func TestInstall_UnknownKind_IsUnavailable(t *testing.T) {
	_, err := install(t.Context(), t.TempDir(), Release{Kind: Other})
	require.ErrorIs(t, err, ErrUnavailable)
}

func TestCacheDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "if", "need", "be")
	t.Setenv(CacheVariable, dir)
	got, err := cacheDir()
	require.NoError(t, err)
	require.Equal(t, dir, got)
	require.DirExists(t, dir)

	t.Setenv(CacheVariable, "")
	t.Setenv("XDG_CACHE_HOME", dir)
	got, err = cacheDir()
	require.NoError(t, err)
	require.Equal(t, filepath.Join(dir, "milvuswait"), got)
}

func countLines(t *testing.T, file string) int {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	return strings.Count(string(content), "\n")
}
