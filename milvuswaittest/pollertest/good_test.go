package pollertest_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/milvuswaittest/pollertest"
	"github.com/milvuswait/milvuswait/rpc"
	"github.com/milvuswait/milvuswait/sdk"
)

// world is the World of the Pollers in these tests.
var world = pollertest.World{
	Collection: "docs", Index: "vidx", Rows: 1000, Partitions: []string{"eu", "us"},
	NotLoaded: "cold", NoIndex: "bare",
	Several: "images", Indexes: []string{"by_image", "by_text"},
}

// scripts returns the scripts for world, each with change applied.
func scripts(change func(fake.Script) fake.Script) map[milvuswait.Target]fake.Script {
	return map[milvuswait.Target]fake.Script{
		milvuswait.Loading("docs"):                     change(fake.Percents(100)),
		milvuswait.Loading("docs", "eu", "us"):         change(fake.Percents(100)),
		milvuswait.IndexBuilding("docs", "vidx"):       change(fake.Rows(1000, 1000)),
		milvuswait.Loading("cold"):                     nil,
		milvuswait.Loading("bare"):                     nil,
		milvuswait.IndexBuilding("images", "by_text"):  change(fake.Rows(100, 100)),
		milvuswait.IndexBuilding("images", "by_image"): change(fake.Rows(100, 40)),
	}
}

func asIs(s fake.Script) fake.Script { return s }

// flushMark is the mark of a flush of docs in newFake.
var flushMark = milvuswait.FlushMark{Timestamp: 451, Segments: []int64{1, 2}}

// work returns the scripts for flushes, jobs and the server in newFake, each with change
// applied.
func work(change func(fake.Script) fake.Script) map[milvuswait.Target]fake.Script {
	return map[milvuswait.Target]fake.Script{
		milvuswait.Flushing("docs", flushMark):              change(fake.FlushOver(0)),
		milvuswait.Flushing("docs", milvuswait.FlushMark{}): change(fake.FlushOver(0)),
		milvuswait.Importing(7):                             change(fake.ImportOver(1000, 0)),
		milvuswait.Importing(8):                             change(fake.ImportOver(1000, 0).FailAt(30, "no such file")),
		milvuswait.Compacting(9):                            change(fake.CompactOver(3, 0)),
		milvuswait.Serving():                                change(fake.ServeAfter(0, errRefused)),
	}
}

// newFake returns a fake.Poller for world, and for flushes, jobs and the server.
func newFake() (*fake.Poller, pollertest.World) {
	p, w := new(fake.Poller), world
	w.Flush, w.Import, w.FailedImport, w.Compaction = flushMark, 7, 8, 9

	set := func(change func(fake.Script) fake.Script) {
		for target, script := range scripts(change) {
			p.Set(target, script)
		}
		for target, script := range work(change) {
			p.Set(target, script)
		}
	}

	fault := func(change func(fake.Script) fake.Script) func() func() {
		return func() func() {
			set(change)
			return func() { set(asIs) }
		}
	}

	set(asIs)
	w.Hang = fault(func(s fake.Script) fake.Script { return fake.WithDelay(s, fake.Forever) })
	w.Fail = fault(func(s fake.Script) fake.Script { return fake.WithError(s, errRefused) })
	return p, w
}

func TestFake(t *testing.T) {
	p, w := newFake()
	synctest.Test(t, func(t *testing.T) { pollertest.Run(t, p, w) })
	pollertest.Run(t, p, w)
}

// serve starts a fake server for world.
func serve(t *testing.T, dialect fakeserver.Dialect) (*fakeserver.Server, *grpc.ClientConn, pollertest.World) {
	t.Helper()
	server, err := fakeserver.Start(fakeserver.Config{Dialect: dialect})
	require.NoError(t, err)
	t.Cleanup(server.Close)

	conn, err := server.Dial()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })

	for target, script := range scripts(asIs) {
		server.Set(target, script)
	}
	for target, script := range work(asIs) {
		server.Set(target, script)
	}

	w := world
	w.Flush, w.Import, w.FailedImport, w.Compaction = flushMark, 7, 8, 9
	fault := func(f fakeserver.Fault) func() func() {
		return func() func() {
			server.Fail(fakeserver.AnyMethod, f)
			return func() { server.Heal() }
		}
	}
	w.Hang = fault(fakeserver.Hang())
	w.Fail = fault(fakeserver.Refuse(codes.Unavailable, "connection refused"))
	return server, conn, w
}

var dialects = []fakeserver.Dialect{fakeserver.Milvus23, fakeserver.Milvus22}

// milvus-lite takes any partition for the whole collection, and any name for the only
// index, so every Poller for it has these defects. A flush ends there when Flush returns, so
// package rpc lists no segments, without a call.
func TestMilvusLite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, conn, w := serve(t, fakeserver.MilvusLite)
		w.Indexes = []string{"vec", "vec102"} // milvus-lite names indexes after their fields

		r := run(rpc.New(conn), w)

		require.Equal(t, []string{
			`LoadingProgress("docs", "pollertest_missing") returned 100% and no error for a partition that does not exist: ` +
				`a wait takes that for progress; return an error that wraps milvuswait.ErrPartitionNotFound`,
			`LoadingProgress("docs", "eu", "pollertest_missing") returned 100% and no error for partitions of which one does not exist: ` +
				`a wait takes that for progress; return an error that wraps milvuswait.ErrPartitionNotFound`,
			`IndexBuildingProgress("docs", "pollertest_missing") returned 1000/1000 rows, Finished and no error for an index that does not exist: ` +
				`a wait takes that for progress; return an error that wraps milvuswait.ErrIndexNotFound`,
			`CheckLoadState("docs", "pollertest_missing") returned nil for a missing collection or partition: nil means loading or loaded`,
			`UnflushedSegments("pollertest_missing") returned [] and no error for a collection that does not exist: ` +
				`a wait takes that for flushed; return the error`,
			`UnflushedSegments("docs") was called with a context that had ended, and returned [] and no error: pass the context on, and return its error`,
			`UnflushedSegments("docs") returned [] after World.Hang stopped the answers of the server: does Hang work, or is the answer an old one?`,
			`UnflushedSegments("docs") returned [] and no error while every call fails: a wait takes it for an answer of the server; return the error`,
		}, r.defects)
	})
}

func TestRPC(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(fmt.Sprint(dialect), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, conn, w := serve(t, dialect)
				pollertest.Run(t, rpc.New(conn), w)
			})
		})
	}
}

func TestSDK(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(fmt.Sprint(dialect), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server, _, w := serve(t, dialect)
				c, err := client.NewClient(t.Context(), client.Config{Address: "fake", DialOptions: server.DialOptions()})
				require.NoError(t, err)
				defer func() { require.NoError(t, c.Close()) }()

				pollertest.Run(t, sdk.New(c), w)
			})
		})
	}
}
