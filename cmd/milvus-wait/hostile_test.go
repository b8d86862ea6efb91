//go:build !windows

package main

import (
	"encoding/base64"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

// TestAServerCannotReachTheTerminal waits on a terminal for a server that has
// control characters in its names and reasons, and echoes the token in its reasons.
func TestAServerCannotReachTheTerminal(t *testing.T) {
	const password = "Tr0ub4dor&3"
	said := evil + "root:" + password + base64.StdEncoding.EncodeToString([]byte("root:"+password)) + evil
	s, err := fakeserver.Start(fakeserver.Config{Address: "127.0.0.1:0"})
	require.NoError(t, err)
	t.Cleanup(s.Close)
	for _, name := range []string{"docs", "docs\u202e\x1b[2J", "a" + strings.ReplaceAll(evil, "\x00", "")} {
		s.Set(milvuswait.Loading(name), fake.Percents(40))
	}
	s.Set(milvuswait.IndexBuilding("docs", "a"+evil+password), fake.Rows(10, 4))
	s.Set(milvuswait.IndexBuilding("docs", "b"), fake.Rows(10, 4))
	s.Set(milvuswait.IndexBuilding("images", "a"), fake.Steps(fake.Step{Progress: milvuswait.IndexBuildingProgress{
		TotalRows: 10, PendingIndexRows: 10, State: milvuswait.IndexStateFailed, FailReason: said,
	}}))
	s.Fail("GetLoadingProgress", fakeserver.Refuse(codes.Unavailable, said))
	// Escape sequences of the command itself, for bars and colours.
	own := regexp.MustCompile(`\x1b\[([0-9]+A|J|K|0m|3[123]m)|\r\n|\r`)
	const ends = " --timeout 5s --unreachable 300ms"
	tests := []struct{ name, args, shows string }{
		{"bars of listed names", "load --all" + ends, `docs\[2J`},
		{"lines of listed names", "load --all -v" + ends, `docs\[2J`},
		{"lines of failures", "load docs -v" + ends, `going on, .*\[secret\]`},
		{"a failure below the bars", "index images", `index build failed: .*\[secret\]`},
		{"names in an error", "index docs", `ambiguous index.*\[secret\]`},
		{"a hint", "index docs/nosuch", `hint: .*\[secret\]`},
		{"a document", "index images -o json", `"error":".*\[secret\]`},
		{"events of listed names", "load --all -o jsonl" + ends, `"collection":"docs\\u202e\\u001b\[2J"`},
		{"events of failures", "load docs -o jsonl" + ends, `"error":".*\[secret\]`},
		{"one look", "progress index images", `\[secret\]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := []string{"MILVUS_URI=http://" + s.Address(), "MILVUS_TOKEN=root:" + password}

			written, code := onPTY(t, env, strings.Fields(tt.args)...)

			require.NotZero(t, code)
			require.Regexp(t, tt.shows, written)
			require.NotContains(t, written, "Tr0ub4dor")
			require.NotContains(t, written, base64.StdEncoding.EncodeToString([]byte("root:" + password))[:12])
			require.True(t, utf8.ValidString(written), "%q", written)
			text := own.ReplaceAllString(written, "\n")
			i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && unicode.Is(unicode.C, r) })
			require.Negative(t, i, "%q", text)
			require.NotRegexp(t, `(?m)^(::error|forged|##\[)`, text)
		})
	}
}
