package rpc_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// TestDialOptions_NameAppearsLate_IsFoundWithin5s adds a name after 80 s or more of failed
// lookups. A failed lookup is repeated after 1 to 2 s, so the name is found within 2 s.
func TestDialOptions_NameAppearsLate_IsFoundWithin5s(t *testing.T) {
	t.Parallel()
	worst := worstOf(t, 80*time.Second, func(t *testing.T, at time.Duration) time.Duration {
		n := newNetwork()
		defer n.serve("192.0.2.1:19530")()
		conn := n.connect(t, "milvus:19530")

		pollFor(t, conn, at)
		err := poll(t.Context(), conn)
		require.Equal(t, codes.Unavailable, status.Code(err))
		require.ErrorContains(t, err, "dns: A record lookup error: lookup milvus on 10.96.0.10:53: no such host")

		n.change(func() { n.names["milvus"] = []string{"192.0.2.1"} })
		late, err := pollUntilGood(t.Context(), conn)

		require.NoError(t, err)
		return late
	})
	require.LessOrEqual(t, worst, 2*time.Second+50*time.Millisecond)
}

// TestDialOptions_NameMoves_IsFoundWithin5s moves a name to another server after an outage
// of the first one. The limit depends on the old address: an attempt at an address without
// answer takes 3 s, a refused one no time.
func TestDialOptions_NameMoves_IsFoundWithin5s(t *testing.T) {
	t.Parallel()
	const before, after = "192.0.2.1:19530", "192.0.2.2:19530"
	for name, c := range map[string]struct {
		gone  func(n *network) // sets the state of the old address and the name
		limit time.Duration
	}{
		"old address refuses":  {func(*network) {}, 2600 * time.Millisecond},
		"old address resets":   {func(n *network) { n.resetting[before] = true }, 2600 * time.Millisecond},
		"name is missing":      {func(n *network) { delete(n.names, "milvus") }, 2100 * time.Millisecond},
		"old address drops":    {func(n *network) { n.dropping[before] = true }, 4600 * time.Millisecond},
		"missing and dropping": {func(n *network) { delete(n.names, "milvus"); n.dropping[before] = true }, 2600 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			worst := worstOf(t, 20*time.Second, func(t *testing.T, at time.Duration) time.Duration {
				n := newNetwork()
				n.names["milvus"] = []string{"192.0.2.1"}

				stop := n.serve(before)
				defer n.serve(after)()
				conn := n.connect(t, "milvus:19530")
				require.NoError(t, poll(t.Context(), conn))

				time.Sleep(time.Hour / 4)
				stop()
				n.change(func() { c.gone(n) })
				pollFor(t, conn, at)

				n.change(func() { n.names["milvus"] = []string{"192.0.2.2"} })
				late, err := pollUntilGood(t.Context(), conn)

				require.NoError(t, err)
				return late
			})
			require.LessOrEqual(t, worst, c.limit)
		})
	}
}

// TestDialOptions_NameMovesWithItsServer_IsFoundAtOnce moves the name before the connection
// is lost. The loss causes a lookup at once, which finds the new address.
func TestDialOptions_NameMovesWithItsServer_IsFoundAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		n.names["milvus"] = []string{"192.0.2.1"}
		stop := n.serve("192.0.2.1:19530")
		defer n.serve("192.0.2.2:19530")()
		conn := n.connect(t, "milvus:19530")
		require.NoError(t, poll(t.Context(), conn))
		time.Sleep(time.Minute)

		n.change(func() { n.names["milvus"] = []string{"192.0.2.2"} })
		stop()
		late, err := pollUntilGood(t.Context(), conn)

		require.NoError(t, err)
		require.LessOrEqual(t, late, 100*time.Millisecond)
	})
}

// TestDialOptions_HealthyConnection_CausesNoLookups polls for an hour before and an hour
// after an outage: lookups happen at the start and during the outage only.
func TestDialOptions_HealthyConnection_CausesNoLookups(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		n.names["milvus"] = []string{"192.0.2.1"}
		stop := n.serve("192.0.2.1:19530")
		conn := n.connect(t, "milvus:19530")

		pollHealthy := func() {
			t.Helper()
			for range 360 {
				require.NoError(t, poll(t.Context(), conn))
				time.Sleep(10 * time.Second)
			}
		}

		pollHealthy()
		require.Len(t, n.looked(), 1)

		// The server restarts at its old address. The DNS server is away and stays away, so
		// gRPC keeps the address it has.
		stop()
		n.change(func() { delete(n.names, "milvus") })
		pollFor(t, conn, 20*time.Second)
		defer n.serve("192.0.2.1:19530")()
		_, err := pollUntilGood(t.Context(), conn)
		require.NoError(t, err)

		// The lookups after the outage have ended by now.
		time.Sleep(20 * time.Second)
		before := n.looked()
		pollHealthy()
		require.Equal(t, before, n.looked())
	})
}

// TestDialOptions_ServerAway_LooksUpAtMostOncePerSecond protects the DNS server during an
// outage of five minutes.
func TestDialOptions_ServerAway_LooksUpAtMostOncePerSecond(t *testing.T) {
	t.Parallel()
	for name, addresses := range map[string][]string{
		"missing name": nil,
		"refusing":     {"192.0.2.1", "192.0.2.2", "192.0.2.3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				n.names["milvus"] = addresses
				conn := n.connect(t, "milvus:19530")

				pollFor(t, conn, 5*time.Minute)

				lookups := n.looked()
				require.Greater(t, len(lookups), 60)
				for i := range lookups[1:] {
					require.GreaterOrEqual(t, lookups[i+1].Sub(lookups[i]), time.Second)
				}
			})
		})
	}
}
