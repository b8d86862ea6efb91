package faults_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
)

// requireTimeouts asserts the timeouts that the polls have sent to the server.
func requireTimeouts(t *testing.T, polls []poll, want ...time.Duration) {
	t.Helper()
	var got []time.Duration
	for _, p := range polls {
		got = append(got, p.timeout.Round(10*time.Millisecond)) // gRPC rounds timeouts on the wire
	}
	require.Equal(t, want, got)
}

func TestPoll_Hangs_IsRepeated(t *testing.T) {
	const limit = 10 * time.Second
	inBubbles(t, func(ctx context.Context, n int) answer {
		switch n {
		case 2:
			return hang(ctx)
		case 4:
			return percent(100)
		}
		return percent(40)
	}, func(t *testing.T, r *rig) {
		err := r.run(context.Background(), steadily(time.Second))

		require.NoError(t, err)
		polls := r.server.seen()
		requireTimeouts(t, polls, limit, limit, 2*limit, limit)
		require.Equal(t, limit, (polls[1].ended - polls[1].began).Round(10*time.Millisecond))
		require.Error(t, polls[1].gaveUp)
		require.Equal(t, limit+time.Second, (polls[2].began - polls[1].began).Round(10*time.Millisecond))
		require.Len(t, r.failures(), 1)
		require.ErrorContains(t, r.failures()[0], "poll timed out after 10s: ")
		require.Equal(t, codes.DeadlineExceeded, status.Code(r.failures()[0]))
	})
}

func TestServerThatHangsForGoodIsUnreachable(t *testing.T) {
	inBubbles(t, func(ctx context.Context, _ int) answer { return hang(ctx) }, func(t *testing.T, r *rig) {
		start := time.Now()

		err := r.run(context.Background())

		require.ErrorIs(t, err, milvuswait.ErrUnreachable)
		require.NotErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, context.Canceled)
		s := time.Second
		seen := r.server.seen()
		require.Len(t, seen, 7)
		requireTimeouts(t, seen[:6], 10*s, 20*s, 40*s, 60*s, 60*s, 60*s)
		require.Equal(t, 5*time.Minute, time.Since(start), "the last poll ends with the budget")
	})
}

func TestWait_SlowServer_HasOnePollInFlight(t *testing.T) {
	inBubbles(t, func(ctx context.Context, n int) answer {
		return later(ctx, 7*time.Second, percent(int64(n)*20))
	}, func(t *testing.T, r *rig) {
		err := r.run(t.Context(), steadily(time.Second))

		require.NoError(t, err)
		polls := r.server.seen()
		require.Len(t, polls, 5)
		for i := 1; i < len(polls); i++ {
			require.Equal(t, 8*time.Second, polls[i].began-polls[i-1].began)
			require.Equal(t, time.Second, polls[i].began-polls[i-1].ended)
		}
		require.Empty(t, r.failures())
	})
}

func TestSlowServer_GetsLongerTimeouts(t *testing.T) {
	inBubbles(t, func(ctx context.Context, _ int) answer {
		return later(ctx, 25*time.Second, percent(100))
	}, func(t *testing.T, r *rig) {
		start := time.Now()

		err := r.run(t.Context())

		require.NoError(t, err)
		requireTimeouts(t, r.server.seen(), 10*time.Second, 20*time.Second, 40*time.Second)
		require.Less(t, time.Since(start), time.Minute)
	})
}

func TestPollNeverOutlivesTheWait(t *testing.T) {
	inBubbles(t, func(ctx context.Context, _ int) answer { return hang(ctx) }, func(t *testing.T, r *rig) {
		ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
		defer cancel()
		start := time.Now()

		err := r.run(ctx)

		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, context.Canceled)
		require.Equal(t, 4*time.Second, time.Since(start))
		requireTimeouts(t, r.server.seen(), 4*time.Second)
	})
}
