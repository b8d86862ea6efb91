package fakeserver_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// TestIndexWait_AfterRawFlush waits for an index right after a flush, without a number of
// rows. The rows are visible after 2.6 s, and indexed 40 s later.
func TestIndexWait_AfterRawFlush(t *testing.T) {
	const visible, built = 2600 * time.Millisecond, 42600 * time.Millisecond
	tests := []struct {
		name     string
		dialect  fakeserver.Dialect
		segments bool // the Poller lists segments
		mark     bool // the wait has the mark of the flush
		early    bool
	}{
		{"2.3: neither segments nor mark", fakeserver.Milvus23, false, false, true},
		{"2.3: segments", fakeserver.Milvus23, true, false, false},
		{"2.3: mark", fakeserver.Milvus23, false, true, false},
		{"2.2: neither segments nor mark", fakeserver.Milvus22, false, false, true},
		{"2.2: segments", fakeserver.Milvus22, true, false, false},
		{"2.2: mark", fakeserver.Milvus22, false, true, false},
		{"2.6: neither segments nor mark", fakeserver.Milvus26, false, false, true},
		{"2.6: segments", fakeserver.Milvus26, true, false, true},
		{"2.6: mark", fakeserver.Milvus26, false, true, false},
		{"2.6: segments and mark", fakeserver.Milvus26, true, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, c := start(t, fakeserver.Config{
					Dialect: tt.dialect, VisibleAfter: visible,
					Build: func(rows int64) fake.Script { return fake.BuildOver(rows, built-visible) },
				})
				srv.AddCollection("docs")
				s, err := createIndex(t.Context(), c, "docs", "vec", "vidx")
				succeeds(t, s, err)
				insert(t, c, "docs", 100_000)
				mark := flush(t, c, "docs")
				p := rawPoller(t, c)
				if !tt.segments {
					p.Segments = nil
				}
				var opts []milvuswait.Option
				if tt.mark {
					opts = append(opts, milvuswait.WithFlush(mark))
				}
				begin := time.Now()

				progress, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs", opts...)

				require.NoError(t, err)
				if tt.early {
					require.Zero(t, time.Since(begin))
					require.Zero(t, progress.TotalRows)
					return
				}
				require.EqualValues(t, 100_000, progress.IndexedRows)
				require.GreaterOrEqual(t, time.Since(begin), built)
				require.Less(t, time.Since(begin), built+6*time.Second)
			})
		})
	}
}

// rawPoller returns a Poller with the calls of a flush made by hand.
func rawPoller(t *testing.T, c grpc.ClientConnInterface) milvuswait.PollerFuncs {
	return milvuswait.PollerFuncs{
		IndexBuilding: rpc.New(c).IndexBuildingProgress,
		Segments: func(_ context.Context, collection string) ([]int64, error) {
			var unflushed []int64
			for id, state := range segments(t, c, collection) {
				if state == wire.SegmentState_Sealed {
					unflushed = append(unflushed, id)
				}
			}
			return unflushed, nil
		},
		Flush: func(_ context.Context, collection string, mark milvuswait.FlushMark) (bool, error) {
			return flushed(t, c, collection, mark), nil
		},
	}
}
