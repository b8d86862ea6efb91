// Package untrusted makes text of a server fit for errors, logs and terminals.
package untrusted

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxText is the maximum length of the result of Text in bytes, without the mark of a cut.
const MaxText = 1024

const cutMark = "… (cut)"

// Text returns s as one line that is safe for terminals and logs. White space and line
// separators become spaces, and invalid UTF-8 becomes U+FFFD. Control and format characters
// are dropped: C0, C1, bidirectional overrides, zero width. The result is cut to MaxText
// bytes at a rune boundary. Text returns its own results unchanged.
func Text(s string) string { return Cut(s, MaxText) }

// Cut is Text with the maximum length most. Use it for a text joined from several results of
// Text, so that the last one is not lost.
func Cut(s string, most int) string {
	if len(s) <= most && isPlain(s) {
		return s
	}

	// An error cleans its text again after the errors in it have done so. One mark is enough.
	s, isCut := strings.CutSuffix(s, cutMark)
	var b strings.Builder
	for i, r := range s {
		// The input is limited too: 64 MiB of dropped bytes must not be read to the end.
		if i >= 4*most {
			isCut = true
			break
		}

		switch {
		case r == '\n', r == '\r', r == '\t', r == '\v', r == '\f', r == '\u0085', r == '\u2028', r == '\u2029':
			r = ' '
		case unicode.Is(unicode.C, r):
			continue
		}
		if b.Len()+utf8.RuneLen(r) > most {
			isCut = true
			break
		}
		b.WriteRune(r)
	}

	if isCut {
		b.WriteString(cutMark)
	}
	return b.String()
}

// isPlain reports whether s is printable ASCII, which Text leaves unchanged.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// QuoteAll returns names in quotes, separated by commas, as errors list them.
func QuoteAll(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = strconv.Quote(name)
	}
	return strings.Join(quoted, ", ")
}
