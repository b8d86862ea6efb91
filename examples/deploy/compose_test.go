package main

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
)

// compose parses the file as docker compose does, and checks it against the schema.
func compose(t *testing.T) *types.Project {
	t.Helper()
	project, err := loader.LoadWithContext(t.Context(), types.ConfigDetails{
		WorkingDir:  ".",
		ConfigFiles: []types.ConfigFile{{Filename: "compose.yaml"}},
	})
	require.NoError(t, err)
	return project
}

func TestCompose(t *testing.T) {
	project := compose(t)
	require.Equal(t, []string{"migrate", "milvus", "milvus-loaded", "milvus-ready", "search"}, project.ServiceNames())
	const completed = types.ServiceConditionCompletedSuccessfully
	start := []string{"milvus", "milvus-ready", "migrate", "milvus-loaded", "search"}
	conditions := []string{"", types.ServiceConditionStarted, completed, completed, completed}
	for i, name := range start {
		service := project.Services[name]
		if i == 0 {
			require.Empty(t, service.DependsOn)
		} else {
			require.Len(t, service.DependsOn, 1)
			require.Equal(t, conditions[i], service.DependsOn[start[i-1]].Condition)
			require.True(t, service.DependsOn[start[i-1]].Required)
		}
		// A dependency with condition "completed" must end; the others keep running.
		ends := i+1 < len(start) && conditions[i+1] == completed
		require.Equal(t, !ends, service.HealthCheck != nil, name)
		require.Contains(t, []string{"", types.RestartPolicyNo}, service.Restart)
		for variable := range service.Environment {
			require.NotRegexp(t, "TOKEN|PASSWORD|HOST|PORT", variable)
		}
	}
	require.NotZero(t, project.Services["milvus"].HealthCheck.Retries)

	for _, name := range []string{"milvus-ready", "milvus-loaded"} {
		wait := project.Services[name]
		require.Equal(t, image, wait.Image)
		require.True(t, wait.ReadOnly)
		require.Equal(t, []string{"ALL"}, wait.CapDrop)
		require.Equal(t, []string{"no-new-privileges:true"}, wait.SecurityOpt)
		require.EqualValues(t, 64<<20, wait.MemLimit)
	}
	for _, name := range start[1:] {
		require.Equal(t, "http://milvus:19530", *project.Services[name].Environment["MILVUS_URI"])
	}
}

func TestComposeWaits(t *testing.T) {
	for _, name := range []string{"milvus-ready", "milvus-loaded"} {
		wait := compose(t).Services[name]
		s := startLoaded(t)
		cmd := exec.CommandContext(t.Context(), filepath.Join(bin, "milvus-wait"), slices.Clone(wait.Command)...)
		cmd.Env = []string{"MILVUS_URI=http://" + s.Address()}

		output, err := cmd.CombinedOutput()

		require.NoError(t, err, string(output))
	}
}
