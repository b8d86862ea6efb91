package milvuswaittest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/milvuswaittest"
)

var (
	docs       = milvuswait.Loading("docs")
	vidx       = milvuswait.IndexBuilding("docs", "vidx")
	errRefused = errors.New("connection refused")
)

func TestRequire_LogsProgress(t *testing.T) {
	tests := []struct {
		name   string
		target milvuswait.Target
		script fake.Script
		act    func(tb milvuswaittest.TB, p milvuswait.Poller)
		want   []string
	}{
		{
			"a load", docs, fake.Percents(0, 0, 40, 40, 100),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				milvuswaittest.RequireLoaded(tb, p, "docs", every(time.Second))
			},
			[]string{
				`loading "docs": 0% after 0s`,
				`loading "docs": 40% after 2s, about 1.5s left`,
				`loading "docs": complete after 4s: 100%`,
			},
		},
		{
			"a load that is there", docs, fake.Percents(100),
			func(tb milvuswaittest.TB, p milvuswait.Poller) { milvuswaittest.RequireLoaded(tb, p, "docs") },
			[]string{`loading "docs": complete after 0s: 100%`},
		},
		{
			"partitions", milvuswait.Loading("docs", "eu"), fake.Percents(100),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				milvuswaittest.RequireLoaded(tb, p, "docs", milvuswait.WithPartitions("eu"))
			},
			[]string{`loading "docs", partitions "eu": complete after 0s: 100%`},
		},
		{
			"polls that fail", docs, fake.WithError(fake.Percents(0, 0, 0, 0, 100), errRefused, 2, 3),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				milvuswaittest.RequireLoaded(tb, p, "docs", every(time.Second))
			},
			[]string{
				`loading "docs": 0% after 0s`,
				`loading "docs": poll 2 failed after 1s: connection refused`,
				`loading "docs": 0% after 3s`,
				`loading "docs": complete after 4s: 100%`,
			},
		},
		{
			"an index that is Finished before its rows are there", vidx, fake.BuildOver(100, 4*time.Second).VisibleAfter(2 * time.Second),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				milvuswaittest.RequireIndexed(tb, p, "docs", 100, milvuswait.WithIndex("vidx"), every(2*time.Second))
			},
			[]string{
				`index "vidx" of "docs": 0/0 rows, Finished after 0s`,
				`index "vidx" of "docs": 0/100 rows, InProgress after 2s`,
				`index "vidx" of "docs": 50/100 rows, InProgress after 4s, about 2s left`,
				`index "vidx" of "docs": complete after 6s: 100/100 rows, Finished`,
			},
		},
		{
			"an index whose rows are being flushed", vidx, fake.BuildOver(100, 4*time.Second).VisibleAfter(3 * time.Second),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				milvuswaittest.RequireIndexed(tb, p, "docs", 0, every(2*time.Second))
			},
			[]string{
				`index of "docs": 0/0 rows, Finished after 0s, waiting for flush`,
				`index of "docs": 25/100 rows, InProgress after 4s`,
				`index of "docs": 75/100 rows, InProgress after 6s, about 1s left`,
				`index of "docs": complete after 8s: 100/100 rows, Finished`,
			},
		},
		{
			"an index on a server that lists no segments", vidx, fake.Rows(100, 100),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				milvuswaittest.RequireIndexed(tb, milvuswait.PollerFuncs{IndexBuilding: p.IndexBuildingProgress}, "docs", 0)
			},
			[]string{`index of "docs": complete after 0s: 100/100 rows, Finished, unconfirmed`},
		},
		{
			"an import", milvuswait.Importing(7), fake.ImportOver(1000, 4*time.Second),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				require.EqualValues(t, 1000, milvuswaittest.RequireImported(tb, p, 7, every(2*time.Second)).Rows)
			},
			[]string{
				`import 7: 0%, ImportPending after 0s`,
				`import 7: 50%, ImportStarted after 2s`,
				`import 7: complete after 4s: 100%, ImportCompleted, 1000 rows`,
			},
		},
		{
			"a compaction", milvuswait.Compacting(7), fake.CompactOver(2, 4*time.Second),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				require.EqualValues(t, 2, milvuswaittest.RequireCompacted(tb, p, 7, every(2*time.Second)).Completed)
			},
			[]string{
				`compaction 7: 0/2 plans, Executing after 0s`,
				`compaction 7: 1/2 plans, Executing after 2s, about 2s left`,
				`compaction 7: complete after 4s: 2/2 plans, Completed`,
			},
		},
		{
			"a server that starts", milvuswait.Serving(), fake.ServeAfter(4*time.Second, errRefused),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				milvuswaittest.RequireServer(tb, p, every(2*time.Second))
			},
			[]string{
				`server: poll 1 failed after 0s: connection refused`,
				`server: complete after 4s: serving`,
			},
		},
		{
			"the only index, with nothing in it", vidx, fake.Rows(0, 0),
			func(tb milvuswaittest.TB, p milvuswait.Poller) { milvuswaittest.RequireIndexed(tb, p, "docs", 0) },
			[]string{`index of "docs": complete after 0s: 0/0 rows, Finished`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := new(fake.Poller).Set(tt.target, tt.script)

				r := record(t, func(tb milvuswaittest.TB) { tt.act(tb, p) })

				require.Empty(t, r.fatal)
				require.Equal(t, tt.want, r.logs)
			})
		})
	}
}

func TestRequireAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake.Poller).Set(docs, fake.Percents(0, 100)).Set(vidx, fake.Rows(100, 100))
		var outcomes []milvuswait.Outcome

		r := record(t, func(tb milvuswaittest.TB) {
			outcomes = milvuswaittest.RequireAll(tb, p, []milvuswait.Target{docs, vidx.ExpectRows(100)}, every(time.Second))
		})

		require.Empty(t, r.fatal)
		require.ElementsMatch(t, []string{
			`loading "docs": 0% after 0s`,
			`index "vidx" of "docs": complete after 0s: 100/100 rows, Finished`,
			`loading "docs": complete after 1s: 100%`,
		}, r.logs)
		require.Equal(t, 2, len(outcomes))
		require.Equal(t, docs, outcomes[0].Target)
		require.NoError(t, outcomes[1].Err)
	})
}

func TestNoTargets(t *testing.T) {
	r := record(t, func(tb milvuswaittest.TB) { milvuswaittest.RequireAll(tb, new(fake.Poller), nil) })

	require.Empty(t, r.fatal)
	require.Empty(t, r.logs)
}

func TestRequire_ReturnsProgress(t *testing.T) {
	p := new(fake.Poller).Set(docs, fake.Percents(100)).Set(vidx, fake.Rows(7, 7))

	require.Equal(t, milvuswait.LoadingProgress{Percent: 100, RefreshPercent: 100}, milvuswaittest.RequireLoaded(t, p, "docs"))
	require.EqualValues(t, 7, milvuswaittest.RequireIndexed(t, p, "docs", 7).IndexedRows)
}

// forgiving is a test whose Fatal returns.
type forgiving struct{ *recorder }

func (f forgiving) Fatal(args ...any) { f.fatal = fmt.Sprint(args...) }

func TestAFatalThatReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake.Poller).Set(docs, fake.LoadOver(10*time.Second).FailAt(50, milvuswait.ErrNotLoaded))
		tb := forgiving{&recorder{ctx: t.Context()}}

		progress := milvuswaittest.RequireLoaded(tb, p, "docs", every(4*time.Second))

		require.Contains(t, tb.fatal, "released during the wait")
		require.EqualValues(t, 40, progress.Percent)
	})
}

func TestRequire_ObserverOfCaller_IsCalledToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake.Poller).Set(docs, fake.Percents(0, 0, 100))
		var o fake.Observer

		r := record(t, func(tb milvuswaittest.TB) {
			milvuswaittest.RequireLoaded(tb, p, "docs", milvuswait.WithObserver(&o))
		})

		require.Equal(t, 3, len(o.Updates()))
		require.Equal(t, 2, len(r.logs))
	})
}

func TestPanicsArePassedOn(t *testing.T) {
	boom := milvuswait.PollerFuncs{Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) { panic("boom") }}
	p := new(fake.Poller).Set(docs, fake.Percents(40))

	require.PanicsWithValue(t, "boom", func() { milvuswaittest.RequireLoaded(t, boom, "docs") })
	require.PanicsWithValue(t, "bang", func() {
		milvuswaittest.RequireLoaded(t, p, "docs", milvuswait.WithObserver(milvuswait.ObserverFunc(func(milvuswait.Update) { panic("bang") })))
	})
}

// noisy is a test with a Log that panics, as after the end of a test.
type noisy struct{ *recorder }

func (noisy) Log(...any) { panic("Log in goroutine after the test has completed") }

func TestALogThatPanicsLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the bubble fails if goroutines remain
		p := new(fake.Poller).Set(docs, fake.Percents(40))

		require.Panics(t, func() { milvuswaittest.RequireLoaded(noisy{&recorder{ctx: t.Context()}}, p, "docs") })

		require.Equal(t, 1, len(p.Calls()))
	})
}

func TestFailNowInThePoller(t *testing.T) {
	r := record(t, func(tb milvuswaittest.TB) {
		p := milvuswait.PollerFuncs{Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) {
			tb.Fatal("not today")
			return milvuswait.LoadingProgress{}, nil
		}}
		milvuswaittest.RequireLoaded(tb, p, "docs")
		tb.Log("never")
	})

	require.Equal(t, "not today", r.fatal)
	require.Empty(t, r.logs)
}
