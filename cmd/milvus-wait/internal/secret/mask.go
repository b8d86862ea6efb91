package secret

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/milvuswait/milvuswait/internal/untrusted"
)

const mask = "[secret]"

// minimum is the length below which a secret is not masked: masking every "1"
// makes what is written unreadable and tells the secret.
const minimum = 4

// cut is where a text was cut that was too long. It may have left the beginning of
// a secret there.
const cut = "…"

// Mask takes secrets out of text that a server had a hand in. The zero Mask knows
// none. It is for words and not for what programs read: a password may be "true",
// or the name of a collection.
type Mask struct {
	forms    []string // the longest first: "user:password" before "password"
	replacer *strings.Replacer
}

// NewMask returns a mask for secrets as they are, in base64, and as URLs, JSON and
// Go have them, since servers echo what they were sent, and for all of these as Go
// quotes them, since names are quoted.
func NewMask(secrets ...string) Mask {
	var forms []string
	for _, s := range secrets {
		if len(s) < minimum {
			continue
		}
		forms = append(forms, s, url.QueryEscape(s), url.PathEscape(s), inJSON(s, true), inJSON(s, false),
			unquoted(strconv.Quote(s)), unquoted(strconv.QuoteToASCII(s)))
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding, base64.StdEncoding, base64.URLEncoding} {
			encoded := encoding.EncodeToString([]byte(s))
			forms = append(forms, encoded, url.QueryEscape(encoded))
		}
	}
	for _, form := range forms {
		clean := untrusted.Text(form)
		forms = append(forms, clean, unquoted(strconv.Quote(form)), unquoted(strconv.Quote(clean)))
	}
	// A secret of what is not shown leaves little when it is cleaned.
	forms = slices.DeleteFunc(forms, func(form string) bool { return len(form) < minimum })
	if len(forms) == 0 {
		return Mask{}
	}
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	forms = slices.Compact(forms)

	var pairs []string
	for _, form := range forms {
		pairs = append(pairs, form, mask)
	}
	return Mask{forms, strings.NewReplacer(pairs...)}
}

func inJSON(s string, escapeHTML bool) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(escapeHTML)
	_ = encoder.Encode(s) // a string can be
	return unquoted(strings.TrimSuffix(b.String(), "\n"))
}

func unquoted(s string) string { return s[1 : len(s)-1] }

// Text returns s with every secret masked.
func (m Mask) Text(s string) string {
	if m.replacer == nil {
		return s
	}
	s = m.replacer.Replace(s)
	if !strings.Contains(s, cut) {
		return s
	}
	parts := strings.Split(s, cut)
	for i := range parts[:len(parts)-1] {
		parts[i] = m.untailed(parts[i])
	}
	return strings.Join(parts, cut)
}

// untailed returns s with the beginning of a secret masked that it ends with.
func (m Mask) untailed(s string) string {
	longest := 0
	for _, form := range m.forms {
		for n := min(len(form)-1, len(s)); n >= minimum && n > longest; n-- {
			if strings.HasSuffix(s, form[:n]) {
				longest = n
			}
		}
	}
	if longest == 0 {
		return s
	}
	return s[:len(s)-longest] + mask
}

// Error returns err with every secret masked in its text. What errors.Is and
// errors.As find in it stays the same.
func (m Mask) Error(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	masked := m.Text(text)
	if masked == text {
		return err
	}
	return &maskedError{err, masked}
}

type maskedError struct {
	err  error
	text string
}

func (e *maskedError) Error() string { return e.text }
func (e *maskedError) Unwrap() error { return e.err }
