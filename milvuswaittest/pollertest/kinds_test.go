package pollertest

import (
	"context"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
)

func TestKinds_EveryKind_HasARow(t *testing.T) {
	require.ElementsMatch(t, milvuswait.Kinds(), slices.Collect(maps.Keys(kinds)))
	p := new(fake.Poller).Set(milvuswait.Loading("docs"), fake.Percents(100))
	c := &checker{poller: p, world: World{Collection: "docs", Index: "vidx", Import: 7, Compaction: 9}}

	found := c.findKinds()

	require.Equal(t, len(milvuswait.Kinds()), len(found))
	for _, k := range found {
		require.NotEmpty(t, k.poll().text)
		require.NotEmpty(t, k.done())
	}
	for name, row := range kinds {
		require.NotEmpty(t, row.interfaces, name)
	}
}

func TestRun_KindWithoutRow_Panics(t *testing.T) {
	row := kinds[milvuswait.KindLoading]
	delete(kinds, milvuswait.KindLoading)
	t.Cleanup(func() { kinds[milvuswait.KindLoading] = row })

	require.PanicsWithValue(t, `pollertest: no checks for the kind "loading"`, func() {
		Run(t, new(fake.Poller), World{Collection: "docs"})
	})
}

func TestAnswered_ProgressOfAnotherKind_Panics(t *testing.T) {
	q := newQuestion("LoadingProgress", nil, func(context.Context) (milvuswait.IndexBuildingProgress, error) {
		return milvuswait.IndexBuildingProgress{}, nil
	})

	require.Panics(t, func() {
		answered(new(checker), q, func(question, milvuswait.LoadingProgress) {})
	})
}
