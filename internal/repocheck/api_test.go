package repocheck_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// record is the file with the exported API of this module. Every change of the API is a line
// in its diff.
const record = "api/api.txt"

var update = flag.Bool("update", false, "write "+record+" again")

// TestAPI_IsRecorded compares the exported API with api.txt. With -update, it
// writes api.txt instead.
func TestAPI_IsRecorded(t *testing.T) {
	var now []string
	for _, s := range surfaces(t) {
		now = append(now, s.features()...)
	}
	slices.Sort(now)

	if *update {
		require.NoError(t, os.WriteFile(record, []byte(strings.Join(now, "\n")+"\n"), 0o644))
		return
	}

	text, err := os.ReadFile(record)
	require.NoError(t, err)
	recorded := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")

	var changes []string
	for _, line := range recorded {
		if !slices.Contains(now, line) {
			changes = append(changes, "- "+line)
		}
	}

	for _, line := range now {
		if !slices.Contains(recorded, line) {
			changes = append(changes, "+ "+line)
		}
	}

	if len(changes) > 0 {
		t.Errorf("the exported API differs from api.txt:\n%s\n\n"+
			"A removed or changed line breaks importers; CONTRIBUTING.md lists other breaking changes.\n"+
			"If every change is intended: go test ./internal/repocheck -update", strings.Join(changes, "\n"))
	}
}

// TestAPI_ForeignTypes_BelongToTheirClients allows types of other modules in the exported API of
// three packages only. A new major version of such a module requires one of this module.
func TestAPI_ForeignTypes_BelongToTheirClients(t *testing.T) {
	allowed := map[string][]string{
		"milvuswait/rpc": {"google.golang.org/grpc"},
		"milvuswait/sdk": {"github.com/milvus-io/milvus-sdk-go/v2/client"},
		"milvuswait/fake/fakeserver": {
			"google.golang.org/grpc",
			"google.golang.org/grpc/codes",
		},
	}
	for _, s := range surfaces(t) {
		t.Run(s.name, func(t *testing.T) {
			require.NotEmpty(t, s.features())
			require.ElementsMatch(t, allowed[s.name], s.foreign())
		})
	}
}
