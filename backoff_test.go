package milvuswait_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/oracle"
)

// TestBackoffAtItsBounds shows the first delay for the minimum and maximum of each field.
func TestBackoffAtItsBounds(t *testing.T) {
	for _, tt := range []struct {
		b    milvuswait.Backoff
		want time.Duration
	}{
		{milvuswait.Backoff{Initial: time.Millisecond}, time.Millisecond},
		{milvuswait.Backoff{Max: time.Millisecond}, time.Millisecond},
		{milvuswait.Backoff{Initial: time.Hour}, time.Hour},
		{milvuswait.Backoff{Max: time.Hour}, 40 * time.Millisecond},
		{milvuswait.Backoff{Initial: time.Hour, Max: time.Hour}, time.Hour},
		{milvuswait.Backoff{Multiplier: 1}, 40 * time.Millisecond},
		{milvuswait.Backoff{Multiplier: 10}, 40 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%+v", tt.b), func(t *testing.T) {
			tt.b.Jitter = milvuswait.NoJitter

			require.Equal(t, tt.want, delays(t, 1, milvuswait.WithBackoff(tt.b))[0])
		})
	}
}

// delays returns the first n delays of a wait at 40 %. Its polls take no time, so the delays
// are as long as the time between polls.
func delays(t *testing.T, n int, opts ...milvuswait.Option) []time.Duration {
	t.Helper()
	var got []time.Duration
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()

		o := milvuswait.ObserverFunc(func(u milvuswait.Update) {
			if got = append(got, u.Next); len(got) == n {
				cancel()
			}
		})

		_, err := milvuswait.WaitForLoadingComplete(ctx, percents(40), "docs", append(opts, milvuswait.WithObserver(o))...)
		require.ErrorIs(t, err, context.Canceled)
	})
	return got[:n]
}

// TestPlainExponentialBackoff shows the delays without adaptation to the progress and
// without jitter: they grow by the multiplier up to Max.
func TestPlainExponentialBackoff(t *testing.T) {
	plain := func(b milvuswait.Backoff) milvuswait.Option {
		b.Lateness, b.IgnoreProgress, b.Jitter = 1, true, milvuswait.NoJitter
		return milvuswait.WithBackoff(b)
	}

	s := time.Second
	require.Equal(t, []time.Duration{1 * s, 3 * s, 9 * s, 20 * s, 20 * s, 20 * s},
		delays(t, 6, plain(milvuswait.Backoff{Initial: s, Max: 20 * s, Multiplier: 3})))
	require.Equal(t, []time.Duration{s, s, s, s},
		delays(t, 4, plain(milvuswait.Backoff{Initial: s, Multiplier: 1})))
	for _, d := range delays(t, 1000, plain(milvuswait.Backoff{Initial: 200 * time.Millisecond, Multiplier: 1})) {
		require.Equal(t, 200*time.Millisecond, d)
	}
}

// TestDefaultsGiveWay sets only one of Initial and Max, beyond the default of the other.
// The default adapts.
func TestDefaultsGiveWay(t *testing.T) {
	require.Equal(t, 20*time.Second, delays(t, 1, milvuswait.WithBackoff(milvuswait.Backoff{Initial: 20 * time.Second, Jitter: milvuswait.NoJitter}))[0],
		"an Initial above the default Max")
	require.Equal(t, 20*time.Millisecond, delays(t, 1, milvuswait.WithBackoff(milvuswait.Backoff{Max: 20 * time.Millisecond, Jitter: milvuswait.NoJitter}))[0],
		"a Max below the default Initial")
}

// TestJitterIsDrawnOncePerWait shows that a jitter of 0.5 shortens all delays of a wait by
// one share of up to half, and the delays of another wait by another share.
func TestJitterIsDrawnOncePerWait(t *testing.T) {
	seen := map[time.Duration]bool{}
	for range 100 {
		d := delays(t, 10, milvuswait.WithBackoff(milvuswait.Backoff{
			Initial: time.Second, Multiplier: 1, Lateness: 1, IgnoreProgress: true, Jitter: 0.5,
		}))

		require.Equal(t, slices.Repeat(d[:1], 10), d)
		require.LessOrEqual(t, d[0], time.Second)
		require.GreaterOrEqual(t, d[0], 500*time.Millisecond)
		seen[d[0]] = true
	}
	require.Greater(t, len(seen), 90)
}

// TestOwnGenerator uses the delays of a custom generator unchanged, except that 0 becomes
// 1 ms. A negative delay, as from backoff.Stop, ends the wait.
func TestOwnGenerator(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own := &sequence{delays: []time.Duration{time.Second, time.Hour, 0, 7 * time.Second}}
		p, generators := percents(40), 0

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs",
			milvuswait.WithBackoffFunc(func() func() time.Duration {
				generators++
				return own.next
			}))

		require.ErrorIs(t, err, milvuswait.ErrAborted)
		require.ErrorContains(t, err, "returned a negative delay")
		require.Equal(t, 1, generators)

		h := time.Hour
		require.Equal(t, []time.Duration{0, time.Second, h + time.Second, h + time.Second + time.Millisecond, h + 8*time.Second + time.Millisecond}, p.at)
	})
}

// TestCenkaltisGeneratorAsItIs passes a generator of cenkalti/backoff without an adapter. Its
// delays grow by 1.5.
func TestCenkaltisGeneratorAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := loadAt(40, 3*time.Second)

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), p, "docs",
			milvuswait.WithBackoffFunc(func() func() time.Duration {
				return backoff.NewExponentialBackOff(backoff.WithInitialInterval(time.Second), backoff.WithRandomizationFactor(0)).NextBackOff
			}))

		require.NoError(t, err)
		require.Equal(t, []time.Duration{0, time.Second, 2500 * time.Millisecond, 4750 * time.Millisecond}, p.at)
	})
}

// FuzzBackoff passes any numbers to WithBackoff. Out-of-range values are refused before the
// first poll. All others produce 99 delays within the documented bounds of Backoff; without
// jitter they are the delays of the oracle.
func FuzzBackoff(f *testing.F) {
	f.Add(int64(0), int64(0), 0.0, 0.0, 0.0, false, []byte{0, 10, 20, 10, 5, 99})
	f.Add(int64(time.Second), int64(time.Hour), 10.0, 0.999, 1.0, true, []byte{0})
	f.Add(int64(math.MaxInt64), int64(math.MinInt64), math.NaN(), math.Inf(-1), math.Inf(1), true, []byte{200, 1})
	f.Add(int64(time.Millisecond), int64(time.Millisecond), 1.0, -1.0, math.SmallestNonzeroFloat64, false, []byte{1, 255})
	f.Add(int64(0), int64(0), 0.0, -1.0, 0.0001, true, []byte{250, 1, 1})
	f.Add(int64(0), int64(0), 0.0, -1.0, 1.0, false, []byte{250, 1, 98, 99})

	f.Fuzz(func(t *testing.T, initial, most int64, multiplier, jitter, lateness float64, ignore bool, percents []byte) {
		if len(percents) == 0 {
			return
		}

		b := milvuswait.Backoff{
			Initial: time.Duration(initial), Max: time.Duration(most), Multiplier: multiplier,
			Jitter: jitter, Lateness: lateness, IgnoreProgress: ignore,
		}

		var seen []milvuswait.Update
		var err error

		// A byte above 100 makes the poll slow, by 10 ms for each 1 above. The percentage
		// stays below 100, so the load never completes.
		p := &probe{load: func(n int, _ time.Duration) (milvuswait.LoadingProgress, error) {
			return milvuswait.LoadingProgress{Percent: int64(percents[n%len(percents)]) % 100}, nil
		}, hang: func(_ context.Context, n int) {
			time.Sleep(time.Duration(max(0, int(percents[n%len(percents)])-100)) * 10 * time.Millisecond)
		}}

		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			o := milvuswait.ObserverFunc(func(u milvuswait.Update) {
				if seen = append(seen, u); len(seen) == 100 {
					cancel()
				}
			})

			_, err = milvuswait.WaitForLoadingComplete(ctx, p, "docs", milvuswait.WithBackoff(b), milvuswait.WithObserver(o))
		})

		if errors.Is(err, milvuswait.ErrInvalid) {
			require.Empty(t, p.at)
			require.False(t, makesSense(b), "%+v was refused", b)
			return
		}
		require.True(t, makesSense(b), "%+v was not refused", b)

		// The defaults of the zero values.
		least, greatest := b.Initial, b.Max
		if greatest == 0 {
			greatest = max(5*time.Second, b.Initial)
		}
		if least == 0 {
			least = min(40*time.Millisecond, greatest)
		}

		switch b.Jitter {
		case 0:
			jitter = 0.05
		case milvuswait.NoJitter:
			jitter = 0
		}

		if lateness == 0 {
			lateness = 0.02
		}

		// Each delay is at least the minimum, or as long as the poll before it, less jitter.
		// It is at most Max, and at most the tolerated share of the time waited so far.
		for i, u := range seen[:99] {
			took := p.ended[i] - p.at[i]
			require.GreaterOrEqual(t, u.Next, max(time.Millisecond, time.Duration(float64(min(max(least, took), greatest))*(1-jitter))-1))
			require.LessOrEqual(t, u.Next, greatest)
			if lateness < 1 {
				late := max(100*time.Millisecond, time.Duration(lateness*float64(u.Elapsed)), least, took)
				require.LessOrEqual(t, u.Next, late, "after %v", u.Elapsed)
			}
		}

		if jitter > 0 {
			return
		}
		answers := make([]oracle.Answer, 99)
		for i, u := range seen[:99] {
			answers[i] = oracle.Answer{Begin: p.at[i], End: p.ended[i], Progress: u.Progress}
		}
		for i, facts := range oracle.Judge(oracle.Options{Target: milvuswait.Loading("docs"), Backoff: b}, answers) {
			require.NoError(t, facts.CheckNext(seen[i].Elapsed+seen[i].Next), "delay %d", i)
		}
	})
}

// makesSense reports whether the fields of b are within their documented ranges.
func makesSense(b milvuswait.Backoff) bool {
	within := func(d time.Duration) bool { return d == 0 || d >= time.Millisecond && d <= time.Hour }
	return within(b.Initial) && within(b.Max) && (b.Max == 0 || b.Initial <= b.Max) &&
		(b.Multiplier == 0 || b.Multiplier >= 1 && b.Multiplier <= 10) &&
		(b.Jitter == milvuswait.NoJitter || b.Jitter >= 0 && b.Jitter < 1) &&
		b.Lateness >= 0 && b.Lateness <= math.MaxFloat64
}

// TestBackoff_EqualTargets_HaveTheSameDelays has two targets, which share the delays of
// cenkalti's generator. Each has the whole sequence, up to Max.
func TestBackoff_EqualTargets_HaveTheSameDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var mu sync.Mutex
		polls := map[string][]time.Duration{}
		p := milvuswait.PollerFuncs{Loading: func(_ context.Context, collection string, _ ...string) (milvuswait.LoadingProgress, error) {
			mu.Lock()
			defer mu.Unlock()
			polls[collection] = append(polls[collection], time.Since(start))
			return milvuswait.LoadingProgress{Percent: 40}, nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()

		_, err := milvuswait.WaitAll(ctx, p, []milvuswait.Target{milvuswait.Loading("docs"), milvuswait.Loading("images")}, milvuswait.WithBackoff(milvuswait.Backoff{
			Initial: 100 * time.Millisecond, Max: 2 * time.Second, Multiplier: 2, Lateness: 1, Jitter: milvuswait.NoJitter, IgnoreProgress: true,
		}))

		require.ErrorIs(t, err, context.DeadlineExceeded)
		var want []time.Duration
		for _, ms := range []time.Duration{0, 100, 300, 700, 1500, 3100, 5100, 7100, 9100} {
			want = append(want, ms*time.Millisecond)
		}
		require.Equal(t, want, polls["docs"][:len(want)])
		require.Equal(t, want, polls["images"][:len(want)])
	})
}

// TestBackoff_MissingShareOfOneAndAHalfSteps_IsNearTheEnd has two equal steps of
// progress, 400 s apart. The end is near if as much is missing as one and a half steps bring,
// whatever the rounding of floats, but not if it is two steps.
func TestBackoff_MissingShareOfOneAndAHalfSteps_IsNearTheEnd(t *testing.T) {
	for _, tt := range []struct {
		first       int64
		least, most time.Duration
	}{
		{65, time.Second, 2 * time.Second},
		{35, 4 * time.Second, 5 * time.Second},
	} {
		t.Run(fmt.Sprint(tt.first), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const step = 400 * time.Second
				p := &probe{load: func(_ int, at time.Duration) (milvuswait.LoadingProgress, error) {
					return milvuswait.LoadingProgress{Percent: tt.first + 10*int64(at/step)}, nil
				}}
				ctx, cancel := context.WithTimeout(t.Context(), 2*step+time.Minute)
				defer cancel()

				_, err := milvuswait.WaitForLoadingComplete(ctx, p, "docs")

				require.ErrorIs(t, err, context.DeadlineExceeded)
				n := slices.IndexFunc(p.at, func(at time.Duration) bool { return at >= 2*step })
				delay := p.at[n+1] - p.at[n]
				require.GreaterOrEqual(t, delay, tt.least)
				require.LessOrEqual(t, delay, tt.most)
			})
		})
	}
}

// TestBackoff_ListsNearTheEnd_AreNotRepeatedSooner has two loads near their end. Polled alone,
// they would be polled every 1.2 s to 1.6 s; lists keep a minimum of 0.4 % of the time waited.
func TestBackoff_ListsNearTheEnd_AreNotRepeatedSooner(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const step = 400 * time.Second
		start := time.Now()
		var lists []time.Duration
		progress := func() milvuswait.LoadingProgress {
			return milvuswait.LoadingProgress{Percent: 65 + 10*int64(time.Since(start)/step)}
		}
		p := milvuswait.PollerFuncs{
			Loading: func(context.Context, string, ...string) (milvuswait.LoadingProgress, error) { return progress(), nil },
			LoadingList: func(context.Context) (map[string]milvuswait.LoadingProgress, error) {
				lists = append(lists, time.Since(start))
				return map[string]milvuswait.LoadingProgress{"docs": progress(), "images": progress()}, nil
			},
		}
		ctx, cancel := context.WithTimeout(t.Context(), 2*step+time.Minute)
		defer cancel()

		_, err := milvuswait.WaitAll(ctx, p, []milvuswait.Target{milvuswait.Loading("docs"), milvuswait.Loading("images")})

		require.ErrorIs(t, err, context.DeadlineExceeded)
		n := slices.IndexFunc(lists, func(at time.Duration) bool { return at >= 2*step })
		require.GreaterOrEqual(t, lists[n+1]-lists[n], 3*time.Second)
		require.LessOrEqual(t, lists[n+1]-lists[n], 3300*time.Millisecond)
	})
}
