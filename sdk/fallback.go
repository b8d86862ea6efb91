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

// fallback is the Poller of a client.Client whose stub cannot be had. It has no lists:
// the client has no calls for them.
type fallback struct{ poller *rpc.Poller }

// CheckLoadState asks the client's GetLoadState.
func (f *fallback) CheckLoadState(ctx context.Context, collection string, partitions ...string) error {
	return f.poller.CheckLoadState(ctx, collection, partitions...)
}

// LoadingProgress believes in 0 % only if GetLoadState does.
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

func (f *fallback) IndexBuildingProgress(ctx context.Context, collection, index string) (milvuswait.IndexBuildingProgress, error) {
	if index == "" || index == milvuswait.AllIndexes {
		return milvuswait.IndexBuildingProgress{}, fmt.Errorf(
			"%w: sdk: the index has to be named for a client that is no *client.GrpcClient", milvuswait.ErrInvalid)
	}
	return f.poller.IndexBuildingProgress(ctx, collection, index)
}

// translator answers, by the methods of the SDK's interface, the calls of which
// a poll is made. What the SDK turned into errors becomes what the server may
// have said, so that package rpc judges it as any other.
type translator struct{ c client.Client }

func (t *translator) GetLoadingProgress(ctx context.Context, req *milvuspb.GetLoadingProgressRequest, _ ...grpc.CallOption) (*milvuspb.GetLoadingProgressResponse, error) {
	percent, err := t.c.GetLoadingProgress(ctx, req.GetCollectionName(), req.GetPartitionNames())
	st, err := translate(err)
	return &milvuspb.GetLoadingProgressResponse{Status: st, Progress: percent}, err
}

// errDropped is what a state reads as whose status the SDK has dropped.
var errDropped = errors.New("LoadStateNotExist of a collection that exists: the SDK has dropped the server's error")

func (t *translator) GetLoadState(ctx context.Context, req *milvuspb.GetLoadStateRequest, _ ...grpc.CallOption) (*milvuspb.GetLoadStateResponse, error) {
	state, err := t.c.GetLoadState(ctx, req.GetCollectionName(), req.GetPartitionNames())
	if err == nil && state == 0 {
		return t.confirmNotExist(ctx, req)
	}
	st, err := translate(err)
	return &milvuspb.GetLoadStateResponse{Status: st, State: commonpb.LoadState(state)}, err
}

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

// DescribeIndex describes the one index that the request names.
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

// buildFailure returns the reason of an index that the server says is failed,
// which the SDK makes an error of.
func buildFailure(err error) (reason string, failed bool) {
	if err == nil {
		return "", false
	}
	return strings.CutPrefix(err.Error(), "index build failed: ")
}

// translate returns what an error of the SDK was made of: a status, the absence
// of one, or an error of the call itself.
func translate(err error) (*commonpb.Status, error) {
	if err == nil {
		return &commonpb.Status{}, nil
	}
	if errors.Is(err, client.ErrStatusNil) {
		return nil, nil
	}
	if errors.Is(err, client.ErrClientNotReady) {
		return nil, status.Error(codes.FailedPrecondition, err.Error()) // it never will be
	}
	if _, ok := status.FromError(err); ok || errors.Is(err, errDropped) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil, err
	}
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
