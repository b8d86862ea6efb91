package integration_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/integration/milvusops"
	"github.com/milvuswait/milvuswait/integration/realserver"
)

// soon is a safety limit for noticing a removed target. The promise is two polls and 0.2 s in
// the first seconds of a wait: a delay of 0.1 s before each poll. The log has the measured
// times.
const soon = 2 * time.Second

// TestGoneDuringAWait removes the target of a wait. One answer may come from a stale
// view, so the second poll confirms it.
func TestGoneDuringAWait(t *testing.T) {
	release := func(ctx context.Context, s *site, docs string) error { return s.ops.Release(ctx, docs) }
	drop := func(ctx context.Context, s *site, docs string) error { return s.ops.Drop(ctx, docs) }
	dropIndex := func(ctx context.Context, s *site, docs string) error { return s.ops.DropIndex(ctx, docs, vectorIndex) }
	load := func(ctx context.Context, s *site, docs string) error { return s.ops.Load(ctx, docs) }
	index := func(docs string) milvuswait.Target { return milvuswait.IndexBuilding(docs, "").ExpectRows(1) } // never complete: there are no rows
	loading := func(docs string) milvuswait.Target { return milvuswait.Loading(docs) }
	built := func(s *site, docs string) question { return s.watch.Indexed(docs, "", 1) }
	loaded := func(s *site, docs string) question { return s.watch.Loaded(docs) }
	type step func(ctx context.Context, s *site, docs string) error
	tests := []struct {
		name    string
		row     string // in the summary
		on      []realserver.Release
		shards  int
		before  step
		target  func(docs string) milvuswait.Target
		watch   func(s *site, docs string) question
		during  []step
		reasons []error
	}{
		{"collection dropped under an index", "collection dropped during an index wait", all, 1,
			release, // milvus-lite has loaded it
			index, built, []step{drop}, []error{milvuswait.ErrCollectionNotFound}},
		{"index dropped", "index dropped during its wait", standalone, 1,
			nil, index, built, []step{dropIndex}, []error{milvuswait.ErrIndexNotFound}},
		{"load released", "collection released during its load", standalone, 2,
			load, loading, loaded, []step{release}, []error{milvuswait.ErrReleased}},
		{"loading collection dropped", "collection released and dropped during its load", standalone, 2,
			load, loading, loaded, []step{release, drop},
			[]error{milvuswait.ErrReleased, milvuswait.ErrCollectionNotFound}}, // depends on the time of the poll
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			on(t, tt.on, func(t *testing.T, s *site) {
				r := s.report(t, tt.row)
				ctx := within(t, time.Minute)
				docs := s.indexed(ctx, t, tt.shards)
				if tt.before != nil {
					require.NoError(t, tt.before(ctx, s, docs))
				}
				w := begin(func(observe milvuswait.Option) (milvuswait.Progress, error) {
					last, err := s.waitFor(ctx, tt.target(docs), observe)
					return last.Progress, err
				})
				w.midway(t, w.polled)

				seen := sight(ctx, absent(tt.watch(s, docs)))
				for _, step := range tt.during {
					require.NoError(t, step(ctx, s, docs))
				}

				reason := w.fails(t, tt.reasons...)
				r.gone(t, reason, w.timing, seen(t))
				require.Equal(t, 2, w.polls-w.succeeded, "polls that found it gone")
			})
		})
	}
}

// absent returns a question for Watch: whether the server fails the other question, as it
// does once the target is gone.
func absent(other question) question {
	return func(ctx context.Context) (bool, error) {
		_, err := other(ctx)
		return err != nil, ctx.Err()
	}
}

// gone checks that a wait ended soon after the watcher saw its target gone.
func (r *row) gone(t *testing.T, reason error, tm timing, seen milvusops.Sighting) {
	t.Helper()
	late := tm.returned.Sub(seen.NotAfter)
	r.late, r.waited, r.polls, r.note = &late, tm.took(), tm.polls, reason.Error()
	t.Logf("%s: returned %.3f s after the watcher saw it gone", r.name, late.Seconds())
	require.Less(t, late, soon)
}
