package milvuswait_test

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
)

// Compaction takes rows away, a lost node takes segments with it: progress goes
// down, and is told as it is.
func TestProgressThatGoesDownIsToldAsItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := new(recorder)

		_, err := milvuswait.WaitForLoadingComplete(t.Context(), percents(10, 60, 20, 100), "docs", milvuswait.WithObserver(seen))

		require.NoError(t, err)
		var told []int64
		var fractions []float64
		for _, u := range seen.updates {
			told = append(told, u.Progress.(milvuswait.LoadingProgress).Percent)
			fractions = append(fractions, u.Fraction)
		}
		require.Equal(t, []int64{10, 60, 20, 100}, told)
		require.Equal(t, []float64{0.1, 0.6, 0.2, 1}, fractions)
	})
}

func TestTotalsThatChangeAreToldAsTheyAre(t *testing.T) {
	tests := []struct {
		name    string
		answers []milvuswait.IndexBuildingProgress // all but the last are not complete
	}{
		{"rows go", []milvuswait.IndexBuildingProgress{rows(1000, 400, inProgress), rows(500, 400, inProgress), rows(400, 400, finished)}},
		{"rows come", []milvuswait.IndexBuildingProgress{rows(1000, 400, inProgress), rows(2000, 1000, finished), rows(2000, 2000, finished)}},
		{"indexed rows go", []milvuswait.IndexBuildingProgress{rows(1000, 999, inProgress), rows(1000, 0, inProgress), rows(1000, 1000, finished)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := new(recorder)

				progress, err := milvuswait.WaitForIndexBuildingComplete(t.Context(), indexes(tt.answers...), "docs", milvuswait.WithObserver(seen))

				require.NoError(t, err)
				require.Equal(t, tt.answers[len(tt.answers)-1], progress)
				for i, u := range seen.updates {
					require.Equal(t, tt.answers[i], u.Progress)
					require.Equal(t, i == len(tt.answers)-1, u.Final)
				}
				require.Len(t, seen.updates, len(tt.answers))
			})
		})
	}
}
