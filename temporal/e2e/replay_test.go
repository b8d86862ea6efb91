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

// TestReplay_RecordedHistories_Match replays histories from a real server, recorded by
// TestHistories_OfEveryEnd_AreRecorded. It fails for a change that would break running
// workflows: such a change needs workflow.GetVersion.
func TestReplay_RecordedHistories_Match(t *testing.T) {
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
					require.Error(t, replay(t, changed), "a replay of a changed history must fail")
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
