package integration_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/entity"
	"github.com/stretchr/testify/require"
)

func TestIngest(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "ingest")
	on(t, all, func(t *testing.T, s *site) {
		ctx := within(t, 5*time.Minute)
		if _, err := os.Stat(binary); err != nil {
			out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "../examples/ingest").CombinedOutput()
			require.NoError(t, err, "%s", out)
		}
		ingest := func(args ...string) *exec.Cmd {
			command := exec.CommandContext(ctx, binary, args...)
			command.Env = s.environ()
			return command
		}
		t.Run("demo", func(t *testing.T) {
			r := s.report(t, "examples/ingest -demo")
			out, err := ingest("-demo").CombinedOutput()
			require.NoError(t, err, "%s", out)
			require.Regexp(t, `stopped half-way.*\n.* msg="ready for documents" collection=\w+ rows=[1-5]\d\d\d\n`, string(out))
			require.Regexp(t, `msg=searchable collection=\w+ rows=10000\n.* msg=dropped collection=ingest_demo_`, string(out))
			r.note = "10 000 rows, stopped half-way and started again"
		})
		t.Run("killed", func(t *testing.T) {
			r := s.report(t, "examples/ingest, killed and started again")
			ingestKilled(ctx, t, s, ingest)
			r.note = "5000 rows; a batch that was inserted twice is found once"
		})
	})
}

// ingestKilled kills the process after it has inserted one batch more than its checkpoint
// records.
func ingestKilled(ctx context.Context, t *testing.T, s *site, ingest func(args ...string) *exec.Cmd) {
	const rows, known, batch = 5000, 2000, 1000
	docs := fmt.Sprintf("milvuswait_%08x", rand.Uint32())
	t.Cleanup(func() { s.ops.Drop(context.WithoutCancel(ctx), docs) })
	checkpoint := filepath.Join(t.TempDir(), "checkpoint.json")
	args := []string{"-collection", docs, "-checkpoint", checkpoint, "-dimension", "16"}
	var input strings.Builder
	lines, vectors := json.NewEncoder(&input), make([][]float32, rows)
	cuts := make(map[int]int) // offset in the input, by the number of rows before it
	for id := range vectors {
		vectors[id] = make([]float32, 16)
		for i := range vectors[id] {
			vectors[id][i] = rand.Float32()
		}
		cuts[id] = input.Len()
		require.NoError(t, lines.Encode(map[string]any{"id": id, "vector": vectors[id]}))
	}

	first := ingest(args...)
	feed, err := first.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, first.Start())
	put := func(from, to int) (at []byte) {
		_, err := io.WriteString(feed, input.String()[cuts[from]:cuts[to]])
		require.NoError(t, err)
		var in struct{ Rows int }
		require.Eventually(t, func() bool {
			at, err = os.ReadFile(checkpoint)
			return err == nil && json.Unmarshal(at, &in) == nil && in.Rows == to
		}, time.Minute, 50*time.Millisecond)
		return at
	}
	at := put(0, known)
	put(known, known+batch)
	require.NoError(t, first.Process.Kill())
	first.Wait()
	require.NoError(t, os.WriteFile(checkpoint, at, 0o600)) // as after a kill between the response to Insert and the checkpoint

	second := ingest(args...)
	second.Stdin = strings.NewReader(input.String())
	out, err := second.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Regexp(t, fmt.Sprintf(`msg="ready for documents" collection=%s rows=%d\n`, docs, known), string(out))
	require.Regexp(t, fmt.Sprintf(`msg=searchable collection=%s rows=%d\n`, docs, rows), string(out))

	c := s.client(ctx, t)
	statistics, err := c.GetCollectionStatistics(ctx, docs)
	require.NoError(t, err)
	stored := rows + batch
	if s.lite() {
		stored = rows // milvus-lite stores a key once
	}
	require.Equal(t, fmt.Sprint(stored), statistics["row_count"])
	param, err := entity.NewIndexHNSWSearchParam(200)
	require.NoError(t, err)
	for _, id := range []int64{0, known + batch - 1, known + batch, rows - 1} { // the second of them was inserted twice
		found, err := c.Search(ctx, docs, nil, "", nil, []entity.Vector{entity.FloatVector(vectors[id])}, "vector", entity.L2, 50, param)
		require.NoError(t, err)
		require.Len(t, found, 1)
		keys := found[0].IDs.(*entity.ColumnInt64).Data()
		require.Equal(t, id, keys[0])
		seen := map[int64]bool{}
		for _, key := range keys {
			require.False(t, seen[key], "%d is found twice", key)
			seen[key] = true
		}
	}
}
