package untrusted_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/internal/untrusted"
)

func TestText(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"plain", "collection not found[collection=docs]", "collection not found[collection=docs]"},
		{"letters of the world", "größe 集合 🙂", "größe 集合 🙂"},
		{"lines", "a\nb\r\nc\td\u2028e\u0085f", "a b  c d e f"},
		{"terminal", "a\x1b[2Jb\x00\x07\x7f\u009bc", "a[2Jbc"},
		{"direction", "a\u202eb\u2066c\u200f", "abc"},
		{"invalid bytes", "a\xff\xfeb", "a\ufffd\ufffdb"},
		{"empty", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, untrusted.Text(tt.in))
		})
	}
}

func TestTextIsCut(t *testing.T) {
	exact := strings.Repeat("x", untrusted.MaxText)
	require.Equal(t, exact, untrusted.Text(exact))

	for _, long := range []string{exact + "y", strings.Repeat("é", 1<<20), strings.Repeat("\x00", 1<<26), strings.Repeat("\xff", 1<<20)} {
		got := untrusted.Text(long)
		require.LessOrEqual(t, len(got), untrusted.MaxText+len("… (cut)"))
		require.True(t, strings.HasSuffix(got, "… (cut)"))
		require.True(t, utf8.ValidString(got))
	}
}

func FuzzText(f *testing.F) {
	f.Add("a\x1b[2J\n\u202e\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := untrusted.Text(s)
		require.LessOrEqual(t, len(got), untrusted.MaxText+len("… (cut)"))
		require.True(t, utf8.ValidString(got))
		for _, r := range got {
			require.GreaterOrEqual(t, r, ' ')
			require.False(t, r >= 0x7f && r <= 0x9f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069, "%U", r)
		}
	})
}

func TestCut(t *testing.T) {
	require.Equal(t, "ab… (cut)", untrusted.Cut("a\x1bbc", 2))
	require.Equal(t, "abc", untrusted.Cut("abc", 3))
}
