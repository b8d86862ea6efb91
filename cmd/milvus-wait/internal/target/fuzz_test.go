package target_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/target"
)

// FuzzRows reads any two values of --rows. They are refused, or set the numbers in them.
func FuzzRows(f *testing.F) {
	for _, seed := range [][2]string{
		{"7", "docs=1_000"}, {"docs=0", "docs=1"}, {"7", "7"}, {"-1", "docs=-1"}, {"=1", "a=b=1"}, {"9223372036854775808", "docs="}, {"\xff=1", "\x1b=1"}, {"__", "+1"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		rows, err := target.ParseRows([]string{a, b})
		if err != nil {
			require.NotContains(t, err.Error(), "\x1b")
			return
		}
		said, every := map[string]int64{}, int64(0)
		var named []milvuswait.Target
		for _, value := range []string{a, b} {
			collection, number, found := strings.Cut(value, "=")
			if !found {
				collection, number = "", value
			}
			n, err := strconv.ParseInt(strings.ReplaceAll(number, "_", ""), 10, 64)
			require.NoError(t, err)
			require.GreaterOrEqual(t, n, int64(0))
			require.NotContains(t, said, collection, "said twice")
			said[collection] = n
			if !found {
				every = n
				continue
			}
			require.NoError(t, target.Collection(collection))
			named = append(named, milvuswait.IndexBuilding(collection, milvuswait.AllIndexes))
		}

		expecting, err := rows.Expect(append(named, milvuswait.IndexBuilding("other one", ""), milvuswait.Loading("docs")))

		require.NoError(t, err)
		for i, of := range named {
			require.Equal(t, of.ExpectRows(said[of.Collection()]), expecting[i])
		}
		require.Equal(t, every, expecting[len(named)].ExpectedRows())
		require.Zero(t, expecting[len(named)+1].ExpectedRows(), "rows of a load")
		if len(named) > 0 {
			_, err := rows.Expect(nil)
			require.ErrorContains(t, err, "is waited for")
		}
	})
}

// FuzzEverything reads any name. It is refused, or becomes the collection.
func FuzzEverything(f *testing.F) {
	for _, seed := range []string{"docs", "größe", "a b", "docs/", "docs:p", "", "\u202e", "*"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		targets, err := target.Everything([]string{arg})
		if err != nil {
			require.Error(t, target.Collection(arg))
			require.NotContains(t, err.Error(), "\x1b")
			return
		}
		require.Equal(t, []milvuswait.Target{milvuswait.IndexBuilding(arg, milvuswait.AllIndexes), milvuswait.Loading(arg)}, targets)
		require.NotContains(t, arg, "/")
	})
}
