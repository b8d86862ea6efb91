package fakeserver

import (
	"google.golang.org/protobuf/proto"

	"github.com/milvuswait/milvuswait/internal/wire"
)

func decodeSchema(b []byte) (*wire.CollectionSchema, error) {
	schema := new(wire.CollectionSchema)
	return schema, proto.Unmarshal(b, schema)
}

// withField returns a copy of schema that has one field more. The old schema stays as
// it is, since a response may hold it.
func withField(schema *wire.CollectionSchema, field *wire.FieldSchema) *wire.CollectionSchema {
	more := proto.Clone(schema).(*wire.CollectionSchema)
	more.Fields = append(more.Fields, field)
	return more
}
