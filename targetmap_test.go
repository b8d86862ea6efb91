package milvuswait

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTargetMap_EndedWaits_AreRemoved adds waits that end without a final update. Only
// the last ones may remain. A running wait and an update made by hand keep their values.
func TestTargetMap_EndedWaits_AreRemoved(t *testing.T) {
	var values targetMap[int]
	docs, running := Loading("docs"), new(waitID)
	values.set(Update{Target: docs, wait: running}.key(), 1)
	values.set(Update{Target: docs}.key(), 2)

	removed := 0
	for range 50 {
		removed += values.set(Update{Target: docs, wait: new(waitID)}.key(), 3)
		runtime.GC()
	}

	require.LessOrEqual(t, len(values.m), 8)
	require.Equal(t, 52, len(values.m)+removed)
	require.Equal(t, 1, values.m[Update{Target: docs, wait: running}.key()])
	require.Equal(t, 2, values.m[Update{Target: docs}.key()])
}

// TestUpdate_Identity_BelongsToOneCall shows that the targets of one WaitAll share their
// identity, and that every call and every loop over Watch has another one.
func TestUpdate_Identity_BelongsToOneCall(t *testing.T) {
	var seen []*waitID
	o := WithObserver(ObserverFunc(func(u Update) { seen = append(seen, u.wait) }))
	p := PollerFuncs{Loading: func(context.Context, string, ...string) (LoadingProgress, error) {
		return LoadingProgress{Percent: 100}, nil
	}}
	docs, images := Loading("docs"), Loading("images")

	for range 2 {
		_, err := WaitAll(t.Context(), p, []Target{docs, images}, o)
		require.NoError(t, err)
		_, err = WaitForLoadingComplete(t.Context(), p, "docs", o)
		require.NoError(t, err)
	}
	watch := Watch(t.Context(), p, docs, o)
	for range 2 {
		for u, err := range watch {
			require.NoError(t, err)
			require.Same(t, seen[len(seen)-1], u.wait)
		}
	}

	require.Len(t, seen, 8)
	require.Same(t, seen[0], seen[1])
	require.Same(t, seen[3], seen[4])
	calls := make(map[*waitID]bool)
	for _, id := range seen {
		require.NotNil(t, id)
		calls[id] = true
	}
	require.Len(t, calls, 6)
}
