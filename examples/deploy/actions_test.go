package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rhysd/actionlint"
	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

// workflow checks the file with actionlint, and its scripts with shellcheck if it is
// installed. It returns the parsed file.
func workflow(t *testing.T) *actionlint.Workflow {
	t.Helper()
	shellcheck, err := exec.LookPath("shellcheck")
	if err != nil {
		shellcheck = ""
	}
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{Shellcheck: shellcheck})
	require.NoError(t, err)
	failures, err := linter.LintFile("github-actions.yaml", nil)
	require.NoError(t, err)
	require.Empty(t, failures)
	source, err := os.ReadFile("github-actions.yaml")
	require.NoError(t, err)
	parsed, failures := actionlint.Parse(source)
	require.Empty(t, failures)
	return parsed
}

// waitStep returns the step with the wait, and its script.
func waitStep(t *testing.T, job *actionlint.Job) (*actionlint.Step, string) {
	t.Helper()
	for _, step := range job.Steps {
		if step.ID != nil && step.ID.Value == "wait" {
			return step, step.Exec.(*actionlint.ExecRun).Run.Value
		}
	}
	require.Fail(t, "no step waits")
	return nil, ""
}

func TestActions(t *testing.T) {
	job := workflow(t).Jobs["deploy"]
	step, run := waitStep(t, job)

	var sum time.Duration
	for _, flag := range regexp.MustCompile(`--timeout (\w+)`).FindAllStringSubmatch(run, -1) {
		d, err := time.ParseDuration(flag[1])
		require.NoError(t, err)
		sum += d
	}
	require.Equal(t, 33*time.Minute, sum)
	require.Greater(t, time.Duration(job.TimeoutMinutes.Value)*time.Minute, sum)

	// Only the environment of this step has secrets; its text has none.
	require.NotContains(t, run, "${{")
	require.Equal(t, "${{ secrets.MILVUS_TOKEN }}", step.Env.Vars["milvus_token"].Value.Value)
	require.Nil(t, job.Env)
	for _, other := range job.Steps {
		if other != step {
			require.Nil(t, other.Env)
		}
	}
	installs := 0
	for _, other := range job.Steps {
		if exec, ok := other.Exec.(*actionlint.ExecRun); ok && exec.Run.Value == "go install github.com/milvuswait/milvuswait/cmd/milvus-wait@latest" {
			installs++
		}
	}
	require.Equal(t, 1, installs)
}

func TestActionsScript(t *testing.T) {
	_, run := waitStep(t, workflow(t).Jobs["deploy"])
	tests := []struct {
		name string
		do   func(s *fakeserver.Server)
		code int
		sum  string // text in the summary
	}{
		{"done", func(*fakeserver.Server) {}, 0, "docs"},
		{"an index cannot be built", func(s *fakeserver.Server) {
			s.Set(milvuswait.IndexBuilding("docs", "vidx"), fake.BuildOver(100_000, time.Millisecond).FailAt(40, "no space left on device"))
		}, 1, "no space left on device"},
		{"timed out", func(s *fakeserver.Server) {
			s.Set(milvuswait.Loading("images"), fake.LoadOver(time.Hour))
		}, 124, "images"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := startLoaded(t)
			tt.do(s)
			dir := t.TempDir()
			output, summary := filepath.Join(dir, "output"), filepath.Join(dir, "summary")

			// Run the script as the runner does, with a shorter timeout.
			cmd := exec.CommandContext(t.Context(), "bash", "-e", "-c", strings.ReplaceAll(run, "30m", "500ms"))
			cmd.Env = []string{
				"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "MILVUS_URI=http://" + s.Address(), "MILVUS_TOKEN=" + token,
				"CI=true", "GITHUB_ACTIONS=true", "GITHUB_OUTPUT=" + output, "GITHUB_STEP_SUMMARY=" + summary,
			}

			said, err := cmd.CombinedOutput()

			require.Equal(t, tt.code, exitCode(t, err), string(said))
			require.Equal(t, tt.code != 0, strings.Contains(string(said), "::error"), string(said))
			require.NotContains(t, string(said), "hushhush")
			code, err := os.ReadFile(output)
			require.NoError(t, err)
			require.Equal(t, "code="+map[int]string{0: "0", 1: "1", 124: "124"}[tt.code]+"\n", string(code))
			table, err := os.ReadFile(summary)
			require.NoError(t, err)
			require.Contains(t, string(table), tt.sum)
		})
	}
}
