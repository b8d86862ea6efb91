// Package wiretest compares package wire with Milvus' go-api, for tests of modules with
// a go-api.
package wiretest

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// packages lists the proto packages of go-api. milvus.proto.msg, the one of Milvus'
// message queue, is left out: it has other messages by the names of some requests.
var packages = []string{
	"milvus.proto.milvus.", "milvus.proto.common.", "milvus.proto.schema.",
	"milvus.proto.rg.", "milvus.proto.feder.", "milvus.proto.tokenizer.",
}

// CompareWithGoAPI compares every message, field, enum value and RPC of package wire
// with the go-api in this program. It fails the test for each one that differs or is
// missing there. Additional fields, values and RPCs of go-api are ignored.
func CompareWithGoAPI(t testing.TB) {
	t.Helper()
	c := compare(protoregistry.GlobalFiles)
	for _, d := range c.differences {
		t.Error(d)
	}
	t.Logf("%d messages, %d fields, %d enums, %d enum values, %d RPCs: %d differences",
		c.messages, c.fields, c.enums, c.values, c.methods, len(c.differences))
}

// comparison holds the counts and the differences of one comparison.
type comparison struct {
	files *protoregistry.Files // go-api's

	messages, fields, enums, values, methods int
	differences                              []string
}

// compare compares package wire with the go-api in files.
func compare(files *protoregistry.Files) *comparison {
	c := &comparison{files: files}
	file := wire.File_github_com_milvuswait_milvuswait_internal_wire_wire_proto
	for i := range file.Messages().Len() {
		c.message(file.Messages().Get(i))
	}

	for i := range file.Enums().Len() {
		c.enum(file.Enums().Get(i))
	}

	for _, m := range methods {
		c.method(m)
	}
	return c
}

func (c *comparison) differ(format string, args ...any) {
	c.differences = append(c.differences, fmt.Sprintf(format, args...))
}

// find returns go-api's message or enum of the same name. It returns nil if there is
// none, or more than one.
func (c *comparison) find(ours protoreflect.Descriptor) protoreflect.Descriptor {
	var found []protoreflect.Descriptor
	for _, p := range packages {
		if d, err := c.files.FindDescriptorByName(protoreflect.FullName(p + nameOf(ours))); err == nil {
			found = append(found, d)
		}
	}

	switch len(found) {
	case 0:
		c.differ("%s: go-api has none", nameOf(ours))
		return nil
	case 1:
		return found[0]
	}
	c.differ("%s: go-api has %s and %s", nameOf(ours), found[0].FullName(), found[1].FullName())
	return nil
}

// nameOf returns the name of a message or an enum, without our package or one of
// packages.
func nameOf(d protoreflect.Descriptor) string {
	name := string(d.FullName())
	for _, p := range append(packages, "milvuswait.internal.wire.") {
		if short, found := strings.CutPrefix(name, p); found {
			return short
		}
	}
	return name
}

// message compares a message, its fields and its nested types.
func (c *comparison) message(ours protoreflect.MessageDescriptor) {
	if ours.IsMapEntry() {
		return // field compares it
	}
	c.messages++
	found := c.find(ours)
	if found == nil {
		return
	}
	theirs, ok := found.(protoreflect.MessageDescriptor)
	if !ok {
		c.differ("%s: not a message in go-api", nameOf(ours))
		return
	}

	for i := range ours.Fields().Len() {
		c.field(ours.Fields().Get(i), theirs)
	}
	for i := range ours.Messages().Len() {
		c.message(ours.Messages().Get(i))
	}
	for i := range ours.Enums().Len() {
		c.enum(ours.Enums().Get(i))
	}
}

// field compares a field with the field of the same number in message.
func (c *comparison) field(ours protoreflect.FieldDescriptor, message protoreflect.MessageDescriptor) {
	c.fields++
	want := describe(ours)
	theirs := message.Fields().ByNumber(ours.Number())
	switch {
	case theirs == nil:
		c.differ("%s.%s = %d: go-api has no such field", message.Name(), ours.Name(), ours.Number())
	case describe(theirs) != want:
		c.differ("%s: %q, in go-api %q", message.Name(), want, describe(theirs))
	}
}

// describe returns a field as a .proto declares it.
func describe(f protoreflect.FieldDescriptor) string {
	kind := typeOf(f)
	switch {
	case f.IsMap():
		kind = fmt.Sprintf("map<%s, %s>", typeOf(f.MapKey()), typeOf(f.MapValue()))
	case f.IsList():
		kind = "repeated " + kind
	case f.Cardinality() != protoreflect.Optional || f.HasOptionalKeyword():
		kind = f.Cardinality().String() + " " + kind
	}

	text := fmt.Sprintf("%s %s = %d", kind, f.Name(), f.Number())
	if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
		text = fmt.Sprintf("oneof %s { %s }", o.Name(), text)
	}
	return text
}

// typeOf returns the kind of a field, or the name of its message or enum.
func typeOf(f protoreflect.FieldDescriptor) string {
	switch f.Kind() {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return nameOf(f.Message())
	case protoreflect.EnumKind:
		return nameOf(f.Enum())
	}
	return f.Kind().String()
}

// enum compares an enum and its values.
func (c *comparison) enum(ours protoreflect.EnumDescriptor) {
	c.enums++
	found := c.find(ours)
	if found == nil {
		return
	}
	theirs, ok := found.(protoreflect.EnumDescriptor)
	if !ok {
		c.differ("%s: not an enum in go-api", nameOf(ours))
		return
	}

	for i := range ours.Values().Len() {
		c.values++
		our := ours.Values().Get(i)
		their := theirs.Values().ByNumber(our.Number())
		switch {
		case their == nil:
			c.differ("%s: %s = %d: go-api has no such value", ours.Name(), our.Name(), our.Number())
		case their.Name() != our.Name():
			c.differ("%s: %s = %d, in go-api %s", ours.Name(), our.Name(), our.Number(), their.Name())
		}
	}
}

// method compares an RPC with go-api's RPC of the same name.
func (c *comparison) method(ours method) {
	c.methods++
	found, err := c.files.FindDescriptorByName(wire.Service)
	if err != nil {
		c.differ("%s: go-api has no service", ours.name)
		return
	}

	theirs := found.(protoreflect.ServiceDescriptor).Methods().ByName(ours.name)
	if theirs == nil {
		c.differ("%s: go-api has no such RPC", ours.name)
		return
	}

	want := fmt.Sprintf("(%s) returns (%s)", nameOf(ours.request), nameOf(ours.response))
	got := fmt.Sprintf("(%s) returns (%s)", nameOf(theirs.Input()), nameOf(theirs.Output()))
	if theirs.IsStreamingClient() || theirs.IsStreamingServer() {
		got = "stream " + got
	}
	if got != want {
		c.differ("%s: %q, in go-api %q", ours.name, want, got)
	}
}
