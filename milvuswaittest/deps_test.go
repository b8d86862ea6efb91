package milvuswaittest_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNothingForcedOnImporters checks the promise of these packages: a test with them
// needs neither testify nor gRPC.
func TestNothingForcedOnImporters(t *testing.T) {
	const format = `{{with .Module}}{{if not .Main}}{{.Path}}{{end}}{{end}}{{if eq .ImportPath "testing"}}testing{{end}}`
	out, err := exec.Command("go", "list", "-deps", "-f", format, "./...").Output()
	require.NoError(t, err)
	found := strings.Fields(string(out))
	require.NotEmpty(t, found)
	for _, dependency := range found {
		require.Contains(t, []string{"github.com/cenkalti/backoff/v4", "golang.org/x/sync"}, dependency)
	}
}
