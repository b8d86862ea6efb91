package milvusops

import (
	"context"
	"fmt"
	"math/rand/v2"

	"google.golang.org/protobuf/proto"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// The fields of a collection.
const (
	KeyField    = "id"     // int64, the primary key
	NumberField = "number" // int64
	VectorField = "vector" // Dim floats
)

// Dim is the dimension of the vectors.
const Dim = 64

// batch is the number of rows in one Insert: about 5 MB.
const batch = 20_000

// CreateCollection creates an empty collection with a number of shards.
func (c *Client) CreateCollection(ctx context.Context, name string, shards int) error {
	schema := &wire.CollectionSchema{Name: name, Fields: []*wire.FieldSchema{
		{Name: KeyField, DataType: wire.DataType_Int64, IsPrimaryKey: true},
		{Name: NumberField, DataType: wire.DataType_Int64},
		{Name: VectorField, DataType: wire.DataType_FloatVector, TypeParams: pairs("dim", fmt.Sprint(Dim))},
	}}
	encoded, err := proto.Marshal(schema)
	if err != nil {
		return err
	}
	return checked("CreateCollection")(wire.CreateCollection.Call(ctx, c.Conn, &wire.CreateCollectionRequest{
		CollectionName: name, Schema: encoded, ShardsNum: int32(shards),
	}))
}

// CreatePartition adds a partition. A loaded collection loads it too.
func (c *Client) CreatePartition(ctx context.Context, collection, partition string) error {
	return checked("CreatePartition")(wire.CreatePartition.Call(ctx, c.Conn, &wire.CreatePartitionRequest{
		CollectionName: collection, PartitionName: partition,
	}))
}

// Insert adds rows with the keys first, first+1, … and random vectors. The empty
// partition is the default one.
func (c *Client) Insert(ctx context.Context, collection, partition string, first, rows int) error {
	for end := first + rows; first < end; first += batch {
		n := min(batch, end-first)
		keys := make([]int64, n)
		for i := range keys {
			keys[i] = int64(first + i)
		}

		vectors := make([]float32, n*Dim)
		for i := range vectors {
			vectors[i] = rand.Float32()
		}

		response, err := wire.Insert.Call(ctx, c.Conn, &wire.InsertRequest{
			CollectionName: collection, PartitionName: partition, NumRows: uint32(n),
			FieldsData: []*wire.FieldData{numbers(KeyField, keys), numbers(NumberField, keys), floats(VectorField, vectors)},
		})
		if err := checked("Insert")(response.GetStatus(), err); err != nil {
			return err
		}
	}
	return nil
}

// StartFlush asks the server to flush the rows and deletes of the collection, and returns
// its response, from which rpc.FlushMarkOf makes a mark. It does not wait for the flush.
func (c *Client) StartFlush(ctx context.Context, collection string) (*wire.FlushResponse, error) {
	response, err := wire.Flush.Call(ctx, c.Conn, &wire.FlushRequest{CollectionNames: []string{collection}})
	return response, checked("Flush")(response.GetStatus(), err)
}

// Flush is StartFlush. It returns the question Flushed of its response.
func (c *Client) Flush(ctx context.Context, collection string) (flushed func(context.Context) (bool, error), err error) {
	response, err := c.StartFlush(ctx, collection)
	if err != nil {
		return nil, err
	}
	return c.Flushed(response, collection), nil
}

// CreateVectorIndex creates an HNSW index with the name on VectorField.
func (c *Client) CreateVectorIndex(ctx context.Context, collection, index string) error {
	return c.createIndex(ctx, collection, VectorField, index,
		pairs("index_type", "HNSW", "metric_type", "L2", "params", `{"M":16,"efConstruction":200}`))
}

// CreateNumberIndex creates an index with the name on NumberField. The kind is "STL_SORT" on
// Milvus and "INVERTED" on milvus-lite: no kind works on both.
func (c *Client) CreateNumberIndex(ctx context.Context, collection, index, kind string) error {
	return c.createIndex(ctx, collection, NumberField, index, pairs("index_type", kind))
}

// DropIndex removes the named index.
func (c *Client) DropIndex(ctx context.Context, collection, index string) error {
	return checked("DropIndex")(wire.DropIndex.Call(ctx, c.Conn, &wire.DropIndexRequest{CollectionName: collection, IndexName: index}))
}

func (c *Client) createIndex(ctx context.Context, collection, field, index string, params []*wire.KeyValuePair) error {
	return checked("CreateIndex")(wire.CreateIndex.Call(ctx, c.Conn, &wire.CreateIndexRequest{
		CollectionName: collection, FieldName: field, IndexName: index, ExtraParams: params,
	}))
}

func pairs(keysAndValues ...string) []*wire.KeyValuePair {
	var p []*wire.KeyValuePair
	for i := 0; i < len(keysAndValues); i += 2 {
		p = append(p, &wire.KeyValuePair{Key: keysAndValues[i], Value: keysAndValues[i+1]})
	}
	return p
}

func numbers(field string, data []int64) *wire.FieldData {
	return &wire.FieldData{
		FieldName: field, Type: wire.DataType_Int64,
		Field: &wire.FieldData_Scalars{Scalars: &wire.ScalarField{
			Data: &wire.ScalarField_LongData{LongData: &wire.LongArray{Data: data}},
		}},
	}
}

func floats(field string, data []float32) *wire.FieldData {
	return &wire.FieldData{
		FieldName: field, Type: wire.DataType_FloatVector,
		Field: &wire.FieldData_Vectors{Vectors: &wire.VectorField{
			Dim: Dim, Data: &wire.VectorField_FloatVector{FloatVector: &wire.FloatArray{Data: data}},
		}},
	}
}
