package rpc_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait/rpc"
)

// listing is a health server. Its list has one name of the given length, which sets the
// size of the response.
type listing struct {
	grpc_health_v1.UnimplementedHealthServer
	length int
}

func (l listing) List(context.Context, *grpc_health_v1.HealthListRequest) (*grpc_health_v1.HealthListResponse, error) {
	return &grpc_health_v1.HealthListResponse{Statuses: map[string]*grpc_health_v1.HealthCheckResponse{
		strings.Repeat("x", l.length): {},
	}}, nil
}

// TestDialOptions_MessageSize_Is16MiBUnlessReplaced reads responses around the limit. A
// later option replaces the limit if it sets one, and otherwise keeps it.
func TestDialOptions_MessageSize_Is16MiBUnlessReplaced(t *testing.T) {
	t.Parallel()
	sized := func(option grpc.CallOption) []grpc.DialOption {
		return []grpc.DialOption{grpc.WithDefaultCallOptions(option)}
	}

	for name, c := range map[string]struct {
		length int
		later  []grpc.DialOption
		want   codes.Code
	}{
		"below":                   {16<<20 - 64, nil, codes.OK},
		"above":                   {16 << 20, nil, codes.ResourceExhausted},
		"later option is smaller": {5 << 20, sized(grpc.MaxCallRecvMsgSize(4 << 20)), codes.ResourceExhausted},
		"later option is other":   {5 << 20, sized(grpc.MaxCallSendMsgSize(4 << 20)), codes.OK},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				n.names["milvus"] = []string{"192.0.2.1"}
				defer n.serveHealth("192.0.2.1:19530", listing{length: c.length})()
				conn := n.connect(t, "milvus:19530", c.later...)

				_, err := grpc_health_v1.NewHealthClient(conn).List(t.Context(), new(grpc_health_v1.HealthListRequest))

				require.Equal(t, c.want, status.Code(err), "%v", err)
			})
		})
	}
}

// TestDialOptions_IdleConnection_IsKeptByMilvus shows that Milvus' limits tolerate the
// pings of DialOptions: the server does not close an idle connection because of them.
func TestDialOptions_IdleConnection_IsKeptByMilvus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		n.names["milvus"] = []string{"192.0.2.1"}
		defer n.serve("192.0.2.1:19530")()
		conn := n.connect(t, "milvus:19530")
		require.NoError(t, poll(t.Context(), conn))

		time.Sleep(25 * time.Minute) // less than gRPC's idle timeout of 30 min

		require.Equal(t, connectivity.Ready, conn.GetState())
		require.Len(t, n.tried(), 1)
	})
}

// mute is a connection. It loses all packets to the server once on is closed.
type mute struct {
	net.Conn
	on <-chan struct{}
}

func (m mute) Write(b []byte) (int, error) {
	select {
	case <-m.on:
		return len(b), nil
	default:
		return m.Conn.Write(b)
	}
}

// TestDialOptions_DeadConnection_IsNoticedWithin20s loses all packets of a connection. A
// ping follows after at most 10 s, and its answer is missing 10 s later.
func TestDialOptions_DeadConnection_IsNoticedWithin20s(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		n.names["milvus"] = []string{"192.0.2.1"}
		defer n.serve("192.0.2.1:19530")()

		dead := make(chan struct{})
		conn := n.connect(t, "milvus:19530", grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			c, err := n.dial(ctx, address)
			return mute{c, dead}, err
		}))
		require.NoError(t, poll(t.Context(), conn))

		close(dead)
		start := time.Now()
		require.True(t, conn.WaitForStateChange(t.Context(), connectivity.Ready))

		require.LessOrEqual(t, time.Since(start), 20*time.Second)
	})
}

// TestDialOptions_LaterConnectParams_ReplaceTheBackoff counts the connection attempts of
// 100 s. Jitter changes each delay by up to 20 %, hence the tolerance.
func TestDialOptions_LaterConnectParams_ReplaceTheBackoff(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		later    []grpc.DialOption
		attempts int
	}{
		"none":   {nil, 86}, // 6 attempts until the delay is 1.2 s, then one every 1.2 s
		"slower": {[]grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.Config{BaseDelay: time.Minute, Multiplier: 1, MaxDelay: time.Minute}})}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				n.names["milvus"] = []string{"192.0.2.1"}
				conn := n.connect(t, "milvus:19530", c.later...)
				conn.Connect()

				time.Sleep(100 * time.Second)

				require.InDelta(t, c.attempts, len(n.tried()), float64(c.attempts)/5)
			})
		})
	}
}

// TestDialOptions_Resolvers_TheFirstOfASchemeIsUsed holds an assumption of DialOptions'
// documentation: a resolver before DialOptions replaces ours, one after it does not.
func TestDialOptions_Resolvers_TheFirstOfASchemeIsUsed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n, other := newNetwork(), newNetwork()
		n.names["milvus"] = []string{"192.0.2.1"}
		defer n.serve("192.0.2.1:19530")()
		conn := n.connect(t, "milvus:19530", grpc.WithResolvers(rpc.NewDNSBuilder(other.lookup)))

		require.NoError(t, poll(t.Context(), conn))

		require.Len(t, n.looked(), 1)
		require.Empty(t, other.looked())
	})
}

// TestDialOptions_WithoutCredentials_NewClientFails shows that DialOptions leave the choice
// between TLS and plain text to the program.
func TestDialOptions_WithoutCredentials_NewClientFails(t *testing.T) {
	t.Parallel()
	_, err := grpc.NewClient("milvus:19530", rpc.DialOptions()...)
	require.ErrorContains(t, err, "no transport security set")

	conn, err := grpc.NewClient("milvus:19530", append(rpc.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}
