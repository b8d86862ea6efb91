package output

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
)

// WriteJSON writes v, which must be fit for it, on one line of JSON, in which
// whatever a terminal could obey is escaped.
func WriteJSON(w io.Writer, v any) {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err) // of our own types none has what JSON has not
	}
	write(w, escape(strings.TrimSuffix(b.String(), "\n")))
}

// escape returns text of JSON with the control and format characters escaped that
// encoding/json leaves as they are: DEL, C1, bidirectional overrides.
func escape(text string) string {
	if !strings.ContainsFunc(text, isUnsafe) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case !isUnsafe(r):
			b.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

func isUnsafe(r rune) bool { return unicode.Is(unicode.C, r) }
