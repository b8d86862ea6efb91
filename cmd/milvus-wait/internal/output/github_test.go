package output_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/output"
)

func TestAnnotations(t *testing.T) {
	tests := []struct{ name, reason, want string }{
		{"a reason", "no memory", "::error title=milvus-wait::no memory (code 65535)"},
		{"percents", "at 40%0A::x", "::error title=milvus-wait::at 40%250A::x (code 65535)"},
		{"lines", "a\r\n::error::b", "::error title=milvus-wait::a  ::error::b (code 65535)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := output.Config{Format: output.Text, GitHub: output.GitHub{Annotations: true}}
			_, stderr := run(c, nil, reportOf(1, errSome, final(loading("docs", 40), failed(tt.reason))))

			require.Equal(t, tt.want, strings.Split(stderr, "\n")[1])
		})
	}
}

// summary returns the summary of a step.
func summary(t *testing.T, report output.Report) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "summary.md")
	require.NoError(t, os.WriteFile(name, []byte("before\n"), 0o600))
	output.Config{GitHub: output.GitHub{Summary: name}}.Summarize(report)
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	text, ok := strings.CutPrefix(string(b), "before\n")
	require.True(t, ok, "what others wrote stays")
	return text
}

func TestStepSummary(t *testing.T) {
	index := final(indexing("docs", "v_idx", 100, 100), nil)
	aborted := final(loading("users", 20), milvuswait.ErrAborted)
	unsure := final(indexing("docs", "unsure", 100, 100), nil)
	unsure.Unconfirmed = true

	got := summary(t, reportOf(1, errSome, index, final(loading("images", 40), errSome), aborted, unsure))

	require.Equal(t, `### milvus-wait

| target | state | last progress | polls | time |
|---|---|---|---:|---:|
| docs/v\_idx | indexed | 100/100 rows, InProgress | 1 | 0s |
| images | failed: some error | 40% | 1 | 0s |
| users | aborted | 20% | 1 | 0s |
| docs/unsure | indexed, unconfirmed: rows that are still being flushed are not counted on this server; pass --rows | 100/100 rows, InProgress | 1 | 0s |

`, got)
}

func TestStepSummaryWithoutAWait(t *testing.T) {
	late := fmt.Errorf("connecting: %w", context.DeadlineExceeded)
	ended := fmt.Errorf("connecting: %w", &exit.SignalError{Signal: syscall.SIGTERM})

	require.Contains(t, summary(t, output.Report{Err: errSome, Code: 1}), "| | failed: some error | | 0 | 0s |\n")
	require.Contains(t, summary(t, output.Report{Err: late, Code: 124}), `| | timed\_out: connecting: `)
	require.Contains(t, summary(t, output.Report{Err: ended, Code: 143}), "| | interrupted: connecting: ")
}

func TestCellsAreNothingButText(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"cells", "a|b", `a\|b`},
		{"lines", "a\nb\r\u2028c", "a b  c"},
		{"HTML", "<img src=x onerror=y>&lt;", "&lt;img src=x onerror=y&gt;&amp;lt;"},
		{"code", "`a`", "\\`a\\`"},
		{"emphasis", "*a* _b_ ~~c~~", `\*a\* \_b\_ \~\~c\~\~`},
		{"links", "[a](https://b) www.c", `\[a\](https\://b) www\.c`},
		{"escapes", `a\|b`, `a\\\|b`},
		{"mentions", "@all", "&#64;all"},
		{"control characters", "a\x1b[31mb\x00", `a\[31mb`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := summary(t, reportOf(1, errSome, final(loading("docs", 0), failed(tt.in))))

			require.Contains(t, got, "| docs | failed: "+tt.want+" (code 65535) |")
		})
	}
}

func TestSummaryOfManyHasTheFailuresFirst(t *testing.T) {
	var finals []milvuswait.Update
	for i := range 10_000 {
		finals = append(finals, final(loading(fmt.Sprintf("c%04d", i), 100), nil))
	}
	for i := range 150 {
		finals[9000+i].Err = failed(strings.Repeat("|", 4096))
	}

	got := summary(t, reportOf(1, errSome, finals...))

	require.Less(t, len(got), 1<<20)
	require.Equal(t, 150, strings.Count(got, "failed: "))
	require.Equal(t, 50, strings.Count(got, "| loaded |"))
	require.Contains(t, got, "\n9800 more targets.\n")
}

func TestSummary_NotWritable_IsReported(t *testing.T) {
	var stderr bytes.Buffer

	output.Config{Stderr: &stderr, GitHub: output.GitHub{Summary: t.TempDir()}}.Summarize(output.Report{})

	require.Contains(t, stderr.String(), "milvus-wait: the summary was not written: ")

	stderr.Reset()
	output.Config{Stderr: &stderr, GitHub: output.GitHub{Summary: strings.Repeat("x", 5000)}}.Summarize(output.Report{})

	require.Less(t, stderr.Len(), 1200)
	require.Contains(t, stderr.String(), "x… (cut): ")
}
