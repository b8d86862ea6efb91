// Package reconnect defines the delays between attempts to connect to Milvus.
package reconnect

import (
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
)

// Params returns connection parameters under which a server is found at most 1.5 s
// after it comes back: the delay between attempts grows from 100 ms to 1.2 s, with a
// jitter of 20 %. Together with an attempt of 3 s, at an address that drops packets, it
// stays below 5 s. The attempt is the minimum time for one attempt.
func Params(attempt time.Duration) grpc.ConnectParams {
	delays := backoff.Config{
		BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 1200 * time.Millisecond,
	}

	return grpc.ConnectParams{Backoff: delays, MinConnectTimeout: attempt}
}
