package fake_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

var (
	firstMark  = milvuswait.FlushMark{Timestamp: 1, Segments: []int64{3, 1}}
	secondMark = milvuswait.FlushMark{Timestamp: 2, Segments: []int64{3, 5}}
)

func TestFlushDone(t *testing.T) {
	const m = time.Minute
	tests := []struct {
		name    string
		set     milvuswait.Target
		script  fake.Script
		ask     milvuswait.FlushMark
		want    bool
		wantErr error
	}{
		{"no collection", milvuswait.Loading("images"), fake.Percents(40), firstMark, false, milvuswait.ErrCollectionNotFound},
		{"no script", milvuswait.Loading("docs"), fake.Percents(40), firstMark, true, nil},
		{"not done", milvuswait.Flushing("docs", firstMark), fake.FlushOver(m), firstMark, false, nil},
		{"done", milvuswait.Flushing("docs", firstMark), fake.FlushOver(0), firstMark, true, nil},
		{"segments in another order", milvuswait.Flushing("docs", firstMark), fake.FlushOver(m), milvuswait.FlushMark{Timestamp: 1, Segments: []int64{1, 3}}, false, nil},
		{"another mark", milvuswait.Flushing("docs", firstMark), fake.FlushOver(m), secondMark, true, nil},
		{"nil script", milvuswait.Flushing("docs", firstMark), nil, firstMark, true, nil},
		{"error of the script", milvuswait.Flushing("docs", firstMark), fake.WithError(fake.FlushOver(m), errTransient), firstMark, false, errTransient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := new(fake.Poller).Set(tt.set, tt.script)

			got, err := p.FlushDone(t.Context(), "docs", tt.ask)

			require.ErrorIs(t, err, tt.wantErr)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestUnflushedSegments_Flushes_ListsTheirSegmentsUntilTheyAreDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake.Poller).
			Set(milvuswait.Flushing("docs", firstMark), fake.FlushOver(time.Minute)).
			Set(milvuswait.Flushing("docs", secondMark), fake.FlushOver(2*time.Minute)).
			Set(milvuswait.Flushing("images", milvuswait.FlushMark{Segments: []int64{7}}), fake.FlushOver(time.Hour))
		list := func() []int64 {
			segments, err := p.UnflushedSegments(t.Context(), "docs")
			require.NoError(t, err)
			return segments
		}

		require.Equal(t, []int64{1, 3, 5}, list())
		time.Sleep(time.Minute)
		require.Equal(t, []int64{3, 5}, list())
		time.Sleep(time.Minute)
		require.Empty(t, list())
	})
}

func TestUnflushedSegments_HiddenRows_ListsOneSegment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake.Poller).
			Set(milvuswait.IndexBuilding("docs", "a"), fake.WithDelay(fake.BuildOver(100, time.Hour).VisibleAfter(time.Minute), time.Second)).
			Set(milvuswait.IndexBuilding("docs", "b"), fake.BuildOver(100, time.Hour).VisibleAfter(2*time.Minute))
		count := func() int {
			segments, err := p.UnflushedSegments(t.Context(), "docs")
			require.NoError(t, err)
			return len(segments)
		}

		require.Equal(t, 1, count())
		time.Sleep(time.Minute)
		require.Equal(t, 1, count())
		p.Set(milvuswait.IndexBuilding("docs", "b"), nil)
		require.Zero(t, count())
		got, err := p.IndexBuildingProgress(t.Context(), "docs", "a")
		require.NoError(t, err)
		require.EqualValues(t, 100, got.TotalRows, "the lists have begun the script")
	})
}

func TestUnflushedSegments_CannotBeListed_ReturnsError(t *testing.T) {
	mark := milvuswait.Flushing("docs", firstMark)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	tests := []struct {
		name   string
		ctx    context.Context
		script fake.Script
		ask    string
		want   error
	}{
		{"no collection", t.Context(), fake.FlushOver(0), "images", milvuswait.ErrCollectionNotFound},
		{"error of a flush", t.Context(), fake.WithError(fake.FlushOver(0), errTransient), "docs", errTransient},
		{"ended context", ended, fake.FlushOver(0), "docs", context.Canceled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := new(fake.Poller).Set(mark, tt.script)

			segments, err := p.UnflushedSegments(tt.ctx, tt.ask)

			require.ErrorIs(t, err, tt.want)
			require.Nil(t, segments)
		})
	}
}

func TestUnflushedSegments_TakesTurnsOfFlushesOnly(t *testing.T) {
	flush := milvuswait.Flushing("docs", firstMark)
	vidx := milvuswait.IndexBuilding("docs", "vidx")
	p := new(fake.Poller).
		Set(flush, fake.Steps(fake.Step{Progress: milvuswait.FlushProgress{}}, fake.Step{Progress: milvuswait.FlushProgress{Flushed: true}})).
		Set(vidx, fake.Rows(100, 40, 100))

	first, err := p.UnflushedSegments(t.Context(), "docs")
	require.NoError(t, err)
	second, err := p.UnflushedSegments(t.Context(), "docs")
	require.NoError(t, err)
	progress, err := p.IndexBuildingProgress(t.Context(), "docs", "vidx")
	require.NoError(t, err)

	require.Equal(t, []int64{1, 3}, first)
	require.Empty(t, second)
	require.EqualValues(t, 40, progress.IndexedRows)
	list := milvuswait.Flushing("docs", milvuswait.FlushMark{})
	calls := p.Calls(list)
	require.Equal(t, 2, len(calls))
	for i, c := range calls {
		require.Equal(t, fake.Call{Target: list, Time: c.Time, Took: c.Took, Progress: milvuswait.FlushProgress{Flushed: i == 1}}, c)
	}
	require.Empty(t, p.Calls(flush))
	require.Equal(t, 1, len(p.Calls(vidx)))
}

func TestWait_IndexOfUnflushedSegments_EndsAfterTheFlush(t *testing.T) {
	tests := []struct {
		name string
		opts []milvuswait.Option
	}{
		{"without a mark", nil},
		{"with the mark", []milvuswait.Option{milvuswait.WithFlush(firstMark)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				vidx := milvuswait.IndexBuilding("docs", "vidx")
				p := new(fake.Poller).
					Set(milvuswait.Flushing("docs", firstMark), fake.FlushOver(3*time.Second)).
					Set(vidx, fake.Steps(fake.Rows(0, 0).Step(1, 0), fake.Rows(100, 100).Step(1, 0)))
				start := time.Now()

				progress, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), p, "docs", tt.opts...)

				require.NoError(t, err)
				require.EqualValues(t, 100, progress.IndexedRows)
				require.InDelta(t, 3.2, time.Since(start).Seconds(), 0.2)
				require.Equal(t, 2, len(p.Calls(milvuswait.IndexBuilding("docs", ""))), "the progress is polled before and after the flush")
			})
		})
	}
}

func TestSet_FlushMarkOfAnIndex_MakesNoDifference(t *testing.T) {
	vidx := milvuswait.IndexBuilding("docs", "vidx")
	p := new(fake.Poller).Set(vidx.AfterFlush(firstMark), fake.Rows(100, 40))
	var o fake.Observer
	o.Observe(milvuswait.Update{Target: vidx.AfterFlush(firstMark).ExpectRows(100)})

	progress, err := p.IndexBuildingProgress(t.Context(), "docs", "vidx")

	require.NoError(t, err)
	require.EqualValues(t, 40, progress.IndexedRows)
	require.Equal(t, 1, len(p.Calls(vidx.AfterFlush(secondMark))))
	require.Equal(t, 1, len(o.Updates(vidx)))
}

func TestWait_BuiltIndex_CostsTwoCallsMore(t *testing.T) {
	vidx := milvuswait.IndexBuilding("docs", "vidx")
	p := new(fake.Poller).Set(vidx, fake.Rows(100, 100))
	var o fake.Observer

	_, err := milvuswait.Wait(t.Context(), p, vidx, milvuswait.WithObserver(&o))

	require.NoError(t, err)
	final, ok := o.Final(vidx)
	require.True(t, ok)
	require.False(t, final.Unconfirmed)
	require.Equal(t, 1, final.Polls)
	require.Equal(t, 2, len(p.Calls(vidx)))
	require.Equal(t, 3, len(p.Calls()))
}
