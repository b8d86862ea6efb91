package sdk

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/milvus-io/milvus-proto/go-api/v2/commonpb"
	"github.com/milvus-io/milvus-proto/go-api/v2/milvuspb"
	"github.com/milvus-io/milvus-sdk-go/v2/client"

	"github.com/milvuswait/milvuswait"
	"github.com/milvuswait/milvuswait/rpc"
)

// fallback polls a client.Client without access to its stub. It implements the optional
// interfaces for which the client has methods. It is no milvuswait.Lister and no
// milvuswait.FlushPoller, since the client lacks these methods, and no
// milvuswait.CompactionPoller, since the client does not return failed plans.
type fallback struct{ poller *rpc.Poller }

var (
	_ milvuswait.LoadStateChecker = (*fallback)(nil)
	_ milvuswait.SegmentLister    = (*fallback)(nil)
	_ milvuswait.ImportPoller     = (*fallback)(nil)
	_ milvuswait.ServerChecker    = (*fallback)(nil)
)

// CheckLoadState calls the client's GetLoadState.
func (f *fallback) CheckLoadState(ctx context.Context, collection string, partitions ...string) error {
	return f.poller.CheckLoadState(ctx, collection, partitions...)
}

// LoadingProgress returns 0 % only if GetLoadState confirms the load: the SDK also returns
// 0 % for failures.
func (f *fallback) LoadingProgress(ctx context.Context, collection string, partitions ...string) (milvuswait.LoadingProgress, error) {
	progress, err := f.poller.LoadingProgress(ctx, collection, partitions...)
	if err == nil && progress.Percent == 0 {
		err = f.CheckLoadState(ctx, collection, partitions...)
	}

	if err != nil {
		return milvuswait.LoadingProgress{}, err
	}
	return progress, nil
}

// IndexBuildingProgress polls the named index. It returns ErrInvalid for the empty name and
// AllIndexes.
func (f *fallback) IndexBuildingProgress(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error) {
	if index == "" || index == milvuswait.AllIndexes {
		return milvuswait.IndexBuildingProgress{}, fmt.Errorf(
			"%w: sdk: the index has to be named for a client that is no *client.GrpcClient", milvuswait.ErrInvalid)
	}
	return f.poller.IndexBuildingProgress(ctx, collection, index)
}

// UnflushedSegments calls the client's GetPersistentSegmentInfo, and its GetVersion before.
func (f *fallback) UnflushedSegments(ctx context.Context, collection string) ([]int64, error) {
	return f.poller.UnflushedSegments(ctx, collection)
}

// ImportProgress calls the client's GetBulkInsertState.
func (f *fallback) ImportProgress(ctx context.Context, job int64) (milvuswait.ImportProgress, error) {
	return f.poller.ImportProgress(ctx, job)
}

// CheckServer calls the client's ListCollections.
func (f *fallback) CheckServer(ctx context.Context) error { return f.poller.CheckServer(ctx) }

// translator implements the stub's calls for polls by the public methods of the SDK's
// client. It turns errors of the SDK back into a likely response of the server, so that
// package rpc classifies them as usual.
type translator struct{ c client.Client }

func (t *translator) GetLoadingProgress(ctx context.Context, req *milvuspb.GetLoadingProgressRequest, _ ...grpc.CallOption) (*milvuspb.GetLoadingProgressResponse, error) {
	percent, err := t.c.GetLoadingProgress(ctx, req.GetCollectionName(), req.GetPartitionNames())
	st, err := translate(err)
	return &milvuspb.GetLoadingProgressResponse{Status: st, Progress: percent}, err
}

// errDropped replaces the state NotExist of an existing collection: the SDK returns this
// state in place of the server's error.
var errDropped = errors.New("LoadStateNotExist of a collection that exists: the SDK has dropped the server's error")

func (t *translator) GetLoadState(ctx context.Context, req *milvuspb.GetLoadStateRequest, _ ...grpc.CallOption) (*milvuspb.GetLoadStateResponse, error) {
	state, err := t.c.GetLoadState(ctx, req.GetCollectionName(), req.GetPartitionNames())
	if err == nil && state == 0 {
		return t.confirmNotExist(ctx, req)
	}
	st, err := translate(err)
	return &milvuspb.GetLoadStateResponse{Status: st, State: commonpb.LoadState(state)}, err
}

// confirmNotExist verifies the state NotExist. If the collection and the partitions exist,
// the SDK has dropped an error, and it returns errDropped.
func (t *translator) confirmNotExist(ctx context.Context, req *milvuspb.GetLoadStateRequest) (*milvuspb.GetLoadStateResponse, error) {
	exists, err := t.c.HasCollection(ctx, req.GetCollectionName())
	if err == nil && !exists {
		return &milvuspb.GetLoadStateResponse{Status: &commonpb.Status{}, State: commonpb.LoadState_LoadStateNotExist}, nil
	}

	partitions := req.GetPartitionNames()
	for ; err == nil && len(partitions) > 0; partitions = partitions[1:] {
		exists, err = t.c.HasPartition(ctx, req.GetCollectionName(), partitions[0])
		if err == nil && !exists {
			return &milvuspb.GetLoadStateResponse{Status: partitionNotFound(partitions[0])}, nil
		}
	}

	if err == nil {
		err = errDropped
	}
	st, err := translate(err)
	return &milvuspb.GetLoadStateResponse{Status: st}, err
}

// DescribeIndex describes the index named in the request, with a state derived from its
// rows.
func (t *translator) DescribeIndex(ctx context.Context, req *milvuspb.DescribeIndexRequest, _ ...grpc.CallOption) (*milvuspb.DescribeIndexResponse, error) {
	total, indexed, err := t.c.GetIndexBuildProgress(ctx, req.GetCollectionName(), "", client.WithIndexName(req.GetIndexName()))
	d := &milvuspb.IndexDescription{
		IndexName: req.GetIndexName(), TotalRows: total, IndexedRows: indexed, State: commonpb.IndexState_InProgress,
	}

	if reason, failed := buildFailure(err); failed {
		d.State, d.IndexStateFailReason = commonpb.IndexState_Failed, reason
		err = nil
	} else if indexed >= total {
		d.State = commonpb.IndexState_Finished
	}

	st, err := translate(err)
	return &milvuspb.DescribeIndexResponse{Status: st, IndexDescriptions: []*milvuspb.IndexDescription{d}}, err
}

func (t *translator) GetPersistentSegmentInfo(ctx context.Context, req *milvuspb.GetPersistentSegmentInfoRequest, _ ...grpc.CallOption) (*milvuspb.GetPersistentSegmentInfoResponse, error) {
	segments, err := t.c.GetPersistentSegmentInfo(ctx, req.GetCollectionName())
	infos := make([]*milvuspb.PersistentSegmentInfo, 0, len(segments))
	for _, s := range segments {
		infos = append(infos, &milvuspb.PersistentSegmentInfo{SegmentID: s.ID, State: s.State})
	}

	st, err := translate(err)
	return &milvuspb.GetPersistentSegmentInfoResponse{Status: st, Infos: infos}, err
}

func (t *translator) GetImportState(ctx context.Context, req *milvuspb.GetImportStateRequest, _ ...grpc.CallOption) (*milvuspb.GetImportStateResponse, error) {
	task, err := t.c.GetBulkInsertState(ctx, req.GetTask())
	st, err := translate(err)
	if task == nil {
		return &milvuspb.GetImportStateResponse{Status: st}, err
	}

	infos := make([]*commonpb.KeyValuePair, 0, len(task.Infos))
	for key, value := range task.Infos {
		infos = append(infos, &commonpb.KeyValuePair{Key: key, Value: value})
	}
	return &milvuspb.GetImportStateResponse{
		Status: st, State: commonpb.ImportState(task.State), RowCount: task.RowCount, Infos: infos,
	}, err
}

func (t *translator) ShowCollections(ctx context.Context, _ *milvuspb.ShowCollectionsRequest, _ ...grpc.CallOption) (*milvuspb.ShowCollectionsResponse, error) {
	_, err := t.c.ListCollections(ctx)
	st, err := translate(err)
	return &milvuspb.ShowCollectionsResponse{Status: st}, err
}

func (t *translator) GetVersion(ctx context.Context, _ *milvuspb.GetVersionRequest, _ ...grpc.CallOption) (*milvuspb.GetVersionResponse, error) {
	version, err := t.c.GetVersion(ctx)
	st, err := translate(err)
	return &milvuspb.GetVersionResponse{Status: st, Version: version}, err
}

// buildFailure reports whether err is the SDK's error for a failed index, and returns the
// server's reason.
func buildFailure(err error) (reason string, failed bool) {
	if err == nil {
		return "", false
	}
	return strings.CutPrefix(err.Error(), "index build failed: ")
}

// translate returns the server's response behind an error of the SDK: a status, no status,
// or an error of the call itself.
func translate(err error) (*commonpb.Status, error) {
	if err == nil {
		return &commonpb.Status{}, nil
	}

	if errors.Is(err, client.ErrStatusNil) {
		return nil, nil
	}
	if errors.Is(err, client.ErrClientNotReady) {
		return nil, status.Error(codes.FailedPrecondition, err.Error()) // permanent: the client never becomes ready
	}
	if _, ok := status.FromError(err); ok || errors.Is(err, errDropped) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil, err
	}

	// Errors of the client's own checks.
	var noCollection client.ErrCollectionNotExists
	if errors.As(err, &noCollection) {
		return &commonpb.Status{ErrorCode: commonpb.ErrorCode_CollectionNotExists, Reason: err.Error()}, nil
	}
	var noPartition client.ErrPartitionNotExists
	if errors.As(err, &noPartition) {
		st := partitionNotFound("")
		st.Reason = err.Error()
		return st, nil
	}
	return &commonpb.Status{ErrorCode: commonpb.ErrorCode_UnexpectedError, Reason: err.Error()}, nil
}

func partitionNotFound(name string) *commonpb.Status {
	return &commonpb.Status{Code: 200, ErrorCode: commonpb.ErrorCode_MetaFailed, Reason: fmt.Sprintf("partition not found[partition=%s]", name)}
}
