package fakeserver_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

func TestCollections_CreatedByClients(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	srv.AddCollection("docs")
	described, err := wire.DescribeCollection.Call(t.Context(), c, &wire.DescribeCollectionRequest{CollectionName: "docs"})
	require.NoError(t, err)
	byID, err := wire.DescribeCollection.Call(t.Context(), c, &wire.DescribeCollectionRequest{CollectionID: described.GetCollectionID()})
	require.NoError(t, err)
	require.Equal(t, "docs", byID.GetCollectionName())
	require.EqualValues(t, 100, described.GetSchema().GetFields()[0].GetFieldID())

	for range 2 {
		s, err := wire.CreatePartition.Call(t.Context(), c, &wire.CreatePartitionRequest{CollectionName: "docs", PartitionName: "p1"})
		succeeds(t, s, err)
	}
	has, err := wire.HasPartition.Call(t.Context(), c, &wire.HasPartitionRequest{CollectionName: "docs", PartitionName: "p1"})
	require.NoError(t, err)
	require.True(t, has.GetValue())
	shown, err := wire.ShowPartitions.Call(t.Context(), c, &wire.ShowPartitionsRequest{CollectionName: "docs"})
	require.NoError(t, err)
	require.Equal(t, []string{"_default", "p1"}, shown.GetPartitionNames())
	srv.Set(milvuswait.Loading("docs", "p1"), fake.Percents(1))
	require.Equal(t, body{unexpected, 65535, "partition cannot be dropped, partition is loaded, please release it first"},
		done(t)(wire.DropPartition.Call(t.Context(), c, &wire.DropPartitionRequest{CollectionName: "docs", PartitionName: "p1"})))
	require.Equal(t, body{unexpected, 65535, "default partition cannot be deleted"},
		done(t)(wire.DropPartition.Call(t.Context(), c, &wire.DropPartitionRequest{CollectionName: "docs", PartitionName: "_default"})))

	s, err := wire.DropCollection.Call(t.Context(), c, &wire.DropCollectionRequest{CollectionName: "docs"})
	succeeds(t, s, err)
	there, err := wire.HasCollection.Call(t.Context(), c, &wire.HasCollectionRequest{CollectionName: "docs"})
	require.NoError(t, err)
	require.Equal(t, ok, of(there.GetStatus()))
	require.False(t, there.GetValue())
}

func TestCreateCollection(t *testing.T) {
	schema := func(dim string) []byte {
		s := &wire.CollectionSchema{Name: "docs", Fields: []*wire.FieldSchema{
			{Name: "id", IsPrimaryKey: true, DataType: wire.DataType_VarChar},
			{Name: "vec", DataType: wire.DataType_FloatVector, TypeParams: []*wire.KeyValuePair{{Key: "dim", Value: dim}}},
		}}
		b, err := encoding.GetCodecV2(proto.Name).Marshal(s)
		require.NoError(t, err)
		return b.Materialize()
	}
	const differs = "create duplicate collection with different parameters, collection: docs"
	tests := []struct {
		dialect       fakeserver.Dialect
		again, differ body
		ghost         body
	}{
		{fakeserver.Milvus23, ok, body{unexpected, 65535, differs}, body{unexpected, 65535, "database:ghost not found"}},
		{fakeserver.Milvus22, ok, body{unexpected, 0, differs}, body{unexpected, 0, "database:ghost not found"}},
		{
			fakeserver.MilvusLite, body{unexpected, 1, "collection 'docs' already exists"}, body{unexpected, 1, "collection 'docs' already exists"},
			body{6, 6, "database 'ghost' does not exist"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.dialect.String(), func(t *testing.T) {
			_, c := start(t, fakeserver.Config{Dialect: tt.dialect})
			create := func(db, dim string, shards int32) body {
				return done(t)(wire.CreateCollection.Call(t.Context(), c, &wire.CreateCollectionRequest{
					DbName: db, CollectionName: "docs", Schema: schema(dim), ShardsNum: shards,
				}))
			}
			require.Equal(t, ok, create("", "8", 2))
			require.Equal(t, tt.again, create("", "8", 2))
			require.Equal(t, tt.differ, create("", "8", 1))
			require.Equal(t, tt.differ, create("", "16", 2))
			require.Equal(t, tt.ghost, create("ghost", "8", 2))

			keys := &wire.StringArray{Data: []string{"a", "b"}}
			inserted, err := wire.Insert.Call(t.Context(), c, &wire.InsertRequest{CollectionName: "docs", NumRows: 2, FieldsData: []*wire.FieldData{
				{FieldName: "vec"},
				{FieldName: "id", Field: &wire.FieldData_Scalars{Scalars: &wire.ScalarField{Data: &wire.ScalarField_StringData{StringData: keys}}}},
			}})
			require.NoError(t, err)
			require.Equal(t, keys.Data, inserted.GetIDs().GetStrId().GetData())
			invalid := done(t)(wire.CreateCollection.Call(t.Context(), c, &wire.CreateCollectionRequest{CollectionName: "x", Schema: []byte("rubbish")}))
			require.NotEqual(t, ok, invalid)
		})
	}
}
