package milvuswait_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// FuzzBackoff gives any numbers to WithBackoff: they are refused before the first
// poll, or every delay keeps the promise of Backoff.
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
		// Above 100 the poll is slow, and short of complete all the same.
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
		least, greatest := b.Initial, b.Max
		if greatest == 0 {
			greatest = max(5*time.Second, b.Initial)
		}
		if least == 0 {
			least = min(50*time.Millisecond, greatest)
		}
		switch b.Jitter {
		case 0:
			jitter = 0.2
		case milvuswait.NoJitter:
			jitter = 0
		}
		if lateness == 0 {
			lateness = 0.02
		}
		for i, u := range seen[:99] {
			took := p.ended[i] - p.at[i]
			require.GreaterOrEqual(t, u.Next, max(time.Millisecond, time.Duration(float64(min(max(least, took), greatest))*(1-jitter))-1))
			require.LessOrEqual(t, u.Next, greatest)
			if lateness < 1 || !ignore {
				floor := min(time.Duration(0.005*float64(u.Elapsed)), greatest)
				require.GreaterOrEqual(t, u.Next, time.Duration(float64(floor)*(1-jitter))-1, "after %v", u.Elapsed)
			}
			if lateness < 1 {
				waited := float64(u.Elapsed)
				late := max(100*time.Millisecond, time.Duration(max(lateness, 0.005)*waited), least, took)
				require.LessOrEqual(t, u.Next, late, "after %v", u.Elapsed)
			}
		}
	})
}

// makesSense has the rules that Backoff's fields are documented with.
func makesSense(b milvuswait.Backoff) bool {
	within := func(d time.Duration) bool { return d == 0 || d >= time.Millisecond && d <= time.Hour }
	return within(b.Initial) && within(b.Max) && (b.Max == 0 || b.Initial <= b.Max) &&
		(b.Multiplier == 0 || b.Multiplier >= 1 && b.Multiplier <= 10) &&
		(b.Jitter == milvuswait.NoJitter || b.Jitter >= 0 && b.Jitter < 1) &&
		b.Lateness >= 0 && b.Lateness <= math.MaxFloat64
}

// FuzzDurations gives any durations to every option that takes one: they are
// refused before the first poll, or bound what they are for.
func FuzzDurations(f *testing.F) {
	f.Add(int64(10*time.Second), int64(time.Minute), int64(5*time.Minute), int64(0), int64(0), int64(0), []byte{0, 40, 100})
	f.Add(int64(1), int64(1), int64(1), int64(1), int64(1), int64(1), []byte{0, 100, 150, 220})
	f.Add(int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64), []byte{100, 150, 220})
	f.Add(int64(math.MaxInt64/2+1), int64(math.MaxInt64), int64(0), int64(math.MaxInt64), int64(0), int64(0), []byte{220, 100})
	f.Add(int64(-1), int64(math.MinInt64), int64(-1), int64(-1), int64(-1), int64(-1), []byte{0})
	f.Fuzz(func(t *testing.T, first, most, unreachable, stall, settle, grace int64, script []byte) {
		if len(script) == 0 || len(script) > 50 {
			return
		}
		d := durations{
			time.Duration(first), time.Duration(most), time.Duration(unreachable), time.Duration(stall), time.Duration(settle), time.Duration(grace),
		}
		var alone, among string
		synctest.Test(t, func(*testing.T) { alone = d.check(script, false) })
		synctest.Test(t, func(*testing.T) { among = d.check(script, true) })
		require.Empty(t, alone)
		require.Empty(t, among)
	})
}

type durations struct{ first, most, unreachable, stall, settle, grace time.Duration }

// check runs one wait of ten minutes and says what is wrong with it.
func (d durations) check(script []byte, all bool) string {
	const limit = 10 * time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	p := &probe{load: func(n int, _ time.Duration) (milvuswait.LoadingProgress, error) {
		b := int64(script[n%len(script)])
		if b > 200 {
			return milvuswait.LoadingProgress{}, errBlip
		}
		if b > 150 {
			return milvuswait.LoadingProgress{}, milvuswait.ErrCollectionNotFound
		}
		return milvuswait.LoadingProgress{Percent: b}, nil
	}, hang: func(ctx context.Context, n int) {
		if n == 1000 {
			cancel() // a stall of a few nanoseconds is looked for every millisecond
		}
		if script[n%len(script)] >= 230 {
			<-ctx.Done()
		}
	}}
	seen, start := &recorder{}, time.Now()
	opts := []milvuswait.Option{
		milvuswait.WithPollTimeout(d.first, d.most), milvuswait.WithUnreachableAfter(d.unreachable), milvuswait.WithStallTimeout(d.stall),
		milvuswait.WithSettle(d.settle), milvuswait.WithStartGrace(d.grace), milvuswait.WithObserver(seen),
	}
	var err error
	if all {
		_, err = milvuswait.WaitAll(ctx, p, []milvuswait.Target{milvuswait.Loading("docs")}, opts...)
	} else {
		_, err = milvuswait.WaitForLoadingComplete(ctx, p, "docs", opts...)
	}
	elapsed := time.Since(start)

	refused := d.first <= 0 || d.most < d.first || min(d.unreachable, d.stall, d.settle, d.grace) < 0
	if refused != errors.Is(err, milvuswait.ErrInvalid) {
		return "refused what makes sense, or the other way round"
	}
	if refused {
		if len(p.at) > 0 {
			return "polled in spite of arguments that make no sense"
		}
		return ""
	}
	for i, until := range p.until {
		// The wait's own deadline may come first.
		if most := min(d.most, limit-p.at[i]); until <= 0 || until > most || until < min(d.first, most) {
			return "a poll with a time-out that was not asked for"
		}
		// The last poll before the deadline follows as soon as it has to.
		if i > 0 && p.at[i]-p.ended[i-1] < time.Millisecond && p.at[i] < limit-time.Second {
			return "polls without a pause"
		}
	}
	for _, u := range seen.updates {
		if u.Next < 0 || u.ETA < 0 || u.Elapsed < 0 || !u.Final && u.Elapsed+u.Next > limit {
			return "an update that makes no sense"
		}
	}
	switch {
	case elapsed > limit:
		return "longer than the deadline"
	case err == nil && elapsed < d.settle:
		return "success before it was settled"
	case errors.Is(err, milvuswait.ErrUnreachable) && (d.unreachable == 0 || elapsed < d.unreachable):
		return "unreachable too soon"
	case errors.Is(err, milvuswait.ErrStalled) && (d.stall == 0 || elapsed < d.stall):
		return "stalled too soon"
	case errors.Is(err, context.Canceled) && len(p.at) < 1000:
		return "cancelled by nobody"
	case errors.Is(err, milvuswait.ErrCollectionNotFound) && elapsed < min(d.grace, limit) && !aboveZero(seen.updates):
		return "a failure within the grace"
	case errors.Is(err, context.DeadlineExceeded) && elapsed != limit:
		return "the deadline before its time"
	}
	return ""
}

// aboveZero reports whether any of the updates showed the load under way.
func aboveZero(updates []milvuswait.Update) bool {
	for _, u := range updates {
		if p, ok := u.Progress.(milvuswait.LoadingProgress); ok && p.Percent > 0 {
			return true
		}
	}
	return false
}
