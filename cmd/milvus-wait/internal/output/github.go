package output

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/duration"
)

// GitHub is what GitHub Actions wants besides.
type GitHub struct {
	Annotations bool   // ::error lines
	Summary     string // the file that GITHUB_STEP_SUMMARY names
}

// annotate writes text as an error that GitHub shows beside the run.
func (g GitHub) annotate(w io.Writer, text string) {
	if g.Annotations {
		// Line breaks, which would need an escape too, are none any more.
		write(w, "::error title=milvus-wait::"+strings.ReplaceAll(clean(text), "%", "%25"))
	}
}

// Summarize appends a table of the outcomes to the summary of the step, if there
// is one.
func (c Config) Summarize(report Report) {
	if c.GitHub.Summary == "" {
		return
	}
	if err := appendFile(c.GitHub.Summary, c.table(report)); err != nil {
		Line(c.Stderr, "milvus-wait: the summary was not written: "+err.Error())
	}
}

func appendFile(name, text string) (err error) {
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = file.WriteString(text)
	return err
}

// mostRows and mostBytes are how much a table has: GitHub refuses more than 1 MiB.
const (
	mostRows  = 200
	mostBytes = 1<<20 - 1024 // which is for what follows the rows
)

// table returns the outcomes as Markdown: if there are too many, those first that
// did not end well.
func (c Config) table(report Report) string {
	var b strings.Builder
	b.WriteString("### milvus-wait\n\n| target | state | last progress | polls | time |\n|---|---|---|---:|---:|\n")
	shown := 0
	for _, o := range shortlist(report.Outcomes) {
		progress := ""
		if o.Progress != nil && !c.kindOf(o.Target).Server {
			progress = o.Progress.String()
		}
		row := fmt.Sprintf("| %s | %s | %s | %d | %v |\n", cell(c.name(o.Target)), cell(c.ending(o)), cell(progress), o.Polls, duration.Round(o.Elapsed))
		if b.Len()+len(row) > mostBytes {
			break
		}
		b.WriteString(row)
		shown++
	}
	if hidden := len(report.Outcomes) - shown; hidden > 0 {
		fmt.Fprintf(&b, "\n%d more targets.\n", hidden)
	}
	if len(report.Outcomes) == 0 && report.Err != nil {
		fmt.Fprintf(&b, "| | %s: %s | | 0 | %v |\n", cell(state(report.Err)), cell(reason(report.Err)), duration.Round(report.Elapsed))
	}
	return b.String() + "\n"
}

func shortlist(outcomes []milvuswait.Outcome) []milvuswait.Outcome {
	if len(outcomes) <= mostRows {
		return outcomes
	}
	list := make([]milvuswait.Outcome, 0, mostRows)
	for _, wanted := range []bool{false, true} {
		for _, o := range outcomes {
			if (o.Err == nil) == wanted && len(list) < mostRows {
				list = append(list, o)
			}
		}
	}
	return list
}

// ending returns how a target ended, and why.
func (c Config) ending(o milvuswait.Outcome) string {
	switch {
	case o.Err == nil:
		return c.kindOf(o.Target).Finished
	case errors.Is(o.Err, milvuswait.ErrAborted):
		return state(o.Err)
	}
	return state(o.Err) + ": " + c.reason(o.Target, o.Err)
}

var markdown = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "~", `\~`, "[", `\[`, "]", `\]`,
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "&#64;",
	"://", `\://`, "www.", `www\.`, // no links either
)

// cell returns text that stays in its cell and is nothing but text.
func cell(text string) string { return markdown.Replace(clean(text)) }
