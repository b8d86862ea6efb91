package child_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/bench/internal/child"
)

func TestUsageOfThisProcess(t *testing.T) {
	before, err := child.UsageOf(os.Getpid())
	require.NoError(t, err)
	file, err := os.Open(os.DevNull)
	require.NoError(t, err)
	defer file.Close()
	for after := before; after.CPU == before.CPU; { // it computes till it is seen
		after, err = child.UsageOf(os.Getpid())
		require.NoError(t, err)
	}

	after, err := child.UsageOf(os.Getpid())

	require.NoError(t, err)
	require.Greater(t, before.RSS, int64(1<<20))
	require.GreaterOrEqual(t, after.PeakRSS, after.RSS)
	require.Equal(t, before.Descriptors+1, after.Descriptors)
}

func TestUsageOfNobody(t *testing.T) {
	_, err := child.UsageOf(-1)

	require.Error(t, err)
}
