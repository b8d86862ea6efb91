package milvuswait_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// FuzzWait runs waits against a scripted Poller: each byte of the script is the result of
// one poll. Every wait keeps the invariants of checkWait.
func FuzzWait(f *testing.F) {
	f.Add([]byte{0, 40, 100}, false, uint16(60), uint16(0), uint16(0), uint16(0))
	f.Add([]byte{0, 40, 130, 131, 132, 133, 134, 135, 100}, true, uint16(600), uint16(1), uint16(30), uint16(5))
	f.Add([]byte{255, 254, 253, 252}, true, uint16(0), uint16(3), uint16(0), uint16(10))

	f.Fuzz(func(t *testing.T, script []byte, index bool, deadline, settle, stall, grace uint16) {
		if len(script) == 0 || len(script) > 200 {
			return
		}

		var failure string
		synctest.Test(t, func(t *testing.T) {
			failure = checkWait(script, index, seconds(deadline), seconds(settle%60), seconds(stall), seconds(grace))
		})
		require.Empty(t, failure)
	})
}

func seconds(n uint16) time.Duration { return time.Duration(n) * time.Second }

// scripted is a Poller whose results are the bytes of a script. It checks how it is called
// and keeps the last violation in failure.
type scripted struct {
	script       []byte
	deadline     time.Time
	polls        int
	polling      bool
	lastComplete bool
	failure      string
}

// poll returns the number or the error for the next byte of the script. Bytes up to 110 are
// percentages, the next ones invalid numbers, slow polls, hung polls and errors.
func (s *scripted) poll(ctx context.Context) (int64, error) {
	if s.polling {
		s.failure = "two polls at once"
	}
	s.polling = true
	defer func() { s.polling = false }()

	if !s.deadline.IsZero() && !time.Now().Before(s.deadline) {
		s.failure = "a poll at or after the deadline"
	}
	if _, ok := ctx.Deadline(); !ok {
		s.failure = "a poll without a time-out"
	}

	b := s.script[min(s.polls, len(s.script)-1)]
	s.polls++
	s.lastComplete = false

	switch {
	case b <= 110:
		s.lastComplete = b >= 100
		return int64(b), nil
	case b < 120:
		return math.MinInt64 + int64(b), nil
	case b < 130: // slow poll, 1 to 10 s
		select {
		case <-time.After(time.Duration(b-119) * time.Second):
			return 50, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	case b < 140: // hung poll
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return 0, errsOfBytes[int(b)%len(errsOfBytes)]
}

func (s *scripted) LoadingProgress(ctx context.Context, _ string, _ ...string) (milvuswait.LoadingProgress, error) {
	n, err := s.poll(ctx)
	return milvuswait.LoadingProgress{Percent: n, RefreshPercent: 100}, err
}

func (s *scripted) IndexBuildingProgress(ctx context.Context, _, _ string) (milvuswait.IndexBuildingProgress, error) {
	n, err := s.poll(ctx)
	if n >= 100 {
		return rows(100, 100, finished), err
	}
	return rows(100, n, milvuswait.IndexState(n%4)), err
}

// errsOfBytes are the errors of a scripted poll: transient, foreign and permanent ones.
var errsOfBytes = []error{
	errBlip, context.DeadlineExceeded, context.Canceled, milvuswait.ErrNotLoaded, milvuswait.ErrCollectionNotFound,
	milvuswait.Permanent(errBlip), milvuswait.ErrLoadFailed, milvuswait.ErrIndexNotFound,
}

// checkWait runs one wait and returns the invariant it violates, or "".
func checkWait(script []byte, index bool, deadline, settle, stall, grace time.Duration) string {
	p := &scripted{script: script}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	if deadline > 0 {
		p.deadline = time.Now().Add(deadline)
		var release context.CancelFunc
		ctx, release = context.WithDeadline(ctx, p.deadline)
		defer release()
	} else {
		// Without a deadline the wait ends by its other limits, or is canceled after a day.
		defer time.AfterFunc(24*time.Hour, cancel).Stop()
	}

	target, seen, start := milvuswait.Loading("docs"), &recorder{}, time.Now()
	if index {
		target = milvuswait.IndexBuilding("docs", "vidx")
	}

	var err error
	for u, e := range milvuswait.Watch(ctx, p, target, milvuswait.WithSettle(settle), milvuswait.WithStallTimeout(stall), milvuswait.WithStartGrace(grace)) {
		seen.Observe(u)
		err = e
	}
	elapsed := time.Since(start)

	var failure *milvuswait.Error
	switch finals := len(seen.updates) - p.polls; {
	case p.failure != "":
		return p.failure
	case finals != 0 && finals != 1:
		return "not one update a poll"
	case !seen.last().Final || seen.last().Polls != p.polls:
		return "the last update is not final, or miscounts"
	case p.polls > int(elapsed/(35*time.Millisecond))+2:
		return "polls without end"
	case err != nil && p.lastComplete && settle == 0:
		return "failure, though the last poll was complete"
	case err == nil && elapsed < settle:
		return "success before the settle time"
	case err == nil && !p.lastComplete:
		return "success, though the last poll was not complete"
	case err == nil && settle == 0 && seen.last().Fraction != 1:
		return "success with a fraction below 1"
	case err != nil && !errors.As(err, &failure):
		return "not an *Error"
	case deadline > 0 && elapsed > deadline:
		return "longer than the deadline"
	case errors.Is(err, context.DeadlineExceeded) != (err != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) && elapsed == deadline):
		return "DeadlineExceeded, but not the wait's own, or the other way round"
	case errors.Is(err, context.Canceled) && ctx.Err() != context.Canceled:
		return "Canceled, but not the wait's own"
	case err != nil && failure.Elapsed != elapsed:
		return "Elapsed is not the time of the wait"
	}

	for i, u := range seen.updates[:len(seen.updates)-1] {
		if u.Final || u.Fraction < 0 || u.Fraction > 1 || u.ETA < 0 || u.Next < 0 || u.Polls != i+1 {
			return fmt.Sprintf("update %d makes no sense: %+v", i+1, u)
		}
	}
	return ""
}

// FuzzDurations passes any durations to the options that take one. Out-of-range values are
// refused before the first poll. All others apply as documented.
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

// durations are the arguments of the options with a time.
type durations struct{ first, most, unreachable, stall, settle, grace time.Duration }

// check runs one wait with a deadline of ten minutes and returns the promise it breaks, or
// "".
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
			cancel() // enough polls: a stall timeout of some ns causes one every ms
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
		// The deadline of the wait may cut the timeout of a poll.
		// So may the unreachable budget, down to the 50 ms that every poll gets.
		most := min(d.most, limit-p.at[i])
		least := min(d.first, most)
		if d.unreachable > 0 {
			least = min(least, 50*time.Millisecond)
		}
		if until <= 0 || until > most || until < least {
			return "a poll with a time-out that was not asked for"
		}

		// Only the last poll before the deadline may follow without a pause.
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

// aboveZero reports whether an update has a percentage above 0: the load was under way.
func aboveZero(updates []milvuswait.Update) bool {
	for _, u := range updates {
		if p, ok := u.Progress.(milvuswait.LoadingProgress); ok && p.Percent > 0 {
			return true
		}
	}
	return false
}
