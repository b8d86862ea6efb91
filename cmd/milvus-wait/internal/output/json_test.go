package output_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/exit"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/output"
)

func TestDocument(t *testing.T) {
	index := final(indexing("docs", "vidx", 100, 100), nil)
	index.Target, index.Elapsed = index.Target.ExpectRows(100), time.Second
	parts := final(milvuswait.Update{Target: milvuswait.Loading("docs", "a", "b"), Polls: 2}, milvuswait.ErrNotLoaded)
	late := final(loading("images", 40), errTimedOut)
	report := reportOf(1, errSome, index, parts, late)
	report.Advice[1] = "load it"

	stdout, _ := run(output.Config{Format: output.JSON, Quiet: true}, nil, report)

	require.Equal(t, 1, strings.Count(stdout, "\n"))
	require.JSONEq(t, `{
		"ok": false, "exit_code": 1, "reason": "not_loaded", "elapsed_seconds": 1.5,
		"error": "2 of 3 targets failed: not loaded; loading \"docs\": timed out (3 polls in 0s)",
		"targets": [
			{
				"kind": "index_building", "collection": "docs", "index": "vidx", "expected_rows": 100, "state": "complete",
				"progress": {"total_rows": 100, "indexed_rows": 100, "pending_index_rows": 0, "state": "InProgress"},
				"polls": 1, "elapsed_seconds": 1
			},
			{
				"kind": "loading", "collection": "docs", "partitions": ["a", "b"], "state": "failed", "polls": 2, "elapsed_seconds": 0,
				"reason": "not_loaded", "error": "not loaded", "hint": "load it"
			},
			{
				"kind": "loading", "collection": "images", "state": "timed_out", "progress": {"loading_progress": "40%"},
				"polls": 1, "elapsed_seconds": 0, "reason": "timed_out", "error": "loading \"docs\": timed out (3 polls in 0s)"
			}
		]
	}`, stdout)
}

func TestJSON_SeveralTargets_ResultFitsThem(t *testing.T) {
	late := func(name string) milvuswait.Update {
		return final(loading(name, 40), &milvuswait.Error{Target: milvuswait.Loading(name), Cause: context.DeadlineExceeded, Polls: 3})
	}
	behind := final(indexing("docs", "", 10, 100), nil)
	behind.Progress = milvuswait.IndexBuildingProgress{IndexName: "clip", IndexedRows: 10, TotalRows: 100, State: milvuswait.IndexStateInProgress}
	behind.Err = &milvuswait.Error{Target: behind.Target, Cause: context.DeadlineExceeded, Last: behind.Progress}
	aborted := final(loading("images", 20), milvuswait.ErrAborted)
	broken := final(loading("images", 20), milvuswait.ErrLoadFailed)
	ended := final(loading("images", 20), fmt.Errorf("ended: %w", &exit.SignalError{Signal: syscall.SIGTERM}))
	tests := []struct {
		name   string
		code   int
		finals []milvuswait.Update
		reason string
		error  string
	}{
		{"all timed out", 124, []milvuswait.Update{late("a"), late("b")}, "timed_out",
			`2 of 2 targets failed: loading "a": timed out (3 polls in 0s); loading "b": timed out (3 polls in 0s)`},
		{"the part behind", 124, []milvuswait.Update{behind, late("b")}, "timed_out",
			`2 of 2 targets failed: index of "docs": timed out (0 polls in 0s, last index "clip": 10/100 rows, InProgress); loading "b": timed out (3 polls in 0s)`},
		{"one failed after another timed out", 1, []milvuswait.Update{late("a"), broken}, "load_failed",
			`2 of 2 targets failed: loading "a": timed out (3 polls in 0s); load failed`},
		{"one aborted before another failed", 1, []milvuswait.Update{aborted, broken}, "load_failed", `1 of 2 targets failed: load failed`},
		{"a signal after another failed", 143, []milvuswait.Update{broken, ended}, "canceled",
			`2 of 2 targets failed: load failed; ended: ended by signal: terminated`},
	}
	for _, tt := range tests {
		for _, format := range []output.Format{output.JSON, output.JSONL} {
			t.Run(tt.name+" "+string(format), func(t *testing.T) {
				stdout, _ := run(output.Config{Format: format, Quiet: true}, nil, reportOf(tt.code, errSome, tt.finals...))

				var result struct{ Reason, Error string }
				require.NoError(t, json.Unmarshal([]byte(stdout), &result))
				require.Equal(t, tt.reason, result.Reason)
				require.Equal(t, tt.error, result.Error)
			})
		}
	}
}

func TestJSON_ManyLongErrors_AreCounted(t *testing.T) {
	var finals []milvuswait.Update
	for range 100 {
		finals = append(finals, final(loading("docs", 40), errors.New(strings.Repeat("x", 4096))))
	}

	stdout, _ := run(output.Config{Format: output.JSONL, Quiet: true}, nil, reportOf(1, errSome, finals...))

	require.Less(t, len(stdout), 17<<10)
	require.Equal(t, 10, strings.Count(stdout, "(cut)"))
	require.Contains(t, stdout, "; and 90 more\"")
}

func TestDocumentWithoutTargets(t *testing.T) {
	stdout, _ := run(output.Config{Format: output.JSON}, nil, output.Report{})

	require.JSONEq(t, `{"ok": true, "exit_code": 0, "elapsed_seconds": 0, "targets": []}`, stdout)
}

func TestDocumentOfReady(t *testing.T) {
	stdout, _ := run(output.Config{Format: output.JSON, Address: "http://m:1"}, nil, reportOf(0, nil, final(serving, nil)))

	require.JSONEq(t, `{"ok": true, "exit_code": 0, "elapsed_seconds": 1.5, "targets": [
		{"kind": "serving", "address": "http://m:1", "state": "complete", "polls": 1, "elapsed_seconds": 0}
	]}`, stdout)
}

func TestEvents(t *testing.T) {
	first := later(loading("docs", 40), time.Second, 2500*time.Millisecond)
	broken := loading("docs", 40)
	broken.Err = failed("not now")
	last := final(loading("docs", 100), nil)

	stdout, _ := run(output.Config{Format: output.JSONL, Quiet: true}, []milvuswait.Update{first, first, broken, last}, reportOf(0, nil, last))

	lines := strings.Split(stdout, "\n")
	want := []string{
		`{"event": "progress", "kind": "loading", "collection": "docs", "state": "waiting", "progress": {"loading_progress": "40%"},
			"fraction": 0.4, "polls": 1, "elapsed_seconds": 1, "eta_seconds": 2.5}`,
		`{"event": "poll_failed", "kind": "loading", "collection": "docs", "state": "waiting", "progress": {"loading_progress": "40%"},
			"fraction": 0.4, "polls": 1, "elapsed_seconds": 0, "error": "not now (code 65535)"}`,
		`{"event": "final", "kind": "loading", "collection": "docs", "state": "complete", "progress": {"loading_progress": "100%"},
			"fraction": 1, "polls": 1, "elapsed_seconds": 0}`,
		`{"event": "end", "ok": true, "exit_code": 0, "elapsed_seconds": 1.5, "done": 1, "total": 1}`,
	}
	require.Len(t, lines, len(want)+1, "what brings nothing new is no event")
	for i := range want {
		require.JSONEq(t, want[i], lines[i])
	}
}

func TestEvents_LongNumbers_AreRounded(t *testing.T) {
	u := loading("docs", 0)
	u.Elapsed, u.ETA, u.Fraction = 1_852_166_384, 4_630_415_961, 0.99999

	stdout, _ := run(output.Config{Format: output.JSONL}, []milvuswait.Update{u}, output.Report{})

	require.Contains(t, stdout, `"fraction":0.9999,`)
	require.Contains(t, stdout, `"elapsed_seconds":1.852,"eta_seconds":4.63}`)
}

func TestDocument_Jobs(t *testing.T) {
	imported := final(milvuswait.Update{Target: milvuswait.Importing(4711), Polls: 2, Progress: milvuswait.ImportProgress{
		State: milvuswait.ImportStateCompleted, Percent: 100, Rows: 20_000,
	}}, nil)
	compacted := final(milvuswait.Update{Target: milvuswait.Compacting(815), Polls: 1, Progress: milvuswait.CompactionProgress{
		State: milvuswait.CompactionStateCompleted,
	}}, nil)
	unknown := final(milvuswait.Update{Target: milvuswait.Importing(1), Polls: 1}, milvuswait.ErrJobNotFound)
	broken := final(milvuswait.Update{Target: milvuswait.Importing(2), Polls: 1, Progress: milvuswait.ImportProgress{
		State: milvuswait.ImportStateFailed, FailReason: "no such file",
	}}, milvuswait.ErrJobFailed)

	stdout, _ := run(output.Config{Format: output.JSON, Quiet: true}, nil, reportOf(1, errSome, imported, compacted, unknown, broken))

	require.JSONEq(t, `{
		"ok": false, "exit_code": 1, "reason": "job_not_found", "elapsed_seconds": 1.5,
		"error": "2 of 4 targets failed: job not found; job failed",
		"targets": [
			{
				"kind": "importing", "job": 4711, "state": "complete", "polls": 2, "elapsed_seconds": 0,
				"progress": {"state": "ImportCompleted", "progress": "100%", "row_count": 20000}
			},
			{
				"kind": "compacting", "job": 815, "warning": "0 plans, Completed: nothing to do, or is the id wrong?", "state": "complete", "polls": 1, "elapsed_seconds": 0,
				"progress": {"state": "Completed", "executing": 0, "completed": 0, "failed": 0, "timed_out": 0}
			},
			{
				"kind": "importing", "job": 1, "state": "failed", "polls": 1, "elapsed_seconds": 0,
				"reason": "job_not_found", "error": "job not found"
			},
			{
				"kind": "importing", "job": 2, "state": "failed", "polls": 1, "elapsed_seconds": 0,
				"progress": {"state": "ImportFailed", "progress": "0%", "row_count": 0, "failed_reason": "no such file"},
				"reason": "job_failed", "error": "job failed"
			}
		]
	}`, stdout)
}

func TestJSON_Unconfirmed_HasAWarning(t *testing.T) {
	const warning = "rows that are still being flushed are not counted on this server; pass --rows"
	sure := final(indexing("docs", "sure", 100, 100), nil)
	unsure := final(indexing("docs", "unsure", 100, 100), nil)
	unsure.Unconfirmed = true

	for _, format := range []output.Format{output.JSON, output.JSONL} {
		t.Run(string(format), func(t *testing.T) {
			c := output.Config{Format: format, Quiet: true}
			stdout, stderr := run(c, []milvuswait.Update{sure, unsure}, reportOf(0, nil, sure, unsure))

			require.Equal(t, 1, strings.Count(stdout, `"warning":"`+warning+`"`), stdout)
			require.Regexp(t, `"index":"unsure"[^{]*{[^}]*}[^{]*"warning":`, stdout)
			require.Equal(t, "milvus-wait: warning: docs/unsure: "+warning+"\n", stderr)
		})
	}
}

func TestEvents_WaitingForMore_NameIt(t *testing.T) {
	flush, verify := indexing("docs", "", 100, 100), loading("docs", 100)
	flush.Fraction, flush.WaitingFor = 0.99, milvuswait.WaitingForFlush
	verify.Fraction, verify.WaitingFor, verify.Err = 0.99, milvuswait.WaitingForVerify, errSome

	stdout, _ := run(output.Config{Format: output.JSONL, Quiet: true}, []milvuswait.Update{flush, verify}, output.Report{})

	lines := strings.Split(stdout, "\n")
	require.JSONEq(t, `{"event": "progress", "kind": "index_building", "collection": "docs", "state": "waiting", "waiting_for": "flush",
		"progress": {"total_rows": 100, "indexed_rows": 100, "pending_index_rows": 0, "state": "InProgress"},
		"fraction": 0.99, "polls": 1, "elapsed_seconds": 0}`, lines[0])
	require.JSONEq(t, `{"event": "poll_failed", "kind": "loading", "collection": "docs", "state": "waiting", "waiting_for": "verify",
		"progress": {"loading_progress": "100%"}, "fraction": 0.99, "polls": 1, "elapsed_seconds": 0, "error": "some error"}`, lines[1])
}

func TestVerboseEventsAreAllPolls(t *testing.T) {
	stdout, _ := run(output.Config{Format: output.JSONL, Verbose: true}, []milvuswait.Update{loading("docs", 40), loading("docs", 40)}, output.Report{})

	require.Equal(t, 2, strings.Count(stdout, `"event":"progress"`))
}

func TestJSONHasNothingThatATerminalObeys(t *testing.T) {
	var b strings.Builder

	output.WriteJSON(&b, map[string]string{"k": "a\x1b\x7f\u009b\u202e\u2028\U000e0001z"})

	require.Equal(t, `{"k":"a\u001b\u007f\u009b\u202e\u2028\udb40\udc01z"}`+"\n", b.String())
	var back map[string]string
	require.NoError(t, json.Unmarshal([]byte(b.String()), &back))
	require.Equal(t, "a\x1b\x7f\u009b\u202e\u2028\U000e0001z", back["k"])
}

// TestDocumentationNamesEveryField reads the fields from outputs with every field set.
func TestDocumentationNamesEveryField(t *testing.T) {
	manual, err := os.ReadFile("../../../../docs/output.md")
	require.NoError(t, err)
	index := later(indexing("docs", "vidx", 40, 100), time.Second, time.Minute)
	index.Target, index.Err = index.Target.ExpectRows(100), errSome
	index.WaitingFor, index.Unconfirmed = milvuswait.WaitingForFlush, true
	failedImport := milvuswait.ImportProgress{Phase: "Sorting", FailReason: "no disk"}
	others := []milvuswait.Update{
		final(milvuswait.Update{Target: milvuswait.Importing(4711), Progress: failedImport}, errSome),
		final(milvuswait.Update{Target: milvuswait.Compacting(815), Progress: milvuswait.CompactionProgress{}}, errSome),
		final(serving, errSome),
	}
	parts := final(milvuswait.Update{Target: milvuswait.Loading("docs", "a"), Progress: milvuswait.LoadingProgress{}}, errSome)
	report := reportOf(1, errSome, append(others, index, parts)...)
	report.Advice[0] = "a hint"
	fields := map[string]bool{}
	for _, format := range []output.Format{output.JSON, output.JSONL} {
		c := output.Config{Format: format, Quiet: true, Address: "http://m:1"}
		stdout, _ := run(c, append(others, index, parts), report)
		for line := range strings.Lines(stdout) {
			var v any
			require.NoError(t, json.Unmarshal([]byte(line), &v))
			collect(v, fields)
		}
	}
	require.Greater(t, len(fields), 30)
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		require.Contains(t, string(manual), "`"+field+"`")
	}
}

// collect adds the names of all fields in v to names.
func collect(v any, names map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			names[name] = true
			collect(value, names)
		}
	case []any:
		for _, value := range v {
			collect(value, names)
		}
	}
}
