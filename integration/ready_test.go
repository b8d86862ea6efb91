package integration_test

import (
	"context"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/integration/realserver"
)

// TestCommandBeforeTheServer starts milvus-wait before milvus-lite. TestRestart does so for
// the other releases.
func TestCommandBeforeTheServer(t *testing.T) {
	on(t, []realserver.Release{realserver.Lite32}, func(t *testing.T, shared *site) {
		shared.ours(t, "starts its server")
		s, err := launch(shared.server.Release())
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, s.server.Close()) })
		require.NoError(t, s.server.Kill())
		ready := s.awaitReady(within(t, time.Minute), t)

		require.NoError(t, s.server.Start(t.Context()))

		ready(t)
	})
}

// awaitReady starts milvus-wait, a wait of the library and a watcher before the server is
// started.
func (s *site) awaitReady(ctx context.Context, t *testing.T) (check func(t *testing.T)) {
	r := s.report(t, "milvus-wait ready while the server starts")
	serving := s.report(t, "Serving while the server starts")
	r.limit += 3 * time.Second // the command connects every 3 s
	serving.limit = r.limit
	c := s.command(t, "ready", "--timeout", "3m")
	c.midway(t)
	w := waitForTarget(ctx, s.poller, milvuswait.Serving())
	w.midway(t, w.stumbled)
	seen := sight(ctx, s.answers)
	return func(t *testing.T) {
		w.complete(t)
		serving.onTime(t, w.timing, seen(t))
		c.exits(t, 0)
		uri := regexp.QuoteMeta(s.server.URI())
		wrote(t, c.stdout, uri+`: ready \(`+took+`, [0-9]+ polls\)`)
		require.Regexp(t, `\A`+uri+`: starting: poll 1 failed, going on, gives up in [0-9ms]+: cannot connect to `+uri+`: .*connection refused`, c.stderr)
		r.onTime(t, c.timing, seen(t))
	}
}

// answers reports whether the server lists its collections. A failed connection does not
// count as an answer: the command has another connection.
func (s *site) answers(ctx context.Context) (bool, error) {
	got, err := questions{s.watch}.showIn("")(ctx)
	return got.code == 0 && got.legacyCode == 0, err
}
