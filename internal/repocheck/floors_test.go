package repocheck_test

import (
	"encoding/json"
	"go/version"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// floors lists the minimum versions of dependencies, for this module and the nested ones.
// Modules in the graph without a compiled package are not shipped and have no minimum.
var floors = []struct{ module, floor, why string }{
	{"google.golang.org/grpc", "v1.56.3", "GO-2023-2153: a fake server can be kept busy by streams that are reset"},
	{"google.golang.org/grpc", "v1.79.3", "CVE-2026-33186: paths without a slash pass a server's authorization"},
	{"google.golang.org/grpc", "v1.82.1", "GO-2026-6061: the bound on streams that are reset can be passed by"},
	{"google.golang.org/grpc", "v1.83.1", "GO-2026-6348: a server's data in tiny frames fills the heap of the client"},
	{"google.golang.org/grpc", "v1.83.2", "GO-2026-6443: a request without an authority ends a server"},
	{"golang.org/x/net", "v0.23.0", "GO-2024-2687: CONTINUATION frames without end"},
	{"golang.org/x/net", "v0.53.0", "GO-2026-4918: a server's SETTINGS keep the client in a loop"},
	{"golang.org/x/net", "v0.55.0", "GO-2026-5026: host names in ASCII that pose as Punycode"},
	{"golang.org/x/net", "v0.56.0", "GO-2026-5942: an answer of DNS that panics"},
	{"golang.org/x/text", "v0.39.0", "GO-2026-5970: invalid UTF-8 keeps the normalizer in a loop"},
	{"google.golang.org/protobuf", "v1.33.0", "GO-2024-2611: JSON keeps the decoder in a loop"},
	{"google.golang.org/genproto/googleapis/rpc", "v0.0.0-20260526163538-3dc84a4a5aaa", "what gRPC asks for; below it, packages are in the undivided genproto too"},
}

// belowFloor reports whether v is older than floor. If floor is a release, v must be a
// release too.
func belowFloor(v, floor string) bool {
	if strings.HasPrefix(floor, "v0.0.0-") { // a pseudo-version: the time follows in digits
		return v < floor
	}
	return strings.Contains(v, "-") || version.Compare("go"+v[1:], "go"+floor[1:]) < 0
}

func TestBelowFloor(t *testing.T) {
	for _, v := range []string{"v1.83.1", "v1.9.2", "v0.99.0", "v1.83.2-dev", "v1.83.3-0.20260101000000-0123456789ab"} {
		require.True(t, belowFloor(v, "v1.83.2"), v)
	}
	for _, v := range []string{"v1.83.2", "v1.83.10", "v1.100.0", "v2.0.0"} {
		require.False(t, belowFloor(v, "v1.83.2"), v)
	}
	require.True(t, belowFloor("v0.0.0-20220503193339-ba3ae3f07e29", "v0.0.0-20260526163538-3dc84a4a5aaa"))
	require.False(t, belowFloor("v0.0.0-20270101000000-000000000000", "v0.0.0-20260526163538-3dc84a4a5aaa"))
}

// TestDependenciesAreAboveTheirFloors compares the selected versions with floors, which
// records past reports of govulncheck. An old version cannot come back unnoticed, and the
// test needs no database. Only the database has newer reports: see .ci/vulnerabilities.
func TestDependenciesAreAboveTheirFloors(t *testing.T) {
	t.Run("selected", func(t *testing.T) {
		out, err := exec.Command("go", "list", "-m", "-json", "all").Output()
		require.NoError(t, err)

		selected := make(map[string]string)
		for list := json.NewDecoder(strings.NewReader(string(out))); list.More(); {
			var m struct{ Path, Version string }
			require.NoError(t, list.Decode(&m))
			selected[m.Path] = m.Version
		}

		for _, f := range floors {
			require.Contains(t, selected, f.module)
			require.Falsef(t, belowFloor(selected[f.module], f.floor), "%s %s is older than %s: %s", f.module, selected[f.module], f.floor, f.why)
		}
	})

	for _, dir := range moduleDirs(t) {
		t.Run(dir, func(t *testing.T) {
			m := readGoMod(t, dir)
			required := make(map[string]string)
			for _, r := range m.Require {
				required[r.Path] = r.Version
			}

			if dir == "." {
				// Importers ignore replacements, and get at least the required versions.
				require.Empty(t, m.Replace)
				require.Empty(t, m.Exclude)
				for _, f := range floors {
					require.Contains(t, required, f.module)
				}
			}

			for _, f := range floors {
				if v, ok := required[f.module]; ok {
					require.Falsef(t, belowFloor(v, f.floor), "%s %s is older than %s: %s", f.module, v, f.floor, f.why)
				}
			}

			for _, r := range m.Replace {
				require.Contains(t, r.Old.Path, "github.com/milvuswait/milvuswait")
			}
		})
	}
}

// moduleDirs returns the directories of all modules in this repository.
func moduleDirs(t *testing.T) []string {
	t.Helper()
	var dirs []string
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "go.mod" {
			dirs = append(dirs, filepath.Dir(path))
		}
		return err
	}))

	require.Greater(t, len(dirs), 1)
	return dirs
}

// goMod is the output of go mod edit -json.
type goMod struct {
	Require []struct{ Path, Version string }
	Replace []struct{ Old struct{ Path string } }
	Exclude []struct{ Path string }
}

// readGoMod reads a go.mod without the network or a module cache. Since Go 1.17, go.mod lists
// the modules of all compiled packages.
func readGoMod(t *testing.T, dir string) (m goMod) {
	t.Helper()
	cmd := exec.Command("go", "mod", "edit", "-json")
	cmd.Dir = dir
	out, err := cmd.Output()
	require.NoError(t, err)

	require.NoError(t, json.Unmarshal(out, &m))
	return m
}
