package integration_test

import (
	"context"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestQuickstart(t *testing.T) {
	on(t, standalone, func(t *testing.T, s *site) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		r := s.report(t, "examples/quickstart")
		command := exec.CommandContext(ctx, "go", "run", "../examples/quickstart")
		command.Env = s.environ()

		out, err := command.CombinedOutput()

		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), `{"total_rows":20000,"indexed_rows":20000,"pending_index_rows":0,"state":"Finished"}`)
		require.Contains(t, string(out), `{"loading_progress":"100%"}`)
		require.Contains(t, string(out), "dropped quickstart_")
		r.note = "20 000 rows, through milvus-sdk-go"
	})
}
