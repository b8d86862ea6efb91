package milvuswait_test

import (
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
