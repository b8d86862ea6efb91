package integration_test

import (
	"cmp"
	_ "embed"
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milvuswait/milvuswait/integration/realserver"
)

// summary collects the results for the file of MILVUSWAIT_INTEGRATION_SUMMARY.
var summary table

type table struct {
	mu   sync.Mutex
	rows []*row
}

// row is the result of one case on one server.
type row struct {
	server  realserver.Release
	name    string
	verdict string
	late    *time.Duration // time from the watcher's completion to the wait's; nil without one
	waited  time.Duration
	polls   int
	note    string
	limit   time.Duration // maximum of late
}

// report adds a row with the verdict of the test.
func (s *site) report(t *testing.T, name string) *row {
	r := &row{server: s.server.Release(), name: name, verdict: "ok", limit: tooLate}
	summary.mu.Lock()
	summary.rows = append(summary.rows, r)
	summary.mu.Unlock()
	t.Cleanup(func() {
		if t.Failed() {
			r.verdict = "FAILED"
		}
	})
	return r
}

// whole returns an error unless the run covers all tests on all servers: the page needs them.
func whole(getenv func(string) string, lookup func(string) *flag.Flag) error {
	for _, name := range []string{realserver.URIVariable, serversVariable} {
		if getenv(name) != "" {
			return fmt.Errorf("%s is for all servers: unset %s", summaryVariable, name)
		}
	}
	if getenv(modeVariable) != "require" {
		return fmt.Errorf("%s is for all servers: set %s=require", summaryVariable, modeVariable)
	}
	for _, name := range []string{"test.run", "test.skip", "test.failfast", "test.list"} {
		if f := lookup(name); f != nil && f.Value.String() != f.DefValue {
			return fmt.Errorf("%s is for all tests: do without -%s", summaryVariable, name)
		}
	}
	return nil
}

// notRun is the end of the page: servers and systems without tests.
//
//go:embed testdata/versions_notrun.md
var notRun string

// answers is the prefix of cases in a separate table.
const answers = "answer: "

// write writes the page, if summaryVariable names a file.
func (tb *table) write(file string) error {
	if file == "" {
		return nil
	}
	tb.mu.Lock()
	defer tb.mu.Unlock()
	var servers []string
	var cases []string
	cells := make(map[[2]string]string)
	for _, r := range tb.rows {
		server := r.server.String()
		if !slices.Contains(servers, server) {
			servers = append(servers, server)
		}
		if !slices.Contains(cases, r.name) {
			cases = append(cases, r.name)
		}
		cells[[2]string{r.name, server}] = r.cell()
	}
	slices.Sort(servers)

	olderReleases := []realserver.Release{realserver.Milvus229, realserver.Milvus230, realserver.Milvus233, realserver.Lite311}
	var older []string
	for _, release := range olderReleases {
		older = append(older, release.String())
	}

	var b strings.Builder
	fmt.Fprintf(&b, `# Tested versions of Milvus

This page lists the tests on real servers with their results, and the differences of the versions that are not tested.

| servers | tests |
|---|---|
| %s | every case below, before each merge |
| %s | failures, flushes and compactions, every night |
| Milvus 2.4 to 3.0, Zilliz Cloud | none; the [differences](#not-run-milvus-24-to-30) are from the source code |

Written on %s by the tests in integration/, on a machine with %d cores and other work on it. The tests start the
servers themselves, and fail if a result differs. A watcher requests the progress every 5 ms. "0.74 s late of 41.19 s"
means: the wait returned 0.74 s after the watcher saw the completion, and took 41.19 s. If a wait is a few hundredths
early, the watcher got its response later than the wait. A dash means: not tested on this server.

`, strings.Join(servers, ", "), strings.Join(older, ", "), time.Now().Format(time.DateOnly), runtime.NumCPU())
	rows := func(title string, answered bool) {
		fmt.Fprintf(&b, "| %s | %s |\n|---|%s\n", title, strings.Join(servers, " | "), strings.Repeat("---|", len(servers)))
		for _, name := range cases {
			short, isAnswer := strings.CutPrefix(name, answers)
			if isAnswer != answered {
				continue
			}
			fmt.Fprintf(&b, "| %s |", short)
			for _, server := range servers {
				fmt.Fprintf(&b, " %s |", cmp.Or(cells[[2]string{name, server}], "–"))
			}
			b.WriteString("\n")
		}
	}
	rows("case", false)
	b.WriteString("\n## Responses\n\nThe part of a response by which package rpc classifies it: code, error_code and a part of the reason.\n\n")
	rows("request", true)
	b.WriteString("\nThe older releases respond like one of these: 2.2.9 and 2.3.0 like 2.2.16, 2.3.3 like 2.3.5, and milvus-lite 3.1.1\n" +
		"like 3.2.2. The differences:\n\n| server | request | response |\n|---|---|---|\n")
	for _, release := range olderReleases {
		for _, question := range slices.Sorted(maps.Keys(olderAnswers[release])) {
			fmt.Fprintf(&b, "| %v | %s | %s |\n", release, question, olderAnswers[release][question])
		}
	}
	b.WriteString(notRun)
	return os.WriteFile(file, []byte(b.String()), 0o644)
}

// cell returns the result as a cell of the table.
func (r *row) cell() string {
	var parts []string
	if r.verdict != "ok" {
		parts = append(parts, "**"+r.verdict+"**")
	}
	if r.late != nil {
		late, word := r.late.Round(10*time.Millisecond), "late"
		if late < 0 {
			late, word = -late, "early"
		}
		parts = append(parts, fmt.Sprintf("%.2f s %s", late.Seconds(), word))
	}
	switch {
	case r.waited > 0 && r.late != nil:
		parts = append(parts, fmt.Sprintf("of %.2f s", r.waited.Seconds()))
	case r.waited > 0:
		parts = append(parts, fmt.Sprintf("%.2f s", r.waited.Seconds()))
	}
	text := strings.Join(parts, " ")
	if r.polls > 1 {
		text += fmt.Sprintf(", %d polls", r.polls)
	}
	if r.note != "" {
		text += ", " + strings.NewReplacer("|", "/", "<", "", ">", "").Replace(r.note)
	}
	return cmp.Or(strings.TrimPrefix(text, ", "), "as expected")
}
