package fakeserver

import (
	"google.golang.org/protobuf/proto"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// decodeSchema decodes the schema in a CreateCollectionRequest.
func decodeSchema(b []byte) (*wire.CollectionSchema, error) {
	schema := new(wire.CollectionSchema)
	return schema, proto.Unmarshal(b, schema)
}

// withField returns a copy of schema with one more field. The schema itself must not
// change, since a response may hold it.
func withField(schema *wire.CollectionSchema, field *wire.FieldSchema) *wire.CollectionSchema {
	more := proto.Clone(schema).(*wire.CollectionSchema)
	more.Fields = append(more.Fields, field)
	return more
}
