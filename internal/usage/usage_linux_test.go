package usage_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/internal/usage"
)

func TestOf_ThisProcess(t *testing.T) {
	before, err := usage.Of(os.Getpid())
	require.NoError(t, err)
	file, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer file.Close()
	for after := before; after.CPU == before.CPU; { // use the CPU until it shows
		after, err = usage.Of(os.Getpid())
		require.NoError(t, err)
	}

	after, err := usage.Of(os.Getpid())

	require.NoError(t, err)
	require.Greater(t, before.RSS, int64(1<<20))
	require.GreaterOrEqual(t, after.PeakRSS, after.RSS)
	require.Equal(t, before.Descriptors+1, after.Descriptors)
}

// TestOf_NoProcess_Fails uses an id that no process has.
func TestOf_NoProcess_Fails(t *testing.T) {
	_, err := usage.Of(-1)

	require.Error(t, err)
}
