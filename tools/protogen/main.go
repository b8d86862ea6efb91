// Command protogen generates the Go code of a .proto file of the main module:
//
//	protogen ROOT FILE
//
// ROOT is the folder of the main module, and FILE the path of the .proto file below
// it. The Go file is written to the same folder. The versions of the compiler
// and of protoc-gen-go are those of tools/go.mod, so that every machine generates the
// same bytes.
//
// The file is registered under the path of the module and not as "wire.proto":
// protobuf allows each path once per process.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/bufbuild/protocompile"
	"google.golang.org/protobuf/cmd/protoc-gen-go/internal_gengo"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"
)

const module = "github.com/milvuswait/milvuswait"

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: protogen ROOT FILE")
		os.Exit(2)
	}
	if err := generate(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "protogen:", err)
		os.Exit(1)
	}
}

// generate compiles the .proto file and writes its Go code.
func generate(root, file string) error {
	name := path.Join(module, filepath.ToSlash(file))
	compiler := protocompile.Compiler{
		SourceInfoMode: protocompile.SourceInfoStandard, // keeps the comments
		Resolver: &protocompile.SourceResolver{Accessor: func(name string) (io.ReadCloser, error) {
			return os.Open(filepath.Join(root, strings.TrimPrefix(name, module+"/")))
		}},
	}
	files, err := compiler.Compile(context.Background(), name)
	if err != nil {
		return err
	}

	plugin, err := protogen.Options{}.New(&pluginpb.CodeGeneratorRequest{
		FileToGenerate: []string{name},
		Parameter:      proto.String("module=" + module),
		ProtoFile:      []*descriptorpb.FileDescriptorProto{protodesc.ToFileDescriptorProto(files[0])},
	})
	if err != nil {
		return err
	}
	internal_gengo.GenerateFile(plugin, plugin.FilesByPath[name])

	response := plugin.Response()
	if response.Error != nil {
		return errors.New(response.GetError())
	}
	for _, out := range response.File {
		if err := os.WriteFile(filepath.Join(root, out.GetName()), []byte(out.GetContent()), 0o644); err != nil {
			return err
		}
	}
	return nil
}
