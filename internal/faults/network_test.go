package faults_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/bridge"
)

const (
	// keepaliveLimit is the maximum time until a dead connection is noticed, with the
	// settings of both adapters' clients.
	keepaliveLimit = 20 * time.Second

	// reconnecting is the maximum time until a recovered server is connected: one attempt
	// from before, which times out after 3 s, and one delay of 1.2 s plus 20 % jitter.
	reconnecting = 3*time.Second + 1440*time.Millisecond
	leastPause   = 960 * time.Millisecond // minimum between two attempts: 1.2 s less 20 % jitter

	maxDelay = 5 * time.Second // maximum between two polls
)

// outage is a fault of the network. Pass ends it.
type outage struct {
	name   string
	begins func(*bridge.Bridge)
	silent bool // neither side sees it: no error, no close
	once   bool // affects open connections only, not later ones
	deaf   bool // the server receives no data
	deadly bool // connections in use do not recover
}

var outages = []outage{
	{name: "black hole", begins: func(b *bridge.Bridge) { b.Swallow(bridge.Both) }, silent: true, deaf: true, deadly: true},
	{name: "black hole towards the server", begins: func(b *bridge.Bridge) { b.Swallow(bridge.Up) }, silent: true, deaf: true, deadly: true},
	{name: "black hole towards the client", begins: func(b *bridge.Bridge) { b.Swallow(bridge.Down) }, silent: true, deadly: true},
	{name: "pulled cable", begins: func(b *bridge.Bridge) { b.Pause(bridge.Both) }, silent: true, deaf: true},
	{name: "pulled cable towards the server", begins: func(b *bridge.Bridge) { b.Pause(bridge.Up) }, silent: true, deaf: true},
	{name: "pulled cable towards the client", begins: func(b *bridge.Bridge) { b.Pause(bridge.Down) }, silent: true},
	{name: "half-open connection", begins: func(b *bridge.Bridge) { b.Sever() }, silent: true, once: true, deadly: true},
	{name: "dropped connection", begins: func(b *bridge.Bridge) { b.Drop() }, once: true, deadly: true},
	{name: "dropped connection, others refused", begins: func(b *bridge.Bridge) { b.Refuse(); b.Drop() }, deaf: true, deadly: true},
}

func TestOutages(t *testing.T) {
	const pause, call = 4 * time.Second, 4 * time.Second // calls begin every 8 s
	moments := map[string]time.Duration{
		"between calls": 45*time.Second + 300*time.Millisecond,
		"during a call": 43*time.Second + 300*time.Millisecond,
	}

	// Shorter than a poll; longer than a poll, but shorter than a keepalive of 20 s; and
	// almost the limit of 5 min without a success.
	lengths := []time.Duration{time.Second, 15 * time.Second, 4*time.Minute + 30*time.Second}

	for _, tt := range outages {
		for _, length := range lengths {
			if tt.once && length != lengths[0] {
				continue
			}
			for when, begins := range moments {
				t.Run(tt.name+" for "+length.String()+" "+when, func(t *testing.T) {
					t.Parallel()
					eachOf(t, []kind{load, index}, func(t *testing.T, k kind, a adapter) {
						synctest.Test(t, func(t *testing.T) {
							start, ends := time.Now(), begins+length
							r := bubble(t, k, a, func(ctx context.Context, _ int) answer {
								if time.Since(start) >= ends {
									return percent(100)
								}
								return later(ctx, call, percent(40))
							})

							time.AfterFunc(begins, func() { tt.begins(r.bridge) })
							time.AfterFunc(ends, r.bridge.Pass)

							err := r.run(t.Context(), steadily(pause))

							require.NoError(t, err)
							took := time.Since(start)
							require.GreaterOrEqual(t, took, ends)
							require.LessOrEqual(t, took, ends+tt.late(r)+pause)
							require.LessOrEqual(t, r.bridge.Accepted(), 10+int(length/leastPause))
							if tt.silent && length > 10*time.Second {
								require.ErrorContains(t, r.failures()[0], "poll timed out after 10s: ")
							}
						})
					})
				})
			}
		}
	}
}

// late returns the maximum effect of an outage after its end. If it was silent, a connection
// from just before the end may be dead, which only a keepalive finds.
func (o outage) late(r *rig) time.Duration {
	switch {
	case len(r.failures()) == 0:
		return 0
	case o.silent:
		return keepaliveLimit + reconnecting
	}
	return reconnecting
}

// TestOutageWithoutEnd shows that a wait without a deadline ends if the network never
// recovers.
func TestOutageWithoutEnd(t *testing.T) {
	for _, tt := range outages {
		if tt.once {
			continue
		}
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubbles(t, func(context.Context, int) answer { return percent(40) }, func(t *testing.T, r *rig) {
				start := time.Now()
				time.AfterFunc(time.Minute, func() { tt.begins(r.bridge) })

				err := r.run(context.Background(), steadily(maxDelay))

				require.ErrorIs(t, err, milvuswait.ErrUnreachable)
				require.NotErrorIs(t, err, context.DeadlineExceeded)
				require.NotErrorIs(t, err, context.Canceled)
				require.Contains(t, []codes.Code{codes.Unavailable, codes.DeadlineExceeded}, status.Code(err))
				require.LessOrEqual(t, time.Since(start), 6*time.Minute+10*time.Second+time.Minute) // plus the timeout of a poll
			})
		})
	}
}

func TestSlowNetwork(t *testing.T) {
	tests := []struct {
		name  string
		delay time.Duration // in each direction
		fails bool          // some polls time out, until the timeout has doubled
	}{
		{"faster than a poll's timeout", time.Second, false}, // a poll of an index may make three requests
		{"slower than a poll's timeout", 6 * time.Second, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			inBubbles(t, func(_ context.Context, n int) answer { return percent(min(100, int64(n)*20)) }, func(t *testing.T, r *rig) {
				time.AfterFunc(time.Second, func() { r.bridge.Slow(bridge.Both, tt.delay) })

				err := r.run(t.Context(), steadily(2*time.Second))

				require.NoError(t, err)
				require.Equal(t, tt.fails, len(r.failures()) > 0)
				for _, err := range r.failures() {
					require.ErrorContains(t, err, "poll timed out after ")
				}
				require.Equal(t, 1, r.bridge.Accepted())
			})
		})
	}
}

// TestWait_ServerStartsLate_Completes starts a wait before the server. Failed connections are transient,
// also before the first success.
func TestWait_ServerStartsLate_Completes(t *testing.T) {
	for _, late := range []time.Duration{time.Second, 30 * time.Second, 4 * time.Minute} {
		t.Run(late.String(), func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, k kind, a adapter) {
				synctest.Test(t, func(t *testing.T) {
					r, through := unconnected(t, k, func(context.Context, int) answer { return percent(100) })
					start := time.Now()
					r.bridge.Refuse()
					time.AfterFunc(late, r.bridge.Pass)
					r.connect(t, a, "bufconn", through...)

					err := r.run(t.Context())

					require.NoError(t, err)
					require.GreaterOrEqual(t, time.Since(start), late)
					require.LessOrEqual(t, time.Since(start), late+reconnecting+maxDelay)
					require.Len(t, r.server.seen(), 1)
					require.NotEmpty(t, r.failures())
					for _, err := range r.failures() {
						require.Equal(t, codes.Unavailable, status.Code(err))
					}
				})
			})
		})
	}
}
