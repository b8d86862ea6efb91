package milvuswait_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRootCompilesTwoModules holds the root package to what it promises its
// importers: the generator of cenkalti/backoff, x/sync, and nothing else.
func TestRootCompilesTwoModules(t *testing.T) {
	const format = `{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}`
	out, err := exec.Command("go", "list", "-deps", "-f", format, ".").Output()
	require.NoError(t, err)
	modules := strings.Fields(string(out))
	slices.Sort(modules)
	for _, m := range slices.Compact(modules) {
		require.Contains(t, []string{"github.com/cenkalti/backoff/v4", "golang.org/x/sync"}, m)
	}
}

// TestOnlyClientsOfMilvusLinkGoAPI lists the packages that link a module of Milvus. A
// program that links two versions of go-api panics at start.
func TestOnlyClientsOfMilvusLinkGoAPI(t *testing.T) {
	const format = `{{$p := .ImportPath}}{{range .Deps}}{{if or (eq . "github.com/milvus-io/milvus-sdk-go/v2/client") ` +
		`(eq . "github.com/milvus-io/milvus-proto/go-api/v2/milvuspb")}}{{$p}} {{end}}{{end}}`
	out, err := exec.Command("go", "list", "-f", format, "./...").Output()
	require.NoError(t, err)
	linking := strings.Fields(strings.ReplaceAll(string(out), "github.com/milvuswait/milvuswait/", ""))
	slices.Sort(linking)
	require.Equal(t, []string{"examples/ingest", "examples/quickstart", "examples/testsetup", "sdk"}, slices.Compact(linking))
}

// TestOnlyCodeAboutAClientImportsGoAPI reads the imports of all Go files, those of the
// nested modules and of tests included.
func TestOnlyCodeAboutAClientImportsGoAPI(t *testing.T) {
	about := map[string]string{
		"sdk": "milvus-sdk-go", "examples/ingest": "milvus-sdk-go", "fake/fakeserver": "milvus-sdk-go", // its example
		"integration/sdkv2": "milvus-sdk-go", "integration/clientv2": "client/v2", "integration/goapiv3": "go-api/v3", "integration/together": "go-api/v3",
	}
	importing := map[string]bool{}
	require.NoError(t, filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			if strings.HasPrefix(spec.Path.Value, `"github.com/milvus-io/milvus-proto/`) {
				importing[filepath.ToSlash(filepath.Dir(path))] = true
			}
		}
		return nil
	}))
	for folder := range importing {
		require.Contains(t, about, folder)
	}
}

// TestOnlyTheDriversKnowTheTime holds the layout to its word: what decides is
// told the time.
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
	require.Equal(t, []string{"drive.go", "schedule.go", "wait.go"}, found)
}
