package integration_test

import (
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait/integration/realserver"
)

// TestImporters runs the tests of the nested modules against a real server. Each module
// has another client. Without MILVUS_URI they use the fake server.
func TestImporters(t *testing.T) {
	on(t, []realserver.Release{realserver.Milvus23}, func(t *testing.T, s *site) {
		files, err := filepath.Glob("*/go.mod")
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			module := filepath.Dir(file)
			if module == "rootonly" { // needs no server
				continue
			}
			t.Run(module, func(t *testing.T) {
				r := s.report(t, "integration/"+module)
				command := exec.CommandContext(within(t, 5*time.Minute), "go", "test", "-count=1", "./...")
				command.Dir = module
				command.Env = s.environ()
				start := time.Now()

				out, err := command.CombinedOutput()

				require.NoError(t, err, "%s", out)
				r.note = "2000 rows"
				t.Logf("took %.1f s, with its build", time.Since(start).Seconds())
			})
		}
	})
}
