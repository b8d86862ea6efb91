package output

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/kind"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/patient"
	"github.com/milvuswait/milvuswait/internal/duration"
	"github.com/milvuswait/milvuswait/internal/untrusted"
)

// GitHub has the settings for GitHub Actions.
type GitHub struct {
	Annotations bool   // ::error and ::warning lines
	Summary     string // file in GITHUB_STEP_SUMMARY, or ""
}

// annotate writes text as an error or a warning in GitHub's annotations of the run.
func (g GitHub) annotate(w io.Writer, level, text string) {
	if g.Annotations {
		// clean has removed line breaks, so only the percent sign needs an escape.
		write(w, "::"+level+" title=milvus-wait::"+strings.ReplaceAll(clean(text), "%", "%25"))
	}
}

// Summarize appends a table of the outcomes to the summary of the step, if it is set.
func (c Config) Summarize(report Report) {
	if c.GitHub.Summary == "" {
		return
	}
	table := c.table(report)
	if err := patient.Do(func() error { return appendFile(c.GitHub.Summary, table) }); err != nil {
		Line(c.Stderr, "milvus-wait: the summary was not written: "+err.Error())
	}
}

func appendFile(name, text string) (err error) {
	file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		var failed *os.PathError
		if errors.As(err, &failed) {
			failed.Path = untrusted.Text(failed.Path)
		}
		return err
	}

	defer func() { err = errors.Join(err, file.Close()) }()
	_, err = file.WriteString(text)
	return err
}

// mostRows and mostBytes bound a table: GitHub refuses more than 1 MiB. The last 1024 bytes
// are for the text after the rows.
const (
	mostRows  = 200
	mostBytes = 1<<20 - 1024
)

// table returns the outcomes in Markdown. If there are too many, failed targets come first.
func (c Config) table(report Report) string {
	var b strings.Builder
	b.WriteString("### milvus-wait\n\n| target | state | last progress | polls | time |\n|---|---|---|---:|---:|\n")

	shown := 0
	for _, o := range shortlist(report.Outcomes) {
		progress := ""
		if o.Progress != nil && !kind.Of(o.Target).Server {
			progress = with(part(o.Target, o.Progress), o.Progress.String())
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
		fmt.Fprintf(&b, "| | %s: %s | | 0 | %v |\n", cell(state(report.Err)), cell(Reason(report.Err)), duration.Round(report.Elapsed))
	}
	return b.String() + "\n"
}

// shortlist returns at most mostRows outcomes. If there are more, failed targets come first.
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

// ending returns the final state of a target, with the reason for a failure or a warning.
func (c Config) ending(o milvuswait.Outcome) string {
	switch {
	case o.Err == nil && o.Unconfirmed:
		return kind.Of(o.Target).Finished + ", unconfirmed: " + unconfirmed
	case o.Err == nil:
		return kind.Of(o.Target).Finished
	case errors.Is(o.Err, milvuswait.ErrAborted):
		return state(o.Err)
	}
	return state(o.Err) + ": " + c.reason(o.Target, o.Progress, o.Err)
}

var markdown = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "`", "\\`", "*", `\*`, "_", `\_`, "~", `\~`, "[", `\[`, "]", `\]`,
	"&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "&#64;",
	"://", `\://`, "www.", `www\.`, // these become links
)

// cell returns text for a cell of a table, without markup and links.
func cell(text string) string { return markdown.Replace(clean(text)) }
