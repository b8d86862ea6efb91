package faults_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/milvuswait/milvuswait"
)

const pollEvery = 2 * time.Minute // longer than the ping interval

// TestKeepalive_ServerRefusesPings has a server with gRPC's default limits. The pings of both
// adapters' clients exceed them, so it closes connections. The wait completes, and the
// clients ping less often then.
func TestKeepalive_ServerRefusesPings(t *testing.T) {
	unkind := grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{})
	inBubbles(t, slowly, func(t *testing.T, r *rig) {
		start := time.Now()

		err := r.run(t.Context(), steadily(pollEvery))

		require.NoError(t, err)
		require.Less(t, time.Since(start), 81*time.Minute)
		require.Greater(t, r.bridge.Accepted(), 2, "it has ended connections")
		require.Less(t, r.bridge.Accepted(), 10, "and the client pings less then")
	}, unkind)
}

func TestKeepalive_ServerAllowsPings(t *testing.T) {
	inBubbles(t, slowly, func(t *testing.T, r *rig) {
		err := r.run(t.Context(), steadily(pollEvery))

		require.NoError(t, err)
		require.Equal(t, 1, r.bridge.Accepted())
		require.Empty(t, r.failures())
	})
}

// TestKeepalive_ServerSendsGoAway has a server that closes connections after two minutes,
// announced by GOAWAY. Calls in flight complete first, so no poll fails.
func TestKeepalive_ServerSendsGoAway(t *testing.T) {
	brief := grpc.KeepaliveParams(keepalive.ServerParameters{MaxConnectionAge: 2 * time.Minute, MaxConnectionAgeGrace: time.Minute})
	inBubbles(t, func(ctx context.Context, n int) answer {
		return later(ctx, 50*time.Second, slowly(ctx, n))
	}, func(t *testing.T, r *rig) {
		err := r.run(t.Context(), steadily(time.Second), milvuswait.WithPollTimeout(time.Minute, time.Minute))

		require.NoError(t, err)
		require.Greater(t, r.bridge.Accepted(), 10)
		require.Len(t, r.server.seen(), 40)
		require.Empty(t, r.failures())
	}, brief)
}

// slowly returns the response to poll n of a load or an index that is complete at poll 40.
func slowly(_ context.Context, n int) answer { return percent(min(100, int64(n)*5/2)) }
