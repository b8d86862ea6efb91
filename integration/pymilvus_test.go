package integration_test

import (
	"context"
	_ "embed"
	"errors"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/integration/realserver"
)

//go:embed testdata/pymilvus_flow.py
var pymilvusFlow string

// TestPymilvusOnTheFakeServer connects pymilvus to the fake server. The dicts of its progress
// functions must equal the JSON of this module's progress types.
func TestPymilvusOnTheFakeServer(t *testing.T) {
	if os.Getenv(modeVariable) == "" {
		t.Skipf("installs pymilvus: set %s=1", modeVariable)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	python, err := realserver.PythonWithPymilvus(ctx)
	if errors.Is(err, realserver.ErrUnavailable) && os.Getenv(modeVariable) != "require" {
		t.Skip(err)
	}
	require.NoError(t, err)
	for _, dialect := range []fakeserver.Dialect{fakeserver.Milvus23, fakeserver.Milvus22, fakeserver.MilvusLite} {
		t.Run(dialect.String(), func(t *testing.T) {
			server, err := fakeserver.Start(fakeserver.Config{
				Address: "127.0.0.1:0",
				Dialect: dialect,
				Build:   func(rows int64) fake.Script { return fake.BuildOver(rows, 300*time.Millisecond) },
			})
			require.NoError(t, err)
			defer server.Close()

			out, err := exec.CommandContext(ctx, python, "-c", pymilvusFlow, server.Address()).CombinedOutput()

			require.NoError(t, err, "%s", out)
			require.Contains(t, string(out), "{'total_rows': 5000, 'indexed_rows': 5000, 'pending_index_rows': 0, 'state': 'Finished'}")
			require.Contains(t, string(out), "{'loading_progress': '100%'}")
			require.Contains(t, string(out), "dropped: 100")
		})
	}
}
