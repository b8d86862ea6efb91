package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/internal/traces"
)

func TestSummarize(t *testing.T) {
	s := summarize([]traces.Wait{
		{Took: 10 * time.Second, Late: time.Second, Polls: 10},
		{Took: 10 * time.Second, Late: 3 * time.Second, Polls: 30},
		{Took: 20 * time.Second, Late: 2 * time.Second, Polls: 20},
	})

	require.InDelta(t, 20, s.polls, 1e-9)
	require.InDelta(t, 2, s.mean, 1e-9)
	require.InDelta(t, 2, s.median, 1e-9)
	require.InDelta(t, 0.1, s.relative50, 1e-9)
	require.InDelta(t, 0.1, s.relative95, 1e-9)
}

func TestBetween(t *testing.T) {
	require.Equal(t, "under 1 s", between(0, time.Second))
	require.Equal(t, "30 s to 2 min", between(30*time.Second, 2*time.Minute))
	require.Equal(t, "over 10 min", between(10*time.Minute, time.Hour))
}
