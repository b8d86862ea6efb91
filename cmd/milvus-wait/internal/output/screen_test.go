package output_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/cmd/milvus-wait/internal/output"
)

// draw returns the lines of a screen after updates.
func draw(c output.Config, width, height int, updates ...milvuswait.Update) []string {
	var targets []milvuswait.Target
	for _, u := range updates {
		targets = append(targets, u.Target)
	}
	s := output.NewScreen(c, targets)
	for _, u := range updates {
		s.Observe(u)
	}
	return s.Lines(width, height)
}

// later returns u with an elapsed and a remaining time.
func later(u milvuswait.Update, elapsed, eta time.Duration) milvuswait.Update {
	u.Elapsed, u.ETA = elapsed, eta
	return u
}

// named returns u for a target of the given index, with progress of the index name.
func named(u milvuswait.Update, index, name string) milvuswait.Update {
	p := u.Progress.(milvuswait.IndexBuildingProgress)
	p.IndexName = name
	u.Target, u.Progress = milvuswait.IndexBuilding("docs", index), p
	return u
}

func TestLine(t *testing.T) {
	index := later(indexing("docs", "vidx", 40_000, 100_000), time.Second, 12*time.Second)
	unsure := final(indexing("docs", "vidx", 9, 9), nil)
	unsure.Unconfirmed = true
	flush, verify := indexing("docs", "vidx", 100, 100), loading("docs", 100)
	flush.Fraction, flush.WaitingFor = 0.99, milvuswait.WaitingForFlush
	verify.Fraction, verify.WaitingFor, verify.Err = 0.99, milvuswait.WaitingForVerify, errSome
	job := milvuswait.Update{Target: milvuswait.Importing(4711), Fraction: 0.4, Progress: milvuswait.ImportProgress{
		State: milvuswait.ImportStateStarted, Percent: 40,
	}}
	tests := []struct {
		name  string
		width int
		u     milvuswait.Update
		want  string
	}{
		{"100 columns", 100, index, "docs/vidx  [========>              ]   40%  indexing  12s left  40k/100k rows"},
		{"80 columns", 80, index, "docs/vidx  [======>           ]   40%  indexing  12s left  40k/100k rows"},
		{"the index that is behind", 100, named(index, "*", "vidx"), `docs/*  [========>              ]   40%  indexing  12s left  40k/100k rows  index "vidx"`},
		{"no room for the index", 80, named(index, "*", "vidx"), "docs/*  [======>           ]   40%  indexing  12s left  40k/100k rows"},
		{"an index with wide characters", 100, named(index, "", "\u7d22\u5f15"), "docs  [========>              ]   40%  indexing  12s left  40k/100k rows  index \"\u7d22\u5f15\""},
		{"60 columns", 60, index, "docs/vidx  [====>        ]   40%  indexing  12s left"},
		{"40 columns", 40, index, "docs/vidx  [==>     ]   40%  indexing"},
		{"30 columns", 30, index, "docs/vidx   40%  indexing"},
		{"20 columns", 20, index, "docs/v..   40%"},
		{"10 columns", 10, index, "docs/vidx"},
		{"7 columns", 7, index, "docs/.."},
		{"3 columns", 3, index, "d.."},
		{"no column", 0, index, ""},
		{"not polled yet", 60, milvuswait.Update{Target: milvuswait.Loading("docs")}, "docs  [             ]    0%  waiting"},
		{"load", 60, loading("docs", 29), "docs  [==>          ]   29%  loading"},
		{"a little less than done", 60, indexing("docs", "", 9_999, 10_000), "docs  [===========> ]   99%  indexing  9999/10k rows"},
		{"done", 60, final(loading("docs", 100), nil), "docs  [=============]  100%  loaded"},
		{"done on 20 columns", 20, final(indexing("docs", "vidx", 9, 9), nil), "docs/v..  indexed"},
		{"done, unconfirmed", 60, unsure, "docs/vidx  [=============]  100%  unconfirmed  9/9 rows"},
		{"waiting for a flush", 80, flush, "docs/vidx  [================> ]   99%  indexing  waiting for flush  100/100 rows"},
		{"waiting for verify", 80, verify, "docs  [================> ]   99%  retrying  waiting for verify"},
		{"import", 60, job, "4711  [====>        ]   40%  importing"},
		{"failed", 60, final(loading("docs", 40), errSome), "docs  [====>        ]   40%  failed"},
		{"timed out", 60, final(loading("docs", 40), errTimedOut), "docs  [====>        ]   40%  timed out"},
		{"interrupted", 40, final(loading("docs", 40), errInterrupted), "docs  [==>     ]   40%  interrupted"},
		{"partitions", 60, milvuswait.Update{Target: milvuswait.Loading("docs", "a", "b"), Progress: milvuswait.LoadingProgress{}}, "docs:a,b  [             ]    0%  loading"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, []string{tt.want}, draw(output.Config{}, tt.width, 24, tt.u))
		})
	}
}

// TestLines_BeforeFirstUpdate_ShowEveryTarget draws a frame while the first polls are in
// flight.
func TestLines_BeforeFirstUpdate_ShowEveryTarget(t *testing.T) {
	targets := []milvuswait.Target{
		milvuswait.Loading("docs"), milvuswait.IndexBuilding("docs", milvuswait.AllIndexes), milvuswait.Importing(7), milvuswait.Compacting(8), milvuswait.Serving(),
	}

	lines := output.NewScreen(output.Config{Address: "http://m:1"}, targets).Lines(80, 24)

	require.Len(t, lines, len(targets)+1)
	for _, line := range lines[:len(targets)] {
		require.Contains(t, line, "0%  waiting")
	}
}

func TestNamesTakeTheirColumns(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"wide", "集合文档", "集合文档  ["},
		{"wide and clipped", strings.Repeat("集", 40), strings.Repeat("集", 17) + "..   ["},
		{"emoji", "docs🙂", "docs🙂  ["},
		{"combining", "größe", "größe  ["},
		{"control characters", "do\x1b[31mcs", "do[31mcs  ["},
		{"bidirectional override", "do\u202ecs", "docs  ["},
		{"invalid UTF-8", "do\xffcs", "do\ufffdcs  ["},
		{"a state", "loaded", "loaded  ["},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lines := draw(output.Config{}, 66, 24, loading(tt.in, 40))

			require.True(t, strings.HasPrefix(lines[0], tt.want), "%q", lines[0])
			requireClean(t, lines[0])
		})
	}
}

// TestNothingIsWiderOrHigherThanTheScreen: a terminal would wrap or scroll other lines,
// and the next frame would stand below them.
func TestNothingIsWiderOrHigherThanTheScreen(t *testing.T) {
	updates := []milvuswait.Update{
		loading("docs", 40),
		loading(strings.Repeat("集", 99), 40),
		loading("é🙂\u0301"+hostile, 0),
		later(indexing("images", strings.Repeat("x", 255), 1<<62, -1<<62), time.Minute, 100*time.Hour),
		final(indexing("users", "vidx", 5, 9), errInterrupted),
		{Target: milvuswait.Loading("archive")},
	}
	escape := regexp.MustCompile("\x1b\\[[0-9]*m")
	for _, color := range []bool{false, true} {
		c := output.Config{Terminal: output.Terminal{Color: color}}
		for width := range 130 {
			for height := 1; height < 10; height++ {
				lines := draw(c, width, height, updates...)

				require.LessOrEqual(t, len(lines), max(1, height-2), "height %d", height)
				for _, line := range lines {
					line = escape.ReplaceAllString(line, "")
					require.LessOrEqual(t, runewidth.StringWidth(line), width, "%q", line)
					requireClean(t, line)
				}
			}
		}
	}
}

func TestColorsAreOfTheState(t *testing.T) {
	c := output.Config{Terminal: output.Terminal{Color: true}}

	lines := draw(c, 60, 24,
		final(loading("loaded", 100), nil), final(loading("failed", 0), errSome),
		milvuswait.Update{Target: milvuswait.Loading("retrying"), Err: errSome}, loading("loading", 40))

	require.Equal(t, "loaded    [=============]  100%  \x1b[32mloaded\x1b[0m", lines[0])
	require.Equal(t, "failed    [             ]    0%  \x1b[31mfailed\x1b[0m", lines[1])
	require.Equal(t, "retrying  [             ]    0%  \x1b[33mretrying\x1b[0m", lines[2])
	require.Equal(t, "loading   [====>        ]   40%  loading", lines[3])
}

func TestRate(t *testing.T) {
	tests := []struct {
		name        string
		first, last milvuswait.Update
		want        string
	}{
		{"rows", indexing("docs", "", 0, 1e6), indexing("docs", "", 250_000, 1e6), "indexing  25k rows/s  250k/1M rows"},
		{"few rows", indexing("docs", "", 0, 90), indexing("docs", "", 45, 90), "indexing  4.5 rows/s  45/90 rows"},
		{"rows that fall", indexing("docs", "", 50, 90), indexing("docs", "", 45, 90), "indexing  45/90 rows"},
		{"percent", loading("docs", 0), loading("docs", 40), "loading   4.0%/s"},
		{"nothing", loading("docs", 40), loading("docs", 40), "loading"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.last.Elapsed = 10 * time.Second

			lines := draw(output.Config{}, 100, 24, tt.first, tt.last)

			require.Regexp(t, regexp.QuoteMeta(tt.want)+"$", lines[0])
		})
	}
}

func TestSummary(t *testing.T) {
	var updates []milvuswait.Update
	for i := range 1000 {
		updates = append(updates, loading(fmt.Sprintf("c%03d", i), 0))
	}
	updates[0] = final(loading("c000", 100), nil)
	updates[999] = final(loading("c999", 40), errSome)

	lines := draw(output.Config{}, 100, 6, updates...)

	require.Len(t, lines, 4)
	require.Contains(t, lines[0], "c001 ")
	require.Contains(t, lines[1], "c002 ")
	require.Contains(t, lines[2], "c999 ", "what failed has a line")
	require.Equal(t, `997 more; in all 1 of 1000 done, 1 failed, 0%, slowest loading "c001" at 0%`, lines[3])
}

func TestLines_NoUpdateUntilTheEnd_HasALine(t *testing.T) {
	var updates []milvuswait.Update
	for i := range 200 {
		updates = append(updates, final(loading(fmt.Sprintf("c%03d", i), 100), nil))
	}
	updates = append(updates, final(loading("big", 40), errTimedOut))
	updates[150] = final(loading("other", 0), milvuswait.ErrAborted)
	updates[170] = final(loading("gone", 0), errSome)

	tests := []struct {
		name   string
		height int
		want   []string
	}{
		{"room for all that is missing", 7, []string{"c000 ", "other ", "gone ", "big ", "197 more; in all 198 of 201 done, 1 failed, 1 timed out, 1 aborted"}},
		{"room for what failed", 4, []string{"gone ", "200 more; in all 198 of 201 done, 1 failed, 1 timed out, 1 aborted"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lines := draw(output.Config{}, 100, tt.height, updates...)

			require.Len(t, lines, len(tt.want))
			for i, want := range tt.want {
				require.True(t, strings.HasPrefix(lines[i], want), "%q", lines[i])
			}
		})
	}
}

func TestLines_TargetNamedTwice_HasOneLine(t *testing.T) {
	require.Len(t, draw(output.Config{}, 80, 24, loading("docs", 0), loading("docs", 40)), 1)
}

func TestReadyHasTheAddress(t *testing.T) {
	lines := draw(output.Config{Address: "http://milvus:19530"}, 80, 24, milvuswait.Update{Target: milvuswait.Serving(), Polls: 1, Err: errSome})

	require.Equal(t, []string{"http://milvus:19530  [                  ]    0%  retrying"}, lines)
}
