package milvuswait_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

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
