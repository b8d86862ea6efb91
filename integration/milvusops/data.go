package milvusops

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/milvus-io/milvus-proto/go-api/v2/schemapb"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
)

// The fields of a collection.
const (
	KeyField    = "id"     // int64, the primary key
	NumberField = "number" // int64
	VectorField = "vector" // Dim floats
)

// Dim is the dimension of the vectors.
const Dim = 64

// batch is how many rows one Insert holds: about 5 MB.
const batch = 20_000

// CreateCollection creates an empty collection with that many shards.
func (c *Client) CreateCollection(ctx context.Context, name string, shards int) error {
	schema := &schemapb.CollectionSchema{Name: name, Fields: []*schemapb.FieldSchema{
		{Name: KeyField, DataType: schemapb.DataType_Int64, IsPrimaryKey: true},
		{Name: NumberField, DataType: schemapb.DataType_Int64},
		{Name: VectorField, DataType: schemapb.DataType_FloatVector, TypeParams: pairs("dim", fmt.Sprint(Dim))},
	}}
	wire, err := encoding.GetCodecV2(proto.Name).Marshal(schema)
	if err != nil {
		return err
	}
	return checked("CreateCollection")(c.Stub.CreateCollection(ctx, &milvuspb.CreateCollectionRequest{
		CollectionName: name, Schema: wire.Materialize(), ShardsNum: int32(shards),
	}))
}

// CreatePartition adds a partition, which a loaded collection loads too.
func (c *Client) CreatePartition(ctx context.Context, collection, partition string) error {
	return checked("CreatePartition")(c.Stub.CreatePartition(ctx, &milvuspb.CreatePartitionRequest{
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
		response, err := c.Stub.Insert(ctx, &milvuspb.InsertRequest{
			CollectionName: collection, PartitionName: partition, NumRows: uint32(n),
			FieldsData: []*schemapb.FieldData{numbers(KeyField, keys), numbers(NumberField, keys), floats(VectorField, vectors)},
		})
		if err := checked("Insert")(response.GetStatus(), err); err != nil {
			return err
		}
	}
	return nil
}

// Flush asks the server to seal what was inserted, and returns at once. The
// function that it returns asks whether that is done.
func (c *Client) Flush(ctx context.Context, collection string) (flushed func(context.Context) (bool, error), err error) {
	response, err := c.Stub.Flush(ctx, &milvuspb.FlushRequest{CollectionNames: []string{collection}})
	if err := checked("Flush")(response.GetStatus(), err); err != nil {
		return nil, err
	}
	question := &milvuspb.GetFlushStateRequest{
		SegmentIDs:     response.GetCollSegIDs()[collection].GetData(),
		FlushTs:        response.GetCollFlushTs()[collection],
		CollectionName: collection,
	}
	return func(ctx context.Context) (bool, error) {
		state, err := c.Stub.GetFlushState(ctx, question)
		return state.GetFlushed(), checked("GetFlushState")(state.GetStatus(), err)
	}, nil
}

// CreateVectorIndex asks for an HNSW index of that name on VectorField.
func (c *Client) CreateVectorIndex(ctx context.Context, collection, index string) error {
	return c.createIndex(ctx, collection, VectorField, index,
		pairs("index_type", "HNSW", "metric_type", "L2", "params", `{"M":16,"efConstruction":200}`))
}

// CreateNumberIndex asks for an index of that name on NumberField. The kind is
// "STL_SORT" with Milvus and "INVERTED" with milvus-lite, which have no common
// one.
func (c *Client) CreateNumberIndex(ctx context.Context, collection, index, kind string) error {
	return c.createIndex(ctx, collection, NumberField, index, pairs("index_type", kind))
}

// DropIndex removes the named index.
func (c *Client) DropIndex(ctx context.Context, collection, index string) error {
	return checked("DropIndex")(c.Stub.DropIndex(ctx, &milvuspb.DropIndexRequest{CollectionName: collection, IndexName: index}))
}

func (c *Client) createIndex(ctx context.Context, collection, field, index string, params []*commonpb.KeyValuePair) error {
	return checked("CreateIndex")(c.Stub.CreateIndex(ctx, &milvuspb.CreateIndexRequest{
		CollectionName: collection, FieldName: field, IndexName: index, ExtraParams: params,
	}))
}

func pairs(keysAndValues ...string) []*commonpb.KeyValuePair {
	var p []*commonpb.KeyValuePair
	for i := 0; i < len(keysAndValues); i += 2 {
		p = append(p, &commonpb.KeyValuePair{Key: keysAndValues[i], Value: keysAndValues[i+1]})
	}
	return p
}

func numbers(field string, data []int64) *schemapb.FieldData {
	return &schemapb.FieldData{
		FieldName: field, Type: schemapb.DataType_Int64,
		Field: &schemapb.FieldData_Scalars{Scalars: &schemapb.ScalarField{
			Data: &schemapb.ScalarField_LongData{LongData: &schemapb.LongArray{Data: data}},
		}},
	}
}

func floats(field string, data []float32) *schemapb.FieldData {
	return &schemapb.FieldData{
		FieldName: field, Type: schemapb.DataType_FloatVector,
		Field: &schemapb.FieldData_Vectors{Vectors: &schemapb.VectorField{
			Dim: Dim, Data: &schemapb.VectorField_FloatVector{FloatVector: &schemapb.FloatArray{Data: data}},
		}},
	}
}
