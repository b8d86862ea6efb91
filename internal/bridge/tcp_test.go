package bridge_test

import (
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/internal/bridge"
	"github.com/milvuswait/milvuswait/internal/milvustest"
)

// overTCP returns a bridge over the loopback interface, and the listener of its server.
func overTCP(t *testing.T) (*bridge.Bridge, net.Listener) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })

	b, err := bridge.Listen(listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(b.Close)
	return b, listener
}

// connectTCP returns both ends of a connection over b. Their deadline is one minute.
func connectTCP(t *testing.T, b *bridge.Bridge, listener net.Listener) (client, server net.Conn) {
	t.Helper()
	client, err := net.Dial("tcp", b.Address())
	require.NoError(t, err)
	server, err = listener.Accept()
	require.NoError(t, err)

	for _, conn := range []net.Conn{client, server} {
		require.NoError(t, conn.SetDeadline(time.Now().Add(time.Minute)))
		t.Cleanup(func() { _ = conn.Close() })
	}
	return client, server
}

// requirePasses sends one byte from from and asserts that it arrives at to.
func requirePasses(t *testing.T, from, to net.Conn) {
	t.Helper()
	_, err := from.Write([]byte("x"))
	require.NoError(t, err)
	n, err := to.Read(make([]byte, 9))
	require.NoError(t, err)
	require.Equal(t, 1, n)
}

func TestTCP_Resets(t *testing.T) {
	b, listener := overTCP(t)
	client, server := connectTCP(t, b, listener)
	requirePasses(t, client, server)
	requirePasses(t, server, client)

	b.Drop()

	for _, conn := range []net.Conn{client, server} {
		_, err := conn.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ECONNRESET)
	}
}

func TestTCP_Paused_LosesNothing(t *testing.T) {
	const size = 1 << 20 // more than the buffers of a paused bridge
	b, listener := overTCP(t)
	client, server := connectTCP(t, b, listener)
	b.Pause(bridge.Up)
	sent := make(chan error, 1)
	go func() {
		_, err := client.Write(make([]byte, size))
		sent <- err
	}()
	requirePasses(t, server, client)

	b.Pass()

	buffer, came := make([]byte, 64<<10), 0
	for came < size {
		n, err := server.Read(buffer)
		require.NoError(t, err)
		came += n
	}
	require.NoError(t, <-sent)
	require.Equal(t, size, came)
}

func TestTCP_OtherMachines_AreRefused(t *testing.T) {
	for _, address := range []string{"192.0.2.1:19530", "0.0.0.0:19530", "[::]:19530", "localhost:19530", "19530", ""} {
		_, err := bridge.Listen(address)
		require.ErrorContains(t, err, "bridge: ", address)
	}
}

func TestClose_LeavesNothing(t *testing.T) {
	goroutines, descriptors := runtime.NumGoroutine(), milvustest.OpenFiles(t)
	for range 20 {
		b, listener := overTCP(t)
		client, server := connectTCP(t, b, listener)
		requirePasses(t, client, server)
		b.Pause(bridge.Both)
		_, err := client.Write([]byte("held"))
		require.NoError(t, err)

		b.Close()

		require.NoError(t, listener.Close())
		require.NoError(t, client.Close())
		require.NoError(t, server.Close())
	}

	// The network poller of the runtime opens up to two descriptors at its first use.
	require.LessOrEqual(t, milvustest.OpenFiles(t), descriptors+2)

	// 20 bridges leave no goroutine. require.Eventually runs one itself.
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+1 }, 10*time.Second, time.Millisecond)
}
