package integration_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/milvuswait/milvuswait/integration/realserver"
)

// summary is what was tested, for the file of MILVUSWAIT_INTEGRATION_SUMMARY.
var summary table

type table struct {
	mu   sync.Mutex
	rows []*row
}

// row is one case on one server.
type row struct {
	server  realserver.Release
	name    string
	verdict string
	late    *time.Duration // after the watcher saw completion; nil where there was none
	waited  time.Duration
	polls   int
	note    string
	limit   time.Duration // for late
}

// report adds a row, whose verdict is that of the test.
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

func (tb *table) write(file string) error {
	if file == "" {
		return nil
	}
	tb.mu.Lock()
	defer tb.mu.Unlock()
	slices.SortStableFunc(tb.rows, func(a, b *row) int {
		return cmp.Compare(a.server.String(), b.server.String())
	})
	var b strings.Builder
	b.WriteString("| server | case | verdict | late | wait | polls | seen |\n|---|---|---|--:|--:|--:|---|\n")
	for _, r := range tb.rows {
		late, waited, polls := "", "", ""
		if r.late != nil {
			late = fmt.Sprintf("%.3f s", r.late.Seconds())
		}
		if r.waited > 0 {
			waited = fmt.Sprintf("%.2f s", r.waited.Seconds())
		}
		if r.polls > 0 {
			polls = fmt.Sprint(r.polls)
		}
		fmt.Fprintf(&b, "| %v | %s | %s | %s | %s | %s | %s |\n", r.server, r.name, r.verdict, late, waited, polls, r.note)
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}
