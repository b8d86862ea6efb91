package fakeserver

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

func TestKinds_EveryKind_HasARow(t *testing.T) {
	require.ElementsMatch(t, milvuswait.Kinds(), slices.Collect(maps.Keys(kinds)))
	for kind, set := range kinds {
		require.NotNil(t, set, kind)
	}
}

func TestSet_KindWithoutRow_Panics(t *testing.T) {
	row := kinds[milvuswait.KindLoading]
	delete(kinds, milvuswait.KindLoading)
	t.Cleanup(func() { kinds[milvuswait.KindLoading] = row })
	srv, err := Start(Config{})
	require.NoError(t, err)
	t.Cleanup(srv.Close)

	require.PanicsWithValue(t, `fakeserver: Set: targets of the kind "loading" are not supported`, func() {
		srv.Set(milvuswait.Loading("docs"), fake.Percents(40))
	})
}
