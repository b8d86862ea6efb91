package repocheck_test

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// namesAKind matches code that names a kind of wait, or asks for the type of a progress.
var namesAKind = regexp.MustCompile(
	`\bKind(Loading|IndexBuilding|Flushing|Importing|Compacting|Serving)\b|` +
		`(case |\.\()(milvuswait\.)?(Loading|IndexBuilding|Flush|Import|Compaction|Serving)Progress\b`)

// TestKinds_OnlyTables_NameThem lists the files of the product that name a kind of wait or
// ask for the type of a progress. A branch anywhere else takes a new kind for an old one:
// give the kind's row of the table another field instead.
func TestKinds_OnlyTables_NameThem(t *testing.T) {
	allowed := []string{
		// The tables, and the files of one kind.
		"kind.go", "loading.go", "indexbuilding.go", "segments.go", "flush.go", "importing.go", "compacting.go", "serving.go",
		"fake/kinds.go", "fake/loading.go", "fake/indexbuilding.go", "fake/flushing.go", "fake/fakeserver/world.go",
		"milvuswaittest/pollertest/kinds.go", "milvuswaittest/pollertest/loading.go", "milvuswaittest/pollertest/indexbuilding.go",
		"milvuswaittest/pollertest/importing.go", "milvuswaittest/pollertest/compacting.go",
		"cmd/milvus-wait/internal/kind/kind.go", "cmd/milvus-wait/internal/kind/loading.go", "cmd/milvus-wait/internal/kind/indexbuilding.go",
		"cmd/milvus-wait/internal/kind/flushing.go", "cmd/milvus-wait/internal/kind/importing.go",
		"cmd/milvus-wait/internal/kind/compacting.go", "cmd/milvus-wait/internal/kind/serving.go",
		"temporal/temporalwait/kind.go",

		// Functions for one kind, which return its type.
		"wait.go", "temporal/temporalwait/activities.go",

		// Files that add a detail of one kind, and are right for all others without it.
		"milvuswaittest/history.go",               // the server's reason for a failed index or import
		"examples/quickstart/bar.go",              // rows
		"examples/observability/otelwait/span.go", // the state of an index
	}

	out, err := exec.Command("git", "ls-files", "*.go", ":!*_test.go", ":!bench", ":!integration", ":!internal").Output()
	require.NoError(t, err)
	var found []string
	for _, file := range strings.Fields(string(out)) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		if namesAKind.Match(text) {
			found = append(found, file)
		}
	}
	require.ElementsMatch(t, allowed, found)
}
