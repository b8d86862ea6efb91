package milvuswaittest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/milvuswaittest"
)

// deadlineOf returns the deadline of a helper's poll with tb.
func deadlineOf(tb milvuswaittest.TB) time.Time {
	var deadline time.Time
	p := milvuswait.PollerFuncs{Loading: func(ctx context.Context, _ string, _ ...string) (milvuswait.LoadingProgress, error) {
		deadline, _ = ctx.Deadline()
		return milvuswait.LoadingProgress{Percent: 100}, nil
	}}
	const long = 10000 * time.Hour
	milvuswaittest.RequireLoaded(tb, p, "docs", milvuswait.WithPollTimeout(long, long), milvuswait.WithUnreachableAfter(0))
	return deadline
}

// The deadlines of the polls show the limits, so nothing waits.
func TestLimit(t *testing.T) {
	const slack = 30 * time.Second // for a busy machine
	tests := []struct {
		name string
		tb   func(r *recorder) milvuswaittest.TB
		want time.Duration
	}{
		{"without a deadline", func(r *recorder) milvuswaittest.TB { return r }, milvuswaittest.DefaultLimit},
		{"with a deadline that is none", func(r *recorder) milvuswaittest.TB { return timed{r, time.Time{}} }, milvuswaittest.DefaultLimit},
		{"an hour", func(r *recorder) milvuswaittest.TB { return timed{r, time.Now().Add(time.Hour)} }, time.Hour - 30*time.Second},
		{"ten minutes", func(r *recorder) milvuswaittest.TB { return timed{r, time.Now().Add(10 * time.Minute)} }, 10*time.Minute - 30*time.Second},
		{"100 s", func(r *recorder) milvuswaittest.TB { return timed{r, time.Now().Add(100 * time.Second)} }, 90 * time.Second},
		{"shorter by Within", func(r *recorder) milvuswaittest.TB {
			return milvuswaittest.Within(timed{r, time.Now().Add(time.Hour)}, 20*time.Minute)
		}, 20 * time.Minute},
		{"no longer by Within", func(r *recorder) milvuswaittest.TB {
			return milvuswaittest.Within(timed{r, time.Now().Add(time.Hour)}, 2*time.Hour)
		}, time.Hour - 30*time.Second},
		{"the shortest of two", func(r *recorder) milvuswaittest.TB {
			return milvuswaittest.Within(milvuswaittest.Within(r, 3*time.Minute), 5*time.Minute)
		}, 3 * time.Minute},
		{"a shorter one of two", func(r *recorder) milvuswaittest.TB {
			return milvuswaittest.Within(milvuswaittest.Within(r, 5*time.Minute), 3*time.Minute)
		}, 3 * time.Minute},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()

			got := deadlineOf(tt.tb(&recorder{ctx: t.Context()}))

			require.WithinRange(t, got, start.Add(tt.want).Add(-time.Millisecond), start.Add(tt.want).Add(slack))
		})
	}
}

func TestDeadlineOfTheContextCounts(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	want, _ := ctx.Deadline()

	require.Equal(t, want, deadlineOf(&recorder{ctx: ctx}))
}

// The rest of a second is the margin: the helper fails at once, without a wait.
func TestRequire_DeadlineTooNear_FailsAtOnce(t *testing.T) {
	p := new(fake.Poller).Set(docs, fake.Percents(40))
	tb := forgiving{&recorder{ctx: t.Context()}}

	milvuswaittest.RequireLoaded(struct {
		milvuswaittest.TB
		deadliner
	}{tb, timed{nil, time.Now().Add(time.Second)}}, p, "docs")

	require.Contains(t, tb.fatal, `milvuswait: loading "docs": context deadline exceeded (0 polls in `)
	require.Contains(t, tb.fatal, "gave up: 1s before the deadline of the test")
	require.Empty(t, p.Calls())
}

type deadliner interface{ Deadline() (time.Time, bool) }

func TestOwnDeadline(t *testing.T) {
	deadline, ok := t.Deadline()
	if !ok {
		deadline = time.Now().Add(milvuswaittest.DefaultLimit + time.Minute)
	}

	got := deadlineOf(t)

	require.WithinRange(t, got, time.Now(), deadline.Add(-time.Second))
}

// In a bubble, Deadline of *testing.T panics.
func TestBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := time.Now().Add(milvuswaittest.BubbleLimit)

		require.Equal(t, want, deadlineOf(t), "the bubble's own")
		require.Equal(t, want, deadlineOf(timed{&recorder{ctx: t.Context()}, time.Now().Add(time.Minute)}), "one that could have a deadline")
		require.Equal(t, want.Add(-23*time.Hour), deadlineOf(milvuswaittest.Within(t, time.Hour)), "Within")
	})
}

func TestFortyMinutesInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake.Poller).Set(docs, fake.LoadOver(40*time.Minute).StallAt(30, 10*time.Minute))
		start := time.Now()

		milvuswaittest.RequireLoaded(t, p, "docs")

		require.WithinDuration(t, start.Add(50*time.Minute), time.Now(), 5*time.Second)
	})
}

func TestForeverInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := new(fake.Poller).Set(docs, fake.Percents(40))
		start := time.Now()

		r := record(t, func(tb milvuswaittest.TB) { milvuswaittest.RequireLoaded(tb, p, "docs") })

		require.Contains(t, r.fatal, "gave up: after 24h0m0s in a bubble of testing/synctest")
		require.Equal(t, 24*time.Hour, time.Since(start))
	})
}

func BenchmarkHasNoDeadline(b *testing.B) {
	start := time.Now()
	require.WithinRange(b, deadlineOf(b), start.Add(milvuswaittest.DefaultLimit), time.Now().Add(milvuswaittest.DefaultLimit))
}
