package milvuswait_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

// Some contexts tell their deadline by the wall clock alone. Polls are none the
// earlier or later for it.
func TestDeadlineWithoutAMonotonicClock(t *testing.T) {
	polls := func(t *testing.T, strip func(time.Time) time.Time) (at []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithDeadline(t.Context(), strip(time.Now().Add(10*time.Second)))
			defer cancel()
			p := percents(40)

			_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithBackoff(milvuswait.Backoff{Jitter: milvuswait.NoJitter}))

			require.ErrorIs(t, err, context.DeadlineExceeded)
			at = p.at
		})
		return at
	}

	want := polls(t, func(d time.Time) time.Time { return d })

	require.Equal(t, want, polls(t, func(d time.Time) time.Time { return d.Round(0) }))
}

// stepped is a context whose deadline is that of a wall clock, which is set past it
// during the wait. Nothing has ended.
type stepped struct {
	context.Context
	step time.Time
}

func (s stepped) Deadline() (time.Time, bool) {
	now := time.Now().Round(0)
	if now.Before(s.step) {
		return now.Add(time.Hour), true
	}
	return now.Add(-time.Hour), true
}

func TestAWallClockThatIsSetMakesNoPollTimeOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20500*time.Millisecond)
		defer cancel()
		seen := new(recorder)

		_, err := milvuswait.WaitForLoadingComplete(stepped{ctx, time.Now().Add(5 * time.Second)}, failing(func(int, time.Duration) error { return errBlip }), "docs",
			constant(time.Second), milvuswait.WithObserver(seen))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Len(t, seen.updates, 22)
		for _, u := range seen.updates[:21] {
			require.EqualError(t, u.Err, errBlip.Error())
		}
	})
}

// A process that was stopped, a laptop that slept: what has become due meanwhile
// is polled once, and not once for every delay that went by.
func TestAPauseIsFollowedByNoBurst(t *testing.T) {
	const pause, delay = 10 * time.Minute, time.Second
	pausing := func() milvuswait.Observer {
		var once sync.Once
		return milvuswait.ObserverFunc(func(u milvuswait.Update) {
			if u.Polls == 3 {
				once.Do(func() { time.Sleep(pause) })
			}
		})
	}
	inWindow := func(at []time.Time, from time.Time) (n int) {
		for _, t := range at {
			if d := t.Sub(from); d >= 0 && d < delay {
				n++
			}
		}
		return n
	}
	t.Run("one", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), pause+time.Minute)
			defer cancel()
			p := percents(40)

			_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs", constant(delay), milvuswait.WithObserver(pausing()))

			require.ErrorIs(t, err, context.DeadlineExceeded)
			resumed := 2*delay + pause
			require.Equal(t, []time.Duration{0, delay, 2 * delay, resumed, resumed + delay}, p.at[:5])
		})
	})
	t.Run("many", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), pause+time.Minute)
			defer cancel()
			p, targets := new(fake.Poller), collections(50)
			for _, target := range targets {
				p.Set(target, fake.LoadOver(time.Hour))
			}
			resumed := time.Now().Add(2*delay + pause)

			_, err := milvuswait.WaitAll(ctx, p, targets, constant(delay), milvuswait.WithObserver(pausing()))

			require.ErrorIs(t, err, context.DeadlineExceeded)
			for _, target := range targets {
				var at []time.Time
				for _, call := range p.Calls(target) {
					at = append(at, call.Time)
				}
				require.Equal(t, 1, inWindow(at, resumed), "%v", target)
				require.Equal(t, 1, inWindow(at, resumed.Add(delay)), "%v", target)
			}
		})
	})
}
