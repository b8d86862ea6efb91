// Package untrusted makes text of a server fit for errors, logs and terminals.
package untrusted

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxText is the greatest length of what Text returns, in bytes, without the
// mark of a cut.
const MaxText = 1024

const cutMark = "… (cut)"

// Text returns s on one line, without bytes that a terminal or a log could obey
// or trip over, and cut to MaxText bytes at a rune boundary. White space and
// separators of lines become spaces, control and format characters (C0, C1,
// bidirectional overrides, zero width) are dropped, invalid UTF-8 becomes
// U+FFFD. What it has returned it leaves as it is.
func Text(s string) string { return Cut(s, MaxText) }

// Cut is Text for another length: for what is made of several texts, each of them
// bounded, so that the last is not lost.
func Cut(s string, most int) string {
	if len(s) <= most && isPlain(s) {
		return s
	}
	// An error cleans what the errors in it have cleaned: one mark is enough.
	s, isCut := strings.CutSuffix(s, cutMark)
	var b strings.Builder
	for i, r := range s {
		// The input is bounded too: a text of nothing but dropped bytes must not
		// cost 64 MiB of reading.
		if i >= 4*most || b.Len()+utf8.RuneLen(r) > most {
			isCut = true
			break
		}
		switch {
		case r == '\n', r == '\r', r == '\t', r == '\v', r == '\f', r == '\u0085', r == '\u2028', r == '\u2029':
			b.WriteByte(' ')
		case !unicode.Is(unicode.C, r):
			b.WriteRune(r)
		}
	}
	if isCut {
		b.WriteString(cutMark)
	}
	return b.String()
}

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
