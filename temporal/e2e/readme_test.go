package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
)

// readme returns the code blocks of the README in the given language.
func readme(t *testing.T, language string) (blocks []string) {
	t.Helper()
	text, err := os.ReadFile("../README.md")
	require.NoError(t, err)
	for _, found := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		blocks = append(blocks, found[1])
	}
	require.NotEmpty(t, blocks)
	return blocks
}

// readmeImports begins the file of all Go blocks of the README: imports and variables.
const readmeImports = `package readme

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/rpc"
	"github.com/milvuswait/milvuswait/temporal/temporalwait"
)

var (
	c                     client.Client
	conn, euConn, usConn  *grpc.ClientConn
	_                   = errors.Is
	_                     context.Context
)
`

// TestReadme_GoBlocks_Compile builds every Go block as the body of a function.
func TestReadme_GoBlocks_Compile(t *testing.T) {
	source := readmeImports
	for _, block := range readme(t, "go") {
		kind := "context.Context"
		if strings.Contains(block, "workflow.") {
			kind = "workflow.Context"
		}
		source += fmt.Sprintf("\nfunc _(ctx %s) error {\n%s}\n", kind, block)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "source.go")
	require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
	absent, err := filepath.Abs("../readme/source.go")
	require.NoError(t, err)
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{absent: file}})
	require.NoError(t, err)
	overlayFile := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(overlayFile, overlay, 0o600))

	out, err := exec.Command("go", "build", "-overlay", overlayFile, "../readme").CombinedOutput()

	require.NoError(t, err, "%s\n%s", out, source)
}

// TestReadme_SketchesForOtherEngines_Run runs milvus-wait with the arguments of the sketches.
func TestReadme_SketchesForOtherEngines_Run(t *testing.T) {
	var argo struct {
		Spec struct {
			Templates []struct{ Container struct{ Args []string } }
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(readme(t, "yaml")[0]), &argo))
	var airflow []string
	found := regexp.MustCompile(`arguments=(\[.*\]),`).FindStringSubmatch(readme(t, "python")[0])
	require.NotNil(t, found)
	require.NoError(t, json.Unmarshal([]byte(found[1]), &airflow))
	p := newPlace(t, fakeserver.Config{})
	for _, name := range []string{"docs", "images"} {
		p.Set(milvuswait.Loading(name), fake.LoadOver(time.Second))
		p.Set(milvuswait.IndexBuilding(name, "vidx"), fake.BuildOver(100_000, time.Second))
	}
	path := filepath.Join(t.TempDir(), "milvus-wait")
	build := exec.Command("go", "build", "-o", path, "./cmd/milvus-wait")
	build.Dir = "../.." // the root module has the dependencies of the command
	out, err := build.CombinedOutput()
	require.NoError(t, err, "%s", out)

	for _, args := range [][]string{argo.Spec.Templates[0].Container.Args, airflow} {
		require.Contains(t, args, "--timeout=1h")
		ctx, cancel := context.WithTimeout(t.Context(), safety)
		cmd := exec.CommandContext(ctx, path, args...)
		cmd.Env = append(os.Environ(), "MILVUS_URI=http://"+p.Address())
		out, err := cmd.CombinedOutput()
		cancel()
		require.NoError(t, err, "%s", out)
	}
}
