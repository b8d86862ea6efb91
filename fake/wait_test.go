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

func TestWait_LoadOf40Minutes_Completes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		docs := milvuswait.Loading("docs")
		p := new(fake.Poller).Set(docs, fake.LoadOver(40*time.Minute))
		var o fake.Observer
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		start := time.Now()

		progress, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithObserver(&o))

		require.NoError(t, err)
		require.EqualValues(t, 100, progress.Percent)
		elapsed := time.Since(start)
		require.GreaterOrEqual(t, elapsed, 40*time.Minute)
		require.LessOrEqual(t, elapsed, 40*time.Minute+5*time.Second)
		calls := p.Calls(docs)
		require.Equal(t, calls[len(calls)-1].Poll, len(o.Updates(docs)))
		final, ok := o.Final(docs)
		require.True(t, ok)
		require.Equal(t, elapsed, final.Elapsed)
	})
}

func TestWait_IndexWithHiddenRows_EndsAfterThem(t *testing.T) {
	const built = 42*time.Second + 600*time.Millisecond
	all := func(p *fake.Poller) milvuswait.Poller { return p }
	withoutSegments := func(p *fake.Poller) milvuswait.Poller {
		return milvuswait.PollerFuncs{IndexBuilding: p.IndexBuildingProgress}
	}
	tests := []struct {
		name        string
		poller      func(*fake.Poller) milvuswait.Poller
		opts        []milvuswait.Option
		want        time.Duration
		unconfirmed bool
	}{
		{"segments are listed", all, nil, built, false},
		{"segments are not listed: early", withoutSegments, nil, 0, true},
		{"rows expected", withoutSegments, []milvuswait.Option{milvuswait.WithExpectedRows(100_000)}, built, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := new(fake.Poller).Set(milvuswait.IndexBuilding("docs", "vidx"),
					fake.BuildOver(100_000, 40*time.Second).VisibleAfter(2600*time.Millisecond).AlwaysFinished())
				var o fake.Observer
				start := time.Now()

				_, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), tt.poller(p), "docs", append(tt.opts, milvuswait.WithObserver(&o))...)

				require.NoError(t, err)
				require.GreaterOrEqual(t, time.Since(start), tt.want)
				require.LessOrEqual(t, time.Since(start), tt.want+time.Second)
				last := o.Updates()[len(o.Updates())-1]
				require.Equal(t, tt.unconfirmed, last.Unconfirmed)
			})
		})
	}
}

func TestWait_FailingScripts_ReturnsTheirErrors(t *testing.T) {
	tests := []struct {
		name   string
		script fake.Script
		want   error
		at     time.Duration
	}{
		{"fails at 70 %", fake.LoadOver(40*time.Minute).FailAt(70, milvuswait.ErrLoadFailed), milvuswait.ErrLoadFailed, 28 * time.Minute},
		{"stalls at 30 %", fake.LoadOver(40*time.Minute).StallAt(30, fake.Forever), milvuswait.ErrStalled, 22 * time.Minute},
		{"out of reach", fake.WithOutage(fake.LoadOver(40*time.Minute), errTransient, time.Minute, fake.Forever), milvuswait.ErrUnreachable, 6 * time.Minute},
		{"released silently", fake.SilentlyReleased(), milvuswait.ErrNotLoaded, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := new(fake.Poller).Set(milvuswait.Loading("docs"), tt.script)
				start := time.Now()

				_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithStallTimeout(10*time.Minute))

				require.ErrorIs(t, err, tt.want)
				require.InDelta(t, tt.at.Seconds(), time.Since(start).Seconds(), 10)
			})
		})
	}
}
