package milvuswaittest_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/milvuswaittest"
)

func text(lines ...string) string { return strings.Join(lines, "\n\t") }

func TestRequire_Failure_HasProgressAndReason(t *testing.T) {
	said := &milvuswait.ServerError{Code: 3, Reason: "memory limit exceeded", Method: "GetLoadingProgress"}
	tests := []struct {
		name   string
		target milvuswait.Target
		script fake.Script
		act    func(tb milvuswaittest.TB, p milvuswait.Poller)
		want   string
	}{
		{
			"not loaded", docs, nil,
			func(tb milvuswaittest.TB, p milvuswait.Poller) { milvuswaittest.RequireLoaded(tb, p, "docs") },
			text(`milvuswait: loading "docs": not loaded: "docs" (1 poll in 0s)`, `progress: none seen`),
		},
		{
			"out of time", docs, fake.WithError(fake.Percents(0, 0, 40), errRefused, 2, 5, 7, 9),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				milvuswaittest.RequireLoaded(milvuswaittest.Within(tb, 10500*time.Millisecond), p, "docs", every(time.Second))
			},
			text(
				`milvuswait: loading "docs": context deadline exceeded (12 polls in 10.5s, last 40%)`,
				`progress: 0% after 0s; 40% after 2s`,
				`failed polls: 4 of 12, the last of them:`,
				`  poll 5 after 4s: connection refused`,
				`  poll 7 after 6s: connection refused`,
				`  poll 9 after 8s: connection refused`,
				`gave up: after 10.5s, the limit of Within`,
			),
		},
		{
			"what the server said, and no longer means", docs, fake.WithError(fake.Percents(40), said, 1),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				milvuswaittest.RequireLoaded(tb, p, "docs", every(time.Second), milvuswait.WithStallTimeout(2*time.Second))
			},
			text(
				`milvuswait: loading "docs": stalled: no change for 2s (4 polls in 3s, last 40%)`,
				`progress: 40% after 1s`,
				`failed polls: 1 of 4, the last of them:`,
				`  poll 1 after 0s: GetLoadingProgress: memory limit exceeded (code 3)`,
			),
		},
		{
			"many changes", docs, fake.LoadOver(100*time.Second).StallAt(20, fake.Forever),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				milvuswaittest.RequireLoaded(milvuswaittest.Within(tb, time.Minute), p, "docs", every(time.Second), milvuswait.WithStallTimeout(20*time.Second))
			},
			text(
				`milvuswait: loading "docs": stalled: no change for 20s (41 polls in 40s, last 20%)`,
				`progress: 0% after 0s; 12 more; 13% after 13s; 14% after 14s; 15% after 15s; 16% after 16s; 17% after 17s; 18% after 18s; 19% after 19s; 20% after 20s`,
			),
		},
		{
			"a load that the server gave up", docs, fake.LoadOver(10*time.Second).FailAt(50, fmt.Errorf("%w: %w", milvuswait.ErrLoadFailed, said)),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				milvuswaittest.RequireLoaded(tb, p, "docs", every(5*time.Second))
			},
			text(
				`milvuswait: loading "docs": load failed: GetLoadingProgress: memory limit exceeded (code 3) (2 polls in 5s, last 0%)`,
				`progress: 0% after 0s`,
				`the server's reason: GetLoadingProgress: memory limit exceeded (code 3)`,
			),
		},
		{
			"an index that failed", vidx, fake.BuildOver(100, 10*time.Second).FailAt(50, "no such file"),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				milvuswaittest.RequireIndexed(tb, p, "docs", 100, every(5*time.Second))
			},
			text(
				`milvuswait: index of "docs": index build failed: no such file (2 polls in 5s, last 50/100 rows, Failed)`,
				`progress: 0/100 rows, InProgress after 0s; 50/100 rows, Failed after 5s`,
				`the server's reason: no such file`,
			),
		},
		{
			"an import that failed", milvuswait.Importing(7), fake.ImportOver(1000, 10*time.Second).FailAt(50, "no such file"),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				milvuswaittest.RequireImported(tb, p, 7, every(5*time.Second))
			},
			text(
				`milvuswait: import 7: job failed: no such file (2 polls in 5s, last 50%, ImportFailed)`,
				`progress: 0%, ImportPending after 0s; 50%, ImportFailed after 5s`,
				`the server's reason: no such file`,
			),
		},
		{
			"an import that the server does not know", milvuswait.Importing(7), nil,
			func(tb milvuswaittest.TB, p milvuswait.Poller) { milvuswaittest.RequireImported(tb, p, 7) },
			text(`milvuswait: import 7: job not found: import 7 (1 poll in 0s)`, `progress: none seen`),
		},
		{
			"a compaction with plans that failed", milvuswait.Compacting(7), fake.CompactOver(2, 10*time.Second).FailPlans(1),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				milvuswaittest.RequireCompacted(tb, p, 7, every(5*time.Second))
			},
			text(
				`milvuswait: compaction 7: job failed: 1 of 2 plans failed (3 polls in 10s, last 2/2 plans, Completed, 1 failed)`,
				`progress: 0/2 plans, Executing after 0s; 1/2 plans, Executing, 1 failed after 5s; 2/2 plans, Completed, 1 failed after 10s`,
			),
		},
		{
			"a server that does not start", milvuswait.Serving(), fake.ServeAfter(fake.Forever, errRefused),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				milvuswaittest.RequireServer(milvuswaittest.Within(tb, 5*time.Second), p, every(2*time.Second))
			},
			text(
				`milvuswait: server: context deadline exceeded (4 polls in 5s, last error: connection refused)`,
				`progress: none seen`,
				`failed polls: 4 of 4, the last of them:`,
				`  poll 2 after 2s: connection refused`,
				`  poll 3 after 4s: connection refused`,
				`  poll 4 after 4.95s: connection refused`,
				`gave up: after 5s, the limit of Within`,
			),
		},
		{
			"rows that are being flushed", vidx, fake.BuildOver(100, 0).VisibleAfter(time.Minute),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				milvuswaittest.RequireIndexed(milvuswaittest.Within(tb, 5*time.Second), p, "docs", 0, every(2*time.Second))
			},
			text(
				`milvuswait: index of "docs": context deadline exceeded (4 polls in 5s, last 0/0 rows, Finished, waiting for flush)`,
				`progress: 0/0 rows, Finished after 0s`,
				`gave up: after 5s, the limit of Within`,
			),
		},
		{
			"a Poller that cannot check the server", docs, nil,
			func(tb milvuswaittest.TB, _ milvuswait.Poller) {
				milvuswaittest.RequireServer(tb, milvuswait.PollerFuncs{})
			},
			`milvuswait: invalid argument: the Poller does not implement ServerChecker: PollerFuncs.Server is nil`,
		},
		{
			"rows that nobody flushed", vidx, fake.Rows(0, 0),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				milvuswaittest.RequireIndexed(milvuswaittest.Within(tb, 5*time.Second), p, "docs", 100, every(2*time.Second))
			},
			text(
				`milvuswait: index of "docs": context deadline exceeded (4 polls in 5s, last 0/0 rows, Finished); 0 of 100 rows are flushed: was Flush called?`,
				`progress: 0/0 rows, Finished after 0s`,
				`gave up: after 5s, the limit of Within`,
			),
		},
		{
			"no Poller", docs, nil,
			func(tb milvuswaittest.TB, _ milvuswait.Poller) { milvuswaittest.RequireLoaded(tb, nil, "docs") },
			`milvuswait: invalid argument: the Poller is nil`,
		},
		{
			"rows that make no sense", vidx, fake.Rows(0, 0),
			func(tb milvuswaittest.TB, p milvuswait.Poller) { milvuswaittest.RequireIndexed(tb, p, "docs", -1) },
			`milvuswait: invalid argument: WithExpectedRows: -1 is negative`,
		},
		{
			"no time at all", docs, fake.Percents(100),
			func(tb milvuswaittest.TB, p milvuswait.Poller) {
				milvuswaittest.RequireLoaded(milvuswaittest.Within(tb, 0), p, "docs")
			},
			text(
				`milvuswait: loading "docs": context deadline exceeded (0 polls in 0s)`,
				`progress: none seen`,
				`gave up: after 0s, the limit of Within`,
			),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := new(fake.Poller).Set(tt.target, tt.script)

				r := record(t, func(tb milvuswaittest.TB) { tt.act(tb, p) })

				require.Equal(t, tt.want, r.fatal)
			})
		})
	}
}

func TestServersTextIsCleaned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake.Poller).Set(docs, fake.WithError(fake.Percents(0, 100), errors.New("no\n\x1b[31mway"), 1))

		r := record(t, func(tb milvuswaittest.TB) { milvuswaittest.RequireLoaded(tb, p, "docs", every(time.Second)) })

		require.Equal(t, `loading "docs": poll 1 failed after 0s: no [31mway`, r.logs[0])
	})
}

func TestALongReasonLeavesTheCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		said := &milvuswait.ServerError{Code: 1401, Reason: strings.Repeat("x", 2000), Method: "GetLoadingProgress"}
		p := new(fake.Poller).Set(docs, fake.Steps(fake.Step{Err: said}, fake.Step{Err: fmt.Errorf("%w: %w", milvuswait.ErrLoadFailed, said)}))

		r := record(t, func(tb milvuswaittest.TB) { milvuswaittest.RequireLoaded(tb, p, "docs", every(time.Second)) })

		require.Regexp(t, `poll 1 failed after 0s: .*\(code 1401\)$`, r.logs[0])
		require.Contains(t, r.fatal, `(code 1401) (2 polls`)
		require.Regexp(t, `  poll 1 after 0s: .*\(code 1401\)\n`, r.fatal)
	})
}

func TestRequireAllThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		images := milvuswait.Loading("images")
		p := new(fake.Poller).Set(docs, fake.LoadOver(10*time.Second).FailAt(50, milvuswait.ErrNotLoaded)).Set(vidx, fake.Rows(100, 40)).
			Set(images, nil)
		tb := func(tb milvuswaittest.TB) milvuswaittest.TB { return milvuswaittest.Within(tb, time.Minute) }

		all := record(t, func(r milvuswaittest.TB) {
			milvuswaittest.RequireAll(tb(r), p, []milvuswait.Target{docs, vidx, images}, milvuswait.WithContinueOnError(), every(5*time.Second))
		})
		first := record(t, func(r milvuswaittest.TB) {
			milvuswaittest.RequireAll(tb(r), p, []milvuswait.Target{vidx, images}, every(5*time.Second))
		})

		require.Equal(t, text(
			`milvuswait: 3 of 3 targets failed: loading "docs": released during the wait: not loaded (3 polls in 5.1s, last 0%)`+
				`; index "vidx" of "docs": context deadline exceeded (13 polls in 1m0s, last 40/100 rows, InProgress)`+
				`; loading "images": not loaded: "images" (1 poll in 0s)`,
			`loading "docs":`,
			`progress: 0% after 0s`,
			`failed polls: 1 of 3, the last of them:`,
			`  poll 2 after 5s: not loaded`,
			`index "vidx" of "docs":`,
			`progress: 40/100 rows, InProgress after 0s`,
			`loading "images":`,
			`progress: none seen`,
			`gave up: after 1m0s, the limit of Within`,
		), all.fatal)
		require.Equal(t, text(
			`milvuswait: 1 of 2 targets failed: loading "images": not loaded: "images" (1 poll in 0s)`,
			`progress: none seen`,
		), first.fatal)
	})
}

func TestRequire_ManyFailures_AreShortened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var targets []milvuswait.Target
		for i := range 12 {
			targets = append(targets, milvuswait.Loading(fmt.Sprintf("c%02d", i)))
		}

		r := record(t, func(tb milvuswaittest.TB) {
			milvuswaittest.RequireAll(tb, new(fake.Poller), targets, milvuswait.WithContinueOnError())
		})

		require.Equal(t, 10, strings.Count(r.fatal, "progress: none seen"))
		require.True(t, strings.HasSuffix(r.fatal, "\n\tand 2 more targets"), r.fatal)
	})
}

func TestEndOfTheTestsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake.Poller).Set(docs, fake.Percents(40))
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(90*time.Second, func() { cancel(errors.New("interrupted")) })
		tb := forgiving{&recorder{ctx: ctx}}

		milvuswaittest.RequireLoaded(tb, p, "docs", every(time.Minute))

		require.Equal(t, text(
			`milvuswait: loading "docs": context canceled: interrupted (2 polls in 1m30s, last 40%)`,
			`progress: 40% after 0s`,
			`gave up: the context of the test has ended`,
		), tb.fatal)
	})
}
