package fakeserver_test

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

func rows(d *wire.IndexDescription) string {
	return fmt.Sprintf("%d/%d, %d pending, %v", d.GetIndexedRows(), d.GetTotalRows(), d.GetPendingIndexRows(), d.GetState())
}

// As measured on real servers: a state of Finished while rows are pending.
func TestIndex_RowsNewerThanIt_AreFinishedEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t, fakeserver.Config{
			VisibleAfter: 2600 * time.Millisecond,
			Build:        func(rows int64) fake.Script { return fake.BuildOver(rows, 40*time.Second).InSteps(2) },
		})
		srv.AddCollection("docs")
		s, err := createIndex(t.Context(), c, "docs", "vec", "vidx")
		succeeds(t, s, err)
		srv.AddRows("docs", 100_000)
		mark := flush(t, c, "docs") // the same segment is still sealed

		tests := []struct {
			after       time.Duration
			atZero, max string
			flushed     bool
		}{
			{0, "0/0, 0 pending, Finished", "0/0, 0 pending, Finished", false},
			{2599 * time.Millisecond, "0/0, 0 pending, Finished", "0/0, 0 pending, Finished", false},
			{2600 * time.Millisecond, "0/100000, 100000 pending, Finished", "0/100000, 100000 pending, InProgress", true},
			{22600 * time.Millisecond, "50000/100000, 50000 pending, Finished", "50000/100000, 50000 pending, InProgress", true},
			{42600 * time.Millisecond, "100000/100000, 0 pending, Finished", "100000/100000, 0 pending, Finished", true},
		}
		begin := time.Now()
		for _, tt := range tests {
			time.Sleep(tt.after - time.Since(begin))
			require.Equal(t, tt.atZero, rows(describeIndex(t, c, "docs", "vidx", 0).GetIndexDescriptions()[0]), tt.after)
			require.Equal(t, tt.atZero, rows(describeIndex(t, c, "docs", "vidx", 12345).GetIndexDescriptions()[0]), tt.after)
			require.Equal(t, tt.max, rows(describeIndex(t, c, "docs", "vidx", math.MaxUint64).GetIndexDescriptions()[0]), tt.after)
			require.Equal(t, tt.flushed, flushed(t, c, "docs", mark), tt.after)
		}
		srv.AddRows("docs", 20_000)
		time.Sleep(2600 * time.Millisecond)
		require.Equal(t, "100000/120000, 20000 pending, InProgress", rows(describeIndex(t, c, "docs", "vidx", math.MaxUint64).GetIndexDescriptions()[0]))
	})
}

func TestIndex_CreatedAfterTheRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t, fakeserver.Config{Build: func(rows int64) fake.Script { return fake.BuildOver(rows, 40*time.Second) }})
		srv.AddRows("docs", 1000)
		time.Sleep(time.Hour)
		s, err := createIndex(t.Context(), c, "docs", "vec", "")
		succeeds(t, s, err)
		time.Sleep(10 * time.Second)

		index := describeIndex(t, c, "docs", "", 0).GetIndexDescriptions()[0]

		require.Equal(t, "250/1000, 750 pending, InProgress", rows(index), "every timestamp gets the state")
		require.Equal(t, "vec", index.GetIndexName())
	})
}

func TestIndex_WithScript_ReportsItsRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t, fakeserver.Config{})
		srv.AddRows("docs", 7)
		srv.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.WithDelay(fake.BuildOver(1000, 10*time.Second).FailAt(90, "oom"), time.Second))
		begin := time.Now()

		require.Equal(t, "0/1000, 1000 pending, InProgress", rows(describeIndex(t, c, "docs", "vidx", math.MaxUint64).GetIndexDescriptions()[0]))
		require.Equal(t, "100/1000, 900 pending, Finished", rows(describeIndex(t, c, "docs", "", 0).GetIndexDescriptions()[0]))
		require.Equal(t, 2*time.Second, time.Since(begin))
		time.Sleep(10 * time.Second)
		failed := describeIndex(t, c, "docs", "vidx", 0).GetIndexDescriptions()[0]
		require.Equal(t, "900/1000, 100 pending, Failed", rows(failed))
		require.Equal(t, "oom", failed.GetIndexStateFailReason())

		srv.Set(milvuswait.IndexBuilding("docs", ""), fake.Rows(5, 5))
		require.Equal(t, "5/5, 0 pending, Finished", rows(describeIndex(t, c, "docs", "vidx", 0).GetIndexDescriptions()[0]), "the only one was meant")
		srv.Set(milvuswait.IndexBuilding("docs", "vidx"), nil)
		require.Equal(t, body{indexAbsent, 700, "index not found[collection=docs]"}, of(describeIndex(t, c, "docs", "", 0).GetStatus()))
	})
}

func TestIndexes_SeveralInACollection(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	srv.Set(milvuswait.IndexBuilding("docs", "first"), fake.Rows(10, 10))
	srv.Set(milvuswait.IndexBuilding("docs", "second"), fake.Rows(10, 4))

	both := describeIndex(t, c, "docs", "", math.MaxUint64).GetIndexDescriptions()
	described, err := wire.DescribeCollection.Call(t.Context(), c, &wire.DescribeCollectionRequest{CollectionName: "docs"})
	require.NoError(t, err)

	require.Equal(t, 2, len(both))
	require.Equal(t, []string{"first", "vec", "second", "vec102"}, []string{
		both[0].GetIndexName(), both[0].GetFieldName(), both[1].GetIndexName(), both[1].GetFieldName(),
	})
	require.Equal(t, 3, len(described.GetSchema().GetFields()), "the second index has a field of its own")
}

func TestCreateIndex_FieldWithIndex(t *testing.T) {
	params := &wire.KeyValuePair{Key: "index_type", Value: "HNSW"}
	for _, dialect := range []fakeserver.Dialect{fakeserver.Milvus23, fakeserver.Milvus22} {
		t.Run(dialect.String(), func(t *testing.T) {
			srv, c := start(t, fakeserver.Config{Dialect: dialect})
			srv.AddCollection("docs")
			for range 2 {
				s, err := createIndex(t.Context(), c, "docs", "vec", "vidx", params)
				succeeds(t, s, err)
			}
			unnamed := done(t)(createIndex(t.Context(), c, "docs", "vec", "", params))
			require.Equal(t, dialect == fakeserver.Milvus23, unnamed == ok, "only newer servers find the existing one")

			require.Equal(t, "CreateIndex failed: creating multiple indexes on same field is not supported",
				done(t)(createIndex(t.Context(), c, "docs", "vec", "other", params)).reason)
			require.Equal(t, "CreateIndex failed: at most one distinct index is allowed per field",
				done(t)(createIndex(t.Context(), c, "docs", "vec", "vidx")).reason)
			require.Equal(t, "cannot create index on non-exist field: nope",
				done(t)(createIndex(t.Context(), c, "docs", "nope", "vidx", params)).reason)
			s, err := createIndex(t.Context(), c, "docs", "id", "")
			succeeds(t, s, err)
			names := map[fakeserver.Dialect]string{fakeserver.Milvus23: "id", fakeserver.Milvus22: "_default_idx_100"}
			require.Equal(t, names[dialect], describeIndex(t, c, "docs", "", 0).GetIndexDescriptions()[1].GetIndexName())

			drop := func(index string) (*wire.Status, error) {
				return wire.DropIndex.Call(t.Context(), c, &wire.DropIndexRequest{CollectionName: "docs", IndexName: index})
			}
			s, err = drop("nope")
			succeeds(t, s, err)
			s, err = drop("vidx")
			succeeds(t, s, err)
			require.Equal(t, 1, len(describeIndex(t, c, "docs", "", 0).GetIndexDescriptions()))
		})
	}
}

func TestInsertAndFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t, fakeserver.Config{VisibleAfter: time.Second})
		srv.AddCollection("docs", "p1")
		insert := func(partition string, keys ...int64) *wire.MutationResult {
			r, err := wire.Insert.Call(t.Context(), c, &wire.InsertRequest{
				CollectionName: "docs", PartitionName: partition, NumRows: uint32(len(keys)),
				FieldsData: []*wire.FieldData{{FieldName: "id", Field: &wire.FieldData_Scalars{Scalars: &wire.ScalarField{
					Data: &wire.ScalarField_LongData{LongData: &wire.LongArray{Data: keys}},
				}}}},
			})
			require.NoError(t, err)
			return r
		}
		count := func() string {
			r, err := wire.GetCollectionStatistics.Call(t.Context(), c, &wire.GetCollectionStatisticsRequest{CollectionName: "docs"})
			require.NoError(t, err)
			return r.GetStats()[0].GetValue()
		}

		r := insert("", 7, 8, 9)
		require.EqualValues(t, 3, r.GetInsertCnt())
		require.Equal(t, []int64{7, 8, 9}, r.GetIDs().GetIntId().GetData())
		insert("p1", 1, 2)
		require.Equal(t, body{metaFailed, 200, "partition not found[partition=nopart]"}, of(insert("nopart", 1).GetStatus()))
		require.Equal(t, "0", count())

		flushed, err := wire.Flush.Call(t.Context(), c, &wire.FlushRequest{CollectionNames: []string{"docs"}})
		require.NoError(t, err)
		segments := flushed.GetCollSegIDs()["docs"].GetData()
		require.Equal(t, 2, len(segments), "one for each partition")
		require.Equal(t, "5", count())
		state := func() bool {
			r, err := wire.GetFlushState.Call(t.Context(), c, &wire.GetFlushStateRequest{SegmentIDs: segments})
			require.NoError(t, err)
			return r.GetFlushed()
		}
		require.False(t, state())
		time.Sleep(time.Second)
		require.True(t, state())

		again, err := wire.Flush.Call(t.Context(), c, &wire.FlushRequest{CollectionNames: []string{"docs"}})
		require.NoError(t, err)
		require.Empty(t, again.GetCollSegIDs()["docs"].GetData())
		require.Equal(t, segments, again.GetFlushCollSegIDs()["docs"].GetData())

		s, err := wire.DropPartition.Call(t.Context(), c, &wire.DropPartitionRequest{CollectionName: "docs", PartitionName: "p1"})
		succeeds(t, s, err)
		require.Equal(t, "3", count())
		absent, err := wire.Flush.Call(t.Context(), c, &wire.FlushRequest{CollectionNames: []string{"nope"}})
		require.NoError(t, err)
		require.EqualValues(t, 100, absent.GetStatus().GetCode())
	})
}

func TestInsert_AutoID_ReturnsNewKeys(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	srv.AddCollection("docs")

	r, err := wire.Insert.Call(t.Context(), c, &wire.InsertRequest{CollectionName: "docs", NumRows: 3})

	require.NoError(t, err)
	require.Equal(t, 3, len(r.GetIDs().GetIntId().GetData()))
}

func TestRowCount_On22_WaitsForVisibleRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t, fakeserver.Config{Dialect: fakeserver.Milvus22, VisibleAfter: time.Second})
		srv.AddRows("docs", 5)
		for _, want := range []string{"0", "5"} {
			r, err := wire.GetCollectionStatistics.Call(t.Context(), c, &wire.GetCollectionStatisticsRequest{CollectionName: "docs"})
			require.NoError(t, err)
			require.Equal(t, want, r.GetStats()[0].GetValue())
			time.Sleep(time.Second)
		}
	})
}
