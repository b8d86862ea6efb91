package target_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/target"
)

func TestRows(t *testing.T) {
	targets := []milvuswait.Target{
		milvuswait.IndexBuilding("docs", "a"), milvuswait.IndexBuilding("docs", "b"),
		milvuswait.IndexBuilding("pics", ""), milvuswait.Loading("docs"),
	}
	tests := []struct {
		name   string
		values []string
		want   []int64
	}{
		{"none", nil, []int64{0, 0, 0, 0}},
		{"of every index", []string{"7"}, []int64{7, 7, 7, 0}},
		{"of one collection", []string{"docs=1_000"}, []int64{1000, 1000, 0, 0}},
		{"of one collection, and of the others", []string{"docs=1000", "7"}, []int64{1000, 1000, 7, 0}},
		{"of all but one collection", []string{"7", "docs=0"}, []int64{0, 0, 7, 0}},
		{"as many as there can be", []string{"9223372036854775807"}, []int64{1<<63 - 1, 1<<63 - 1, 1<<63 - 1, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows, err := target.ParseRows(tt.values)
			require.NoError(t, err)

			expecting, err := rows.Expect(targets)

			require.NoError(t, err)
			got := make([]int64, len(expecting))
			for i, e := range expecting {
				got[i] = e.ExpectedRows()
			}
			require.Equal(t, tt.want, got)
			require.Zero(t, targets[0].ExpectedRows())
		})
	}
}

func TestRows_Invalid_AreRefused(t *testing.T) {
	tests := []struct {
		name   string
		values []string
		want   string
	}{
		{"nothing", []string{""}, `--rows "" is not N or COLLECTION=N: "" is no number of rows`},
		{"a word", []string{"many"}, `--rows "many" is not N or COLLECTION=N: "many" is no number of rows`},
		{"no number", []string{"docs="}, `--rows "docs=" is not N or COLLECTION=N: "" is no number of rows`},
		{"two numbers", []string{"docs=5=6"}, `--rows "docs=5=6" is not N or COLLECTION=N: "5=6" is no number of rows`},
		{"no name", []string{"=5"}, `--rows "=5" is not N or COLLECTION=N: the name is empty`},
		{"an index", []string{"docs/vidx=5"}, `--rows "docs/vidx=5" is not N or COLLECTION=N: the name holds one of :/,=*`},
		{"less than none", []string{"-1"}, `--rows "-1" is not N or COLLECTION=N: "-1" is no number of rows`},
		{"a fraction", []string{"1.5"}, `--rows "1.5" is not N or COLLECTION=N: "1.5" is no number of rows`},
		{"more than there can be", []string{"9223372036854775808"}, `--rows "9223372036854775808" is not N or COLLECTION=N: "9223372036854775808" is no number of rows`},
		{"one collection twice", []string{"docs=5", "docs=5"}, `--rows "docs=5": the rows of "docs" are set twice`},
		{"every index twice", []string{"0", "6"}, `--rows "6": the rows of every index are set twice`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := target.ParseRows(tt.values)
			require.EqualError(t, err, tt.want)
		})
	}
}

func TestRows_OfAnotherTarget_AreRefused(t *testing.T) {
	rows, err := target.ParseRows([]string{"docs=5"})
	require.NoError(t, err)

	_, err = rows.Expect([]milvuswait.Target{milvuswait.Loading("docs"), milvuswait.IndexBuilding("pics", "")})

	require.EqualError(t, err, `--rows "docs=5": no index of "docs" is waited for`)
}
