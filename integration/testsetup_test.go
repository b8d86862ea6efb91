package integration_test

import (
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTestSetup(t *testing.T) {
	on(t, all, func(t *testing.T, s *site) {
		r := s.report(t, "examples/testsetup")
		command := exec.CommandContext(within(t, 5*time.Minute), "go", "test", "-count=1", "-v", "-run", "^TestService$", "../examples/testsetup")
		command.Env = s.environ()

		out, err := command.CombinedOutput()

		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "--- PASS: TestService/search")
		r.note = "3000 rows, and a search"
	})
}
