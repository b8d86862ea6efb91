package otelwait_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAPIOnly keeps the SDK, and the global providers of the root package, out of
// what the package compiles.
func TestAPIOnly(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	for _, dep := range strings.Fields(string(out)) {
		require.NotEqual(t, "go.opentelemetry.io/otel", dep)
		require.False(t, strings.HasPrefix(dep, "go.opentelemetry.io/otel/sdk"), dep)
	}
}
