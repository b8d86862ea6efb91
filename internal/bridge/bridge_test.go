package bridge_test

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/test/bufconn"

	"github.com/milvuswait/milvuswait/internal/bridge"
)

func TestPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := inMemory(t)
		client, server := w.connect(t)

		client.send(t, "to")
		server.send(t, "fro")

		requireCame(t, server, client, "to", "fro")
		require.Equal(t, 1, w.Accepted())
		require.Equal(t, 1, w.Open())
	})
}

func TestPass_OneEndCloses_ClosesTheOther(t *testing.T) {
	for _, who := range []string{"client", "server"} {
		t.Run(who, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := inMemory(t)
				client, server := w.connect(t)
				who := map[string]*end{"client": client, "server": server}[who]

				require.NoError(t, who.Close())

				require.True(t, client.ended())
				require.True(t, server.ended())
				require.Zero(t, w.Open())
			})
		})
	}
}

// ways lists the faults by direction, with the texts that still arrive at the server (up) and
// at the client (down). Both sides send: "to" and "fro".
var ways = []struct {
	name     string
	way      bridge.Way
	up, down string
}{
	{"up", bridge.Up, "", "fro"},
	{"down", bridge.Down, "to", ""},
	{"both", bridge.Both, "", ""},
}

func TestPause(t *testing.T) {
	for _, tt := range ways {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := inMemory(t)
				client, server := w.connect(t)
				w.Pause(tt.way)

				client.send(t, "t")
				client.send(t, "o")
				server.send(t, "f")
				server.send(t, "ro")
				time.Sleep(time.Hour)

				requireCame(t, server, client, tt.up, tt.down)

				w.Pass()

				requireCame(t, server, client, "to", "fro")
			})
		})
	}
}

// TestSwallow shows that lost data makes its connection dead, also after Pass. Idle and new
// connections work.
func TestSwallow(t *testing.T) {
	for _, tt := range ways {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := inMemory(t)
				idle, idleServer := w.connect(t)
				client, server := w.connect(t)

				w.Swallow(tt.way)

				if tt.way == bridge.Up {
					server.send(t, "fro") // sent first, before data is lost
				}
				client.send(t, "to")
				if tt.way != bridge.Up {
					server.send(t, "fro")
				}

				requireCame(t, server, client, tt.up, tt.down)

				w.Pass()
				client.send(t, "lost")
				server.send(t, "lost")

				requireCame(t, server, client, tt.up, tt.down)

				idle.send(t, "to")
				idleServer.send(t, "fro")
				requireCame(t, idleServer, idle, "to", "fro")
				fresh, freshServer := w.connect(t)
				fresh.send(t, "to")
				requireCame(t, freshServer, fresh, "to", "")
			})
		})
	}
}

// TestSwallow_DeadConnection_StaysOpen shows that the client of a dead connection does not see
// the server close it, and can still send.
func TestSwallow_DeadConnection_StaysOpen(t *testing.T) {
	for name, kill := range map[string]func(t *testing.T, w *world, client, server *end){
		"severed": func(_ *testing.T, w *world, _, _ *end) { w.Sever() },
		"swallowed, and closed by the server": func(t *testing.T, w *world, client, server *end) {
			w.Swallow(bridge.Both)
			client.send(t, "lost")
			require.NoError(t, server.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := inMemory(t)
				client, server := w.connect(t)

				kill(t, w, client, server)
				client.send(t, "lost")

				require.True(t, server.ended())
				require.Empty(t, server.came())
				require.False(t, client.ended())
				require.NoError(t, client.Close())
				synctest.Wait()
				require.Zero(t, w.Open())
			})
		})
	}
}

func TestSlow(t *testing.T) {
	for _, tt := range ways {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := inMemory(t)
				client, server := w.connect(t)
				w.Slow(tt.way, time.Minute)
				client.send(t, "to")
				server.send(t, "fro")
				time.Sleep(time.Minute - time.Nanosecond)
				requireCame(t, server, client, tt.up, tt.down)

				time.Sleep(time.Nanosecond)

				requireCame(t, server, client, "to", "fro")
			})
		})
	}
}

// TestSlow_Pieces_AreDelayedEach sends 10 KiB over a slow connection. Pieces of 4, 4 and 2
// KiB arrive one minute apart.
func TestSlow_Pieces_AreDelayedEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := inMemory(t)
		client, server := w.connect(t)
		w.Slow(bridge.Up, time.Minute)
		client.send(t, string(make([]byte, 10<<10)))

		for _, want := range []int{0, 4 << 10, 8 << 10, 10 << 10} {
			require.Len(t, server.came(), want)
			time.Sleep(time.Minute)
		}
	})
}

func TestDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := inMemory(t)
		client, server := w.connect(t)

		w.Drop()

		require.True(t, client.ended())
		require.True(t, server.ended())
		fresh, freshServer := w.connect(t)
		fresh.send(t, "to")
		requireCame(t, freshServer, fresh, "to", "")
	})
}

func TestRefuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := inMemory(t)
		client, server := w.connect(t)
		w.Refuse()
		conn, err := w.front.DialContext(t.Context())
		require.NoError(t, err)

		_, err = conn.Read(make([]byte, 1))

		require.ErrorIs(t, err, io.EOF)
		client.send(t, "to")
		requireCame(t, server, client, "to", "")
		require.Equal(t, 2, w.Accepted())

		w.Pass()
		fresh, freshServer := w.connect(t)
		fresh.send(t, "to")
		requireCame(t, freshServer, fresh, "to", "")
	})
}

func TestDial_ServerAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		front := bufconn.Listen(1)
		b := bridge.New(front, func(context.Context) (net.Conn, error) { return nil, io.ErrClosedPipe })
		defer b.Close()
		conn, err := front.DialContext(t.Context())
		require.NoError(t, err)

		_, err = conn.Read(make([]byte, 1))

		require.ErrorIs(t, err, io.EOF)
		require.Zero(t, b.Open())
	})
}

// TestClose_InEveryState closes a bridge with each fault, twice. The bubble fails if a
// goroutine of the bridge remains.
func TestClose_InEveryState(t *testing.T) {
	for name, breakIt := range map[string]func(*world){
		"passing":    func(*world) {},
		"paused":     func(w *world) { w.Pause(bridge.Both) },
		"swallowing": func(w *world) { w.Swallow(bridge.Both) },
		"slow":       func(w *world) { w.Slow(bridge.Both, time.Hour) },
		"refusing":   func(w *world) { w.Refuse() },
		"severed":    func(w *world) { w.Sever() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := inMemory(t)
				client, server := w.connect(t)
				breakIt(w)

				start := time.Now()
				client.send(t, "to")
				if name != "severed" {
					server.send(t, "fro")
				}

				w.Close()
				w.Close()

				require.True(t, client.ended())
				require.True(t, server.ended())
				require.Zero(t, time.Since(start))
			})
		})
	}
}
