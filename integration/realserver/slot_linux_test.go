package realserver

import (
	"context"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// somePort returns a random first port for slots, away from the servers of other tests.
func somePort() int { return 24000 + slotPorts*rand.IntN(400) }

func TestTakeSlot_SlotsAreApart(t *testing.T) {
	cache, port := t.TempDir(), somePort()
	a, err := takeSlot(cache, port)
	require.NoError(t, err)
	b, err := takeSlot(cache, port)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.release()) })
	require.GreaterOrEqual(t, b.port, a.port+slotPorts)
	require.NotEqual(t, a.folder, b.folder)

	require.NoError(t, a.release())
	require.NoDirExists(t, a.folder)

	// Files of a killed process.
	require.NoError(t, os.MkdirAll(a.folder, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(a.folder, "left"), nil, 0o644))
	again, err := takeSlot(cache, port)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, again.release()) })
	require.Equal(t, a.port, again.port)
	require.NoFileExists(t, filepath.Join(again.folder, "left"))
}

func TestTakeSlot_PortsInUse_AreSkipped(t *testing.T) {
	cache, port := t.TempDir(), somePort()
	first, err := takeSlot(cache, port)
	require.NoError(t, err)
	l, err := net.Listen("tcp", first.address(slotPorts-1))
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	require.NoError(t, first.release())

	next, err := takeSlot(cache, port)

	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, next.release()) })
	require.Greater(t, next.port, first.port)
}

func TestLock_Held_Waits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path)
	require.NoError(t, err)

	done, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = lock(done, path)
	require.ErrorIs(t, err, context.Canceled)

	unlock()
	unlock, err = lock(t.Context(), path)
	require.NoError(t, err)
	unlock()
}

func TestCommand_StandalonePorts_AreOfItsSlot(t *testing.T) {
	s := &slot{port: 30000, folder: t.TempDir()}
	cmd, err := command(Milvus23, "/opt/milvus", s)
	require.NoError(t, err)
	etcd, err := os.ReadFile(filepath.Join(s.folder, "etcd.yaml"))
	require.NoError(t, err)

	ports := map[int]string{}
	for _, setting := range cmd.Env {
		name, value, _ := strings.Cut(setting, "=")
		if !strings.Contains(name, "PORT") {
			continue
		}
		port, err := strconv.Atoi(value)
		require.NoError(t, err)
		require.Empty(t, ports[port], "%s has the port of another", name)
		ports[port] = name
	}
	for _, found := range regexp.MustCompile(`127\.0\.0\.1:(\d+)`).FindAllStringSubmatch(string(etcd), -1) {
		port, err := strconv.Atoi(found[1])
		require.NoError(t, err)
		require.Contains(t, []string{"", "etcd"}, ports[port])
		ports[port] = "etcd"
	}
	require.Equal(t, len(innerPorts)+4, len(ports))
	for port := range ports {
		require.True(t, port >= s.port && port < s.port+slotPorts, "%d", port)
	}
}
