package untrusted_test

import (
	"strings"
	"testing"
	"unicode"
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

func TestText_Long_IsCut(t *testing.T) {
	exact := strings.Repeat("x", untrusted.MaxText)
	require.Equal(t, exact, untrusted.Text(exact))

	for _, long := range []string{exact + "y", strings.Repeat("é", 1<<20), strings.Repeat("\x00", 1<<26), strings.Repeat("\xff", 1<<20)} {
		got := untrusted.Text(long)
		require.LessOrEqual(t, len(got), untrusted.MaxText+len("… (cut)"))
		require.True(t, strings.HasSuffix(got, "… (cut)"))
		require.True(t, utf8.ValidString(got))
	}
}

// FuzzText checks the result for any text: valid UTF-8, no control characters or line
// separators, cleaned once and for all, within its length, and cut only if necessary.
func FuzzText(f *testing.F) {
	f.Add("a\x1b[2J\n\u202e\xff", 0)
	f.Add("… (cut)", 3)
	f.Add("\U0001f642\x00\u2028", 1021)

	f.Fuzz(func(t *testing.T, s string, before int) {
		s = strings.Repeat("x", before&2047) + s
		got := untrusted.Text(s)

		require.True(t, utf8.ValidString(got))
		for _, r := range got {
			require.False(t, unicode.In(r, unicode.C, unicode.Zl, unicode.Zp), "%U", r)
		}
		require.Equal(t, got, untrusted.Text(got), "what was cleaned is clean")

		// A text that ends in the mark by itself, if it is clean, may or may not have been cut.
		uncut := untrusted.Cut(s, 4*len(s))
		if strings.HasSuffix(uncut, "… (cut)") {
			require.LessOrEqual(t, len(got), untrusted.MaxText+len("… (cut)"))
			return
		}
		kept, cut := strings.CutSuffix(got, "… (cut)")
		require.LessOrEqual(t, len(kept), untrusted.MaxText)
		require.Equal(t, len(uncut) > untrusted.MaxText || len(s) > 4*untrusted.MaxText, cut, "cut only if necessary")
	})
}

func TestCut(t *testing.T) {
	require.Equal(t, "ab… (cut)", untrusted.Cut("a\x1bbc", 2))
	require.Equal(t, "abc", untrusted.Cut("abc", 3))
	require.Equal(t, "abc", untrusted.Cut("abc\x04", 3), "a dropped character takes no space")
	require.Equal(t, "é… (cut)", untrusted.Cut("éé", 3))
}

// TestText_CutBefore_IsUnchanged cleans a cut text again, as an error does with the text of the
// errors in it. Nothing changes.
func TestText_CutBefore_IsUnchanged(t *testing.T) {
	for n := untrusted.MaxText - 12; n <= untrusted.MaxText+12; n++ {
		for _, next := range []string{"y", "é", "集", "🙂", strings.Repeat("\x00", 1<<13)} {
			got := untrusted.Text(strings.Repeat("x", n) + next + next)

			require.True(t, got == untrusted.Text(got), "%d bytes before %.4q", n, next)
		}
	}
	require.Equal(t, "… (cut)", untrusted.Text("… (cut)"))
}
