package fakeserver_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

func TestIndexProgress_OfEachDialect(t *testing.T) {
	tests := []struct {
		dialect   fakeserver.Dialect
		absent    body
		ambiguous body
	}{
		{fakeserver.Milvus23, body{indexAbsent, 700, "index not found[indexName=nope]"}, body{unexpected, 702, "index duplicates[indexName=]"}},
		{
			fakeserver.Milvus22, body{unexpected, 0, fmt.Sprintf("there is no index on collection: %d with the index name: nope", loadedID)},
			body{unexpected, 0, "there are multiple indexes, please specify the index_name"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.dialect.String(), func(t *testing.T) {
			srv, c := start(t, fakeserver.Config{Dialect: tt.dialect})
			build(srv)
			ask := func(index string) (*wire.GetIndexBuildProgressResponse, *wire.GetIndexStateResponse, *wire.GetIndexStatisticsResponse) {
				progress, err := wire.GetIndexBuildProgress.Call(t.Context(), c, &wire.GetIndexBuildProgressRequest{CollectionName: "loaded", IndexName: index})
				require.NoError(t, err)
				state, err := wire.GetIndexState.Call(t.Context(), c, &wire.GetIndexStateRequest{CollectionName: "loaded", IndexName: index})
				require.NoError(t, err)
				statistics, err := wire.GetIndexStatistics.Call(t.Context(), c, &wire.GetIndexStatisticsRequest{CollectionName: "loaded", IndexName: index})
				require.NoError(t, err)
				return progress, state, statistics
			}

			progress, state, statistics := ask("nope")
			require.Equal(t, tt.absent, of(progress.GetStatus()))
			require.Equal(t, wire.IndexState_IndexStateNone, state.GetState())
			require.Equal(t, indexAbsent, statistics.GetStatus().ErrorCode)

			progress, state, statistics = ask("")
			require.Equal(t, tt.ambiguous, of(progress.GetStatus()))
			require.Equal(t, wire.IndexState_IndexStateNone, state.GetState())
			require.Equal(t, 2, len(statistics.GetIndexDescriptions()))

			progress, state, statistics = ask("vidx")
			require.EqualValues(t, 40, progress.GetIndexedRows())
			require.EqualValues(t, 100, progress.GetTotalRows())
			require.Equal(t, wire.IndexState_Finished, state.GetState())
			require.Equal(t, wire.IndexState_InProgress, statistics.GetIndexDescriptions()[0].GetState())
		})
	}
}

func TestLists_RequestedNames(t *testing.T) {
	const v23, v22, lite = fakeserver.Milvus23, fakeserver.Milvus22, fakeserver.MilvusLite
	notLoaded := map[fakeserver.Dialect]body{
		v23: {unexpected, 201, fmt.Sprintf("partition not loaded[partition=%d]", defaultID)},
		v22: {unexpected, 0, fmt.Sprintf("collection %d has not been loaded into QueryNode", docsID)},
	}
	absent := map[fakeserver.Dialect]body{v23: {metaFailed, 200, "partition not found[partition=nopart]"}, v22: {unexpected, 0, "partition is not exist: nopart"}}
	tests := []struct {
		name       string
		collection string
		inMemory   bool
		names      []string
		want       map[fakeserver.Dialect]body
		wantNames  map[fakeserver.Dialect]int
	}{
		{"all, of an unknown name", "docs", false, []string{"nopart"}, nil, map[fakeserver.Dialect]int{v23: 1, v22: 1}},
		{"in memory, of an unknown name", "docs", true, []string{"nopart"}, absent, nil},
		{"in memory, of one not loaded", "docs", true, []string{"_default"}, notLoaded, map[fakeserver.Dialect]int{lite: 1}},
		{"in memory, of none loaded", "docs", true, nil, map[fakeserver.Dialect]body{v22: notLoaded[v22]}, map[fakeserver.Dialect]int{lite: 1}},
		{"in memory", "loaded", true, []string{"_default"}, nil, map[fakeserver.Dialect]int{v23: 1, v22: 1, lite: 1}},
	}
	for _, dialect := range []fakeserver.Dialect{v23, v22, lite} {
		srv, c := start(t, fakeserver.Config{Dialect: dialect})
		build(srv)
		for _, tt := range tests {
			t.Run(dialect.String()+": "+tt.name, func(t *testing.T) {
				req := &wire.ShowPartitionsRequest{CollectionName: tt.collection, PartitionNames: tt.names}
				if tt.inMemory {
					req.Type = wire.ShowType_InMemory
				}

				r, err := wire.ShowPartitions.Call(t.Context(), c, req)

				require.NoError(t, err)
				require.Equal(t, tt.want[dialect], of(r.GetStatus()))
				require.Equal(t, tt.wantNames[dialect], len(r.GetPartitionNames()))
			})
		}
		t.Run(dialect.String()+": collections", func(t *testing.T) {
			r, err := wire.ShowCollections.Call(t.Context(), c, &wire.ShowCollectionsRequest{CollectionNames: []string{"docs", "nope"}})

			require.NoError(t, err)
			require.Equal(t, ok, of(r.GetStatus()))
			require.Equal(t, map[fakeserver.Dialect]int{v23: 2, v22: 2, lite: 1}[dialect], len(r.GetCollectionNames()), "only milvus-lite filters by names")
		})
	}
}

func TestDescribeCollection_UnknownID(t *testing.T) {
	for dialect, want := range map[fakeserver.Dialect]body{
		fakeserver.Milvus23:   {unexpected, 100, "can't find collection collection not found[collection=7]"},
		fakeserver.Milvus22:   {unexpected, 0, "code: CollectionNotExists, reason: can't find collection: 7"},
		fakeserver.MilvusLite: {notExists, 100, "collection '' does not exist"},
	} {
		t.Run(dialect.String(), func(t *testing.T) {
			_, c := start(t, fakeserver.Config{Dialect: dialect})

			r, err := wire.DescribeCollection.Call(t.Context(), c, &wire.DescribeCollectionRequest{CollectionID: 7})

			require.NoError(t, err)
			require.Equal(t, want, of(r.GetStatus()))
		})
	}
}
