package rpc_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
)

// infos returns the infos of an import, from keys and values.
func infos(keysAndValues ...string) (pairs []*wire.KeyValuePair) {
	for i := 0; i < len(keysAndValues); i += 2 {
		pairs = append(pairs, &wire.KeyValuePair{Key: keysAndValues[i], Value: keysAndValues[i+1]})
	}
	return pairs
}

// TestImportProgress replays responses as recorded from 2.2.16 and 2.3.5, and as Milvus 2.4
// to 3.0 makes them.
func TestImportProgress(t *testing.T) {
	t.Parallel()
	const noFile = "failed to get file size of 'DATA/none.json', error:stat DATA/none.json: no such file or directory: importing data failed"
	tests := []struct {
		name  string
		state wire.ImportState
		rows  int64
		infos []*wire.KeyValuePair
		want  milvuswait.ImportProgress
	}{
		{"started, no progress yet", wire.ImportState_ImportStarted, 0, infos("collection", "docs", "partition", "_default", "failed_reason", ""),
			milvuswait.ImportProgress{State: milvuswait.ImportStateStarted}},
		{"started", wire.ImportState_ImportStarted, 0, infos("failed_reason", "", "progress_percent", "89"),
			milvuswait.ImportProgress{State: milvuswait.ImportStateStarted, Percent: 89}},
		{"persisted", wire.ImportState_ImportPersisted, 20000, infos("failed_reason", "", "progress_percent", "90", "persist_cost", "8.27"),
			milvuswait.ImportProgress{State: milvuswait.ImportStatePersisted, Percent: 90, Rows: 20000}},
		{"completed", wire.ImportState_ImportCompleted, 20000, infos("failed_reason", "", "progress_percent", "100"),
			milvuswait.ImportProgress{State: milvuswait.ImportStateCompleted, Percent: 100, Rows: 20000}},
		{"failed", wire.ImportState_ImportFailed, 0, infos("failed_reason", noFile, "progress_percent", "0"),
			milvuswait.ImportProgress{State: milvuswait.ImportStateFailed, FailReason: noFile}},
		{"failed and cleaned", wire.ImportState_ImportFailedAndCleaned, 0, infos("failed_reason", "x\x1b[2J"),
			milvuswait.ImportProgress{State: milvuswait.ImportStateFailedAndCleaned, FailReason: "x[2J"}},
		{"pending", wire.ImportState_ImportPending, 0, infos("failed_reason", "", "progress_percent", "10"),
			milvuswait.ImportProgress{State: milvuswait.ImportStatePending, Percent: 10}},
		{"flushed", wire.ImportState_ImportFlushed, 5, nil, milvuswait.ImportProgress{State: milvuswait.ImportStateFlushed, Rows: 5}},
		{"unknown state and negative progress", 42, -1, infos("progress_percent", "-3"),
			milvuswait.ImportProgress{State: 42, Percent: -3, Rows: -1}},
		{"progress that is no number", wire.ImportState_ImportStarted, 0, infos("progress_percent", "most"),
			milvuswait.ImportProgress{State: milvuswait.ImportStateStarted}},

		{"3.0, waits for a commit", wire.ImportState_ImportFailed, 0, infos("failed_reason", "", "progress_percent", "99"),
			milvuswait.ImportProgress{State: milvuswait.ImportStateStarted, Percent: 99, Phase: milvuswait.ImportPhaseUncommitted}},
		{"3.0, imported and committed at once", wire.ImportState_ImportStarted, 0, infos("failed_reason", "", "progress_percent", "99"),
			milvuswait.ImportProgress{State: milvuswait.ImportStateStarted, Percent: 99}},
		{"failed at 99 % with a reason", wire.ImportState_ImportFailed, 0, infos("failed_reason", "timeout", "progress_percent", "99"),
			milvuswait.ImportProgress{State: milvuswait.ImportStateFailed, Percent: 99, FailReason: "timeout"}},
		{"failed without a reason", wire.ImportState_ImportFailed, 0, infos("failed_reason", "", "progress_percent", "0"),
			milvuswait.ImportProgress{State: milvuswait.ImportStateFailed}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got *importRequest
				s := &server{Import: func(_ context.Context, req *importRequest) (*importResponse, error) {
					got = req
					return &importResponse{Status: ok, State: tt.state, RowCount: tt.rows, Infos: tt.infos}, nil
				}}

				progress, err := rpc.New(connect(t, s), rpc.WithDatabase("db")).ImportProgress(t.Context(), 470802561083515846)

				require.NoError(t, err)
				require.Equal(t, tt.want, progress)
				require.True(t, proto.Equal(&importRequest{Task: 470802561083515846}, got), "%v", got)
				require.Equal(t, []string{importCall}, s.Calls())
			})
		})
	}
}

// TestImportProgress_Failures replays failures of servers. The wait for an import never
// gets an error about a collection or a load, whatever the server reports, and no failure
// is followed by GetLoadState.
func TestImportProgress_Failures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status *statusBody
		want   error
	}{
		{"2.2.16, unknown", &statusBody{ErrorCode: 1, Reason: "import task id doesn't exist"}, milvuswait.ErrJobNotFound},
		{"2.3.5, unknown", &statusBody{Code: 1000, ErrorCode: 1, Reason: "key not found[key=by-dev/meta/importtask/1]"}, milvuswait.ErrJobNotFound},
		{"2.4 to 2.6, unknown", &statusBody{Code: 2100, ErrorCode: 1, Reason: "import job does not exist, jobID=1: importing data failed"}, milvuswait.ErrJobNotFound},
		{"3.0, unknown", &statusBody{Code: 2101, ErrorCode: 1, Reason: "job 1 not found"}, milvuswait.ErrJobNotFound},
		{"unknown, by the text alone", &statusBody{Code: 65535, ErrorCode: 1, Reason: "import job does not exist, jobID=1"}, milvuswait.ErrJobNotFound},

		{"another key", &statusBody{Code: 1000, ErrorCode: 1, Reason: "key not found[key=by-dev/meta/collection/1]"}, errTransient},
		{"another failure of a job", &statusBody{Code: 2100, ErrorCode: 1, Reason: "parse job id failed"}, errTransient},
		{"not ready", &statusBody{Code: 1, ErrorCode: 56, Reason: "service not ready"}, errTransient},
		{"coordinator away", &statusBody{ErrorCode: 1, Reason: "find no available rootcoord, check rootcoord state"}, errTransient},
		{"something", &statusBody{ErrorCode: 1, Reason: "what?"}, errTransient},
		{"words of a collection", &statusBody{Code: 100, ErrorCode: 4, Reason: "collection not found[collection=5]"}, errTransient},
		{"words of a collection, 2.2", &statusBody{ErrorCode: 1, Reason: "can't find collection default:docs"}, errTransient},
		{"words of a load", &statusBody{Code: 101, ErrorCode: 1, Reason: "collection not loaded[collection=5]"}, errTransient},
		{"words of a load, 2.2", &statusBody{ErrorCode: 1, Reason: "collection 5 has not been loaded to memory or load failed"}, errTransient},
		{"codes of a failed load", &statusBody{Code: 2000, ErrorCode: 52, Reason: "out of memory"}, errTransient},
		{"words of an index", &statusBody{Code: 700, ErrorCode: 25, Reason: "index not found"}, errTransient},

		{"no permission", &statusBody{Code: 1401, ErrorCode: 1, Reason: "privilege not permitted"}, errPermanent},
		{"invalid", &statusBody{Code: 1100, ErrorCode: 5, Reason: "invalid parameter"}, milvuswait.ErrInvalid},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &server{Import: func(context.Context, *importRequest) (*importResponse, error) {
					return &importResponse{Status: tt.status, State: wire.ImportState_ImportCompleted}, nil
				}}

				progress, err := rpc.New(connect(t, s)).ImportProgress(t.Context(), 1)

				requireClass(t, tt.want, err)
				require.Zero(t, progress)
				require.Equal(t, []string{importCall}, s.Calls())
			})
		})
	}
}

// TestErrJobNotFound_OnlyOfImports reports an unknown job for other calls: its words have
// no meaning there.
func TestErrJobNotFound_OnlyOfImports(t *testing.T) {
	t.Parallel()
	for _, st := range []*statusBody{
		{ErrorCode: 1, Reason: "import task id doesn't exist"},
		{Code: 1000, ErrorCode: 1, Reason: "key not found[key=by-dev/meta/importtask/1]"},
		{Code: 2100, ErrorCode: 1, Reason: "import job does not exist, jobID=1"},
	} {
		for method, poll := range allPolls() {
			if method != importCall {
				requireClass(t, errTransient, poll(t.Context(), rpc.FromStub(answering(st, nil))))
			}
		}
		require.ErrorIs(t, rpc.Classify("milvus.proto.milvus.MilvusService/GetImportState", st.GetCode(), int32(st.GetErrorCode()), st.GetReason()), milvuswait.ErrJobNotFound)
		requireClass(t, errTransient, rpc.Classify("", st.GetCode(), int32(st.GetErrorCode()), st.GetReason()))
	}
}

func TestCompactionProgress(t *testing.T) {
	t.Parallel()
	for _, want := range []milvuswait.CompactionProgress{
		{State: milvuswait.CompactionStateCompleted}, // nothing to do, or an unknown number
		{State: milvuswait.CompactionStateExecuting, Executing: 1},
		{State: milvuswait.CompactionStateCompleted, Completed: 3, Failed: 1, TimedOut: 2},
		{State: 9, Executing: -1, Completed: -2, Failed: -3, TimedOut: -4},
	} {
		t.Run(want.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var got *compactionRequest
				s := &server{Compaction: func(_ context.Context, req *compactionRequest) (*compactionResponse, error) {
					got = req
					return &compactionResponse{
						Status: ok, State: wire.CompactionState(want.State), ExecutingPlanNo: want.Executing,
						CompletedPlanNo: want.Completed, FailedPlanNo: want.Failed, TimeoutPlanNo: want.TimedOut,
					}, nil
				}}

				progress, err := rpc.New(connect(t, s)).CompactionProgress(t.Context(), 815)

				require.NoError(t, err)
				require.Equal(t, want, progress)
				require.True(t, proto.Equal(&compactionRequest{CompactionID: 815}, got), "%v", got)
				require.Equal(t, []string{compactionCall}, s.Calls())
			})
		})
	}
}

// TestCompactionProgress_Failures finds no failure about a collection, a load or a job.
func TestCompactionProgress_Failures(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		status *statusBody
		want   error
	}{
		"proxy not healthy, 2.2":  {&statusBody{ErrorCode: 1, Reason: "proxy not healthy"}, errTransient},
		"compaction switched off": {&statusBody{Code: 2, ErrorCode: 1, Reason: "compaction disabled: service unavailable"}, errTransient},
		"words of a collection":   {&statusBody{Code: 100, ErrorCode: 4, Reason: "collection not found"}, errTransient},
		"words of a load":         {&statusBody{Code: 101, ErrorCode: 1, Reason: "collection not loaded[collection=5]"}, errTransient},
		"no permission":           {&statusBody{Code: 1401, ErrorCode: 1, Reason: "privilege not permitted"}, errPermanent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &server{Compaction: func(context.Context, *compactionRequest) (*compactionResponse, error) {
					return &compactionResponse{Status: tt.status, State: wire.CompactionState_Completed}, nil
				}}

				progress, err := rpc.New(connect(t, s)).CompactionProgress(t.Context(), 1)

				requireClass(t, tt.want, err)
				require.Zero(t, progress)
				require.Equal(t, []string{compactionCall}, s.Calls())
			})
		})
	}
}

// TestJobs_MilvusLite_IsUnsupported replays milvus-lite 3.2.2, without imports.
func TestJobs_MilvusLite_IsUnsupported(t *testing.T) {
	t.Parallel()
	for _, method := range []string{importCall, compactionCall} {
		err := optionalPolls[method](t.Context(), rpc.FromStub(answering(nil, status.Error(codes.Unimplemented, "Method not implemented!"))))

		require.ErrorIs(t, err, errors.ErrUnsupported)
		require.EqualError(t, err, "unsupported operation: "+method+": unimplemented: Method not implemented!")
	}
}
