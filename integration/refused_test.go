package integration_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/rpc"
)

// TestRefused starts waits that cannot succeed. A failure in the first answer about a target
// needs no confirmation, so the first poll ends them.
func TestRefused(t *testing.T) {
	on(t, all, func(t *testing.T, s *site) {
		ctx := within(t, 2*time.Minute)
		c := s.collections(ctx, t)
		load, index := milvuswait.Loading, milvuswait.IndexBuilding
		tests := []struct {
			name   string
			target milvuswait.Target
			want   error
			lite   error // nil: complete, because milvus-lite finds its only index under any name
		}{
			{"load of an unknown collection", load("nope"), milvuswait.ErrCollectionNotFound, milvuswait.ErrCollectionNotFound},
			{"load that was never requested", load(c.docs), milvuswait.ErrNotLoaded, milvuswait.ErrNotLoaded},
			{"load of an unknown partition", load(c.parts, "nope"), milvuswait.ErrPartitionNotFound, nil},
			{"load of a partition that was never requested", load(c.parts, "p2"), milvuswait.ErrNotLoaded, nil},
			{"index of an unknown collection", index("nope", ""), milvuswait.ErrCollectionNotFound, milvuswait.ErrCollectionNotFound},
			{"no index", index(c.bare, ""), milvuswait.ErrIndexNotFound, milvuswait.ErrIndexNotFound},
			{"unknown index", index(c.docs, "nope"), milvuswait.ErrIndexNotFound, nil},
			{"unknown index beside two", index(c.twice, "nope"), milvuswait.ErrIndexNotFound, milvuswait.ErrIndexNotFound},
			{"two indexes and none named", index(c.twice, ""), milvuswait.ErrAmbiguousIndex, milvuswait.ErrAmbiguousIndex},
		}
		for _, tt := range tests {
			t.Run(tt.name, func(t *testing.T) {
				r := s.report(t, "refused: "+tt.name)
				want, fewest, most := tt.want, 1, 1
				if s.lite() {
					want = tt.lite
					if want == milvuswait.ErrNotLoaded {
						// milvus-lite reports 0 %. The third poll of 0 % calls GetLoadState, and one more
						// confirms the answer. A call without an answer is repeated twice.
						fewest, most = 4, 6
					}
				}

				last, err := s.waitFor(ctx, tt.target)

				r.polls = last.Polls
				require.GreaterOrEqual(t, last.Polls, fewest, "%v", err)
				require.LessOrEqual(t, last.Polls, most, "%v", err)
				if want == nil {
					r.note = "complete: the name is ignored"
					require.NoError(t, err)
					return
				}
				r.note = want.Error()
				t.Log(err)
				require.ErrorIs(t, err, want)
				var e *milvuswait.Error
				require.ErrorAs(t, err, &e)
				require.Equal(t, last.Polls, e.Polls)
			})
		}
		t.Run("unknown database", func(t *testing.T) {
			r := s.report(t, "refused: load in an unknown database")

			_, err := milvuswait.WaitForLoadingComplete(ctx, rpc.New(s.ops.Conn, rpc.WithDatabase("nope")), c.docs)

			t.Log(err)
			var e *milvuswait.Error
			require.ErrorAs(t, err, &e)
			r.polls = e.Polls
			require.Equal(t, 1, e.Polls)
			// 2.2.16 and 2.3.5 report the missing collection instead.
			if errors.Is(err, milvuswait.ErrCollectionNotFound) {
				r.note = milvuswait.ErrCollectionNotFound.Error()
				return
			}
			r.note = milvuswait.ErrDatabaseNotFound.Error()
			require.ErrorIs(t, err, milvuswait.ErrDatabaseNotFound)
		})
	})
}
