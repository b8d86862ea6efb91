package milvuswait_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// readmeImports is what the blocks of the README may use.
const readmeImports = `package readme

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/milvuswaittest"
	"github.com/milvuswait/milvuswait/rpc"
)

var (
	_ = errors.Is
	_ = fmt.Errorf
	_ = slog.Error
	_ = time.Second
	_ = synctest.Test
	_ *testing.T
	_ = require.NoError
	_ = grpc.NewClient
	_ = insecure.NewCredentials
	_ milvuspb.MilvusServiceClient
	_ *rpc.Poller
	_ *fake.Poller
	_ = milvuswaittest.RequireLoaded
	_ *milvuswait.Error

	p          milvuswait.Poller
	names      []string
	yourClient interface {
		Progress(ctx context.Context, collection string, partitions []string) (int64, error)
	}
)
`

// TestReadmeCompiles builds every Go block of the README: declarations as they
// are, statements as the body of a function.
func TestReadmeCompiles(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	require.NotEmpty(t, blocks)

	var source strings.Builder
	source.WriteString(readmeImports)
	for _, block := range blocks {
		switch {
		case strings.HasPrefix(block[1], "func "):
			source.WriteString("\n" + block[1])
		case strings.HasSuffix(block[1], "return err\n"):
			fmt.Fprintf(&source, "\nfunc _(ctx context.Context) error {\n%s}\n", block[1])
		default:
			fmt.Fprintf(&source, "\nfunc _(ctx context.Context) error {\n%sreturn nil\n}\n", block[1])
		}
	}
	build(t, "readme", source.String())
}

// build compiles a package that is not there.
func build(t *testing.T, name, source string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "source.go")
	require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
	here, err := os.Getwd()
	require.NoError(t, err)
	overlay, err := json.Marshal(map[string]any{
		"Replace": map[string]string{filepath.Join(here, "internal", name, "source.go"): file},
	})
	require.NoError(t, err)
	overlayFile := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(overlayFile, overlay, 0o600))

	out, err := exec.Command("go", "build", "-overlay", overlayFile, "./internal/"+name).CombinedOutput()

	require.NoError(t, err, "%s\n%s", out, source)
}
