package fakeserver

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// setIndexBuilding sets the script of an index.
func (db *Database) setIndexBuilding(target milvuswait.Target, script fake.Script) {
	name := target.Index()
	if name == milvuswait.AllIndexes {
		panic("fakeserver: Set: AllIndexes is for asking, set a script for each index")
	}

	c := db.add(target.Collection(), nil)
	if script == nil {
		c.indexes = slices.DeleteFunc(c.indexes, func(i *index) bool { return i.name == name || name == "" })
		return
	}
	db.server.indexFor(c, name).script = begin(script)
}

// CreateIndex creates an index, or succeeds without one if the same index exists.
func (v *service) CreateIndex(ctx context.Context, req *wire.CreateIndexRequest) (*wire.Status, error) {
	return v.change(ctx, req, func(c *collection) *failure {
		s, d := v.s, v.s.config.Dialect
		field := c.field(req.GetFieldName())
		if field == nil && d == MilvusLite {
			return d.refused("unknown field '%s' for create_index", req.GetFieldName())
		}
		if field == nil {
			return d.refused("cannot create index on non-exist field: %s", req.GetFieldName())
		}

		name := req.GetIndexName()
		if d == Milvus22 {
			name = cmp.Or(name, d.indexName(field)) // newer versions match any index of the field
		}

		for _, i := range c.indexes {
			if fail, same := d.clash(i, field, name, req.GetExtraParams()); fail != nil || same {
				return fail
			}
		}

		s.addIndex(c, field.GetName(), cmp.Or(name, d.indexName(field))).params = req.GetExtraParams()
		return nil
	}).status(), nil
}

// clash compares a requested index with i, an existing one. It returns a failure if both
// cannot exist, or reports that they are the same.
func (d Dialect) clash(i *index, field *wire.FieldSchema, name string, params []*wire.KeyValuePair) (fail *failure, same bool) {
	switch {
	case i.field != field.GetName() && i.name != name:
		return nil, false
	case d == MilvusLite:
		const code = 35
		return &failure{legacy: code, code: code, reason: fmt.Sprintf("index already exists for field '%s'; call drop_index first", i.field)}, false
	case name != "" && i.name != name:
		return d.refused("CreateIndex failed: creating multiple indexes on same field is not supported"), false
	case i.field != field.GetName() || !sameParams(i.params, params):
		return d.refused("CreateIndex failed: at most one distinct index is allowed per field"), false
	}
	return nil, true
}

// indexName returns the default name of an index on field.
func (d Dialect) indexName(field *wire.FieldSchema) string {
	if d == Milvus22 {
		return fmt.Sprintf("_default_idx_%d", field.GetFieldID())
	}
	return field.GetName()
}

// DropIndex drops the matching indexes. It refuses to while the collection is loaded.
func (v *service) DropIndex(ctx context.Context, req *wire.DropIndexRequest) (*wire.Status, error) {
	return v.change(ctx, req, func(c *collection) *failure {
		d, before := v.s.config.Dialect, len(c.indexes)
		switch {
		case c.loaded() && d == MilvusLite:
			return d.refused("index cannot be dropped on loaded collection; call release() first")
		case c.loaded():
			return d.refused("index cannot be dropped, collection is loaded, please release it first")
		}

		dropped := v.s.match(c, req.GetIndexName(), req.GetFieldName())
		c.indexes = slices.DeleteFunc(slices.Clone(c.indexes), func(i *index) bool { return slices.Contains(dropped, i) })

		if d == MilvusLite && len(c.indexes) == before {
			return &failure{legacy: wire.ErrorCode_IllegalRowRecord, code: 700, reason: "no index to drop"}
		}
		if d == MilvusLite && len(c.indexes) == 0 {
			c.load = begin(v.s.config.Load) // milvus-lite loads a collection without an index
		}
		return nil
	}).status(), nil
}

// addIndex adds an index to c. The caller must hold s.state.
func (s *Server) addIndex(c *collection, field, name string) *index {
	i := &index{id: s.id(), name: name, field: field, created: time.Now(), builds: map[*lot]*playing{}}
	c.indexes = append(c.indexes, i)
	return i
}

// indexFor returns the index with the name, or for the empty name the only index. If there
// is none, it creates one: on the first vector field without an index, or else on a new
// field.
func (s *Server) indexFor(c *collection, name string) *index {
	for _, i := range c.indexes {
		if i.name == name || name == "" && len(c.indexes) == 1 {
			return i
		}
	}

	var free *wire.FieldSchema
	for _, field := range c.schema.Fields {
		indexed := slices.ContainsFunc(c.indexes, func(i *index) bool { return i.field == field.GetName() })
		if free == nil && !indexed && slices.Contains(vectors, field.GetDataType()) {
			free = field
		}
	}

	if free == nil {
		id := firstID + int64(len(c.schema.Fields))
		free = &wire.FieldSchema{
			FieldID: id, Name: fmt.Sprintf("%s%d", vectorName, id), DataType: wire.DataType_FloatVector, TypeParams: dim(),
		}
		c.schema = withField(c.schema, free)
	}

	i := s.addIndex(c, free.GetName(), cmp.Or(name, s.config.Dialect.indexName(free)))
	i.params = []*wire.KeyValuePair{{Key: "index_type", Value: "HNSW"}, {Key: "metric_type", Value: "L2"}}
	return i
}

// vectors lists the types of vector fields.
var vectors = []wire.DataType{
	wire.DataType_FloatVector, wire.DataType_BinaryVector, wire.DataType_Float16Vector,
	wire.DataType_BFloat16Vector, wire.DataType_SparseFloatVector,
}

// field returns the field with the name, or nil.
func (c *collection) field(name string) *wire.FieldSchema {
	for _, field := range c.schema.Fields {
		if field.GetName() == name {
			return field
		}
	}
	return nil
}
