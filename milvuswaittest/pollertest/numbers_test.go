package pollertest_test

import (
	"context"
	"testing"

	"github.com/milvuswait/milvuswait"
)

func TestDefectsOfNumbers(t *testing.T) {
	type (
		load  = milvuswait.LoadingProgress
		build = milvuswait.IndexBuildingProgress
	)
	checkDefects(t, []defectTest{
		{
			"counts beyond 100",
			whenLoaded(load{Percent: 250}),
			[]string{
				`LoadingProgress("docs") returned 250%: Percent is from 0 to 100`,
				`LoadingProgress("docs", "eu") returned 250%: Percent is from 0 to 100`,
				`LoadingProgress("docs", "us") returned 250%: Percent is from 0 to 100`,
				`LoadingProgress("docs", "eu", "us") returned 250%: Percent is from 0 to 100`,
			},
		},
		{
			"is below 0",
			whenLoaded(load{Percent: -1}, "eu"),
			[]string{`LoadingProgress("docs", "eu") returned -1%: Percent is from 0 to 100`},
		},
		{
			"refreshes beyond 100",
			whenLoaded(load{Percent: 100, RefreshPercent: 101}, "eu"),
			[]string{`LoadingProgress("docs", "eu") returned 100%: RefreshPercent, 101, is from 0 to 100`},
		},
		{
			"counts from 0 to 1",
			whenLoaded(load{Percent: 1}, "us"),
			[]string{`LoadingProgress("docs", "us") returned 1% for a finished load, which is not Complete: a wait would never end`},
		},
		{
			"has more rows indexed than there are since a compaction",
			whenBuilt(build{TotalRows: 1000, IndexedRows: 1200, State: milvuswait.IndexStateFinished}),
			nil,
		},
		{
			"has negative rows",
			whenBuilt(build{TotalRows: -1, IndexedRows: -1, State: milvuswait.IndexStateFinished}),
			[]string{`IndexBuildingProgress("docs", "vidx") returned -1/-1 rows, Finished: no number of rows is negative`},
		},
		{
			"has more pending rows than rows",
			whenBuilt(build{TotalRows: 10, IndexedRows: 10, PendingIndexRows: 11, State: milvuswait.IndexStateFinished}),
			[]string{`IndexBuildingProgress("docs", "vidx") returned 10/10 rows, Finished, 11 pending: no more rows are pending than there are`},
		},
		{
			"has a state of its own",
			whenBuilt(build{TotalRows: 1000, IndexedRows: 1000, State: 17}),
			[]string{`IndexBuildingProgress("docs", "vidx") returned 1000/1000 rows, IndexState(17): State has the numbers of common.proto`},
		},
		{
			"leaves the state out",
			whenBuilt(build{TotalRows: 1000, IndexedRows: 1000}),
			[]string{`IndexBuildingProgress("docs", "vidx") returned 1000/1000 rows, None for an index that is built, which is not Complete: a wait would never end; does it pass on the server's State, rows and pending rows?`},
		},
		{
			"leaves the rows out",
			whenBuilt(build{State: milvuswait.IndexStateFinished}),
			[]string{`IndexBuildingProgress("docs", "vidx") returned 0/0 rows, Finished for an index over 1000 rows: a wait WithExpectedRows needs to know them`},
		},
		{
			"fails for an existing target",
			building(func(good buildingFunc, ctx context.Context, c, i string) (build, error) {
				if i == "by_text" || c == "docs" && i == milvuswait.AllIndexes {
					return build{}, errRefused
				}
				return good(ctx, c, i)
			}),
			[]string{
				`IndexBuildingProgress("docs", "*") returned the error "connection refused" for a complete target: return the progress`,
				`IndexBuildingProgress("images", "by_text") returned the error "connection refused" for an index that is there: return its progress`,
			},
		},
		{
			"does not know AllIndexes",
			building(func(good buildingFunc, ctx context.Context, c, i string) (build, error) {
				if c == "images" && i == milvuswait.AllIndexes {
					return good(ctx, c, "*all*")
				}
				return good(ctx, c, i)
			}),
			[]string{`IndexBuildingProgress("images", "*") returned the error "index not found: \"images\" has \"by_image\", \"by_text\", not \"*all*\"": AllIndexes is the progress of the one that is furthest behind`},
		},
		{
			"takes the first of all indexes",
			building(func(good buildingFunc, ctx context.Context, c, i string) (build, error) {
				if c == "images" && i == milvuswait.AllIndexes {
					i = "by_text"
				}
				return good(ctx, c, i)
			}),
			[]string{`IndexBuildingProgress("images", "*") returned 100/100 rows, Finished with Complete true, but Complete of all indexes together is false: AllIndexes is the index furthest behind`},
		},
	})
}

// whenLoaded returns p for the partition, or for every load if partition is nil.
func whenLoaded(p milvuswait.LoadingProgress, partition ...string) spoiled {
	return loading(func(good loadingFunc, ctx context.Context, c string, ps []string) (milvuswait.LoadingProgress, error) {
		was, err := good(ctx, c, ps...)
		if err == nil && (partition == nil || len(ps) == 1 && ps[0] == partition[0]) {
			return p, nil
		}
		return was, err
	})
}

// whenBuilt returns p for the index by its name.
func whenBuilt(p milvuswait.IndexBuildingProgress) spoiled {
	return building(func(good buildingFunc, ctx context.Context, c, i string) (milvuswait.IndexBuildingProgress, error) {
		was, err := good(ctx, c, i)
		if err == nil && i == "vidx" {
			return p, nil
		}
		return was, err
	})
}
