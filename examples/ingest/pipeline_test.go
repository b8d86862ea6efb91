package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/sdk"
)

var errStop = errors.New("enough")

// dialects differ in the flush: 2.2 returns no timestamp, and 2.6 does not list the
// segments that are being flushed.
var dialects = []fakeserver.Dialect{fakeserver.Milvus22, fakeserver.Milvus23, fakeserver.Milvus26}

func TestRun_AllDocuments_AreIndexedAndLoaded(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r, start := newRig(t, fakeserver.Config{Dialect: dialect}), time.Now()
				// The second chunk is inserted after the wait for the first one has begun.
				r.Fail("Insert", fakeserver.Slow(100*time.Millisecond))

				require.NoError(t, r.run(t.Context(), strings.NewReader(lines(5500))))

				// Two chunks of 2000 rows are indexed at the same time: 2000 rows are indexed
				// after half the time. The load follows, and the flush of the last 1500.
				require.InDelta(t, 32.6+40+62.6, time.Since(start).Seconds(), 6)
				p := sdk.New(r.client)
				index, err := p.IndexBuildingProgress(t.Context(), "docs", indexName)
				require.NoError(t, err)
				require.Equal(t, milvuswait.IndexBuildingProgress{
					TotalRows: 5500, IndexedRows: 5500, State: milvuswait.IndexStateFinished, IndexName: indexName,
				}, index)
				load, err := p.LoadingProgress(t.Context(), "docs")
				require.NoError(t, err)
				require.True(t, load.Complete())
				require.EqualValues(t, 5500, r.acknowledged(t))
				require.Equal(t, 6, r.Count("Insert"))

				require.NoError(t, r.run(t.Context(), strings.NewReader(lines(5500))), "all of it is in already")
				require.Equal(t, 6, r.Count("Insert"))
			})
		})
	}
}

func TestRun_AfterAStop_Continues(t *testing.T) {
	tests := []struct {
		name  string
		fault func(r *rig, stop func())
		rows  int64 // rows in the checkpoint of the first run
		twice int64 // rows of a lost answer
	}{
		{"stopped while the first chunk is indexed", func(r *rig, stop func()) { time.AfterFunc(10*time.Second, stop) }, 4000, 0},
		{"stopped in the last wait", func(r *rig, stop func()) { time.AfterFunc(100*time.Second, stop) }, 5500, 0},
		{"stopped while an insert is under way", func(r *rig, stop func()) {
			r.Fail("Insert", fakeserver.Slow(5*time.Second).On(2))
			time.AfterFunc(time.Second, stop)
		}, 2000, 0},
		{"an insert is refused", func(r *rig, _ func()) {
			r.Fail("Insert", fakeserver.Reject(65535, 1, "memory quota").On(3))
		}, 2000, 0},
		{"an insert hangs", func(r *rig, _ func()) { r.Fail("Insert", fakeserver.Hang().On(2)) }, 1000, 0},
		{"the answer to an insert is lost", func(r *rig, _ func()) { r.loseAnswer.Store(2) }, 1000, 1000},
		{"a flush fails", func(r *rig, _ func()) {
			r.Fail("Flush", fakeserver.Reject(65535, 1, "no").On(1))
		}, 2000, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, fakeserver.Config{})
				ctx, stop := context.WithCancelCause(t.Context())
				defer stop(nil)
				require.NoError(t, r.run(ctx, strings.NewReader("")), "the collection is there, and has no rows")
				tt.fault(r, func() { stop(errStop) })

				require.Error(t, r.run(ctx, strings.NewReader(lines(5500))))

				require.Equal(t, tt.rows, r.acknowledged(t))
				r.Heal()
				require.NoError(t, r.run(t.Context(), strings.NewReader(lines(5500))))
				require.EqualValues(t, 5500, r.acknowledged(t))
				require.Equal(t, 5500+tt.twice, r.stored(t))
			})
		})
	}
}

func TestRun_Stopped_EndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, fakeserver.Config{})
		ctx, stop := context.WithCancelCause(t.Context())
		time.AfterFunc(20*time.Second, func() { stop(errStop) })
		start := time.Now()

		err := r.run(ctx, open(t, lines(2500)))

		require.ErrorIs(t, err, errStop)
		require.Equal(t, 20*time.Second, time.Since(start))
		require.EqualValues(t, 2500, r.acknowledged(t), "what does not fill a batch goes in after a second")
	})
}

// With AllRows, the wait would not end before the writes end.
func TestRun_SteadyInput_WaitsForItsChunkOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, fakeserver.Config{Build: func(rows int64) fake.Script {
			if rows == 2000 {
				return fake.BuildOver(rows, time.Minute)
			}
			return fake.BuildOver(rows, time.Hour).StallAt(0, fake.Forever)
		}})
		ctx, stop := context.WithCancelCause(t.Context())
		log := &hook{word: "msg=searchable", then: func() { stop(errStop) }}
		r.log = slog.New(slog.NewTextHandler(log, nil))
		time.AfterFunc(10*time.Second, func() { r.AddRows("docs", 500) })
		start := time.Now()

		err := r.run(ctx, open(t, lines(2000)))

		require.ErrorIs(t, err, errStop, log.String())
		require.Contains(t, log.String(), "msg=searchable collection=docs rows=2000")
		require.InDelta(t, 102.6, time.Since(start).Seconds(), 5)
	})
}

func TestRun_SlowServer_SlowsTheInputDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, fakeserver.Config{Build: func(rows int64) fake.Script { return fake.BuildOver(rows, 50*time.Minute) }})
		ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Minute, errStop)
		defer cancel()

		err := r.run(ctx, strings.NewReader(lines(10_000)))

		require.ErrorIs(t, err, errStop)
		require.EqualValues(t, 4000, r.acknowledged(t))
	})
}

func TestRun_NewCollectionOfTheSameName_StartsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, fakeserver.Config{})
		require.NoError(t, r.run(t.Context(), strings.NewReader(lines(2500))))
		require.NoError(t, r.client.DropCollection(t.Context(), "docs"))

		require.NoError(t, r.run(t.Context(), strings.NewReader(lines(2500))))

		require.EqualValues(t, 2500, r.stored(t))
	})
}

func TestRun_RowsWithoutACheckpoint_IsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, fakeserver.Config{})
		require.NoError(t, r.run(t.Context(), strings.NewReader(lines(1500))))
		require.NoError(t, os.Remove(r.settings.checkpoint))

		err := r.run(t.Context(), strings.NewReader(lines(1500)))

		require.ErrorIs(t, err, errNotOurs)
		require.ErrorContains(t, err, "1500")
		require.EqualValues(t, 1500, r.stored(t))
		require.NoFileExists(t, r.settings.checkpoint)
	})
}

func TestRun_Failures_ReturnTheirReason(t *testing.T) {
	tests := []struct {
		name   string
		fault  func(r *rig)
		want   error
		code   int
		advice string
	}{
		{"the index cannot be built", func(r *rig) {
			r.Set(milvuswait.IndexBuilding("docs", indexName), fake.BuildOver(100, time.Minute).FailAt(50, "out of disk"))
		}, milvuswait.ErrIndexFailed, 1, "read its reason"},
		{"another program drops the collection", func(r *rig) { r.Drop("docs") }, milvuswait.ErrCollectionNotFound, 1, "begins with the first document"},
		{"the index takes too long", func(r *rig) {
			r.Set(milvuswait.IndexBuilding("docs", indexName), fake.BuildOver(100, 10*time.Hour))
		}, context.DeadlineExceeded, 124, "goes on where"},
		{"the index stands still", func(r *rig) {
			r.Set(milvuswait.IndexBuilding("docs", indexName), fake.BuildOver(100, time.Minute).StallAt(50, fake.Forever))
		}, milvuswait.ErrStalled, 1, "goes on where"},
		{"another program releases the collection", func(r *rig) {
			time.AfterFunc(70*time.Second, func() { r.Set(milvuswait.Loading("docs"), nil) })
		}, milvuswait.ErrReleased, 1, "loads it again"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, fakeserver.Config{})
				time.AfterFunc(10*time.Second, func() { tt.fault(r) })

				err := r.run(t.Context(), strings.NewReader(lines(100)))

				require.ErrorIs(t, err, tt.want)
				require.Equal(t, tt.code, exitCode(t.Context(), err))
				require.Contains(t, advice(err), tt.advice)
			})
		})
	}
}

func TestBadInput(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"not JSON", "id,vector\n", "document 1: invalid character"},
		{"cut off", lines(1) + `{"id":1,`, "document 2: unexpected EOF"},
		{"another type", lines(1) + `{"id":"1"}`, "document 2: json: cannot unmarshal string"},
		{"no id", lines(1) + `{"vector":[1,2,3,4]}`, "document 2 has no id"},
		{"wrong dimension", lines(1) + `{"id":1,"vector":[1,2]}`, "document 2 has a vector of 2 dimensions, not 4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, fakeserver.Config{})

				err := r.run(t.Context(), strings.NewReader(tt.in))

				require.ErrorContains(t, err, tt.want)
				require.Contains(t, advice(err), "mend that document")
			})
		})
	}
}

func TestRun_AnotherInput_IsRefused(t *testing.T) {
	first := lines(5)
	for _, tt := range []struct{ name, in, want string }{
		{"as long", strings.ReplaceAll(first, `{"id":`, `{"id":9`), "its first 5 documents differ from the inserted ones"},
		{"longer", strings.ReplaceAll(lines(9), `{"id":`, `{"id":9`), "its first 5 documents differ from the inserted ones"},
		{"other vectors", strings.Replace(lines(9), "0]", "1]", 1), "its first 5 documents differ from the inserted ones"},
		{"shorter", lines(4), "it has 4 documents, but 5 are inserted already"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, fakeserver.Config{})
				require.NoError(t, r.run(t.Context(), strings.NewReader(first)))

				err := r.run(t.Context(), strings.NewReader(tt.in))

				require.ErrorIs(t, err, errOtherInput)
				require.ErrorContains(t, err, tt.want)
				require.Contains(t, advice(err), "begins with the documents that are in")
				require.EqualValues(t, 5, r.acknowledged(t))
				require.EqualValues(t, 5, r.stored(t))
				require.NoError(t, r.run(t.Context(), strings.NewReader(lines(9))), "the same one goes on")
				require.EqualValues(t, 9, r.stored(t))
			})
		})
	}
}

// indexed requires that the server counts the given number of rows, all of them indexed.
func indexed(t *testing.T, r *rig, rows int64) {
	t.Helper()
	p, err := sdk.New(r.client).IndexBuildingProgress(t.Context(), "docs", indexName)
	require.NoError(t, err)
	require.Equal(t, milvuswait.IndexBuildingProgress{
		TotalRows: rows, IndexedRows: rows, State: milvuswait.IndexStateFinished, IndexName: indexName,
	}, p)
}

// The rows of the first flush, duplicates included, are as many as the documents.
func TestRun_DuplicateRows_WaitsForTheLastOnes(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, fakeserver.Config{Dialect: dialect})
				r.loseAnswer.Store(2)
				require.Error(t, r.run(t.Context(), strings.NewReader(lines(4000))))
				require.EqualValues(t, 1000, r.acknowledged(t))

				require.NoError(t, r.run(t.Context(), strings.NewReader(lines(4000))))

				indexed(t, r, 5000)
			})
		})
	}
}

// The first process is stopped while its rows are being flushed. The next start has no rows
// to insert, and no mark.
func TestRun_RowsOfAnEarlierFlush_AreWaitedFor(t *testing.T) {
	for _, dialect := range dialects {
		t.Run(dialect.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, fakeserver.Config{Dialect: dialect})
				ctx, stop := context.WithCancelCause(t.Context())
				defer stop(nil)
				const flushing = 1100 * time.Millisecond
				time.AfterFunc(flushing, func() { stop(errStop) })
				start := time.Now()
				require.ErrorIs(t, r.run(ctx, strings.NewReader(lines(1500))), errStop)
				require.Equal(t, flushing, time.Since(start))

				require.NoError(t, r.run(t.Context(), strings.NewReader(lines(1500))))

				indexed(t, r, 1500)
			})
		})
	}
}

// Deletes and compaction leave fewer rows than were inserted.
func TestRun_DeletedRows_AreNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, fakeserver.Config{})
		require.NoError(t, r.run(t.Context(), strings.NewReader(lines(2500))))
		r.Set(milvuswait.IndexBuilding("docs", indexName), fake.BuildOver(2000, 0))

		require.NoError(t, r.run(t.Context(), strings.NewReader(lines(2500))))
	})
}

func TestRun_FailedRead_IsNotABadDocument(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, fakeserver.Config{})

		err := r.run(t.Context(), io.MultiReader(strings.NewReader(lines(1)), iotest.ErrReader(errors.New("no such device"))))

		require.EqualError(t, err, "reading document 2: no such device")
		require.Contains(t, advice(err), "goes on where")
	})
}
