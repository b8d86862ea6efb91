package secret

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/milvuswait/milvuswait/internal/untrusted"
)

const mask = "[secret]"

// minimum is the minimum length of a masked secret. A mask for every "1" would make the text
// unreadable and reveal the secret.
const minimum = 4

// cut marks the end of a shortened text. The text before it may end with the beginning of a
// secret.
const cut = "…"

// Mask replaces secrets in texts with words of a server. The zero Mask has no secrets. It is
// for texts and not for data of programs: a password may be "true", or the name of a
// collection. Copies share their secrets.
type Mask struct{ current *atomic.Pointer[forms] }

// forms are the forms of secrets in texts.
type forms struct {
	secrets  []string
	all      []string // forms of all secrets, the longest first: "user:password" before "password"
	replacer *strings.Replacer
}

// NewMask returns a mask for secrets as they are, in base64, and escaped for URLs, JSON and
// Go, because servers echo requests. It also masks all these forms in the quotes of Go,
// because texts quote names.
func NewMask(secrets ...string) Mask {
	m := Mask{new(atomic.Pointer[forms])}
	m.current.Store(formsOf(secrets))
	return m
}

// Add makes m and its copies mask further secrets. Call it before a secret is used. It
// must not be called for the zero Mask, nor by two goroutines at the same time.
func (m Mask) Add(secrets ...string) {
	known := m.current.Load().secrets
	for _, s := range secrets {
		if !slices.Contains(known, s) {
			known = append(slices.Clip(known), s)
		}
	}
	m.current.Store(formsOf(known))
}

// formsOf returns the forms of secrets.
func formsOf(secrets []string) *forms {
	all := allForms(secrets)
	if len(all) == 0 {
		return &forms{secrets: secrets}
	}

	var pairs []string
	for _, form := range all {
		pairs = append(pairs, form, mask)
	}
	return &forms{secrets, all, strings.NewReplacer(pairs...)}
}

func allForms(secrets []string) []string {
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

	// A secret of invisible characters is short after the cleaning.
	forms = slices.DeleteFunc(forms, func(form string) bool { return len(form) < minimum })
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(len(b)-len(a), strings.Compare(a, b)) })
	return slices.Compact(forms)
}

// inJSON returns s as it stands in JSON, without the quotes.
func inJSON(s string, escapeHTML bool) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(escapeHTML)
	_ = encoder.Encode(s) // a string never fails
	return unquoted(strings.TrimSuffix(b.String(), "\n"))
}

func unquoted(s string) string { return s[1 : len(s)-1] }

// Text returns s with every secret masked.
func (m Mask) Text(s string) string {
	if m.current == nil {
		return s
	}
	f := m.current.Load()
	if f.replacer == nil {
		return s
	}

	s = f.replacer.Replace(s)
	if !strings.Contains(s, cut) {
		return s
	}

	parts := strings.Split(s, cut)
	for i := range parts[:len(parts)-1] {
		parts[i] = f.untailed(parts[i])
	}
	return strings.Join(parts, cut)
}

// untailed returns s with a mask for the beginning of a secret at its end.
func (f *forms) untailed(s string) string {
	longest := 0
	for _, form := range f.all {
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

// Error returns err with every secret masked in its text. errors.Is and errors.As still find
// the same errors in it.
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
