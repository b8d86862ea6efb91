package repocheck_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDeps_RootPackage_NeedsTwoModules allows two dependencies of the root package:
// cenkalti/backoff and x/sync.
func TestDeps_RootPackage_NeedsTwoModules(t *testing.T) {
	const format = `{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}`
	out, err := exec.Command("go", "list", "-deps", "-f", format, ".").Output()
	require.NoError(t, err)

	modules := strings.Fields(string(out))
	slices.Sort(modules)
	for _, m := range slices.Compact(modules) {
		require.Contains(t, []string{"github.com/cenkalti/backoff/v4", "golang.org/x/sync"}, m)
	}
}

// TestDeps_OnlyClientsOfMilvus_LinkGoAPI lists the packages that link a module of Milvus. A
// program with two versions of go-api panics at start: see the test in integration/together.
func TestDeps_OnlyClientsOfMilvus_LinkGoAPI(t *testing.T) {
	const format = `{{$p := .ImportPath}}{{range .Deps}}{{$p}} {{.}}{{"\n"}}{{end}}`
	linking := map[string]bool{}
	out, err := exec.Command("go", "list", "-f", format, "./...").Output()
	require.NoError(t, err)

	for line := range strings.Lines(string(out)) {
		if p, dependency, _ := strings.Cut(line, " "); strings.HasPrefix(dependency, "github.com/milvus-io/") {
			linking[strings.TrimPrefix(p, "github.com/milvuswait/milvuswait/")] = true
		}
	}

	require.Equal(t, []string{"examples/ingest", "examples/quickstart", "examples/testsetup", "sdk"}, slices.Sorted(maps.Keys(linking)))
}

// TestDeps_OnlyCodeForClients_ImportsGoAPI reads the imports of all Go files, tests and nested
// modules included.
func TestDeps_OnlyCodeForClients_ImportsGoAPI(t *testing.T) {
	importing := map[string]bool{}
	require.NoError(t, filepath.WalkDir(".", func(file string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(file, ".go") {
			return err
		}

		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			if strings.HasPrefix(spec.Path.Value, `"github.com/milvus-io/milvus-proto/`) {
				importing[filepath.ToSlash(file)] = true
			}
		}
		return nil
	}))

	require.Equal(t, []string{
		"examples/ingest/pipeline.go",     // uses milvus-sdk-go
		"examples/quickstart/main.go",     // uses milvus-sdk-go
		"fake/fakeserver/example_test.go", // reads a request like a user of milvus-sdk-go
		"integration/clientv2/clientv2_test.go",
		"integration/goapiv3/goapiv3_test.go",
		"integration/sdkv2/bench_test.go",
		"integration/together/together_test.go",
		"sdk/fallback.go",
		"sdk/sdk.go",
		"sdk/sdk_test.go",
	}, slices.Sorted(maps.Keys(importing)))
}

// TestOnlyTheDriversKnowTheTime allows calls of the clock in three files only. The functions
// that decide about a wait receive the time as an argument.
func TestOnlyTheDriversKnowTheTime(t *testing.T) {
	clock := regexp.MustCompile(`\btime\.(Now|Since|Until|Sleep|After|AfterFunc|NewTimer|NewTicker|Tick)\(`)
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)

	var found []string
	for _, file := range files {
		source, err := os.ReadFile(file)
		require.NoError(t, err)
		if !strings.HasSuffix(file, "_test.go") && clock.Match(source) {
			found = append(found, file)
		}
	}

	require.Equal(t, []string{"poll.go", "scheduler.go", "wait.go"}, found)
}
