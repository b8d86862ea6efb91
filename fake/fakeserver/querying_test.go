package fakeserver_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

func query(t *testing.T, c grpc.ClientConnInterface, collection string, partitions ...string) *wire.QueryResults {
	t.Helper()
	r, err := wire.Query.Call(t.Context(), c, &wire.QueryRequest{CollectionName: collection, PartitionNames: partitions, Expr: "id in [5]"})
	require.NoError(t, err)
	return r
}

// finds reports whether a query finds a row.
func finds(t *testing.T, c grpc.ClientConnInterface, collection string, partitions ...string) bool {
	t.Helper()
	r := query(t, c, collection, partitions...)
	require.Equal(t, ok, of(r.GetStatus()))
	return len(r.GetFieldsData()) > 0
}

func TestQuery_WithoutScript_FindsInsertedRowsOfLoadedPartitions(t *testing.T) {
	for _, dialect := range importDialects {
		t.Run(dialect.String(), func(t *testing.T) {
			srv, c := start(t, fakeserver.Config{Dialect: dialect})
			srv.AddCollection("docs", "p1", "p2")
			srv.Set(milvuswait.Loading("docs"), fake.Percents(100))
			require.False(t, finds(t, c, "docs"))

			r, err := wire.Insert.Call(t.Context(), c, &wire.InsertRequest{CollectionName: "docs", PartitionName: "p1", NumRows: 3})
			require.NoError(t, err)
			require.Equal(t, ok, of(r.GetStatus()))

			for _, when := range []string{"growing", "flushed"} {
				require.True(t, finds(t, c, "docs"), when)
				require.True(t, finds(t, c, "docs", "p1"), when)
				require.False(t, finds(t, c, "docs", "p2"), when)
				require.True(t, finds(t, c, "docs", "p1", "p2"), "one partition hides another")
				flush(t, c, "docs")
			}
			srv.Set(milvuswait.Loading("docs", "p1"), nil)
			require.False(t, finds(t, c, "docs"), "only p2 and the default partition are loaded")
		})
	}
}

func TestQuery_Script_DecidesPerPartition(t *testing.T) {
	for _, dialect := range importDialects {
		t.Run(dialect.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, c := start(t, fakeserver.Config{Dialect: dialect})
				srv.AddCollection("docs", "p1", "p2")
				srv.Set(milvuswait.Loading("docs"), fake.Percents(100))
				srv.SetQuery("docs", fake.Percents(0, 100))
				srv.SetQuery("docs", fake.LoadOver(9*time.Second), "p1")

				require.False(t, finds(t, c, "docs"))
				require.True(t, finds(t, c, "docs"), "the second poll")
				require.True(t, finds(t, c, "docs", "p2"))
				require.False(t, finds(t, c, "docs", "p1"))
				time.Sleep(9 * time.Second)
				require.True(t, finds(t, c, "docs", "p1"))

				srv.SetQuery("docs", fake.Steps(
					fake.Step{Err: &milvuswait.ServerError{Code: 503, LegacyCode: 1, Reason: "channel not available"}, Delay: time.Second},
					fake.Step{Err: status.Error(codes.Unavailable, "try again")},
					fake.Step{Err: errors.New("oops")},
				), "p1")
				begin := time.Now()
				require.Equal(t, body{1, 503, "channel not available"}, of(query(t, c, "docs", "p1").GetStatus()))
				require.Equal(t, time.Second, time.Since(begin))
				_, err := wire.Query.Call(t.Context(), c, &wire.QueryRequest{CollectionName: "docs", PartitionNames: []string{"p1"}, Expr: "id > 0"})
				require.Equal(t, codes.Unavailable, status.Code(err))
				require.Equal(t, "oops", of(query(t, c, "docs", "p1").GetStatus()).reason)

				srv.SetQuery("docs", nil)
				srv.SetQuery("docs", nil, "p1")
				require.False(t, finds(t, c, "docs"), "no rows")
			})
		})
	}
}

func TestQuery_NotPossible_FailsAsInTheDialect(t *testing.T) {
	const v23, v22, lite, v26 = fakeserver.Milvus23, fakeserver.Milvus22, fakeserver.MilvusLite, fakeserver.Milvus26
	tests := []struct {
		name string
		ask  func(*testing.T, grpc.ClientConnInterface) *wire.QueryResults
		want map[fakeserver.Dialect]body
	}{
		{"unknown collection", func(t *testing.T, c grpc.ClientConnInterface) *wire.QueryResults { return query(t, c, "nope") },
			map[fakeserver.Dialect]body{
				v23:  {notExists, 100, "collection not found[database=default][collection=nope]"},
				v22:  {unexpected, 0, "code: UnexpectedError, reason: code: CollectionNotExists, reason: can't find collection default:nope"},
				lite: {notExists, 100, "collection 'nope' does not exist"},
			}},
		{"not loaded", func(t *testing.T, c grpc.ClientConnInterface) *wire.QueryResults { return query(t, c, "docs") },
			map[fakeserver.Dialect]body{
				v23: {unexpected, 101, "failed to query: collection not loaded[collection=100]"},
				v22: {unexpected, 0, "checkIfLoaded failed when query, collection:docs, partitions:[], err = GetCollectionInfo failed, " +
					"dbName = default, collection = docs, err = collection 100 has not been loaded to memory or load failed"},
				lite: {101, 101, "Collection 'docs' is in state 'released'; call load() before search/get/query"},
			}},
		{"being loaded", func(t *testing.T, c grpc.ClientConnInterface) *wire.QueryResults { return query(t, c, "loaded") },
			map[fakeserver.Dialect]body{
				v23:  {unexpected, 103, "failed to query: collection not fully loaded[collection=104]"},
				v22:  {unexpected, 0, "collection 104 is not fully loaded"},
				lite: {101, 101, "Collection 'loaded' is in state 'loading'; call load() before search/get/query"},
			}},
		{"unknown partition", func(t *testing.T, c grpc.ClientConnInterface) *wire.QueryResults {
			return query(t, c, "loaded", "nopart")
		},
			map[fakeserver.Dialect]body{
				v23:  {metaFailed, 200, "partition not found[partition=nopart]"},
				v22:  {unexpected, 0, "partition is not exist: nopart"},
				lite: {200, 200, "nopart"},
			}},
		{"load that fails", func(t *testing.T, c grpc.ClientConnInterface) *wire.QueryResults { return query(t, c, "failing") },
			map[fakeserver.Dialect]body{
				v23: {unexpected, 7, "out of memory"}, v22: {unexpected, 7, "out of memory"}, lite: {unexpected, 7, "out of memory"},
			}},
	}
	for dialect, like := range map[fakeserver.Dialect]fakeserver.Dialect{v23: v23, v22: v22, lite: lite, v26: v23} {
		srv, c := start(t, fakeserver.Config{Dialect: dialect})
		build(srv)
		srv.Set(milvuswait.Loading("failing"), fake.Steps(fake.Step{Err: &milvuswait.ServerError{Code: 7, LegacyCode: 1, Reason: "out of memory"}}))
		for _, tt := range tests {
			t.Run(dialect.String()+": "+tt.name, func(t *testing.T) {
				require.Equal(t, tt.want[like], of(tt.ask(t, c).GetStatus()))
			})
		}
	}
}

func TestQuery_Filter_IsRefusedAsOn22(t *testing.T) {
	srv, c := start(t, fakeserver.Config{Dialect: fakeserver.Milvus22})
	srv.Set(milvuswait.Loading("docs"), fake.Percents(100))
	refused := func(req *wire.QueryRequest) body {
		r, err := wire.Query.Call(t.Context(), c, req)
		require.NoError(t, err)
		return of(r.GetStatus())
	}

	require.Equal(t, body{unexpected, 0, "query expression is empty"}, refused(&wire.QueryRequest{CollectionName: "docs"}))
	require.Equal(t, body{unexpected, 0, "field count(*) not exist"},
		refused(&wire.QueryRequest{CollectionName: "docs", Expr: "id > 0", OutputFields: []string{"count(*)"}}))
}

func TestQuery_Row_HasThePrimaryKey(t *testing.T) {
	srv, c := start(t, fakeserver.Config{Dialect: fakeserver.MilvusLite})
	srv.AddRows("docs", 1)

	row := query(t, c, "docs").GetFieldsData()

	require.Equal(t, 1, len(row))
	require.Equal(t, "id", row[0].GetFieldName())
	require.Equal(t, wire.DataType_Int64, row[0].GetType())
	require.Equal(t, 1, len(row[0].GetScalars().GetLongData().GetData()))
}

func TestQuery_Row_HasAStringForAVarCharKey(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	schema, err := proto.Marshal(&wire.CollectionSchema{Fields: []*wire.FieldSchema{
		{Name: "vec", DataType: wire.DataType_FloatVector}, {Name: "title", DataType: wire.DataType_VarChar, IsPrimaryKey: true},
	}})
	require.NoError(t, err)
	s, err := wire.CreateCollection.Call(t.Context(), c, &wire.CreateCollectionRequest{CollectionName: "docs", Schema: schema})
	succeeds(t, s, err)
	srv.AddRows("docs", 1)
	srv.Set(milvuswait.Loading("docs"), fake.Percents(100))

	row := query(t, c, "docs").GetFieldsData()

	require.Equal(t, 1, len(row))
	require.Equal(t, "title", row[0].GetFieldName())
	require.Equal(t, []string{"1"}, row[0].GetScalars().GetStringData().GetData())
}

// TestVerify_OverTheWire loads a partition while others are loaded: it is reported loaded at
// once, and its rows are found 9 s later.
func TestVerify_OverTheWire(t *testing.T) {
	const found = 9 * time.Second
	for _, verifies := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			srv, c := start(t, fakeserver.Config{})
			srv.Set(milvuswait.Loading("docs", "p1"), fake.Percents(100))
			srv.SetQuery("docs", fake.LoadOver(found), "p1")
			var opts []milvuswait.Option
			if verifies {
				opts = append(opts, milvuswait.WithVerify(func(_ context.Context, target milvuswait.Target) error {
					if !finds(t, c, target.Collection(), target.Partitions()...) {
						return errors.New("no row")
					}
					return nil
				}))
			}
			begin := time.Now()

			_, err := milvuswait.WaitForLoadingComplete(t.Context(), rpc.New(c), "docs", append(opts, milvuswait.WithPartitions("p1"))...)

			require.NoError(t, err)
			if !verifies {
				require.Zero(t, time.Since(begin))
				return
			}
			require.GreaterOrEqual(t, time.Since(begin), found)
			require.Less(t, time.Since(begin), found+6*time.Second)
		})
	}
}
