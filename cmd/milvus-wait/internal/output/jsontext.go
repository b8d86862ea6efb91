package output

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
)

// WriteJSON writes v on one line of JSON, with escapes for all characters that a terminal
// could obey. It panics if v has no JSON.
func WriteJSON(w io.Writer, v any) {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err) // all types of the command have JSON
	}
	write(w, escape(strings.TrimSuffix(b.String(), "\n")))
}

// escape returns JSON with escapes for the control and format characters left by
// encoding/json: DEL, C1, bidirectional overrides.
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
