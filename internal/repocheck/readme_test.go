package repocheck_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// readmeImports is the beginning of the file with the blocks of the README and of docs/: their
// imports and variables.
const readmeImports = `package readme

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/milvuswaittest"
	"github.com/milvuswait/milvuswait/rpc"
	"github.com/milvuswait/milvuswait/sdk"
)

var (
	_ = json.NewEncoder
	_ = os.Stdout
	_ = sdk.New
	_ = client.WithIndexName
	_ = errors.Is
	_ = fmt.Errorf
	_ = slog.Error
	_ = time.Second
	_ = synctest.Wait
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
	gateway interface {
		IndexStatus(ctx context.Context, collection, index string) (struct{ Rows, Indexed int64 }, error)
	}
	stub       milvuspb.MilvusServiceClient
	flushed    *milvuspb.FlushResponse
	job        int64
	compaction int64
	c          client.Client
	idx        entity.Index
)

// What milvus/client/v2 has, as far as the blocks use it, whose dependencies this
// module must not have.
var (
	clientV2 interface {
		GetService() milvuspb.MilvusServiceClient
		LoadCollection(context.Context, any, ...grpc.CallOption) (task any, err error)
		CreateIndex(context.Context, any, ...grpc.CallOption) (task any, err error)
		Flush(context.Context, any, ...grpc.CallOption) (task interface {
			GetFlushStats() (segments, flushed []int64, timestamp uint64, checkpoints map[string]any)
		}, err error)
		Compact(context.Context, any, ...grpc.CallOption) (id int64, err error)
	}
	milvusclient struct {
		NewLoadCollectionOption func(collection string) any
		NewCreateIndexOption    func(collection, field string, idx entity.Index) any
		NewFlushOption          func(collection string) any
		NewCompactOption        func(collection string) any
	}
)
`

// TestPages_GoBlocks_Compile builds every Go block of the README and of docs/, except blocks
// marked as old code. Declarations are built unchanged, and statements as the body of a
// function. Whole files are tests to paste: they run too.
func TestPages_GoBlocks_Compile(t *testing.T) {
	pages := []string{"README.md"}
	require.NoError(t, filepath.WalkDir("docs", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			pages = append(pages, path)
		}
		return err
	}))

	var blocks []string
	for _, page := range pages {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, found := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			block := found[1]
			if strings.Contains(block, "milvusclient.") {
				block = regexp.MustCompile(`\bc\.`).ReplaceAllString(block, "clientV2.")
			}
			blocks = append(blocks, block)
		}
	}
	require.NotEmpty(t, blocks)

	tests := 0
	var source strings.Builder
	source.WriteString(readmeImports)
	for _, block := range blocks {
		switch {
		case strings.HasPrefix(block, "package "):
			tests++
			binary := filepath.Join(t.TempDir(), "pasted.test")
			overlaid(t, "pasted", "pasted_test.go", block, "test", "-c", "-vet=off", "-o", binary)
			out, err := exec.Command(binary).CombinedOutput()
			require.NoError(t, err, "%s", out)
		case strings.HasPrefix(block, "func "):
			source.WriteString("\n" + block)
		case strings.HasSuffix(block, "return err\n"), strings.HasSuffix(block, "return nil\n"):
			fmt.Fprintf(&source, "\nfunc _(ctx context.Context) error {\n%s}\n", block)
		default:
			fmt.Fprintf(&source, "\nfunc _(ctx context.Context) error {\n%sreturn nil\n}\n", block)
		}
	}

	require.NotZero(t, tests)
	overlaid(t, "readme", "source.go", source.String(), "build")
}

// pages returns all pages of the repository, outside hidden folders.
func pages(t *testing.T) []string {
	t.Helper()
	var all []string
	require.NoError(t, filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != "." {
			return filepath.SkipDir
		}
		if strings.HasSuffix(path, ".md") {
			all = append(all, path)
		}
		return err
	}))
	require.Contains(t, all, "README.md")
	return all
}

// TestPages_FirstSentence_DescribesThePage requires every page to begin with its purpose. The
// README begins with that of the project. THIRD_PARTY.md is a legal text, and the page in
// testdata is a part of another one.
func TestPages_FirstSentence_DescribesThePage(t *testing.T) {
	first := regexp.MustCompile(`^# .+\n\nThis (page|folder|example|is) `)
	for _, page := range pages(t) {
		if page == "README.md" || filepath.Base(page) == "THIRD_PARTY.md" || strings.Contains(page, "testdata") {
			continue
		}
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		if !first.Match(text) {
			t.Errorf("%s does not begin with its purpose: This page …", page)
		}
	}
}

// TestPages_Links_Exist follows the links of all pages to files and to
// headings.
func TestPages_Links_Exist(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, page := range pages(t) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(found[1], "://") {
				continue
			}

			file, heading, _ := strings.Cut(found[1], "#")
			target := page
			if file != "" {
				target = filepath.Join(filepath.Dir(page), file)
			}

			_, err := os.Stat(target)
			require.NoError(t, err, "linked in %s", page)
			if heading == "" {
				continue
			}

			linked, err := os.ReadFile(target)
			require.NoError(t, err)
			require.Contains(t, headings(string(linked)), heading, "linked in %s", page)
		}
	}
}

// TestPages_Diagrams_MatchTheirTexts requires the hash of its source in every picture, so that
// both are of the same version.
func TestPages_Diagrams_MatchTheirTexts(t *testing.T) {
	texts, err := filepath.Glob("docs/*.dot")
	require.NoError(t, err)
	require.NotEmpty(t, texts)

	for _, text := range texts {
		source, err := os.ReadFile(text)
		require.NoError(t, err)
		picture, err := os.ReadFile(strings.TrimSuffix(text, ".dot") + ".svg")
		require.NoError(t, err)
		if !strings.Contains(string(picture), fmt.Sprintf("<!-- %x ", sha256.Sum256(source))) {
			t.Errorf("%s has changed since its picture was drawn: draw it again as in CONTRIBUTING.md", text)
		}
	}
}

// headings returns GitHub's anchors of the headings of a page.
func headings(page string) []string {
	var all []string
	for _, h := range regexp.MustCompile("(?m)^#+ (.*)$").FindAllStringSubmatch(page, -1) {
		anchor := regexp.MustCompile(`[^\p{L}\p{N} _-]`).ReplaceAllString(strings.ToLower(h[1]), "")
		all = append(all, strings.ReplaceAll(anchor, " ", "-"))
	}
	return all
}

// overlaid runs a go command on a package with one file. The package exists in an overlay
// only.
func overlaid(t *testing.T, name, fileName, source string, command ...string) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, fileName)
	require.NoError(t, os.WriteFile(file, []byte(source), 0o600))
	here, err := os.Getwd()
	require.NoError(t, err)

	overlay, err := json.Marshal(map[string]any{
		"Replace": map[string]string{filepath.Join(here, "internal", name, fileName): file},
	})
	require.NoError(t, err)
	overlayFile := filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(overlayFile, overlay, 0o600))

	out, err := exec.Command("go", append(command, "-overlay", overlayFile, "./internal/"+name)...).CombinedOutput()

	require.NoError(t, err, "%s\n%s", out, source)
}
