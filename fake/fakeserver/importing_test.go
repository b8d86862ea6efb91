package fakeserver_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/fake"
	"github.com/milvuswait/milvuswait/fake/fakeserver"
	"github.com/milvuswait/milvuswait/internal/wire"
)

// importDialects lists the dialects with imports.
var importDialects = []fakeserver.Dialect{fakeserver.Milvus23, fakeserver.Milvus22, fakeserver.Milvus26}

func importState(t *testing.T, c grpc.ClientConnInterface, job int64) *wire.GetImportStateResponse {
	t.Helper()
	r, err := wire.GetImportState.Call(t.Context(), c, &wire.GetImportStateRequest{Task: job})
	require.NoError(t, err)
	return r
}

// infos returns the infos of a response by key.
func infos(r *wire.GetImportStateResponse) map[string]string {
	all := map[string]string{}
	for _, info := range r.GetInfos() {
		all[info.GetKey()] = info.GetValue()
	}
	return all
}

func startImport(t *testing.T, c grpc.ClientConnInterface, collection, partition string) *wire.ImportResponse {
	t.Helper()
	r, err := wire.Import.Call(t.Context(), c, &wire.ImportRequest{
		CollectionName: collection, PartitionName: partition, Files: []string{"rows.json"},
	})
	require.NoError(t, err)
	return r
}

func TestImport_FollowsTheScriptOfConfig(t *testing.T) {
	for _, dialect := range importDialects {
		t.Run(dialect.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, c := start(t, fakeserver.Config{Dialect: dialect, Import: fake.Steps(
					fake.Step{Progress: milvuswait.ImportProgress{State: milvuswait.ImportStateStarted}},
					fake.Step{Progress: milvuswait.ImportProgress{State: milvuswait.ImportStatePersisted, Percent: 90, Rows: 20_000}, Delay: time.Second},
					fake.Step{Progress: milvuswait.ImportProgress{State: milvuswait.ImportStateCompleted, Percent: 100, Rows: 20_000}},
				)})
				srv.AddCollection("docs", "p1")
				started := startImport(t, c, "docs", "p1")
				require.Equal(t, ok, of(started.GetStatus()))
				require.Equal(t, 1, len(started.GetTasks()))
				job := started.GetTasks()[0]

				first := importState(t, c, job)
				require.Equal(t, wire.ImportState_ImportStarted, first.GetState())
				want := map[string]string{"collection": "docs", "partition": "p1", "failed_reason": ""}
				if dialect == fakeserver.Milvus26 {
					want = map[string]string{"failed_reason": "", "progress_percent": "0"}
				}
				require.Equal(t, want, infos(first))

				begin := time.Now()
				second := importState(t, c, job)
				require.Equal(t, time.Second, time.Since(begin))
				require.Equal(t, wire.ImportState_ImportPersisted, second.GetState())
				require.Equal(t, "90", infos(second)["progress_percent"])
				require.Equal(t, []int64{20_000, job, docsID}, []int64{second.GetRowCount(), second.GetId(), second.GetCollectionId()})

				srv.Drop("docs")
				require.Equal(t, wire.ImportState_ImportCompleted, importState(t, c, job).GetState(), "a job outlives its collection")
			})
		})
	}
}

func TestImport_DefaultScript_Completes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, c := start(t, fakeserver.Config{})
		srv.AddCollection("docs")
		job := startImport(t, c, "docs", "").GetTasks()[0]

		for _, want := range []wire.ImportState{
			wire.ImportState_ImportStarted, wire.ImportState_ImportPersisted, wire.ImportState_ImportCompleted, wire.ImportState_ImportCompleted,
		} {
			require.Equal(t, want, importState(t, c, job).GetState())
			time.Sleep(100 * time.Millisecond)
		}
	})
}

func TestImport_MissingCollectionOrPartition_IsRefused(t *testing.T) {
	tests := map[fakeserver.Dialect][2]body{
		fakeserver.Milvus23: {
			{unexpected, 65535, "attempt #9: rpc error: code = Unknown desc = collection not found[database=default][collection=nope]"},
			{unexpected, 65535, "attempt #9: rpc error: code = Unknown desc = partition not found[partition=nopart]"},
		},
		fakeserver.Milvus22: {
			{unexpected, 0, "code: UnexpectedError, reason: code: CollectionNotExists, reason: can't find collection default:nope"},
			{unexpected, 0, "partition is not exist: nopart"},
		},
		fakeserver.Milvus26: {
			{notExists, 100, "collection not found[database=default][collection=nope]"},
			{metaFailed, 200, "partition not found[partition=nopart]"},
		},
	}
	for dialect, want := range tests {
		t.Run(dialect.String(), func(t *testing.T) {
			srv, c := start(t, fakeserver.Config{Dialect: dialect})
			srv.AddCollection("docs")

			require.Equal(t, want[0], of(startImport(t, c, "nope", "").GetStatus()))
			require.Equal(t, want[1], of(startImport(t, c, "docs", "nopart").GetStatus()))
		})
	}
}

func TestGetImportState_UnknownJob_HasTheFailureOfTheDialect(t *testing.T) {
	tests := map[fakeserver.Dialect]body{
		fakeserver.Milvus23: {unexpected, 1000, "key not found[key=by-dev/meta/importtask/7]"},
		fakeserver.Milvus22: {unexpected, 0, "import task id doesn't exist"},
		fakeserver.Milvus26: {unexpected, 2100, "import job does not exist, jobID=7: importing data failed"},
	}
	for dialect, want := range tests {
		t.Run(dialect.String(), func(t *testing.T) {
			srv, c := start(t, fakeserver.Config{Dialect: dialect})
			require.Equal(t, want, of(importState(t, c, 7).GetStatus()))

			srv.Set(milvuswait.Importing(7), fake.Steps(
				fake.Step{Progress: milvuswait.ImportProgress{State: milvuswait.ImportStatePending}},
				fake.Step{Err: milvuswait.ErrJobNotFound},
			))
			require.Equal(t, ok, of(importState(t, c, 7).GetStatus()))
			require.Equal(t, want, of(importState(t, c, 7).GetStatus()), "forgotten")

			srv.Set(milvuswait.Importing(7), nil)
			require.Equal(t, want, of(importState(t, c, 7).GetStatus()))
		})
	}
}

func TestGetImportState_UncommittedJob_LooksFailedOn26(t *testing.T) {
	for _, dialect := range importDialects {
		t.Run(dialect.String(), func(t *testing.T) {
			srv, c := start(t, fakeserver.Config{Dialect: dialect})
			srv.Set(milvuswait.Importing(7), fake.Steps(fake.Step{Progress: milvuswait.ImportProgress{
				State: milvuswait.ImportStateStarted, Percent: 99, Phase: milvuswait.ImportPhaseUncommitted,
			}}))

			r := importState(t, c, 7)

			require.Equal(t, dialect == fakeserver.Milvus26, r.GetState() == wire.ImportState_ImportFailed)
			require.Equal(t, "99", infos(r)["progress_percent"])
			require.Empty(t, infos(r)["failed_reason"])
		})
	}
}

func TestImports_OnLite_AreUnimplemented(t *testing.T) {
	srv, c := start(t, fakeserver.Config{Dialect: fakeserver.MilvusLite})
	srv.AddCollection("docs")

	_, err := wire.Import.Call(t.Context(), c, &wire.ImportRequest{CollectionName: "docs"})
	require.Equal(t, codes.Unimplemented, status.Code(err))
	_, err = wire.GetImportState.Call(t.Context(), c, &wire.GetImportStateRequest{Task: 1})
	require.Equal(t, codes.Unimplemented, status.Code(err))
}

func TestImport_IDOfATest_IsNotUsedAgain(t *testing.T) {
	srv, c := start(t, fakeserver.Config{})
	srv.AddCollection("docs") // takes the IDs 100 and 101
	srv.Set(milvuswait.Importing(102), fake.Steps(fake.Step{Progress: milvuswait.ImportProgress{State: milvuswait.ImportStateFailed, FailReason: "no such file"}}))

	require.Equal(t, []int64{103}, startImport(t, c, "docs", "").GetTasks())

	failed := importState(t, c, 102)
	require.Equal(t, wire.ImportState_ImportFailed, failed.GetState())
	require.Equal(t, "no such file", infos(failed)["failed_reason"])
}

// TestImportWait_OverTheWire waits for imports by raw calls.
func TestImportWait_OverTheWire(t *testing.T) {
	failing := fake.Steps(
		fake.Step{Progress: milvuswait.ImportProgress{State: milvuswait.ImportStateStarted}},
		fake.Step{Progress: milvuswait.ImportProgress{State: milvuswait.ImportStateFailed, FailReason: "no such file"}},
	)
	for _, dialect := range importDialects {
		t.Run(dialect.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, c := start(t, fakeserver.Config{Dialect: dialect})
				srv.AddCollection("docs")
				srv.Set(milvuswait.Importing(7), failing)
				p := milvuswait.PollerFuncs{Import: func(_ context.Context, job int64) (milvuswait.ImportProgress, error) {
					r := importState(t, c, job)
					return milvuswait.ImportProgress{State: milvuswait.ImportState(r.GetState()), FailReason: infos(r)["failed_reason"]}, nil
				}}
				begin := time.Now()

				_, err := milvuswait.WaitForImportComplete(t.Context(), p, startImport(t, c, "docs", "").GetTasks()[0])
				require.NoError(t, err)
				require.GreaterOrEqual(t, time.Since(begin), 200*time.Millisecond)

				_, err = milvuswait.WaitForImportComplete(t.Context(), p, 7)
				require.ErrorIs(t, err, milvuswait.ErrJobFailed)
				require.ErrorContains(t, err, "no such file")
			})
		})
	}
}
