package noclient

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/integration/internal/importertest"
)

func TestWaitsWithoutAClient(t *testing.T) {
	conn, p, err := Connect(importertest.Address(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	collection, load := importertest.Fill(t, conn)

	importertest.Wait(t, p, collection, load)
}

func TestPollsOnce(t *testing.T) {
	server := importertest.Fake(t)
	conn, p, err := Connect(server.Address())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	importertest.PollOnce(t, server, p)
}

// TestModules_AreFew lists the modules in a program with package rpc: the modules of gRPC, and
// none of Milvus.
func TestModules_AreFew(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".").Output()
	require.NoError(t, err)
	modules := strings.Fields(string(out))
	slices.Sort(modules)

	require.Equal(t, []string{
		"github.com/cenkalti/backoff/v4",
		"github.com/grpc-ecosystem/go-grpc-middleware",
		"github.com/milvuswait/milvuswait",
		"github.com/milvuswait/milvuswait/integration/noclient",
		"golang.org/x/net",
		"golang.org/x/sync",
		"golang.org/x/sys",
		"golang.org/x/text",
		"google.golang.org/genproto/googleapis/rpc",
		"google.golang.org/grpc",
		"google.golang.org/protobuf",
	}, slices.Compact(modules))
}
