package fake

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

func TestKinds_EveryKind_HasARow(t *testing.T) {
	require.ElementsMatch(t, milvuswait.Kinds(), slices.Collect(maps.Keys(kinds)))
}

func TestSet_KindWithoutRow_Panics(t *testing.T) {
	row := kinds[milvuswait.KindLoading]
	delete(kinds, milvuswait.KindLoading)
	t.Cleanup(func() { kinds[milvuswait.KindLoading] = row })
	var p Poller

	require.PanicsWithValue(t, `fake: Set: targets of the kind "loading" are not supported`, func() {
		p.Set(milvuswait.Loading("docs"), Percents(40))
	})
	require.ErrorIs(t, p.CheckLoadState(t.Context(), "docs"), milvuswait.ErrCollectionNotFound)
}
