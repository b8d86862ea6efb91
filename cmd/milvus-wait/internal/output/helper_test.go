package output_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/output"
)

// hostile is a text with commands to terminals and CIs.
const hostile = "a\x1b[2J\x1b]0;t\x07\x00\x7f\u009b31m\u202eb\u2066\r\n::error::forged ##[error]x ##vso[task.setvariable]y\xff\xfe|`<b>100%"

func loading(collection string, percent int64) milvuswait.Update {
	p := milvuswait.LoadingProgress{Percent: percent}
	return milvuswait.Update{Target: milvuswait.Loading(collection), Progress: p, Polls: 1, Fraction: p.Fraction()}
}

func indexing(collection, index string, indexed, total int64) milvuswait.Update {
	p := milvuswait.IndexBuildingProgress{
		TotalRows: total, IndexedRows: indexed, PendingIndexRows: total - indexed, State: milvuswait.IndexStateInProgress,
	}
	return milvuswait.Update{Target: milvuswait.IndexBuilding(collection, index), Progress: p, Polls: 1, Fraction: p.Fraction()}
}

// serving is the update of a server that answers.
var serving = milvuswait.Update{Target: milvuswait.Serving(), Progress: milvuswait.ServingProgress{}, Polls: 1, Fraction: 1}

func final(u milvuswait.Update, err error) milvuswait.Update {
	u.Final, u.Err = true, err
	return u
}

// outcome returns the outcome of a final update.
func outcome(u milvuswait.Update) milvuswait.Outcome {
	return milvuswait.Outcome{
		Target: u.Target, Progress: u.Progress, Err: u.Err, Unconfirmed: u.Unconfirmed, Polls: u.Polls, Elapsed: u.Elapsed,
	}
}

func failed(reason string) error {
	return &milvuswait.ServerError{Code: 65535, Reason: reason}
}

var errSome = errors.New("some error")

// told returns a Reporter after updates.
func told(c output.Config, updates []milvuswait.Update) *output.Reporter {
	var targets []milvuswait.Target
	for _, u := range updates {
		targets = append(targets, u.Target)
	}
	r := output.New(c, targets)
	for _, u := range updates {
		r.Observer().Observe(u)
	}
	return r
}

// run shows updates and a report, and returns the outputs.
func run(c output.Config, updates []milvuswait.Update, report output.Report) (stdout, stderr string) {
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	r := told(c, updates)
	r.Finish(report)
	return out.String(), errs.String()
}

// reportOf returns the report of a wait with these final updates.
func reportOf(code int, err error, finals ...milvuswait.Update) output.Report {
	report := output.Report{Err: err, Code: code, Elapsed: 1500 * time.Millisecond}
	for _, u := range finals {
		report.Outcomes = append(report.Outcomes, outcome(u))
		report.Advice = append(report.Advice, "")
	}
	return report
}

// requireClean fails if s contains commands to a terminal.
func requireClean(t *testing.T, s string) {
	t.Helper()
	require.True(t, utf8.ValidString(s), "%q", s)
	i := strings.IndexFunc(s, func(r rune) bool { return r != '\n' && unicode.Is(unicode.C, r) })
	require.Negative(t, i, "%q", s)
}
