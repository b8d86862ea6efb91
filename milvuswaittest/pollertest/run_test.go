package pollertest_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/milvuswaittest/pollertest"
)

func TestRun_InvalidWorld_Fails(t *testing.T) {
	tests := []struct {
		name string
		p    milvuswait.Poller
		w    pollertest.World
		want string
	}{
		{"no Poller", nil, world, "the Poller is nil"},
		{"a nil pointer", (*fake.Poller)(nil), world, "the Poller is nil"},
		{"no collection", new(fake.Poller), pollertest.World{}, "World.Collection is empty: name a collection that is loaded and indexed"},
		{"negative rows", new(fake.Poller), pollertest.World{Collection: "docs", Rows: -1}, "World.Rows, -1, is negative"},
		{"several that are one", new(fake.Poller), pollertest.World{Collection: "docs", Several: "images", Indexes: []string{"a"}},
			"set World.Several and at least two World.Indexes together"},
		{"several of nothing", new(fake.Poller), pollertest.World{Collection: "docs", Indexes: []string{"a", "b"}},
			"set World.Several and at least two World.Indexes together"},
		{"negative import", new(fake.Poller), pollertest.World{Collection: "docs", Import: -1}, "a job in World is negative"},
		{"negative failed import", new(fake.Poller), pollertest.World{Collection: "docs", FailedImport: -1}, "a job in World is negative"},
		{"negative compaction", new(fake.Poller), pollertest.World{Collection: "docs", Compaction: -1}, "a job in World is negative"},
		{"an empty name", new(fake.Poller), pollertest.World{Collection: "docs", Partitions: []string{"eu", ""}}, "a name in World is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, []string{tt.want}, run(tt.p, tt.w).defects)
		})
	}
}

func TestRun_IncompleteWorld_Fails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, w := newFake()
		w.Partitions = []string{}
		w.Hang = func() func() { return nil }
		w.Fail = w.Hang

		require.Equal(t, &recorder{
			logs:    []string{"not checked: partitions (World.Partitions)"},
			defects: []string{"World.Hang returned nil: return a function that undoes it", "World.Fail returned nil: return a function that undoes it"},
		}, run(p, w))
	})
}

// helped is a recorder with the callers of Helper.
type helped struct {
	recorder
	helpers []string
}

func (h *helped) Helper() {
	pc, _, _, _ := runtime.Caller(1)
	h.helpers = append(h.helpers, runtime.FuncForPC(pc).Name())
}

// Run itself reports the defects, for their lines to be in the test.
func TestRunIsAHelper(t *testing.T) {
	h := new(helped)

	pollertest.Run(h, nil, world)

	require.Equal(t, []string{"github.com/milvuswait/milvuswait/milvuswaittest/pollertest.Run"}, h.helpers)
}

func TestRun_SkippedChecks_AreNamed(t *testing.T) {
	p, _ := newFake()
	half := milvuswait.PollerFuncs{Loading: p.LoadingProgress}
	other := milvuswait.PollerFuncs{IndexBuilding: p.IndexBuildingProgress}
	small := pollertest.World{Collection: "docs"}

	require.Equal(t, &recorder{logs: []string{"not checked: an index by its name (World.Index); an import (World.Import); a compaction (World.Compaction); " +
		"partitions (World.Partitions); a collection with several indexes (World.Several); a collection that is not loaded (World.NotLoaded); " +
		"a collection without an index (World.NoIndex); a server that does not answer (World.Hang); a server that is away (World.Fail)"}}, run(p, small))
	require.Equal(t, &recorder{logs: []string{"not checked: partitions (World.Partitions); a collection that is not loaded (World.NotLoaded); " +
		`CheckLoadState("docs"): unsupported; ListLoading(): unsupported; ` + "a server that does not answer (World.Hang); a server that is away (World.Fail)"}}, run(half, small))
	require.Equal(t, &recorder{logs: []string{"not checked: an index by its name (World.Index); a collection with several indexes (World.Several); " +
		"a collection without an index (World.NoIndex); " + `ListIndexBuilding("docs", ""): unsupported; UnflushedSegments("docs"): unsupported; ` +
		"a server that does not answer (World.Hang); a server that is away (World.Fail)"}}, run(other, small))
}

func TestEverythingIsChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, w := newFake()
		require.Equal(t, &recorder{}, run(p, w))
	})
}

func TestRun_HungCall_SkipsTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int32
		p := milvuswait.PollerFuncs{Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
			calls.Add(1)
			time.Sleep(time.Hour)
			return milvuswait.LoadingProgress{}, nil
		}}
		start := time.Now()

		r := run(p, pollertest.World{Collection: "docs"})

		require.Equal(t, 11*time.Second, time.Since(start))
		require.Equal(t, []string{"not checked: partitions (World.Partitions); anything else: a call does not come back"}, r.logs)
		require.Equal(t, 1, len(r.defects))

		time.Sleep(2 * time.Hour)
		require.EqualValues(t, 1, calls.Load())
	})
}

// hiding is a wrapper without Unwrap.
type hiding struct{ inner milvuswait.Poller }

func (h hiding) LoadingProgress(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error) {
	return h.inner.LoadingProgress(ctx, collection, partitions...)
}

func (h hiding) IndexBuildingProgress(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error) {
	return h.inner.IndexBuildingProgress(ctx, collection, index)
}

// showing is hiding with Unwrap.
type showing struct{ hiding }

func (s showing) Unwrap() milvuswait.Poller { return s.inner }

func TestRun_WrapperWithoutUnwrap_IsADefect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, w := newFake()

		var want []string
		for _, hidden := range []string{"LoadStateChecker", "SegmentLister", "FlushPoller", "ImportPoller", "CompactionPoller", "ServerChecker"} {
			want = append(want, "pollertest_test.hiding wraps a *fake.Poller and hides its milvuswait."+hidden+
				": add a method Unwrap() milvuswait.Poller")
		}
		require.Equal(t, want, run(hiding{p}, w).defects)
		require.Empty(t, run(showing{hiding{p}}, w).defects)
	})
}

// unable has every optional method, but its server supports none of them.
type unable struct{ hiding }

func (unable) CheckLoadState(context.Context, string, ...string) error { return errors.ErrUnsupported }

func (unable) ListLoading(context.Context) (map[string]milvuswait.LoadingProgress, error) {
	return nil, errors.ErrUnsupported
}

func (unable) ListIndexBuilding(_ context.Context, _ string, indexes []string) ([]milvuswait.IndexBuildingProgress, []error) {
	errs := make([]error, len(indexes))
	for i := range errs {
		errs[i] = errors.ErrUnsupported
	}

	return make([]milvuswait.IndexBuildingProgress, len(indexes)), errs
}

func (unable) UnflushedSegments(context.Context, string) ([]int64, error) {
	return nil, errors.ErrUnsupported
}

func (unable) FlushDone(context.Context, string, milvuswait.FlushMark) (bool, error) {
	return false, errors.ErrUnsupported
}

func (unable) ImportProgress(context.Context, int64) (milvuswait.ImportProgress, error) {
	return milvuswait.ImportProgress{}, errors.ErrUnsupported
}

func (unable) CompactionProgress(context.Context, int64) (milvuswait.CompactionProgress, error) {
	return milvuswait.CompactionProgress{}, errors.ErrUnsupported
}

func (unable) CheckServer(context.Context) error { return errors.ErrUnsupported }

func TestRun_OptionalMethodsAreUnsupported_AreNotChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, w := newFake()

		r := run(unable{hiding{p}}, w)

		require.Empty(t, r.defects)
		require.Equal(t, []string{`not checked: FlushDone("docs", mark): unsupported; ImportProgress(7): unsupported; ` +
			`CompactionProgress(9): unsupported; CheckServer(): unsupported; CheckLoadState("docs"): unsupported; ListLoading(): unsupported; ` +
			`ListIndexBuilding("docs", "vidx"): unsupported; UnflushedSegments("docs"): unsupported`}, r.logs)
	})
}
