package pollertest_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// defectTest is a Poller with a defect, and the reports of Run.
type defectTest struct {
	name string
	p    spoiled
	want []string
}

func TestDefectsOfErrors(t *testing.T) {
	type (
		load  = milvuswait.LoadingProgress
		build = milvuswait.IndexBuildingProgress
	)
	none := context.Background()
	tests := []defectTest{
		{
			"reads every failure as 0 %",
			loading(func(good loadingFunc, ctx context.Context, c string, ps []string) (load, error) {
				p, _ := good(ctx, c, ps...)
				return p, nil
			}),
			[]string{
				`LoadingProgress("pollertest_missing") returned 0% and no error for a collection that does not exist: a wait takes that for progress; return an error that wraps milvuswait.ErrCollectionNotFound`,
				`LoadingProgress("pollertest_missing", "pollertest_missing") returned 0% and no error for a collection that does not exist: a wait takes that for progress; return an error that wraps milvuswait.ErrCollectionNotFound`,
				`LoadingProgress("docs", "pollertest_missing") returned 0% and no error for a partition that does not exist: a wait takes that for progress; return an error that wraps milvuswait.ErrPartitionNotFound`,
				`LoadingProgress("docs", "eu", "pollertest_missing") returned 0% and no error for partitions of which one does not exist: a wait takes that for progress; return an error that wraps milvuswait.ErrPartitionNotFound`,
				`LoadingProgress("cold") returned 0% and no error for a collection that is not loaded: a wait takes that for progress; return an error that wraps milvuswait.ErrNotLoaded`,
				`LoadingProgress("docs") was called with a context that had ended, and returned 0% and no error: pass the context on, and return its error`,
				`LoadingProgress("docs") stood still until its context ended, and returned 0% and no error: pass the context on, and return its error`,
				`LoadingProgress("docs") returned 0% and no error while every call fails: a wait takes it for an answer of the server; return the error`,
			},
		},
		{
			"drops the context",
			building(func(good buildingFunc, _ context.Context, c, i string) (build, error) {
				ctx, cancel := context.WithTimeout(none, time.Minute)
				defer cancel()
				return good(ctx, c, i)
			}),
			[]string{
				`IndexBuildingProgress("docs", "vidx") was called with a context that had ended, and returned 1000/1000 rows, Finished and no error: pass the context on, and return its error`,
				`IndexBuildingProgress("docs", "vidx") was not back 1s after its context had ended: pass the context on, and return when it is done`,
			},
		},
		{
			"is late",
			loading(func(good loadingFunc, ctx context.Context, c string, ps []string) (load, error) {
				p, err := good(ctx, c, ps...)
				if ctx.Err() != nil {
					time.Sleep(1001 * time.Millisecond)
				}
				return p, err
			}),
			[]string{`LoadingProgress("docs") was not back 1s after its context had ended: pass the context on, and return when it is done`},
		},
		{
			"is nearly late",
			loading(func(good loadingFunc, ctx context.Context, c string, ps []string) (load, error) {
				p, err := good(ctx, c, ps...)
				if ctx.Err() != nil {
					time.Sleep(999 * time.Millisecond)
				}
				return p, err
			}),
			nil,
		},
		{
			"never comes back",
			loading(func(loadingFunc, context.Context, string, []string) (load, error) {
				time.Sleep(time.Hour)
				return load{}, nil
			}),
			[]string{`LoadingProgress("docs") was not back 1s after its context had ended: pass the context on, and return when it is done`},
		},
		{
			"hides the context's error",
			building(func(good buildingFunc, ctx context.Context, c, i string) (build, error) {
				p, err := good(ctx, c, i)
				if ctx.Err() != nil {
					err = errors.New("rpc error: " + err.Error())
				}
				return p, err
			}),
			nil,
		},
		{
			"is permanent when its time is up",
			building(func(good buildingFunc, ctx context.Context, c, i string) (build, error) {
				p, err := good(ctx, c, i)
				if ctx.Err() != nil {
					err = milvuswait.Permanent(errors.New("out of time"))
				}
				return p, err
			}),
			[]string{
				`IndexBuildingProgress("docs", "vidx") was called with a context that had ended, and returned the error "out of time", which ends a wait, although only a poll was out of time: wrap no sentinel and do not mark it by milvuswait.Permanent`,
				`IndexBuildingProgress("docs", "vidx") stood still until its context ended, and returned the error "out of time", which ends a wait, although only a poll was out of time: wrap no sentinel and do not mark it by milvuswait.Permanent`,
			},
		},
		{
			"panics without partitions",
			loading(func(good loadingFunc, ctx context.Context, c string, ps []string) (load, error) {
				_ = ps[0]
				return good(ctx, c, ps...)
			}),
			[]string{
				`LoadingProgress("docs") panicked: runtime error: index out of range [0] with length 0`,
				`LoadingProgress("pollertest_missing") panicked: runtime error: index out of range [0] with length 0`,
				`LoadingProgress("cold") panicked: runtime error: index out of range [0] with length 0`,
				`LoadingProgress("") panicked: runtime error: index out of range [0] with length 0`,
			},
		},
		{
			"panics for no partitions that are not nil",
			loading(func(good loadingFunc, ctx context.Context, c string, ps []string) (load, error) {
				if ps != nil && len(ps) == 0 {
					panic("no partitions")
				}
				return good(ctx, c, ps...)
			}),
			[]string{`LoadingProgress("docs") panicked: no partitions`},
		},
		{
			"takes no partitions for none loaded",
			loading(func(good loadingFunc, ctx context.Context, c string, ps []string) (load, error) {
				if ps != nil && len(ps) == 0 {
					return load{}, nil
				}
				return good(ctx, c, ps...)
			}),
			[]string{`LoadingProgress("docs") returned 0% with an empty slice of partitions, and 100% with none: both are the whole collection`},
		},
		{
			"panics for the empty name",
			building(func(good buildingFunc, ctx context.Context, c, i string) (build, error) {
				if c == "" {
					panic(errors.New("no name"))
				}
				return good(ctx, c, i)
			}),
			[]string{`IndexBuildingProgress("", "") panicked: no name`},
		},
		{
			"ends its goroutine",
			building(func(good buildingFunc, ctx context.Context, c, i string) (build, error) {
				if c == "" {
					runtime.Goexit()
				}
				return good(ctx, c, i)
			}),
			[]string{`IndexBuildingProgress("", "") panicked: runtime.Goexit was called, as t.FailNow does`},
		},
		{
			"has errors without sentinels",
			building(func(good buildingFunc, ctx context.Context, c, i string) (build, error) {
				p, err := good(ctx, c, i)
				if err != nil && ctx.Err() == nil {
					err = errors.New(err.Error())
				}
				return p, err
			}),
			[]string{
				`IndexBuildingProgress("pollertest_missing", "") returned the error "collection not found: \"pollertest_missing\"" for a collection that does not exist: a wait goes by the sentinels; return an error that wraps milvuswait.ErrCollectionNotFound`,
				`IndexBuildingProgress("pollertest_missing", "pollertest_missing") returned the error "collection not found: \"pollertest_missing\"" for a collection that does not exist: a wait goes by the sentinels; return an error that wraps milvuswait.ErrCollectionNotFound`,
				`IndexBuildingProgress("pollertest_missing", "*") returned the error "collection not found: \"pollertest_missing\"" for a collection that does not exist: a wait goes by the sentinels; return an error that wraps milvuswait.ErrCollectionNotFound`,
				`IndexBuildingProgress("docs", "pollertest_missing") returned the error "index not found: \"docs\" has \"vidx\", not \"pollertest_missing\"" for an index that does not exist: a wait goes by the sentinels; return an error that wraps milvuswait.ErrIndexNotFound`,
				`IndexBuildingProgress("bare", "") returned the error "index not found: \"bare\" has none" for a collection without an index: a wait goes by the sentinels; return an error that wraps milvuswait.ErrIndexNotFound`,
				`IndexBuildingProgress("bare", "pollertest_missing") returned the error "index not found: \"bare\" has none" for a collection without an index: a wait goes by the sentinels; return an error that wraps milvuswait.ErrIndexNotFound`,
				`IndexBuildingProgress("bare", "*") returned the error "index not found: \"bare\" has none" for a collection without an index: a wait goes by the sentinels; return an error that wraps milvuswait.ErrIndexNotFound`,
				`IndexBuildingProgress("images", "") returned the error "ambiguous index: \"images\" has \"by_image\", \"by_text\"" for the only index of a collection that has several: a wait goes by the sentinels; return an error that wraps milvuswait.ErrAmbiguousIndex`,
				`IndexBuildingProgress("images", "pollertest_missing") returned the error "index not found: \"images\" has \"by_image\", \"by_text\", not \"pollertest_missing\"" for an index that does not exist: a wait goes by the sentinels; return an error that wraps milvuswait.ErrIndexNotFound`,
			},
		},
		{
			"returns not found when the server is away",
			loading(func(good loadingFunc, ctx context.Context, c string, ps []string) (load, error) {
				p, err := good(ctx, c, ps...)
				if errors.Is(err, errRefused) {
					err = milvuswait.ErrCollectionNotFound
				}
				return p, err
			}),
			[]string{`LoadingProgress("docs") returned the error "collection not found" while the server was away, which ends a wait, although the server may come back: wrap no sentinel and do not mark it by milvuswait.Permanent`},
		},
		{
			"is permanent when the server is away",
			building(func(good buildingFunc, ctx context.Context, c, i string) (build, error) {
				p, err := good(ctx, c, i)
				if errors.Is(err, errRefused) {
					err = milvuswait.Permanent(err)
				}
				return p, err
			}),
			[]string{`IndexBuildingProgress("docs", "vidx") returned the error "connection refused" while the server was away, which ends a wait, although the server may come back: wrap no sentinel and do not mark it by milvuswait.Permanent`},
		},
		{
			"answers from a cache",
			func() spoiled {
				var mu sync.Mutex
				cache := map[string]load{}
				return loading(func(good loadingFunc, ctx context.Context, c string, ps []string) (load, error) {
					if ctx.Err() != nil {
						return load{}, ctx.Err()
					}
					mu.Lock()
					defer mu.Unlock()
					key := strings.Join(append(ps, c), "/")
					if p, found := cache[key]; found {
						return p, nil
					}
					p, err := good(ctx, c, ps...)
					if err == nil {
						cache[key] = p
					}
					return p, err
				})
			}(),
			[]string{
				`LoadingProgress("docs") returned 100% after World.Hang stopped the answers of the server: does Hang work, or is the answer an old one?`,
				`LoadingProgress("docs") returned 100% and no error while every call fails: a wait takes it for an answer of the server; return the error`,
			},
		},
	}
	checkDefects(t, tests)
}

// checkDefects runs the suite for each Poller over a correct fake.
func checkDefects(t *testing.T, tests []defectTest) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				good, w := newFake()
				tt.p.good = func() milvuswait.Poller { return good }

				r := run(tt.p, w)

				time.Sleep(2 * time.Hour) // for late calls to return
				require.Equal(t, tt.want, r.defects)
			})
		})
	}
}
