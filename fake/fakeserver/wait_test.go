package fakeserver_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/rpc"
)

// Real waits over gRPC, in a bubble, so that their durations are exact.
func TestWaits_OverTheWire(t *testing.T) {
	docs := milvuswait.Loading("docs")
	loading := func(t *testing.T, p milvuswait.Poller) error {
		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs")
		return err
	}
	building := func(t *testing.T, p milvuswait.Poller) error {
		_, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs", milvuswait.WithExpectedRows(100_000))
		return err
	}
	tests := []struct {
		name  string
		setUp func(*fakeserver.Server)
		wait  func(*testing.T, milvuswait.Poller) error
		want  error
		at    time.Duration
	}{
		{"a load of 40 minutes", func(srv *fakeserver.Server) {
			srv.Set(docs, fake.LoadOver(40*time.Minute))
		}, loading, nil, 40 * time.Minute},
		{"a hang in between", func(srv *fakeserver.Server) {
			srv.Set(docs, fake.LoadOver(40*time.Minute))
			srv.Fail("GetLoadingProgress", fakeserver.Hang().On(3))
		}, loading, nil, 40 * time.Minute},
		{"a restart in between", func(srv *fakeserver.Server) {
			srv.Set(docs, fake.LoadOver(40*time.Minute))
			time.AfterFunc(20*time.Minute, srv.Stop)
			time.AfterFunc(21*time.Minute, func() { _ = srv.Restart() })
		}, loading, nil, 40 * time.Minute},
		{"no load", func(srv *fakeserver.Server) {
			srv.AddCollection("docs")
		}, loading, milvuswait.ErrNotLoaded, 0},
		{"no collection", func(*fakeserver.Server) {}, loading, milvuswait.ErrCollectionNotFound, 0},
		{"released in between", func(srv *fakeserver.Server) {
			srv.Set(docs, fake.LoadOver(40*time.Minute))
			time.AfterFunc(10*time.Minute, func() { srv.Set(docs, nil) })
		}, loading, milvuswait.ErrReleased, 10 * time.Minute},
		{"dropped in between", func(srv *fakeserver.Server) {
			srv.Set(docs, fake.LoadOver(40*time.Minute))
			time.AfterFunc(10*time.Minute, func() { srv.Drop("docs") })
		}, loading, milvuswait.ErrCollectionNotFound, 10 * time.Minute},
		{"out of memory", func(srv *fakeserver.Server) {
			srv.Set(docs, fake.LoadOver(40*time.Minute).FailAt(70, milvuswait.ErrLoadFailed))
		}, loading, milvuswait.ErrLoadFailed, 28 * time.Minute},
		{"rows that are flushed just now", func(srv *fakeserver.Server) {
			srv.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.BuildOver(100_000, 40*time.Second).VisibleAfter(2600*time.Millisecond))
		}, building, nil, 42600 * time.Millisecond},
		{"an index that fails", func(srv *fakeserver.Server) {
			srv.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.BuildOver(100_000, 40*time.Second).FailAt(50, "oom"))
		}, building, milvuswait.ErrIndexFailed, 20 * time.Second},
		{"no index", func(srv *fakeserver.Server) {
			srv.AddCollection("docs")
		}, building, milvuswait.ErrIndexNotFound, 0},
	}
	for _, dialect := range []fakeserver.Dialect{fakeserver.Milvus23, fakeserver.Milvus22, fakeserver.Milvus26} {
		for _, tt := range tests {
			t.Run(dialect.String()+": "+tt.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					srv, c := start(t, fakeserver.Config{Dialect: dialect})
					tt.setUp(srv)
					begin := time.Now()

					err := tt.wait(t, rpc.New(c))

					require.ErrorIs(t, err, tt.want)
					took := time.Since(begin)
					require.GreaterOrEqual(t, took, tt.at)
					require.LessOrEqual(t, took, tt.at+6*time.Second)
				})
			})
		}
	}
}

func TestWait_ReleasedOnLite_IsNotLoaded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t, fakeserver.Config{Dialect: fakeserver.MilvusLite})
		srv.Set(milvuswait.Loading("docs"), nil)

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), rpc.New(c), "docs")

		require.ErrorIs(t, err, milvuswait.ErrNotLoaded)
	})
}
