package otelwait_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAPIOnly checks that the package depends neither on the SDK nor on OpenTelemetry's root
// package with the global providers.
func TestAPIOnly(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	for _, dep := range strings.Fields(string(out)) {
		require.NotEqual(t, "go.opentelemetry.io/otel", dep)
		require.False(t, strings.HasPrefix(dep, "go.opentelemetry.io/otel/sdk"), dep)
	}
}
