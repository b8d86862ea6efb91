package milvuswait_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

// TestAggregate shows the summary of four targets from the first poll to the last updates.
// The ETA of the whole is the longest one, and unknown if one target's is unknown.
func TestAggregate(t *testing.T) {
	a := milvuswait.NewAggregate(4)
	require.Equal(t, milvuswait.Summary{Total: 4, Pending: 4, SlowestFraction: 1}, a.Summary())
	docs, images, songs, texts := milvuswait.Loading("docs"), milvuswait.Loading("images"), milvuswait.Loading("songs"), milvuswait.Loading("texts")
	update := func(target milvuswait.Target, fraction float64, eta time.Duration) {
		a.Observe(milvuswait.Update{Target: target, Fraction: fraction, ETA: eta, Elapsed: time.Minute})
	}

	update(docs, 0.4, 12*time.Second)
	update(images, 0.8, 3*time.Second)
	update(songs, 0.4, 20*time.Second)
	require.Equal(t, milvuswait.Summary{Total: 4, Pending: 4, Fraction: 0.4, Slowest: docs, SlowestFraction: 0.4, Elapsed: time.Minute}, a.Summary(),
		"no ETA while one was not polled yet")

	update(texts, 0.5, time.Second)
	a.Observe(milvuswait.Update{Target: images, Final: true, Fraction: 1})
	require.Equal(t, milvuswait.Summary{Total: 4, Done: 1, Pending: 3, Fraction: 0.575, Slowest: docs, SlowestFraction: 0.4,
		ETA: 20 * time.Second, Elapsed: time.Minute}, a.Summary())

	a.Observe(milvuswait.Update{Target: songs, Final: true, Err: errBlip})
	require.Equal(t, `1 of 4 done, 1 failed, 72%, slowest loading "docs" at 40%, 12s left`, a.Summary().String())

	update(docs, 0.4, 0)
	require.Zero(t, a.Summary().ETA, "unknown for one is unknown for all")
}

// TestAggregateOfAnotherTotal covers a total that differs from the number of observed
// targets. More targets raise it, and it is never negative.
func TestAggregateOfAnotherTotal(t *testing.T) {
	tests := []struct {
		name                  string
		total, done, underway int
		want                  milvuswait.Summary
		says                  string
	}{
		{"none", 0, 0, 0, milvuswait.Summary{SlowestFraction: 1}, "0 of 0 done, 0%"},
		{"negative", -3, 0, 0, milvuswait.Summary{SlowestFraction: 1}, "0 of 0 done, 0%"},
		{"negative, one done", -3, 1, 0, milvuswait.Summary{Total: 1, Done: 1, Fraction: 1, SlowestFraction: 1}, "1 of 1 done, 100%"},
		{"none, one done", 0, 1, 0, milvuswait.Summary{Total: 1, Done: 1, Fraction: 1, SlowestFraction: 1}, "1 of 1 done, 100%"},
		{"one, three done", 1, 3, 0, milvuswait.Summary{Total: 3, Done: 3, Fraction: 1, SlowestFraction: 1}, "3 of 3 done, 100%"},
		{"one, three under way", 1, 0, 3, milvuswait.Summary{Total: 3, Pending: 3, Fraction: 0.75, Slowest: milvuswait.Loading("c0"), SlowestFraction: 0.75},
			`0 of 3 done, 75%, slowest loading "c0" at 75%`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := milvuswait.NewAggregate(tt.total)
			for i, target := range collections(tt.done + tt.underway) {
				a.Observe(milvuswait.Update{Target: target, Fraction: 0.75, Final: i >= tt.underway})
			}

			require.Equal(t, tt.want, a.Summary())
			require.Equal(t, tt.says, a.Summary().String())
		})
	}
}

// TestAggregate_TwoWaitsAtOnce_CountsEach runs two waits for equal targets, such as those on
// two clusters, at 30 % and 90 %.
func TestAggregate_TwoWaitsAtOnce_CountsEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := milvuswait.NewAggregate(2)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var group sync.WaitGroup
		for _, percent := range []int64{30, 90} {
			group.Go(func() {
				_, _ = milvuswait.WaitForLoadingComplete(ctx, percents(percent), "docs", milvuswait.WithObserver(a))
			})
		}
		time.Sleep(30 * time.Second)

		require.Equal(t, `0 of 2 done, 60%, slowest loading "docs" at 30%`, a.Summary().String())
		group.Wait()
		require.Equal(t, "0 of 2 done, 2 failed, 100%", a.Summary().String())
	})
}

// TestAggregate_UsedAgain_TotalGrows adds the targets of a second call to the
// targets of the first.
func TestAggregate_UsedAgain_TotalGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := milvuswait.NewAggregate(2)
		p := new(fake.Poller)
		for _, target := range collections(2) {
			p.Set(target, fake.Percents(40, 100))
		}

		for _, want := range []string{"2 of 2 done, 100%", "4 of 4 done, 100%", "6 of 6 done, 100%"} {
			_, err := milvuswait.WaitAll(t.Context(), p, collections(2), milvuswait.WithObserver(a))
			require.NoError(t, err)
			require.Equal(t, want, a.Summary().String())
		}
	})
}

// TestAggregate_AbnormalEnd_CountsAsFailed shows that a wait without a final update does not
// stay pending, and does not disturb the next wait for an equal target.
func TestAggregate_AbnormalEnd_CountsAsFailed(t *testing.T) {
	for name, end := range abnormalEnds {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := milvuswait.NewAggregate(2)

				endAbnormally(t.Context(), end, percents(40), a)
				require.Equal(t, "0 of 2 done, 1 failed, 50%", a.Summary().String())

				_, err := milvuswait.WaitForLoadingComplete(t.Context(), percents(40, 100), "docs", milvuswait.WithObserver(a))
				require.NoError(t, err)
				require.Equal(t, "1 of 2 done, 1 failed, 100%", a.Summary().String())

				runtime.GC()
				a.Observe(milvuswait.Update{Target: milvuswait.Loading("docs"), Final: true})
				require.Equal(t, "2 of 3 done, 1 failed, 100%", a.Summary().String())
			})
		})
	}
}

// TestSummaryTextIsNeverAhead shows that percentages are rounded down, and that 100 %
// requires every target to be complete.
func TestSummaryTextIsNeverAhead(t *testing.T) {
	slowest := milvuswait.Loading("docs")
	tests := []struct {
		summary milvuswait.Summary
		says    string
	}{
		{milvuswait.Summary{Total: 400, Done: 399, Pending: 1, Fraction: 399. / 400}, "399 of 400 done, 99%"},
		{milvuswait.Summary{Total: 400, Done: 400, Fraction: 1}, "400 of 400 done, 100%"},
		{milvuswait.Summary{Total: 2, Pending: 2, Fraction: 1, Slowest: slowest, SlowestFraction: 1}, `0 of 2 done, 99%, slowest loading "docs" at 100%`},
		{milvuswait.Summary{Total: 1, Pending: 1, Fraction: 0.999, Slowest: slowest, SlowestFraction: 0.999}, `0 of 1 done, 99%, slowest loading "docs" at 99%`},
		{milvuswait.Summary{Total: 1, Pending: 1, Fraction: 0.29, Slowest: slowest, SlowestFraction: 0.57}, `0 of 1 done, 29%, slowest loading "docs" at 57%`},
		{milvuswait.Summary{Total: 3, Pending: 1, Done: 1, Failed: 1, Fraction: 2. / 3}, "1 of 3 done, 1 failed, 66%"},
	}
	for _, tt := range tests {
		require.Equal(t, tt.says, tt.summary.String())
	}
}

// TestAggregateOfAWait observes 40 loads that end one second apart. The summary covers all
// targets at every update, and its fraction never falls.
func TestAggregateOfAWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, targets := new(fake.Poller), collections(40)
		for i, target := range targets {
			p.Set(target, fake.LoadOver(time.Duration(i+1)*time.Second))
		}

		a := milvuswait.NewAggregate(len(targets))
		last := 0.0

		o := milvuswait.ObserverFunc(func(u milvuswait.Update) {
			s := a.Summary()
			require.Equal(t, len(targets), s.Done+s.Pending)
			require.GreaterOrEqual(t, s.Fraction, last-1e-9)
			last = s.Fraction
			if u.Elapsed > 25*time.Second && s.Pending > 0 {
				require.Contains(t, targets[36:], s.Slowest)
			}
		})

		_, err := milvuswait.WaitAll(t.Context(), p, targets, milvuswait.WithObserver(milvuswait.Observers(a, o)))

		require.NoError(t, err)
		require.Equal(t, "40 of 40 done, 100%", a.Summary().String())
	})
}

func TestAggregate_UnconfirmedTargets_AreCounted(t *testing.T) {
	a := milvuswait.NewAggregate(2)
	a.Observe(milvuswait.Update{Target: milvuswait.IndexBuilding("docs", "a"), Final: true, Unconfirmed: true})
	a.Observe(milvuswait.Update{Target: milvuswait.IndexBuilding("docs", "b"), Final: true})

	require.Equal(t, 1, a.Summary().Unconfirmed)
	require.Equal(t, "2 of 2 done, 1 unconfirmed, 100%", a.Summary().String())
}
