package rpc

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/milvuswait/milvuswait/internal/reconnect"
)

// DialOptions returns the connection settings for waits. Credentials are missing
// on purpose: add them, and your own options, after these.
//
//	conn, err := grpc.NewClient("milvus.example.com:19530",
//		append(rpc.DialOptions(), grpc.WithTransportCredentials(credentials.NewTLS(nil)))...)
//
// The settings, and gRPC's defaults in their place:
//
//   - Keepalive: a ping after 10 s without data, and 10 s for its answer, also
//     between polls. A dead connection is noticed within 20 s. Milvus tolerates a
//     ping every 5 s and disconnects faster clients; grpc-go sends at most one
//     every 10 s. Default: no pings.
//   - Reconnect backoff: 100 ms, growing by 1.6 to 1.2 s, with a jitter of 20 %. A
//     server is found at most 1.5 s after it comes back. Default: 1 s to 120 s.
//   - Minimum time for one connection attempt: 3 s. It covers one lost SYN, sent
//     again after 1 s (RFC 6298), and the TLS handshake. An address that
//     drops packets delays the next attempt by 3 s. Default: 20 s.
//   - Message size: 16 MiB for each response. A server may have 65536 collections,
//     and lists them in one response. Default: 4 MiB.
//   - No service config: looking it up costs a DNS query, and its retry policy
//     would hide failures from the wait.
//   - Name resolution for targets without a scheme and with "dns": a failed lookup
//     is repeated after 1 to 2 s. A failed connection causes a new lookup at once,
//     or 1 s after the last one. A healthy connection causes none. The default
//     looks a name up at most every 30 s, and up to 2 min after failed lookups.
//
// A name is found at most 2 s after it begins to resolve. If it moves to another
// address, the new one is found within 5 s: one attempt at the old address, which takes
// 3 s if that drops packets, and one backoff. Add the time for a lookup.
//
// Options after DialOptions have these effects:
//
//   - WithKeepaliveParams, WithConnectParams: they replace all values of ours.
//   - WithDefaultCallOptions: it replaces the message size if it sets one, and adds
//     its other settings.
//   - WithDefaultServiceConfig: it applies. A service config from DNS cannot be
//     switched on again.
//   - WithResolvers: gRPC uses the first resolver of a scheme. To use your own for
//     "dns", put it before DialOptions. One from resolver.Register serves IP
//     addresses only.
//
// Nothing is set for the whole process. Targets with other schemes, and targets
// of the deprecated grpc.Dial without a scheme, are resolved as before.
//
// If HTTPS_PROXY selects a proxy for the target, the proxy resolves the name of
// the target. gRPC's default resolver finds the proxy itself, with its delays;
// WithLocalDNSResolution changes only who resolves the target.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: 10 * time.Second, Timeout: 10 * time.Second, PermitWithoutStream: true,
		}),
		grpc.WithConnectParams(reconnect.Params(3 * time.Second)),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(16 << 20)),
		grpc.WithDisableServiceConfig(),
		grpc.WithResolvers(dnsBuilder{}),
	}
}
