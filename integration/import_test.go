package integration_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/integration/milvusops"
	"github.com/milvuswait/milvuswait/integration/realserver"
)

// TestImport imports files below the server's storage, into a collection that is loaded and
// one that is not.
func TestImport(t *testing.T) {
	on(t, standalone, func(t *testing.T, s *site) {
		s.ours(t, "writes files to the server's storage")
		t.Run("not loaded", func(t *testing.T) {
			t.Parallel()
			importUnloaded(within(t, 3*time.Minute), t, s)
		})
		t.Run("loaded", func(t *testing.T) {
			t.Parallel()
			importLoaded(within(t, 5*time.Minute), t, s)
		})
		t.Run("fails", func(t *testing.T) {
			t.Parallel()
			importFails(within(t, time.Minute), t, s)
		})
	})
}

func importUnloaded(ctx context.Context, t *testing.T, s *site) {
	const rows = 5000
	docs := s.indexed(ctx, t, 2)
	importRow := s.report(t, "import of 5000 rows, collection not loaded")
	indexRow := s.report(t, "index after the import, collection not loaded, without rows")

	job, err := s.ops.Import(ctx, docs, s.jsonFile(t, 0, rows, milvusops.Dim))
	require.NoError(t, err)
	importSeen, indexSeen := sight(ctx, s.watch.Imported(job)), sight(ctx, s.watch.Indexed(docs, vectorIndex, rows))
	imported := waitForTarget(ctx, s.poller, milvuswait.Importing(job))
	imported.complete(t)
	index := waitForIndex(ctx, s.poller, docs)
	index.complete(t)

	importRow.onTime(t, imported.timing, importSeen(t))
	indexRow.onTime(t, index.timing, indexSeen(t))
	progress := imported.progress.(milvuswait.ImportProgress)
	require.Equal(t, milvuswait.ImportStateCompleted, progress.State)
	require.EqualValues(t, rows, progress.Rows)
	require.EqualValues(t, rows, index.progress.IndexedRows)
}

// importLoaded waits for the import, the index, and a refresh of the load, in which a
// function of FindRow searches for some of the rows. Milvus 2.2 knows no refresh.
func importLoaded(ctx context.Context, t *testing.T, s *site) {
	const before, rows = 1500, 5000
	docs := s.indexed(ctx, t, 2)
	importRow := s.report(t, "import of 5000 rows, collection loaded")
	indexRow := s.report(t, "index after the import, collection loaded, without rows")
	s.insert(ctx, t, docs, 0, before)
	waitForIndex(ctx, s.poller, docs).complete(t)
	require.NoError(t, s.ops.Load(ctx, docs))
	waitForLoad(ctx, s.poller, docs).complete(t)

	job, err := s.ops.Import(ctx, docs, s.jsonFile(t, before, rows, milvusops.Dim))
	require.NoError(t, err)
	importSeen, indexSeen := sight(ctx, s.watch.Imported(job)), sight(ctx, s.watch.Indexed(docs, vectorIndex, before+rows))
	imported, err := milvuswait.WaitForImportComplete(ctx, s.poller, job)
	require.NoError(t, err)
	require.EqualValues(t, rows, imported.Rows)
	index := waitForIndex(ctx, s.poller, docs)
	index.complete(t)
	importSeen(t)
	importRow.note = imported.String()
	indexRow.onTime(t, index.timing, indexSeen(t))
	if s.is22() {
		return
	}

	// The rows of both shards, each found by a query of its own.
	refreshRow := s.report(t, "import, index, refresh and search: WithRefresh and WithVerify")
	refreshRow.limit = 10 * time.Second // the rows are found at different times
	first, last := before, before+rows-1
	found := sight(ctx, s.watch.Found(docs, fmt.Sprintf("id in [%d, %d, %d]", first, (first+last)/2, last), 3))
	require.NoError(t, s.ops.Refresh(ctx, docs))
	refreshed := waitForLoad(ctx, s.poller, docs, milvuswait.WithRefresh(), milvuswait.WithVerify(
		func(ctx context.Context, target milvuswait.Target) error {
			for _, id := range []int{first, (first + last) / 2, last} {
				if err := s.poller.FindRow(fmt.Sprintf("id == %d", id))(ctx, target); err != nil {
					return err
				}
			}
			return nil
		}))
	refreshed.complete(t)
	refreshRow.onTime(t, refreshed.timing, found(t))
}

// importFails waits for imports of bad files, and for unknown jobs.
func importFails(ctx context.Context, t *testing.T, s *site) {
	docs := s.indexed(ctx, t, 1)
	text := filepath.Join(filepath.Dir(s.jsonFile(t, 0, 1, milvusops.Dim)), "rows.csv")
	require.NoError(t, os.WriteFile(text, []byte("id,number\n1,1\n"), 0o644))
	for _, bad := range []struct{ name, file, reason string }{
		{"missing file", filepath.Join(s.server.StorageDir(), "import", "none.json"), "no such file or directory"},
		{"vectors of another dimension", s.jsonFile(t, 0, 10, 2), "doesn't equal to vector dimension"},
		{"unknown kind of file", text, "unsupported file type"},
	} {
		r := s.report(t, "import of a bad file: "+bad.name)
		job, err := s.ops.Import(ctx, docs, bad.file)
		require.NoError(t, err)
		w := waitForTarget(ctx, s.poller, milvuswait.Importing(job))
		r.note = w.fails(t, milvuswait.ErrJobFailed).Error()
		r.waited, r.polls = w.took(), w.polls
		require.ErrorContains(t, w.err, bad.reason)
	}

	r := s.report(t, "import that the server does not know")
	w := waitForTarget(ctx, s.poller, milvuswait.Importing(123456789))
	r.note = w.fails(t, milvuswait.ErrJobNotFound).Error()
	require.Equal(t, 1, w.polls)
}

// TestImportLite checks that milvus-lite, which has no imports, ends a wait at once.
func TestImportLite(t *testing.T) {
	on(t, []realserver.Release{realserver.Lite32}, func(t *testing.T, s *site) {
		s.ours(t, "is about milvus-lite")
		r := s.report(t, "import that the server does not know")
		w := waitForTarget(within(t, time.Minute), s.poller, milvuswait.Importing(123456789))
		<-w.ended
		w.log(t, r.name)
		require.ErrorIs(t, w.err, errors.ErrUnsupported)
		require.Equal(t, 1, w.polls)
		r.note = errors.ErrUnsupported.Error()
	})
}

// jsonFile writes a file with rows of random vectors below the server's storage, and
// returns its path. It is removed when the test ends.
func (s *site) jsonFile(t *testing.T, first, rows, dim int) string {
	t.Helper()
	type line struct {
		ID     int       `json:"id"`
		Number int       `json:"number"`
		Vector []float32 `json:"vector"`
	}
	var file struct {
		Rows []line `json:"rows"`
	}
	for i := range rows {
		vector := make([]float32, dim)
		for j := range vector {
			vector[j] = rand.Float32()
		}
		file.Rows = append(file.Rows, line{first + i, first + i, vector})
	}

	content, err := json.Marshal(file)
	require.NoError(t, err)
	dir := filepath.Join(s.server.StorageDir(), "import", fmt.Sprintf("%x", rand.Uint64()))
	require.NoError(t, os.MkdirAll(dir, 0o755))
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	path := filepath.Join(dir, "rows.json")
	require.NoError(t, os.WriteFile(path, content, 0o644))
	return path
}
