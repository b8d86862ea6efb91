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

const pollEvery = 2 * time.Minute // so that pings are sent in between

// A server as gRPC's defaults make it takes the keepalive of both adapters' clients
// for too many pings, and ends their connections for it.
func TestServerThatWantsNoPings(t *testing.T) {
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

func TestServerThatAllowsPings(t *testing.T) {
	inBubbles(t, slowly, func(t *testing.T, r *rig) {
		err := r.run(t.Context(), steadily(pollEvery))

		require.NoError(t, err)
		require.Equal(t, 1, r.bridge.Accepted())
		require.Empty(t, r.failures())
	})
}

// A server that is about to go says so, and its connections end when what is
// under way has been answered: no poll fails.
func TestServerThatSaysGoodbye(t *testing.T) {
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

// slowly is complete after 40 polls.
func slowly(_ context.Context, n int) answer { return percent(min(100, int64(n)*5/2)) }
