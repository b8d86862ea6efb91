package repocheck_test

import (
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// exportedDocs returns the documentation of every public package, by its directory.
func exportedDocs(t *testing.T) map[string]*doc.Package {
	t.Helper()
	all := map[string]*doc.Package{}
	for _, dir := range []string{".", "fake", "fake/fakeserver", "rpc", "sdk", "milvuswaittest", "milvuswaittest/pollertest"} {
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
		all[dir] = p
	}
	return all
}

// TestDocs_EveryFunction_HasAnExample requires an example with a checked output for every
// exported function.
func TestDocs_EveryFunction_HasAnExample(t *testing.T) {
	for dir, p := range exportedDocs(t) {
		t.Run(dir, func(t *testing.T) {
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

// TestDocs_EveryExportedName_HasAComment requires a comment for every exported identifier, or
// for its block of declarations. Comments of packages, functions, types and methods must
// begin with the name.
func TestDocs_EveryExportedName_HasAComment(t *testing.T) {
	for dir, p := range exportedDocs(t) {
		t.Run(dir, func(t *testing.T) {
			if !strings.HasPrefix(p.Doc, "Package "+p.Name+" ") {
				t.Errorf("the comment of package %s does not begin as it should", p.Name)
			}

			values := slices.Concat(p.Consts, p.Vars)
			functions := p.Funcs
			for _, kind := range p.Types {
				named(t, kind.Name, kind.Doc)
				values = slices.Concat(values, kind.Consts, kind.Vars)
				functions = slices.Concat(functions, kind.Funcs, kind.Methods)
			}

			for _, f := range functions {
				named(t, f.Name, f.Doc)
			}

			for _, block := range values {
				for _, spec := range block.Decl.Specs {
					spec := spec.(*ast.ValueSpec)
					if block.Doc == "" && spec.Doc == nil && spec.Comment == nil {
						t.Errorf("%s has no comment", spec.Names[0])
					}
				}
			}
		})
	}
}

// named requires the name at the beginning of its comment.
func named(t *testing.T, name, comment string) {
	t.Helper()
	if !regexp.MustCompile(`^(An? |The )?` + name + `\b`).MatchString(comment) {
		t.Errorf("the comment of %s does not begin with its name: %q", name, comment)
	}
}
