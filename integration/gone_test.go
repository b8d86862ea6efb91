package integration_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/integration/realserver"
)

// soon is how long a wait may take to see that its target is gone: the pace of
// the first second makes it 0.1 s.
const soon = 2 * time.Second

// TestGoneDuringAWait takes away what a wait is for, while it waits.
func TestGoneDuringAWait(t *testing.T) {
	release := func(ctx context.Context, s *site, docs string) error { return s.ops.Release(ctx, docs) }
	drop := func(ctx context.Context, s *site, docs string) error { return s.ops.Drop(ctx, docs) }
	dropIndex := func(ctx context.Context, s *site, docs string) error { return s.ops.DropIndex(ctx, docs, vectorIndex) }
	load := func(ctx context.Context, s *site, docs string) error { return s.ops.Load(ctx, docs) }
	index := func(docs string) milvuswait.Target { return milvuswait.IndexBuilding(docs, "").ExpectRows(1) } // of no rows
	loading := func(docs string) milvuswait.Target { return milvuswait.Loading(docs) }
	type step func(ctx context.Context, s *site, docs string) error
	tests := []struct {
		name    string
		row     string // in the summary
		on      []realserver.Release
		shards  int
		before  step
		target  func(docs string) milvuswait.Target
		during  []step
		reasons []error
	}{
		{"collection dropped under an index", "collection dropped during an index wait", all, 1,
			release, // milvus-lite has loaded it
			index, []step{drop}, []error{milvuswait.ErrCollectionNotFound}},
		{"index dropped", "index dropped during its wait", standalone, 1,
			nil, index, []step{dropIndex}, []error{milvuswait.ErrIndexNotFound}},
		{"load released", "collection released during its load", standalone, 2,
			load, loading, []step{release}, []error{milvuswait.ErrReleased}},
		{"loading collection dropped", "collection released and dropped during its load", standalone, 2,
			load, loading, []step{release, drop},
			[]error{milvuswait.ErrReleased, milvuswait.ErrCollectionNotFound}}, // whichever a poll comes upon first
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

				for _, step := range tt.during {
					require.NoError(t, step(ctx, s, docs))
				}
				gone := time.Now()

				r.gone(t, gone, w.fails(t, tt.reasons...), w.timing)
			})
		})
	}
}

// gone checks that a wait ended soon after what it was for had gone.
func (r *row) gone(t *testing.T, at time.Time, reason error, tm timing) {
	t.Helper()
	late := tm.returned.Sub(at)
	r.late, r.waited, r.polls, r.note = &late, tm.took(), tm.polls, reason.Error()
	t.Logf("%s: returned %.3f s after it was gone", r.name, late.Seconds())
	require.Less(t, late, soon)
}
