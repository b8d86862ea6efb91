package bridge_test

import (
	"net"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/test/bufconn"

	"github.com/milvuswait/milvuswait/internal/bridge"
)

// world is a bridge in memory. The test is both its clients and its server.
type world struct {
	*bridge.Bridge
	front, back *bufconn.Listener
}

// inMemory returns a bridge in memory. It is closed at the end of the test.
func inMemory(t *testing.T) *world {
	t.Helper()
	w := &world{front: bufconn.Listen(1 << 20), back: bufconn.Listen(1 << 20)}
	w.Bridge = bridge.New(w.front, w.back.DialContext)

	t.Cleanup(func() {
		w.Close()
		require.NoError(t, w.back.Close())
	})
	return w
}

// connect returns both ends of a new connection.
func (w *world) connect(t *testing.T) (client, server *end) {
	t.Helper()
	c, err := w.front.DialContext(t.Context())
	require.NoError(t, err)
	s, err := w.back.Accept()
	require.NoError(t, err)
	return newEnd(t, c), newEnd(t, s)
}

// end is one end of a connection. It reads all the time and keeps the data.
type end struct {
	net.Conn

	mu   sync.Mutex
	text string
	over bool
}

// came returns the data received so far.
func (e *end) came() string {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.text
}

// ended reports whether the other end has closed the connection.
func (e *end) ended() bool {
	synctest.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.over
}

func newEnd(t *testing.T, conn net.Conn) *end {
	e := &end{Conn: conn}

	go func() {
		buffer := make([]byte, 64<<10)
		for {
			n, err := conn.Read(buffer)
			e.mu.Lock()
			e.text += string(buffer[:n])
			e.over = err != nil
			e.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()

	t.Cleanup(func() { _ = conn.Close() })
	return e
}

func (e *end) send(t *testing.T, text string) {
	t.Helper()
	_, err := e.Write([]byte(text))
	require.NoError(t, err)
	synctest.Wait()
}

// requireCame asserts the data received at both ends so far, and that both are open.
func requireCame(t *testing.T, server, client *end, up, down string) {
	t.Helper()
	require.Equal(t, []string{up, down}, []string{server.came(), client.came()})
	require.False(t, server.ended() || client.ended())
}
