package repocheck_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReliability_EveryPromise_HasATest requires every promise of docs/reliability.md to name
// a test, and every named test to exist in the linked file.
func TestReliability_EveryPromise_HasATest(t *testing.T) {
	const page, promises = "docs/reliability.md", 86
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	row := regexp.MustCompile(`(?m)^\| P(\d+) \| [^|]+ \| ([^|]+) \|[^|]*\|$`)
	named := regexp.MustCompile(`\[((?:Test|Fuzz|Example)\w+)\]\(([^)]+_test\.go)\)`)

	var numbers []string
	for _, promise := range row.FindAllStringSubmatch(string(text), -1) {
		numbers = append(numbers, promise[1])
		tests := named.FindAllStringSubmatch(promise[2], -1)
		if len(tests) == 0 || len(tests) != strings.Count(promise[2], "](") {
			t.Errorf("P%s names no test, or something else", promise[1])
		}
	}

	var want []string
	for i := range promises {
		want = append(want, fmt.Sprint(i+1))
	}
	require.Equal(t, want, numbers)

	for _, test := range named.FindAllStringSubmatch(string(text), -1) {
		file := filepath.Join(filepath.Dir(page), test[2])
		if !declares(t, file, test[1]) {
			t.Errorf("%s has no %s", file, test[1])
		}
	}
}

// declares reports whether a file declares a function of that name, other than a method.
func declares(t *testing.T, file, function string) bool {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	for _, d := range parsed.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == function {
			return true
		}
	}
	return false
}
