package pollertest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

// listing is a fake with lists, correct except for a defect.
type listing struct {
	*fake.Poller
	silent bool // every list is empty
	state  func(collection string, err error) error
	loads  func(list map[string]milvuswait.LoadingProgress) (map[string]milvuswait.LoadingProgress, error)
	builds func(indexes []string, all []milvuswait.IndexBuildingProgress, errs []error) ([]milvuswait.IndexBuildingProgress, []error)
}

func (l *listing) CheckLoadState(ctx context.Context, collection string, partitions ...string) error {
	err := l.Poller.CheckLoadState(ctx, collection, partitions...)
	if l.state != nil && ctx.Err() == nil {
		return l.state(collection, err)
	}
	return err
}

func (l *listing) ListLoading(ctx context.Context) (map[string]milvuswait.LoadingProgress, error) {
	if l.silent {
		return nil, nil
	}
	p, err := l.LoadingProgress(ctx, "docs")
	if err != nil {
		return nil, err
	}

	list := map[string]milvuswait.LoadingProgress{"docs": {Percent: p.Percent}, "cold": {}} // without RefreshPercent, as from real servers
	if l.loads != nil {
		return l.loads(list)
	}
	return list, nil
}

func (l *listing) ListIndexBuilding(ctx context.Context, collection string, indexes []string) ([]milvuswait.IndexBuildingProgress, []error) {
	var all []milvuswait.IndexBuildingProgress
	var errs []error
	for _, index := range indexes {
		p, err := l.IndexBuildingProgress(ctx, collection, index)
		all, errs = append(all, p), append(errs, err)
	}

	if l.builds != nil && ctx.Err() == nil {
		return l.builds(indexes, all, errs)
	}
	return all, errs
}

func TestDefectsOfOptionalMethods(t *testing.T) {
	type (
		load  = milvuswait.LoadingProgress
		loads = map[string]milvuswait.LoadingProgress
		build = milvuswait.IndexBuildingProgress
	)
	tests := []struct {
		name string
		p    listing
		want []string
	}{
		{"none", listing{}, nil},
		{
			"reports everything as loaded",
			listing{state: func(string, error) error { return nil }},
			[]string{
				`CheckLoadState("pollertest_missing") returned nil for a missing collection or partition: nil means loading or loaded`,
				`CheckLoadState("docs", "pollertest_missing") returned nil for a missing collection or partition: nil means loading or loaded`,
				`CheckLoadState("cold") returned nil and no error for a collection that is not loaded: a wait takes that for progress; return an error that wraps milvuswait.ErrNotLoaded`,
			},
		},
		{
			"reports nothing as loaded",
			listing{state: func(string, error) error { return milvuswait.ErrNotLoaded }},
			[]string{
				`CheckLoadState("docs") returned the error "not loaded" for a finished load: return nil`,
				`CheckLoadState("docs", "eu", "us") returned the error "not loaded" for a finished load: return nil`,
				`CheckLoadState("docs") stood still until its context ended, and returned the error "not loaded", which ends a wait, although only a poll was out of time: wrap no sentinel and do not mark it by milvuswait.Permanent`,
				`CheckLoadState("docs") returned the error "not loaded" while the server was away, which ends a wait, although the server may come back: wrap no sentinel and do not mark it by milvuswait.Permanent`,
			},
		},
		{
			"panics for a state",
			listing{state: func(collection string, err error) error {
				if collection == "" {
					panic("no name")
				}
				return err
			}},
			[]string{`CheckLoadState("") panicked: no name`},
		},
		{"lists nothing", listing{silent: true}, nil},
		{
			"fails to list",
			listing{loads: func(loads) (loads, error) { return nil, errors.New("not supported") }},
			[]string{`ListLoading() returned the error "not supported": return a nil map if the server does not report the progress`},
		},
		{
			"lists an empty map",
			listing{loads: func(loads) (loads, error) { return loads{}, nil }},
			[]string{`ListLoading() has not got "docs", which is loaded, among 0 collections: a wait has to ask for it again`},
		},
		{
			"lists another progress",
			listing{loads: func(loads) (loads, error) { return loads{"docs": {Percent: 90}}, nil }},
			[]string{`ListLoading() has "docs" at 90%, and LoadingProgress returns 100%`},
		},
		{
			"lists others",
			listing{loads: func(loads) (loads, error) {
				return loads{"cold": {Percent: 10}, "pollertest_missing": {}, "": load{Percent: 100}}, nil
			}},
			[]string{
				`ListLoading() has not got "docs", which is loaded, among 3 collections: a wait has to ask for it again`,
				`ListLoading() has "cold" at 10%, which is not loaded: list only collections that are loading or loaded`,
				`ListLoading() has "pollertest_missing" at 0%, which is not loaded: list only collections that are loading or loaded`,
				`ListLoading() has "" at 100%, which is not loaded: list only collections that are loading or loaded`,
			},
		},
		{
			"lists into the map of before",
			func() listing {
				var first loads
				return listing{loads: func(list loads) (loads, error) {
					if first == nil {
						first = list
					} else if first["docs"].Percent == 100 { // in the second call, before the concurrent calls
						first["docs"] = load{Percent: 40}
					}
					return list, nil
				}}
			}(),
			[]string{`ListLoading() changed the map that it had returned before: return a new one with every call`},
		},
		{
			"leaves indexes out that are not there",
			listing{builds: func(indexes []string, all []build, errs []error) ([]build, []error) {
				if len(all) == 5 {
					return all[:4], errs[:3]
				}
				return all, errs
			}},
			[]string{`ListIndexBuilding("docs", "vidx", "pollertest_missing", "", "*", "vidx") returned 4 answers and 3 errors for 5 indexes: return one of each for each, in their order`},
		},
		{
			"lists in another order",
			listing{builds: func(indexes []string, all []build, errs []error) ([]build, []error) {
				if len(indexes) == 4 { // "", AllIndexes, by_image, by_text
					all[2], all[3] = all[3], all[2]
				}
				return all, errs
			}},
			[]string{
				`ListIndexBuilding("images", "", "*", "by_image", "by_text") returned 100/100 rows, Finished for "by_image", and IndexBuildingProgress returns 40/100 rows, InProgress`,
				`ListIndexBuilding("images", "", "*", "by_image", "by_text") returned 40/100 rows, InProgress for "by_text", and IndexBuildingProgress returns 100/100 rows, Finished`,
			},
		},
		{
			"fails for one of them",
			listing{builds: func(indexes []string, all []build, errs []error) ([]build, []error) {
				if len(indexes) == 4 {
					errs[3] = errRefused
				}
				return all, errs
			}},
			[]string{`ListIndexBuilding("images", "", "*", "by_image", "by_text") returned the error "connection refused" for "by_text", and IndexBuildingProgress returns 100/100 rows, Finished`},
		},
		{
			"lists missing collections",
			listing{builds: func(indexes []string, all []build, errs []error) ([]build, []error) {
				if len(indexes) == 2 && indexes[0] == "" {
					errs[0] = nil
				}
				return all, errs
			}},
			[]string{`ListIndexBuilding("bare", "", "pollertest_missing") returned 0/0 rows, None for "", and IndexBuildingProgress returns the error "index not found: \"bare\" has none"`},
		},
		{
			"lists one error for all",
			listing{builds: func(indexes []string, all []build, errs []error) ([]build, []error) {
				for i := range errs {
					if len(indexes) == 5 {
						errs[i] = milvuswait.ErrIndexNotFound
					}
				}
				return all, errs
			}},
			[]string{
				`ListIndexBuilding("docs", "vidx", "pollertest_missing", "", "*", "vidx") returned the error "index not found" for "vidx", and IndexBuildingProgress returns 1000/1000 rows, Finished`,
				`ListIndexBuilding("docs", "vidx", "pollertest_missing", "", "*", "vidx") returned the error "index not found" for "", and IndexBuildingProgress returns 1000/1000 rows, Finished`,
				`ListIndexBuilding("docs", "vidx", "pollertest_missing", "", "*", "vidx") returned the error "index not found" for "*", and IndexBuildingProgress returns 1000/1000 rows, Finished`,
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				good, w := newFake()
				p := tt.p
				p.Poller = good

				r := run(&p, w)

				require.Equal(t, tt.want, r.defects)
			})
		})
	}
}

// milvus-lite reports 0 % for a released collection. A Poller may do so too, if its
// CheckLoadState returns the sentinel.
func TestRun_ZeroPercentOfReleasedLoad_NeedsACheck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, w := newFake()
		p.Set(milvuswait.Loading("cold"), fake.SilentlyReleased())

		require.Empty(t, run(p, w).defects)
		p.Set(milvuswait.Loading("cold"), fake.SilentlyReleased()) // Fail has replaced the script
		require.Equal(t, []string{
			`LoadingProgress("cold") returned 0% and no error for a collection that is not loaded: ` +
				`a wait takes that for progress; return an error that wraps milvuswait.ErrNotLoaded`,
		}, run(spoiled{good: func() milvuswait.Poller { return p }}, w).defects)
	})
}
