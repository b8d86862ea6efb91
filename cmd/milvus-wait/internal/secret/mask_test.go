package secret_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/secret"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// forms returns the forms of an echoed secret.
func forms(t *testing.T, s string) map[string]string {
	t.Helper()
	inJSON, err := json.Marshal(s)
	require.NoError(t, err)
	encoded := base64.StdEncoding.EncodeToString([]byte(s))
	return map[string]string{
		"as it is":             s,
		"quoted by Go":         fmt.Sprintf("%q", s),
		"quoted as ASCII":      fmt.Sprintf("%+q", s),
		"in JSON":              string(inJSON),
		"in the query of URLs": url.QueryEscape(s),
		"in the path of URLs":  url.PathEscape(s),
		"in base64":            encoded,
		"in base64 in a URL":   url.QueryEscape(encoded),
		"in base64 of URLs":    base64.RawURLEncoding.EncodeToString([]byte(s)),
		"in a header":          "authorization: " + encoded + "; cookie",
		"cleaned":              untrusted.Text(s),
	}
}

func TestMask(t *testing.T) {
	for _, token := range []string{"root:Tr0ub4dor&3", `root:"quoted" & <b>`, "root:gr\u00f6\u00dfe \u202e+/=", "root:a\\b%41", "db_0123456789abcdef", "root:xx\tyy  "} {
		mask := secret.NewMask(secret.Parts(token)...)
		for name, form := range forms(t, token) {
			t.Run(token+" "+name, func(t *testing.T) {
				got := mask.Text("you sent " + form + ", did you?")
				require.NotContains(t, got, form)
				require.Regexp(t, `^you sent .*\[secret\].*, did you\?$`, got)
			})
		}
	}
}

func TestMaskOfThePasswordAlone(t *testing.T) {
	mask := secret.NewMask(secret.Parts("root:hunter22")...)

	require.Equal(t, "user root, password [secret], token [secret]", mask.Text("user root, password hunter22, token root:hunter22"))
}

func TestMask_CutToken_IsMasked(t *testing.T) {
	token := "root:hunter22-and-more"
	mask := secret.NewMask(secret.Parts(token)...)
	for n := 1; n < len(token); n++ {
		text := untrusted.Text(strings.Repeat("x ", untrusted.MaxText)[:untrusted.MaxText-n] + token)

		got := mask.Text(text)

		require.NotContains(t, got, "hunt")
		require.Contains(t, got, "(cut)")
	}
}

func TestMaskLeavesTheRest(t *testing.T) {
	require.Equal(t, "as it is…", secret.Mask{}.Text("as it is…"))
	require.Equal(t, "a 1 b", secret.NewMask("1", "").Text("a 1 b"))
	require.Equal(t, "as it is… more", secret.NewMask("secretive").Text("as it is… more"))
	require.Equal(t, "a banana", secret.NewMask("a\u200b\u200b").Text("a banana"))
	require.Equal(t, "a banana", secret.NewMask("\u200b\u200b").Text("a banana"))
	require.NoError(t, secret.NewMask("hunter22").Error(nil))
	fine := errors.New("fine")
	require.Same(t, fine, secret.NewMask("hunter22").Error(fine))
}

func TestMaskedErrorsAreStillFound(t *testing.T) {
	cause := errors.New("you sent hunter22")

	err := secret.NewMask("hunter22").Error(fmt.Errorf("polling: %w", cause))

	require.EqualError(t, err, "polling: you sent [secret]")
	require.ErrorIs(t, err, cause)
}

func FuzzMask(f *testing.F) {
	f.Add("root:hunter22", "before", "after")
	f.Add("[secret]x", "", "…")
	f.Add("aaaa", "a…", "a")
	f.Fuzz(func(t *testing.T, token, before, after string) {
		got := secret.NewMask(token).Text(before + token + after)
		if len(token) >= 4 && !strings.ContainsAny(token, "[secrt]") {
			require.NotContains(t, got, token)
		}
	})
}

func TestMask_Add_CopiesMaskIt(t *testing.T) {
	mask := secret.NewMask("before22")
	other := mask

	mask.Add("after22", "before22")

	require.Equal(t, "[secret] and [secret]", other.Text("before22 and after22"))
}
