package repocheck_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/milvuswait/milvuswait"

// A surface is the exported API of a package.
type surface struct {
	name  string // the import path without the host and the owner
	types *types.Package
	named map[string]bool // packages of the types in features so far
}

// listed is the output of go list for a package.
type listed struct {
	Dir, ImportPath, Name, Export string
	GoFiles                       []string
}

// surfaces returns the surface of every public package. It type-checks the sources; imports
// come from the export data of the compiler.
func surfaces(t *testing.T) []*surface {
	t.Helper()
	var public []listed
	for _, p := range list(t, "./...") {
		path := strings.TrimPrefix(p.ImportPath, module)
		switch {
		case p.Name == "main", len(p.GoFiles) == 0, strings.Contains(path+"/", "/internal/"),
			strings.HasPrefix(path, "/integration"), strings.HasPrefix(path, "/examples/"):
		default:
			public = append(public, p)
		}
	}
	require.NotEmpty(t, public)

	compiled := map[string]string{}
	paths := []string{"-export", "-deps"}
	for _, p := range public {
		paths = append(paths, p.ImportPath)
	}
	for _, p := range list(t, paths...) {
		compiled[p.ImportPath] = p.Export
	}

	set := token.NewFileSet()
	config := types.Config{Importer: importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(compiled[path])
	})}

	var all []*surface
	for _, p := range public {
		_, err := os.ReadDir(p.Dir) // makes go test notice new files before it reuses a result
		require.NoError(t, err)

		var files []*ast.File
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			require.NoError(t, err)
			files = append(files, file)
		}

		checked, err := config.Check(p.ImportPath, set, files, nil)
		require.NoError(t, err)
		all = append(all, &surface{
			name:  strings.TrimPrefix(p.ImportPath, "github.com/milvuswait/"),
			types: checked,
			named: map[string]bool{},
		})
	}

	return all
}

// list returns the output of go list for packages of the module.
func list(t *testing.T, args ...string) []listed {
	t.Helper()
	command := exec.Command("go", append([]string{"list", "-json=Dir,ImportPath,Name,Export,GoFiles"}, args...)...)
	command.Stderr = os.Stderr
	out, err := command.Output()
	require.NoError(t, err)

	var all []listed
	for from := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := from.Decode(&p)
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		all = append(all, p)
	}
}

// features returns a line for every exported identifier, in the format of Go's own api
// folder plus the names of parameters.
func (s *surface) features() []string {
	var lines []string
	add := func(format string, args ...any) {
		lines = append(lines, "pkg "+s.name+", "+fmt.Sprintf(format, args...))
	}

	scope := s.types.Scope()
	for _, name := range scope.Names() {
		object := scope.Lookup(name)
		if !object.Exported() {
			continue
		}

		switch object := object.(type) {
		case *types.Const:
			add("const %s %s = %s", name, s.text(object.Type()), object.Val().ExactString())
		case *types.Var:
			add("var %s %s", name, s.text(object.Type()))
		case *types.Func:
			add("func %s%s", name, s.signature(object))
		case *types.TypeName:
			if object.IsAlias() {
				add("type %s = %s", name, s.text(types.Unalias(object.Type())))
				continue
			}
			s.ofType(object, add)
		}
	}

	return lines
}

// ofType adds the exported fields and methods of a type, and whether its values are
// comparable.
func (s *surface) ofType(object *types.TypeName, add func(format string, args ...any)) {
	name := object.Name()
	switch under := object.Type().Underlying().(type) {
	case *types.Struct:
		add("type %s struct", name)
		if types.Comparable(under) {
			add("type %s struct, comparable", name)
		}
		for field := range under.Fields() {
			switch {
			case field.Embedded() && field.Exported():
				add("type %s struct, embedded %s", name, s.text(field.Type()))
			case field.Exported():
				add("type %s struct, %s %s", name, field.Name(), s.text(field.Type()))
			}
		}
	case *types.Interface:
		var methods []string
		for method := range under.Methods() {
			if !method.Exported() {
				methods = append(methods, "unexported methods")
				continue
			}
			methods = append(methods, method.Name())
			add("type %s interface, %s%s", name, method.Name(), s.signature(method))
		}
		add("type %s interface { %s }", name, strings.Join(slices.Compact(methods), ", "))
		return
	default:
		add("type %s %s", name, s.text(under))
	}

	ofValue := types.NewMethodSet(object.Type())
	for method := range types.NewMethodSet(types.NewPointer(object.Type())).Methods() {
		if !method.Obj().Exported() {
			continue
		}
		receiver := "*" + name
		if ofValue.Lookup(s.types, method.Obj().Name()) != nil {
			receiver = name
		}
		add("method (%s) %s%s", receiver, method.Obj().Name(), s.signature(method.Obj()))
	}
}

// signature returns the parameters and results of a function.
func (s *surface) signature(function types.Object) string {
	return strings.TrimPrefix(s.text(function.Type()), "func")
}

// text returns a type as written in another package.
func (s *surface) text(kind types.Type) string {
	return types.TypeString(kind, func(p *types.Package) string {
		s.named[p.Path()] = true
		if p == s.types {
			return ""
		}
		return p.Name()
	})
}

// foreign returns the packages of other modules in features.
func (s *surface) foreign() []string {
	var all []string
	for path := range maps.Keys(s.named) {
		host, _, _ := strings.Cut(path, "/")
		if strings.Contains(host, ".") && !strings.HasPrefix(path+"/", module+"/") {
			all = append(all, path)
		}
	}
	return all
}
