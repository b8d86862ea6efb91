package sdk_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/milvus-io/milvus-sdk-go/v2/entity"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/internal/wire"
	"github.com/milvuswait/milvuswait/rpc"
	"github.com/milvuswait/milvuswait/sdk"
)

// TestRealClient_OptionalCalls makes every optional call through a real client, and finds
// rows.
func TestRealClient_OptionalCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		ok := &wire.Status{}
		var flush *wire.GetFlushStateRequest
		s.Segments = func(context.Context, *wire.GetPersistentSegmentInfoRequest) (*wire.GetPersistentSegmentInfoResponse, error) {
			return &wire.GetPersistentSegmentInfoResponse{Status: ok, Infos: []*wire.PersistentSegmentInfo{{SegmentID: 3, State: wire.SegmentState_Sealed}}}, nil
		}
		s.Flush = func(_ context.Context, req *wire.GetFlushStateRequest) (*wire.GetFlushStateResponse, error) {
			flush = req
			return &wire.GetFlushStateResponse{Status: ok, Flushed: true}, nil
		}
		s.Import = func(context.Context, *wire.GetImportStateRequest) (*wire.GetImportStateResponse, error) {
			return &wire.GetImportStateResponse{Status: ok, State: wire.ImportState_ImportCompleted, RowCount: 5}, nil
		}
		s.Compaction = func(context.Context, *wire.GetCompactionStateRequest) (*wire.GetCompactionStateResponse, error) {
			return &wire.GetCompactionStateResponse{Status: ok, State: wire.CompactionState_Completed, FailedPlanNo: 1}, nil
		}
		s.List = func(context.Context, *wire.ShowCollectionsRequest) (*wire.ShowCollectionsResponse, error) {
			return &wire.ShowCollectionsResponse{Status: ok}, nil
		}
		s.Query = func(context.Context, *wire.QueryRequest) (*wire.QueryResults, error) {
			return &wire.QueryResults{Status: ok, FieldsData: []*wire.FieldData{{Field: &wire.FieldData_Scalars{
				Scalars: &wire.ScalarField{Data: &wire.ScalarField_LongData{LongData: &wire.LongArray{Data: []int64{7}}}},
			}}}}, nil
		}
		p := sdk.New(connect(t, s, client.Config{}))

		segments, err := p.(milvuswait.SegmentLister).UnflushedSegments(t.Context(), "docs")
		require.NoError(t, err)
		require.Equal(t, []int64{3}, segments)

		done, err := p.(milvuswait.FlushPoller).FlushDone(t.Context(), "docs", milvuswait.FlushMark{Timestamp: 5, Segments: []int64{3}})
		require.NoError(t, err)
		require.True(t, done)
		require.Equal(t, uint64(5), flush.GetFlushTs())
		require.Equal(t, []int64{3}, flush.GetSegmentIDs())
		require.Equal(t, "docs", flush.GetCollectionName())

		imported, err := p.(milvuswait.ImportPoller).ImportProgress(t.Context(), 7)
		require.NoError(t, err)
		require.Equal(t, milvuswait.ImportProgress{State: milvuswait.ImportStateCompleted, Rows: 5}, imported)

		compacted, err := p.(milvuswait.CompactionPoller).CompactionProgress(t.Context(), 7)
		require.NoError(t, err)
		require.Equal(t, milvuswait.CompactionProgress{State: milvuswait.CompactionStateCompleted, Failed: 1}, compacted)

		require.NoError(t, p.(milvuswait.ServerChecker).CheckServer(t.Context()))
		require.NoError(t, p.(*rpc.Poller).FindRow("id == 7")(t.Context(), milvuswait.Loading("docs")))
	})
}

func TestFallback_UnflushedSegments(t *testing.T) {
	t.Parallel()
	const sealed, flushed, flushing = 3, 4, 5
	segments := []*entity.Segment{{ID: 1, State: flushed}, {ID: 2, State: sealed}, {ID: 3, State: flushing}}
	tests := []struct {
		name    string
		version func() (string, error)
		err     error
		want    []int64
		class   error
		calls   int
	}{
		{"2.3.5", func() (string, error) { return "v2.3.5", nil }, nil, []int64{2, 3}, nil, 1},
		{"unknown version", func() (string, error) { return "", errors.New("service failed") }, nil, []int64{2, 3}, nil, 1},
		{"2.6", func() (string, error) { return "v2.6.0", nil }, nil, nil, errors.ErrUnsupported, 0},
		{"milvus-lite", func() (string, error) { return "milvus_lite-3.2.2", nil }, nil, nil, nil, 0},
		{"mock without GetVersion", nil, nil, []int64{2, 3}, nil, 1},
		{"replaced by a compaction", nil, errors.New("failed to get segment 470802686271727209"), nil, errTransient, 1},
		{"no collection", nil, client.ErrCollectionNotExists{}, nil, milvuswait.ErrCollectionNotFound, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := &mock{version: tt.version, segments: func(collection string) ([]*entity.Segment, error) {
				require.Equal(t, "docs", collection)
				return segments, tt.err
			}}

			got, err := sdk.New(m).(milvuswait.SegmentLister).UnflushedSegments(t.Context(), "docs")

			require.Equal(t, tt.want, got)
			require.Len(t, m.calls, tt.calls)
			if tt.class == errors.ErrUnsupported {
				require.ErrorIs(t, err, errors.ErrUnsupported)
			} else {
				requireClass(t, tt.class, err)
			}
		})
	}
}

func TestFallback_ImportProgress(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		task *entity.BulkInsertTaskState
		err  error
		want milvuswait.ImportProgress
		is   error
	}{
		{"persisted", &entity.BulkInsertTaskState{State: 5, RowCount: 20000, Infos: map[string]string{"progress_percent": "90", "failed_reason": ""}}, nil,
			milvuswait.ImportProgress{State: milvuswait.ImportStatePersisted, Percent: 90, Rows: 20000}, nil},
		{"failed", &entity.BulkInsertTaskState{State: 1, Infos: map[string]string{"failed_reason": "no such file"}}, nil,
			milvuswait.ImportProgress{State: milvuswait.ImportStateFailed, FailReason: "no such file"}, nil},
		{"unknown, 2.2.16", nil, errors.New("import task id doesn't exist"), milvuswait.ImportProgress{}, milvuswait.ErrJobNotFound},
		{"unknown, 2.3.5", nil, errors.New("key not found[key=by-dev/meta/importtask/1]"), milvuswait.ImportProgress{}, milvuswait.ErrJobNotFound},
		{"something", nil, errors.New("what?"), milvuswait.ImportProgress{}, errTransient},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := &mock{imports: func(task int64) (*entity.BulkInsertTaskState, error) {
				require.EqualValues(t, 7, task)
				return tt.task, tt.err
			}}

			got, err := sdk.New(m).(milvuswait.ImportPoller).ImportProgress(t.Context(), 7)

			requireClass(t, tt.is, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestFallback_CheckServer(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ err, want error }{
		"answers":     {nil, nil},
		"no database": {errors.New("database not found[database=nodb]"), nil},
		"not ready":   {errors.New("service not ready"), errTransient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := &mock{collections: func() ([]*entity.Collection, error) { return nil, tt.err }}

			requireClass(t, tt.want, sdk.New(m).(milvuswait.ServerChecker).CheckServer(t.Context()))
		})
	}
}

// TestFallback_FlushesAndCompactions_AreInvalid covers waits beyond the methods of the
// client: they end before a poll, and name the interface.
func TestFallback_FlushesAndCompactions_AreInvalid(t *testing.T) {
	t.Parallel()
	m := &mock{}
	for target, want := range map[milvuswait.Target]string{
		milvuswait.Flushing("docs", milvuswait.FlushMark{}): "milvuswait: invalid argument: the Poller does not implement FlushPoller",
		milvuswait.Compacting(7):                            "milvuswait: invalid argument: the Poller does not implement CompactionPoller",
	} {
		_, err := milvuswait.Wait(t.Context(), sdk.New(m), target)

		requireClass(t, milvuswait.ErrInvalid, err)
		require.EqualError(t, err, want)
	}
	require.Empty(t, m.calls)
}
