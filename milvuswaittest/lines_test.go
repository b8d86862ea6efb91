package milvuswaittest_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/milvuswaittest"
)

const childVariable = "MILVUSWAITTEST_CHILD"

// TestChild fails. TestLines reads the output of go test for it.
func TestChild(t *testing.T) {
	if os.Getenv(childVariable) == "" {
		t.Skip("runs as a child of TestLines")
	}
	p := new(fake.Poller).Set(docs, fake.Percents(0, 40, 100)).
		Set(vidx, fake.BuildOver(100, 10*time.Second).FailAt(50, "no such file"))
	fast := every(time.Millisecond)
	t.Run("outside", func(t *testing.T) {
		milvuswaittest.RequireLoaded(t, p, "docs", fast)                                               // line: loaded
		milvuswaittest.RequireAll(milvuswaittest.Within(t, time.Minute), p, []milvuswait.Target{docs}) // line: all
		ownHelper(t, p)                                                                                // line: own helper
		_, _ = milvuswait.WaitForLoadingComplete(t.Context(), p, "docs", milvuswait.WithObserver(milvuswaittest.Log(t)))
	})
	t.Run("in a bubble", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			milvuswaittest.RequireIndexed(t, p, "docs", 100, every(5*time.Second)) // line: indexed
		})
	})
}

func ownHelper(t *testing.T, p milvuswait.Poller) {
	t.Helper()
	milvuswaittest.RequireLoaded(t, p, "docs")
}

func TestLines(t *testing.T) {
	source, err := os.ReadFile("lines_test.go")
	require.NoError(t, err)
	line := func(mark string) string {
		before, _, found := strings.Cut(string(source), "// line: "+mark+"\n")
		require.True(t, found)
		return fmt.Sprintf("lines_test.go:%d: ", strings.Count(before, "\n")+1)
	}
	child := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.v")
	child.Env = append(os.Environ(), childVariable+"=1")

	out, err := child.CombinedOutput()

	require.Error(t, err, "it fails by the index")
	times := regexp.MustCompile(` after [0-9.]+[mµ]?s|, about \S+ left`)
	require.Equal(t, strings.Join([]string{
		"=== RUN   TestChild",
		"=== RUN   TestChild/outside",
		`    ` + line("loaded") + `loading "docs": 0%`,
		`    ` + line("loaded") + `loading "docs": 40%`,
		`    ` + line("loaded") + `loading "docs": complete: 100%`,
		`    ` + line("all") + `loading "docs": complete: 100%`,
		`    ` + line("own helper") + `loading "docs": complete: 100%`,
		`    loading "docs": complete: 100%`,
		"=== RUN   TestChild/in_a_bubble",
		`    ` + line("indexed") + `index of "docs": 0/100 rows, InProgress`,
		`    ` + line("indexed") + `milvuswait: index of "docs": index build failed: no such file (2 polls in 5s, last 50/100 rows, Failed)`,
		`        	progress: 0/100 rows, InProgress; 50/100 rows, Failed`,
		`        	the server's reason: no such file`,
	}, "\n"), trimmed(times.ReplaceAllString(string(out), "")))
}

// trimmed returns the lines of the child before its summary, without white space at their
// ends.
func trimmed(out string) string {
	out, _, _ = strings.Cut(out, "--- FAIL")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " ")
	}
	return strings.Join(lines, "\n")
}
