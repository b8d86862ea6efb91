package integration_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/integration/milvusops"
	"github.com/milvuswait/milvuswait/integration/realserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// answer is the response of a server: for a failure the two codes and part of the reason,
// otherwise the value.
type answer struct {
	code, legacyCode int32
	says             string
}

// String returns the answer as text for the page.
func (a answer) String() string {
	return fmt.Sprintf("code %d, error_code %d: %s", a.code, a.legacyCode, strings.Trim(a.says, " :"))
}

// The columns of TestAnswers.
const (
	milvus22 = iota
	milvus23
	lite
	columns
)

// columnOf is the column of a release. An older release has the column with most of its
// answers.
var columnOf = map[realserver.Release]int{
	realserver.Milvus22: milvus22, realserver.Milvus229: milvus22, realserver.Milvus230: milvus22,
	realserver.Milvus23: milvus23, realserver.Milvus233: milvus23,
	realserver.Lite32: lite, realserver.Lite311: lite,
}

// olderAnswers are the answers of older releases that differ from their column, by the name
// of the question.
var olderAnswers = map[realserver.Release]map[string]answer{
	realserver.Milvus229: {
		"unknown database, GetLoadingProgress": {0, 1, "can't find collection: "},
		"unknown database, ShowCollections":    {0, 1, "ShowCollections failed: database not exist: nowhere"},
	},
	realserver.Milvus230: {
		"unknown collection, GetLoadingProgress":         {65535, 1, "can't find collection"},
		"unknown database, GetLoadingProgress":           {65535, 1, "can't find collection nowhere:"},
		"unknown database, ShowCollections":              {0, 1, "database:nowhere not found"},
		"not loaded, GetLoadingProgress":                 {65535, 1, "has not been loaded to memory or load failed"},
		"unknown partition, GetLoadingProgress":          {202, 15, "partition=nope: partition not found"},
		"partition not loaded, GetLoadingProgress":       {203, 1, ": partition not loaded"},
		"two indexes and no name, GetIndexBuildProgress": {0, 25, "there is no index on collection"},
	},
	realserver.Milvus233: {
		"unknown database, GetLoadingProgress":           {100, 4, "collection nowhere:"},
		"unknown database, ShowCollections":              {800, 1, "database=nowhere: database not found"},
		"not loaded, GetLoadingProgress":                 {101, 1, ": collection not loaded"},
		"unknown partition, GetLoadingProgress":          {200, 15, "partition=nope: partition not found"},
		"partition not loaded, GetLoadingProgress":       {201, 1, ": partition not loaded"},
		"two indexes and no name, GetIndexBuildProgress": {700, 25, "index not found"},
		"unnamed index, DescribeIndex":                   {0, 0, "_default_idx_102 Finished 0/0/0"},
	},
	realserver.Lite311: {
		"unknown collection, ShowCollections": {0, 0, " shown"}, // every collection
	},
}

// TestAnswers asserts the raw answers that package rpc distinguishes. It fails if another
// release gives other answers.
func TestAnswers(t *testing.T) {
	on(t, all, func(t *testing.T, s *site) {
		s.ours(t, "asserts what known versions say")
		column, known := columnOf[s.server.Release()]
		if !known {
			t.Skipf("the answers of %v are not known", s.server.Release())
		}
		ctx := within(t, 2*time.Minute)
		c := s.collections(ctx, t)
		unnamed := s.collection(ctx, t, 1)
		require.NoError(t, s.ops.CreateVectorIndex(ctx, unnamed, ""))

		q := questions{s.ops}
		tests := []struct {
			name string
			ask  func(context.Context) (answer, error)
			want [columns]answer // 2.2.16, 2.3.5, milvus-lite
		}{
			{"unknown collection, GetLoadingProgress", q.progress("nope"), [columns]answer{
				{0, 1, "can't find collection"}, {100, 4, "collection not found"}, {100, 4, "does not exist"}}},
			{"unknown collection, DescribeIndex", q.index("nope", ""), [columns]answer{
				{0, 1, "can't find collection"}, {100, 4, "collection not found"}, {100, 4, "does not exist"}}},
			{"unknown collection, ShowCollections", q.show("nope"), [columns]answer{
				{0, 1, "can't find collection"}, {100, 4, "collection not found"}, {0, 0, "0 shown"}}},
			{"unknown collection, GetLoadState", q.state("nope"), [columns]answer{
				{0, 0, "LoadStateNotExist"}, {0, 0, "LoadStateNotExist"}, {0, 0, "LoadStateNotExist"}}},
			{"unknown database, GetLoadingProgress", q.progressIn("nowhere", c.docs), [columns]answer{
				{0, 1, "can't find collection nowhere:"}, {100, 4, "collection not found[database=nowhere]"}, {6, 6, "database 'nowhere' does not exist"}}},
			{"unknown database, ShowCollections", q.showIn("nowhere"), [columns]answer{
				{0, 1, "ShowCollections failed: database:nowhere not found"}, {800, 1, "database not found[database=nowhere]"}, {1, 0, "database 'nowhere' does not exist"}}},
			{"not loaded, GetLoadingProgress", q.progress(c.docs), [columns]answer{
				{0, 1, "has not been loaded to memory or load failed"}, {101, 1, "collection not loaded"}, {0, 0, "0%"}}},
			{"not loaded, GetLoadState", q.state(c.docs), [columns]answer{
				{0, 0, "LoadStateNotLoad"}, {0, 0, "LoadStateNotLoad"}, {0, 0, "LoadStateNotLoad"}}},
			{"unknown partition, GetLoadingProgress", q.progress(c.docs, "nope"), [columns]answer{
				{0, 1, "partition is not exist: nope"}, {200, 15, "partition not found"}, {0, 0, "0%"}}},
			{"partition not loaded, GetLoadingProgress", q.progress(c.parts, "p2"), [columns]answer{
				{0, 1, "invalid data num"}, {201, 1, "partition not loaded"}, {0, 0, "100%"}}},
			{"partition not loaded, GetLoadState", q.state(c.parts, "p2"), [columns]answer{
				{0, 0, "LoadStateNotLoad"}, {0, 0, "LoadStateNotLoad"}, {0, 0, "LoadStateLoaded"}}},
			{"no index, DescribeIndex", q.index(c.bare, ""), [columns]answer{
				{0, 25, "index doesn't exist"}, {700, 25, "index not found"}, {700, 11, "no index"}}},
			{"unknown index, DescribeIndex", q.index(c.docs, "nope"), [columns]answer{
				{0, 25, "index doesn't exist"}, {700, 25, "index not found"}, {0, 0, "vector Finished 0/0/0"}}},
			{"two indexes and no name, GetIndexBuildProgress", q.buildProgress(c.twice), [columns]answer{
				{0, 1, "there are multiple indexes, please specify the index_name"}, {702, 1, "index duplicates"}, {}}},
			{"unnamed index, DescribeIndex", q.index(unnamed, ""), [columns]answer{
				{0, 0, "_default_idx_102 Finished 0/0/0"}, {0, 0, "vector Finished 0/0/0"}, {0, 0, "vector Finished 0/0/0"}}},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				want, differs := olderAnswers[s.server.Release()][tt.name]
				if !differs {
					want = tt.want[column]
				}
				if want == (answer{}) {
					return // unimplemented
				}
				r := s.report(t, answers+tt.name)

				got, err := tt.ask(ctx)

				require.NoError(t, err)
				r.note = answer{got.code, got.legacyCode, want.says}.String()
				require.Contains(t, got.says, want.says)
				want.says = got.says
				require.Equal(t, want, got)
			})
		}
	})
}

// questions are the RPCs of TestAnswers.
type questions struct{ *milvusops.Client }

func said(status *wire.Status, value string) answer {
	errorCode := int32(status.GetErrorCode())
	if status.GetCode() != 0 || errorCode != 0 {
		value = status.GetReason()
	}
	return answer{status.GetCode(), errorCode, value}
}

func (q questions) progress(collection string, partitions ...string) func(context.Context) (answer, error) {
	return q.progressIn("", collection, partitions...)
}

func (q questions) progressIn(database, collection string, partitions ...string) func(context.Context) (answer, error) {
	return func(ctx context.Context) (answer, error) {
		resp, err := wire.GetLoadingProgress.Call(ctx, q.Conn, &wire.GetLoadingProgressRequest{
			DbName: database, CollectionName: collection, PartitionNames: partitions,
		})
		return said(resp.GetStatus(), fmt.Sprintf("%d%%", resp.GetProgress())), err
	}
}

func (q questions) state(collection string, partitions ...string) func(context.Context) (answer, error) {
	return func(ctx context.Context) (answer, error) {
		resp, err := wire.GetLoadState.Call(ctx, q.Conn, &wire.GetLoadStateRequest{CollectionName: collection, PartitionNames: partitions})
		return said(resp.GetStatus(), resp.GetState().String()), err
	}
}

func (q questions) show(collection string) func(context.Context) (answer, error) {
	return func(ctx context.Context) (answer, error) {
		resp, err := wire.ShowCollections.Call(ctx, q.Conn, &wire.ShowCollectionsRequest{
			Type: wire.ShowType_InMemory, CollectionNames: []string{collection},
		})
		return said(resp.GetStatus(), fmt.Sprintf("%d shown", len(resp.GetCollectionNames()))), err
	}
}

func (q questions) showIn(database string) func(context.Context) (answer, error) {
	return func(ctx context.Context) (answer, error) {
		resp, err := wire.ShowCollections.Call(ctx, q.Conn, &wire.ShowCollectionsRequest{DbName: database, Type: wire.ShowType_InMemory})
		return said(resp.GetStatus(), fmt.Sprintf("%d shown", len(resp.GetCollectionNames()))), err
	}
}

func (q questions) index(collection, index string) func(context.Context) (answer, error) {
	return func(ctx context.Context) (answer, error) {
		resp, err := wire.DescribeIndex.Call(ctx, q.Conn, &wire.DescribeIndexRequest{CollectionName: collection, IndexName: index})
		value := ""
		for _, d := range resp.GetIndexDescriptions() {
			value += fmt.Sprintf("%s %v %d/%d/%d", d.GetIndexName(), d.GetState(), d.GetIndexedRows(), d.GetTotalRows(), d.GetPendingIndexRows())
		}
		return said(resp.GetStatus(), value), err
	}
}

func (q questions) buildProgress(collection string) func(context.Context) (answer, error) {
	return func(ctx context.Context) (answer, error) {
		resp, err := wire.GetIndexBuildProgress.Call(ctx, q.Conn, &wire.GetIndexBuildProgressRequest{CollectionName: collection})
		return said(resp.GetStatus(), ""), err
	}
}
