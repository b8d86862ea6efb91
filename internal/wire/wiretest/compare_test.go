package wiretest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// goAPI returns a go-api with the messages and the RPCs of package wire, changed by
// change.
func goAPI(t *testing.T, change func(*descriptorpb.FileDescriptorProto)) *protoregistry.Files {
	t.Helper()
	ours := protodesc.ToFileDescriptorProto(wire.File_github_com_milvuswait_milvuswait_internal_wire_wire_proto)
	text, err := protojson.Marshal(ours)
	require.NoError(t, err)
	theirs := new(descriptorpb.FileDescriptorProto)
	renamed := strings.ReplaceAll(string(text), ours.GetPackage(), "milvus.proto.milvus")
	require.NoError(t, protojson.Unmarshal([]byte(renamed), theirs))

	service := &descriptorpb.ServiceDescriptorProto{Name: proto.String("MilvusService")}
	for _, m := range methods {
		service.Method = append(service.Method, &descriptorpb.MethodDescriptorProto{
			Name:       proto.String(string(m.name)),
			InputType:  proto.String(".milvus.proto.milvus." + string(m.request.Name())),
			OutputType: proto.String(".milvus.proto.milvus." + string(m.response.Name())),
		})
	}
	theirs.Service = []*descriptorpb.ServiceDescriptorProto{service}
	change(theirs)

	file, err := protodesc.NewFile(theirs, new(protoregistry.Files))
	require.NoError(t, err)
	files := new(protoregistry.Files)
	require.NoError(t, files.RegisterFile(file))
	return files
}

// named returns the element of list with that name.
func named[E interface{ GetName() string }](list []E, name string) E {
	return list[slices.IndexFunc(list, func(e E) bool { return e.GetName() == name })]
}

func message(f *descriptorpb.FileDescriptorProto, name string) *descriptorpb.DescriptorProto {
	return named(f.MessageType, name)
}

func field(f *descriptorpb.FileDescriptorProto, in, name string) *descriptorpb.FieldDescriptorProto {
	return named(message(f, in).Field, name)
}

func TestCompare_NamesEveryDifference(t *testing.T) {
	tests := []struct {
		name   string
		change func(f *descriptorpb.FileDescriptorProto)
		want   []string
	}{
		{"none", func(*descriptorpb.FileDescriptorProto) {}, nil},
		{"more in go-api", func(f *descriptorpb.FileDescriptorProto) {
			status := message(f, "Status")
			more := proto.Clone(status.Field[0]).(*descriptorpb.FieldDescriptorProto)
			more.Name, more.JsonName, more.Number = proto.String("more"), nil, proto.Int32(99)
			status.Field = append(status.Field, more)
			f.MessageType = append(f.MessageType, &descriptorpb.DescriptorProto{Name: proto.String("More")})
		}, nil},
		{"number", func(f *descriptorpb.FileDescriptorProto) { field(f, "Status", "detail").Number = proto.Int32(6) },
			[]string{"Status.detail = 5: go-api has no such field"}},
		{"name", func(f *descriptorpb.FileDescriptorProto) { field(f, "Status", "detail").Name = proto.String("text") },
			[]string{`Status: "string detail = 5", in go-api "string text = 5"`}},
		{"kind", func(f *descriptorpb.FileDescriptorProto) {
			field(f, "Status", "code").Type = descriptorpb.FieldDescriptorProto_TYPE_SINT32.Enum()
		}, []string{`Status: "int32 code = 3", in go-api "sint32 code = 3"`}},
		{"list", func(f *descriptorpb.FileDescriptorProto) {
			field(f, "Status", "reason").Label = descriptorpb.FieldDescriptorProto_LABEL_REPEATED.Enum()
		}, []string{`Status: "string reason = 2", in go-api "repeated string reason = 2"`}},
		{"enum", func(f *descriptorpb.FileDescriptorProto) {
			field(f, "Status", "error_code").TypeName = proto.String(".milvus.proto.milvus.LoadState")
		}, []string{`Status: "ErrorCode error_code = 1", in go-api "LoadState error_code = 1"`}},
		{"message", func(f *descriptorpb.FileDescriptorProto) {
			field(f, "BoolResponse", "status").TypeName = proto.String(".milvus.proto.milvus.KeyValuePair")
		}, []string{`BoolResponse: "Status status = 1", in go-api "KeyValuePair status = 1"`}},
		{"map", func(f *descriptorpb.FileDescriptorProto) {
			entry := named(message(f, "FlushResponse").NestedType, "CollFlushTsEntry")
			named(entry.Field, "value").Type = descriptorpb.FieldDescriptorProto_TYPE_INT64.Enum()
		}, []string{`FlushResponse: "map<string, uint64> coll_flush_ts = 6", in go-api "map<string, int64> coll_flush_ts = 6"`}},
		{"optional", func(f *descriptorpb.FileDescriptorProto) {
			code := field(f, "Status", "code")
			code.Proto3Optional, code.OneofIndex = proto.Bool(true), proto.Int32(0)
			message(f, "Status").OneofDecl = []*descriptorpb.OneofDescriptorProto{{Name: proto.String("_code")}}
		}, []string{`Status: "int32 code = 3", in go-api "optional int32 code = 3"`}},
		{"oneof", func(f *descriptorpb.FileDescriptorProto) { message(f, "IDs").OneofDecl[0].Name = proto.String("ids") },
			[]string{
				`IDs: "oneof id_field { LongArray int_id = 1 }", in go-api "oneof ids { LongArray int_id = 1 }"`,
				`IDs: "oneof id_field { StringArray str_id = 2 }", in go-api "oneof ids { StringArray str_id = 2 }"`,
			}},
		{"enum value", func(f *descriptorpb.FileDescriptorProto) {
			named(named(f.EnumType, "LoadState").Value, "LoadStateLoaded").Name = proto.String("Loaded")
		}, []string{"LoadState: LoadStateLoaded = 3, in go-api Loaded"}},
		{"no enum value", func(f *descriptorpb.FileDescriptorProto) {
			named(named(f.EnumType, "LoadState").Value, "LoadStateLoaded").Number = proto.Int32(4)
		}, []string{"LoadState: LoadStateLoaded = 3: go-api has no such value"}},
		{"no RPC", func(f *descriptorpb.FileDescriptorProto) {
			named(f.Service[0].Method, "GetVersion").Name = proto.String("Version")
		}, []string{"GetVersion: go-api has no such RPC"}},
		{"request", func(f *descriptorpb.FileDescriptorProto) {
			named(f.Service[0].Method, "LoadCollection").InputType = proto.String(".milvus.proto.milvus.LoadPartitionsRequest")
		}, []string{`LoadCollection: "(LoadCollectionRequest) returns (Status)", in go-api "(LoadPartitionsRequest) returns (Status)"`}},
		{"response", func(f *descriptorpb.FileDescriptorProto) {
			named(f.Service[0].Method, "LoadCollection").OutputType = proto.String(".milvus.proto.milvus.BoolResponse")
		}, []string{`LoadCollection: "(LoadCollectionRequest) returns (Status)", in go-api "(LoadCollectionRequest) returns (BoolResponse)"`}},
		{"stream", func(f *descriptorpb.FileDescriptorProto) {
			named(f.Service[0].Method, "Flush").ServerStreaming = proto.Bool(true)
		}, []string{`Flush: "(FlushRequest) returns (FlushResponse)", in go-api "stream (FlushRequest) returns (FlushResponse)"`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, compare(goAPI(t, tt.change)).differences)
		})
	}
}

func TestCompare_CountsEverything(t *testing.T) {
	ours := protodesc.ToFileDescriptorProto(wire.File_github_com_milvuswait_milvuswait_internal_wire_wire_proto)
	fields, values := 0, 0
	for _, m := range ours.MessageType {
		fields += len(m.Field)
	}
	for _, e := range ours.EnumType {
		values += len(e.Value)
	}

	c := compare(goAPI(t, func(*descriptorpb.FileDescriptorProto) {}))

	require.Equal(t, []int{len(ours.MessageType), fields, len(ours.EnumType), values, len(methods)},
		[]int{c.messages, c.fields, c.enums, c.values, c.methods})
}

func TestCompare_WithoutGoAPI_NamesEveryMessageEnumAndRPC(t *testing.T) {
	c := compare(new(protoregistry.Files))

	require.Len(t, c.differences, c.messages+c.enums+c.methods)
	require.Contains(t, c.differences, "Status: go-api has none")
	require.Contains(t, c.differences, "LoadState: go-api has none")
	require.Contains(t, c.differences, "GetVersion: go-api has no service")
}

func TestCompare_NameInTwoPackages_IsADifference(t *testing.T) {
	files := goAPI(t, func(*descriptorpb.FileDescriptorProto) {})
	another, err := protodesc.NewFile(&descriptorpb.FileDescriptorProto{
		Name: proto.String("common.proto"), Package: proto.String("milvus.proto.common"),
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("Status")}},
	}, new(protoregistry.Files))
	require.NoError(t, err)
	require.NoError(t, files.RegisterFile(another))

	require.Equal(t, []string{"Status: go-api has milvus.proto.milvus.Status and milvus.proto.common.Status"}, compare(files).differences)
}

func TestMethods_ListsEveryMethodOfWire(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../wire.go", nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	var want []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			if generic, ok := spec.Type.(*ast.IndexListExpr); ok && generic.X.(*ast.Ident).Name == "Method" {
				want = append(want, spec.Names[0].Name)
			}
		}
		return true
	})

	var got []string
	for _, m := range methods {
		got = append(got, string(m.name))
	}

	require.NotEmpty(t, want)
	require.ElementsMatch(t, want, got)
}
