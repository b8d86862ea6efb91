package output_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/output"
	"github.com/milvuswait/milvuswait/fake"
)

var (
	errTimedOut    = &milvuswait.Error{Target: milvuswait.Loading("docs"), Cause: context.DeadlineExceeded, Polls: 3}
	errInterrupted = &milvuswait.Error{Target: milvuswait.Loading("docs"), Cause: context.Canceled, Polls: 3}
)

// TestLinesOfALoad makes a real wait, because the library selects the lines.
func TestLinesOfALoad(t *testing.T) {
	tests := []struct {
		name   string
		script fake.Script
		want   func(*testing.T, []string)
	}{
		{"a line for every tenth", fake.LoadOver(5 * time.Minute), func(t *testing.T, lines []string) {
			require.Len(t, lines, 11)
			for i, line := range lines[1:10] {
				require.Regexp(t, fmt.Sprintf(`^docs: loading %d\d%%, .* left$`, i+1), line)
			}
			require.Regexp(t, `^docs: loaded \(5m\ds, \d+ polls\)$`, lines[10])
		}},
		{"a line every 30 s without progress", fake.LoadOver(time.Second).StallAt(40, 5*time.Minute), func(t *testing.T, lines []string) {
			still := 0
			for _, line := range lines {
				if strings.HasPrefix(line, "docs: loading 40%") {
					still++
				}
			}
			require.InDelta(t, 10, still, 1)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				docs := milvuswait.Loading("docs")
				var poller fake.Poller
				poller.Set(docs, tt.script)
				var written strings.Builder
				r := output.New(output.Config{Stdout: &written, Stderr: &written, Format: output.Text}, []milvuswait.Target{docs})

				_, err := milvuswait.WaitForLoadingComplete(t.Context(), &poller, "docs", milvuswait.WithObserver(r.Observer()))
				require.NoError(t, err)

				tt.want(t, strings.Split(strings.TrimSuffix(written.String(), "\n"), "\n"))
			})
		})
	}
}

func TestText(t *testing.T) {
	retrying := loading("docs", 40)
	retrying.Polls, retrying.Err = 7, failed("not now")
	index := final(indexing("docs", "vidx", 9, 9), nil)
	index.Polls, index.Elapsed = 2, 61*time.Second
	verbose := loading("docs", 40)
	verbose.Elapsed, verbose.Next, verbose.ETA = 1234*time.Millisecond, 250*time.Millisecond, 9*time.Second
	unsure := index
	unsure.Unconfirmed = true
	flush, verify := indexing("docs", "vidx", 100, 100), loading("docs", 100)
	flush.Fraction, flush.WaitingFor = 0.99, milvuswait.WaitingForFlush
	verify.Fraction, verify.WaitingFor, verify.Err = 0.99, milvuswait.WaitingForVerify, errors.New("no row")
	job := milvuswait.Update{Target: milvuswait.Importing(4711), Polls: 3, Fraction: 0.4, Progress: milvuswait.ImportProgress{
		State: milvuswait.ImportStateStarted, Percent: 40, Rows: 7,
	}}
	compacted := milvuswait.Update{Target: milvuswait.Compacting(815), Polls: 1, Progress: milvuswait.CompactionProgress{
		State: milvuswait.CompactionStateCompleted,
	}}
	tests := []struct {
		name           string
		config         output.Config
		update         milvuswait.Update
		stdout, stderr string
	}{
		{"under way", output.Config{}, indexing("docs", "vidx", 40, 100), "", "docs/vidx: indexing 40% (40/100 rows, InProgress)\n"},
		{"a poll that failed", output.Config{}, retrying, "", "docs: loading 40%: poll 7 failed, going on: not now (code 65535)\n"},
		{"every poll", output.Config{Verbose: true}, verbose, "", "docs: loading 40%, 9s left, poll 1 at 1.23s, next in 250ms\n"},
		{"quiet", output.Config{Quiet: true}, retrying, "", ""},
		{"loaded", output.Config{}, final(loading("docs", 100), nil), "docs: loaded (0s, 1 poll)\n", ""},
		{"loaded, quietly", output.Config{Quiet: true}, final(loading("docs", 100), nil), "docs: loaded (0s, 1 poll)\n", ""},
		{"indexed", output.Config{}, index, "docs/vidx: indexed (9 rows, 1m1s, 2 polls)\n", ""},
		{"indexed nothing", output.Config{}, final(indexing("docs", "", 0, 0), nil), "docs: indexed (0 rows, 0s, 1 poll); was it flushed?\n", ""},
		{"indexed, unconfirmed", output.Config{}, unsure, "docs/vidx: indexed, unconfirmed (9 rows, 1m1s, 2 polls)\n", ""},
		{"waiting for a flush", output.Config{}, flush, "", "docs/vidx: indexing 99% (100/100 rows, InProgress), waiting for flush\n"},
		{"waiting for verify", output.Config{}, verify, "", "docs: loading 99%, waiting for verify: going on: no row\n"},
		{"import", output.Config{}, job, "", "4711: importing 40% (ImportStarted, 7 rows)\n"},
		{"imported", output.Config{}, final(job, nil), "4711: imported (7 rows, 0s, 3 polls)\n", ""},
		{"compacted nothing", output.Config{}, final(compacted, nil), "815: compacted (0 plans, 0s, 1 poll); nothing to do, or is the id wrong?\n", ""},
		{"ready", output.Config{Address: "http://m:1"}, final(serving, nil), "http://m:1: ready (0s, 1 poll)\n", ""},
		{"forged command of a runner", output.Config{}, loading("::error::x##[y]", 0), "", "'::error::x## [y]: loading 0%\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.config.Format = output.Text
			stdout, stderr := run(tt.config, []milvuswait.Update{tt.update}, output.Report{})

			require.Equal(t, tt.stdout, stdout)
			require.Equal(t, tt.stderr, stderr)
		})
	}
}

func TestFailures(t *testing.T) {
	docs, images := final(loading("docs", 40), errTimedOut), final(loading("images", 0), milvuswait.ErrAborted)
	report := reportOf(124, errSome, docs, images)
	report.Advice[0] = "look at it"

	_, stderr := run(output.Config{Format: output.Text}, nil, report)

	require.Equal(t, `milvus-wait: loading "docs": timed out (3 polls in 0s)
milvus-wait: hint: look at it
milvus-wait: 1 more not waited for to the end; --continue-on-error does
`, stderr)
}

// TestFailures_Ready_NameTheAddress has the word "server" in other places of the text too.
func TestFailures_Ready_NameTheAddress(t *testing.T) {
	err := &milvuswait.Error{Target: milvuswait.Serving(), Cause: context.DeadlineExceeded, Polls: 3, LastErr: failed("no server")}

	_, stderr := run(output.Config{Format: output.Text, Address: "http://m:1"}, nil, reportOf(124, err, final(serving, err)))
	require.Equal(t, "milvus-wait: http://m:1: timed out (3 polls in 0s, last error: no server (code 65535))\n", stderr)

	u := serving
	u.Err = failed("no server: down")
	stdout, _ := run(output.Config{Format: output.JSONL, Quiet: true, Address: "http://m:1"}, []milvuswait.Update{u}, output.Report{})
	require.Contains(t, stdout, `"error":"no server: down (code 65535)"`)
}

func TestWarning_UnconfirmedTargets_AreNamedOnce(t *testing.T) {
	const warning = "rows that are still being flushed are not counted on this server; pass --rows"
	unsure := func(n int) (finals []milvuswait.Update) {
		for i := range n {
			u := final(indexing("docs", fmt.Sprintf("i%d", i), 9, 9), nil)
			u.Unconfirmed = true
			finals = append(finals, u)
		}
		return finals
	}
	broken := final(indexing("docs", "broken", 9, 9), errTimedOut)
	broken.Unconfirmed = true
	tests := []struct {
		name   string
		finals []milvuswait.Update
		want   string // names in the warning; "" for no warning
	}{
		{"none", []milvuswait.Update{final(indexing("docs", "vidx", 9, 9), nil)}, ""},
		{"one that failed", []milvuswait.Update{broken}, ""},
		{"one of several", append(unsure(1), final(loading("docs", 100), nil), broken), "docs/i0"},
		{"five", unsure(5), "docs/i0, docs/i1, docs/i2, docs/i3, docs/i4"},
		{"seven", unsure(7), "docs/i0, docs/i1, docs/i2, docs/i3, docs/i4 and 2 more"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := output.Config{Format: output.Text, Quiet: true, GitHub: output.GitHub{Annotations: true}}
			_, stderr := run(c, nil, reportOf(0, nil, tt.finals...))

			want := ""
			if tt.want != "" {
				want = "milvus-wait: warning: " + tt.want + ": " + warning + "\n" +
					"::warning title=milvus-wait::" + tt.want + ": " + warning + "\n"
			}
			require.Equal(t, want, stderr)
		})
	}
}

// TestInterruptedTargetsAreNotAllNamed: a line for each interrupted target would scroll the bars
// away. Failed and timed out targets have a line each.
func TestInterruptedTargetsAreNotAllNamed(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want int
		last string
	}{
		{"interrupted", errInterrupted, 12, "milvus-wait: and 190 more interrupted\n"},
		{"timed out", errTimedOut, 201, "milvus-wait: no memory (code 65535)\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var finals []milvuswait.Update
			for i := range 200 {
				finals = append(finals, final(loading(fmt.Sprintf("c%03d", i), 40), tt.err))
			}
			finals = append(finals, final(loading("broken", 40), failed("no memory")))

			_, stderr := run(output.Config{Format: output.Text}, nil, reportOf(1, errSome, finals...))

			require.Equal(t, tt.want, strings.Count(stderr, "\n"))
			require.Contains(t, stderr, "milvus-wait: no memory (code 65535)\n")
			require.True(t, strings.HasSuffix(stderr, tt.last), stderr)
		})
	}
}

// TestReasonsOfLongNames has names and a reason that are each longer than a line.
func TestReasonsOfLongNames(t *testing.T) {
	var partitions []string
	for i := range 300 {
		partitions = append(partitions, fmt.Sprintf("partition_%03d", i))
	}
	u := milvuswait.Update{Target: milvuswait.Loading("wide", partitions...), Progress: milvuswait.LoadingProgress{Percent: 40}, Fraction: 0.4}
	u.Final, u.Err = true, &milvuswait.Error{
		Target: u.Target, Cause: milvuswait.ErrPartitionNotFound, Polls: 7, Last: u.Progress, LastErr: failed(strings.Repeat("x", 2048)),
	}
	name, ending := "partition_010", "last 40%, last error: xxx"
	for _, format := range []output.Format{output.Text, output.JSON, output.JSONL} {
		t.Run(string(format), func(t *testing.T) {
			c := output.Config{Format: format, GitHub: output.GitHub{Annotations: true}}
			stdout, stderr := run(c, []milvuswait.Update{u}, reportOf(1, u.Err, u))

			for line := range strings.Lines(stdout + stderr) {
				require.Contains(t, line, name)
				require.Contains(t, line, "partition not found (7 polls in 0s, "+strings.ReplaceAll(ending, "%", percentOf(line)))
				require.Less(t, len(line), 16<<10)
			}
		})
	}
	t.Run("under way", func(t *testing.T) {
		u.Final = false
		_, stderr := run(output.Config{Format: output.Text}, []milvuswait.Update{u}, output.Report{})

		require.Contains(t, stderr, "(cut): loading 40%: poll 0 failed, going on: ")
	})
	t.Run("summary", func(t *testing.T) {
		u.Final = true
		require.Contains(t, summary(t, reportOf(1, u.Err, u)), "partition not found (7 polls in 0s, "+ending)
	})
}

// percentOf returns a percent sign as escaped in the line.
func percentOf(line string) string {
	if strings.HasPrefix(line, "::error ") {
		return "%25"
	}
	return "%"
}

func TestNothingHostileGetsThrough(t *testing.T) {
	u := loading("docs"+hostile, 40)
	u.Err = failed(hostile)
	end := final(u, failed(hostile))
	report := reportOf(1, failed(hostile), end)
	report.Advice[0] = hostile
	for _, format := range []output.Format{output.Text, output.JSON, output.JSONL} {
		for _, verbose := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, verbose %v", format, verbose), func(t *testing.T) {
				stdout, stderr := run(output.Config{Format: format, Verbose: verbose}, []milvuswait.Update{u, end}, report)

				requireClean(t, stdout)
				requireClean(t, stderr)
				for line := range strings.Lines(stdout + stderr) {
					require.False(t, strings.HasPrefix(strings.TrimSpace(line), "::"), line)
				}
				require.NotContains(t, stderr, "##[")
				require.NotContains(t, stderr, "##vso[")
			})
		}
	}
}
