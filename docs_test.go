package milvuswait_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryFunctionHasAnExample finds, for every exported function, an example
// whose output is checked.
func TestEveryFunctionHasAnExample(t *testing.T) {
	for _, dir := range []string{".", "fake", "fake/fakeserver", "rpc", "sdk", "milvuswaittest", "milvuswaittest/pollertest"} {
		t.Run(dir, func(t *testing.T) {
			names, err := filepath.Glob(filepath.Join(dir, "*.go"))
			require.NoError(t, err)
			set := token.NewFileSet()
			var files []*ast.File
			for _, name := range names {
				file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
				require.NoError(t, err)
				files = append(files, file)
			}
			p, err := doc.NewFromFiles(set, files, "github.com/milvuswait/milvuswait/"+dir)
			require.NoError(t, err)
			functions := p.Funcs
			for _, kind := range p.Types {
				functions = append(functions, kind.Funcs...)
			}
			require.NotEmpty(t, functions)
			for _, f := range functions {
				checked := false
				for _, e := range f.Examples {
					checked = checked || e.Output != "" || e.EmptyOutput
				}
				if !checked {
					t.Errorf("%s has no example with an output", f.Name)
				}
			}
		})
	}
}
