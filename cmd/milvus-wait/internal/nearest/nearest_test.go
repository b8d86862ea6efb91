package nearest_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/nearest"
)

func TestNames(t *testing.T) {
	all := []string{"docs", "docs_2024", "docs_2025", "old_docs", "images", "users", "größe", "a", "b"}
	tests := []struct {
		name, meant string
		want        []string
	}{
		{"letters that changed places", "dcos", []string{"docs"}},
		{"one letter off", "image", []string{"images"}},
		{"another case", "USERS", []string{"users"}},
		{"the beginning of several", "docs_", []string{"docs", "docs_2024", "docs_2025"}},
		{"the end", "2024", []string{"docs_2024"}},
		{"letters of the world", "grösse", []string{"größe"}},
		{"a beginning in another case", "IMA", []string{"images"}},
		{"nothing like it", "vectors", []string{}},
		{"one letter is like any other", "c", []string{}},
		{"nothing", "", []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, nearest.Names(tt.meant, all, 3))
		})
	}
}

func TestNames_AreAtMostTheNumberAskedFor(t *testing.T) {
	require.Equal(t, []string{"docs1", "docs2"}, nearest.Names("docs", []string{"docs3", "docs2", "docs1"}, 2))
	require.Empty(t, nearest.Names("docs", nil, 3))
	require.Empty(t, nearest.Names("docs", []string{"docs2"}, 0))
}

func TestNamesOfAnyLengthAreCheap(t *testing.T) {
	long := strings.Repeat("x", 1<<20)

	require.Empty(t, nearest.Names("docs", []string{long}, 3))
	require.Empty(t, nearest.Names(long, []string{"docs"}, 3))
}

func FuzzNames(f *testing.F) {
	f.Add("docs", "dcos", "images")
	f.Add("\xff", "", "ß")
	f.Fuzz(func(t *testing.T, name, a, b string) {
		for _, found := range nearest.Names(name, []string{a, b}, 2) {
			require.Contains(t, []string{a, b}, found)
			require.LessOrEqual(t, utf8.RuneCountInString(found), 4*utf8.RuneCountInString(name)+16)
		}
	})
}
