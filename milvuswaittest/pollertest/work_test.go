package pollertest_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

// working is a fake with a defect in a method for flushes, jobs or the server.
type working struct {
	*fake.Poller
	segments   func(collection string, list []int64, err error) ([]int64, error)
	flush      func(ctx context.Context, done bool, err error) (bool, error)
	imports    func(job int64, p milvuswait.ImportProgress, err error) (milvuswait.ImportProgress, error)
	compaction func(id int64, p milvuswait.CompactionProgress, err error) (milvuswait.CompactionProgress, error)
	server     func(err error) error
}

func (w *working) UnflushedSegments(ctx context.Context, collection string) ([]int64, error) {
	list, err := w.Poller.UnflushedSegments(ctx, collection)
	if w.segments != nil {
		return w.segments(collection, list, err)
	}
	return list, err
}

func (w *working) FlushDone(ctx context.Context, collection string, mark milvuswait.FlushMark) (bool, error) {
	done, err := w.Poller.FlushDone(ctx, collection, mark)
	if w.flush != nil {
		return w.flush(ctx, done, err)
	}
	return done, err
}

func (w *working) ImportProgress(ctx context.Context, job int64) (milvuswait.ImportProgress, error) {
	p, err := w.Poller.ImportProgress(ctx, job)
	if w.imports != nil && ctx.Err() == nil {
		return w.imports(job, p, err)
	}
	return p, err
}

func (w *working) CompactionProgress(ctx context.Context, id int64) (milvuswait.CompactionProgress, error) {
	p, err := w.Poller.CompactionProgress(ctx, id)
	if w.compaction != nil && ctx.Err() == nil {
		return w.compaction(id, p, err)
	}
	return p, err
}

func (w *working) CheckServer(ctx context.Context) error {
	err := w.Poller.CheckServer(ctx)
	if w.server != nil {
		return w.server(err)
	}
	return err
}

// workingTest is a Poller with a defect, and the reports of Run.
type workingTest struct {
	name string
	p    working
	want []string
}

// checkWorking runs the suite for each Poller over a correct fake.
func checkWorking(t *testing.T, tests []workingTest) {
	t.Helper()
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

func TestRun_DefectOfFlushes_IsReported(t *testing.T) {
	checkWorking(t, []workingTest{
		{"none", working{}, nil},

		{
			"failure to list segments is an empty list",
			working{segments: func(_ string, list []int64, _ error) ([]int64, error) { return list, nil }},
			[]string{
				`UnflushedSegments("pollertest_missing") returned [] and no error for a collection that does not exist: a wait takes that for flushed; return the error`,
				`UnflushedSegments("docs") was called with a context that had ended, and returned [] and no error: pass the context on, and return its error`,
				`UnflushedSegments("docs") stood still until its context ended, and returned [] and no error: pass the context on, and return its error`,
				`UnflushedSegments("docs") returned [] and no error while every call fails: a wait takes it for an answer of the server; return the error`,
			},
		},
		{
			"list of all segments",
			working{segments: func(_ string, _ []int64, err error) ([]int64, error) { return []int64{5, 3}, err }},
			[]string{`UnflushedSegments("docs") returned [3 5] where nothing is being flushed: list only segments that are sealed or flushing; a wait goes on until none of them is listed`},
		},
		{
			"segments of one collection cannot be listed",
			working{segments: func(collection string, list []int64, err error) ([]int64, error) {
				if collection == "docs" {
					err = errRefused
				}
				return list, err
			}},
			[]string{`UnflushedSegments("docs") returned the error "connection refused" for a collection that is there: return its segments`},
		},
		{
			"segments of no name",
			working{segments: func(collection string, list []int64, err error) ([]int64, error) {
				if collection == "" {
					panic("no name")
				}
				return list, err
			}},
			[]string{`UnflushedSegments("") panicked: no name`},
		},

		{
			"flush that is never done",
			working{flush: func(_ context.Context, _ bool, err error) (bool, error) { return false, err }},
			[]string{`FlushDone("docs", mark) returned false for a flush that is done (World.Flush): a wait would never end; does the request have the segments, the timestamp and the collection?`},
		},
		{
			"failure that is a flush not done yet",
			working{flush: func(ctx context.Context, done bool, err error) (bool, error) {
				if ctx.Err() != nil {
					return done, err
				}
				return done, nil
			}},
			[]string{`FlushDone("docs", mark) returned flushing and no error while every call fails: a wait takes it for an answer of the server; return the error`},
		},
		{
			"flush that cannot be polled",
			working{flush: func(_ context.Context, done bool, err error) (bool, error) { return done, errors.Join(err, errRefused) }},
			[]string{`FlushDone("docs", mark) returned the error "connection refused" for a complete target: return the progress`},
		},
	})
}

func TestRun_EmptyListOfSegments_EqualsNil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		good, w := newFake()
		var calls atomic.Int32
		p := &working{Poller: good, segments: func(_ string, list []int64, err error) ([]int64, error) {
			if calls.Add(1)%2 == 0 && err == nil {
				return []int64{}, nil
			}
			return list, err
		}}

		require.Empty(t, run(p, w).defects)
	})
}
