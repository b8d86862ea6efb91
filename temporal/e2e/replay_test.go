package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"github.com/milvuswait/milvuswait/temporal/temporalwait"
)

// The histories are those of a real server: see TestHistories, which
// writes them anew with -record. A change that a workflow under way would not
// survive fails here: it needs workflow.GetVersion.
func TestHistoriesAreReplayed(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	require.Len(t, files, 5)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			require.NoError(t, err)
			require.NoError(t, replay(t, string(b)))

			for from, to := range map[string]string{
				`"name": "WaitAll"`:  `"name": "WaitAny"`,
				`"activityId": "11"`: `"activityId": "12"`,
			} {
				if changed := strings.ReplaceAll(string(b), from, to); changed != string(b) {
					require.Error(t, replay(t, changed), "a replay that cannot fail shows nothing")
				}
			}
		})
	}
}

func replay(t *testing.T, history string) error {
	t.Helper()
	h, err := client.HistoryFromJSON(strings.NewReader(history), client.HistoryJSONOptions{})
	require.NoError(t, err)
	r := worker.NewWorkflowReplayer()
	r.RegisterWorkflow(temporalwait.WaitWorkflow)
	return r.ReplayWorkflowHistory(nil, h)
}
