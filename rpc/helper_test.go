package rpc_test

import (
	"context"

	"google.golang.org/grpc"

	"github.com/milvuswait/milvuswait/internal/milvustest"
	"github.com/milvuswait/milvuswait/internal/wire"
)

type (
	server          = milvustest.Server
	loadingRequest  = wire.GetLoadingProgressRequest
	loadingResponse = wire.GetLoadingProgressResponse
	stateRequest    = wire.GetLoadStateRequest
	stateResponse   = wire.GetLoadStateResponse
	indexRequest    = wire.DescribeIndexRequest
	indexResponse   = wire.DescribeIndexResponse
	listRequest     = wire.ShowCollectionsRequest
	listResponse    = wire.ShowCollectionsResponse
	description     = wire.IndexDescription
	statusBody      = wire.Status
)

const (
	loadingCall = "GetLoadingProgress"
	stateCall   = "GetLoadState"
	indexCall   = "DescribeIndex"
	listCall    = "ShowCollections"

	notExist = wire.LoadState_LoadStateNotExist
	notLoad  = wire.LoadState_LoadStateNotLoad
	loading  = wire.LoadState_LoadStateLoading
	loaded   = wire.LoadState_LoadStateLoaded
)

var (
	connect      = milvustest.Connect
	requireClass = milvustest.RequireClass
	errPassing   = milvustest.ErrPassing
	errPermanent = milvustest.ErrPermanent
)

// stub is a generated client without a server.
type stub struct {
	loading func(context.Context, *loadingRequest, ...grpc.CallOption) (*loadingResponse, error)
	state   func(context.Context, *stateRequest, ...grpc.CallOption) (*stateResponse, error)
	index   func(context.Context, *indexRequest, ...grpc.CallOption) (*indexResponse, error)
	list    func(context.Context, *listRequest, ...grpc.CallOption) (*listResponse, error)
}

func (s *stub) GetLoadingProgress(ctx context.Context, req *loadingRequest, opts ...grpc.CallOption) (*loadingResponse, error) {
	return s.loading(ctx, req, opts...)
}

func (s *stub) GetLoadState(ctx context.Context, req *stateRequest, opts ...grpc.CallOption) (*stateResponse, error) {
	return s.state(ctx, req, opts...)
}

func (s *stub) DescribeIndex(ctx context.Context, req *indexRequest, opts ...grpc.CallOption) (*indexResponse, error) {
	return s.index(ctx, req, opts...)
}

func (s *stub) ShowCollections(ctx context.Context, req *listRequest, opts ...grpc.CallOption) (*listResponse, error) {
	return s.list(ctx, req, opts...)
}

// answering returns a stub that gives the same status or error to every call. If the
// status is a success, GetLoadState reports Loading.
func answering(st *statusBody, err error) *stub {
	return &stub{
		loading: func(context.Context, *loadingRequest, ...grpc.CallOption) (*loadingResponse, error) {
			return &loadingResponse{Status: st, Progress: 42}, err
		},
		state: func(context.Context, *stateRequest, ...grpc.CallOption) (*stateResponse, error) {
			return &stateResponse{Status: st, State: loading}, err
		},
		index: func(context.Context, *indexRequest, ...grpc.CallOption) (*indexResponse, error) {
			return &indexResponse{Status: st, IndexDescriptions: []*description{{IndexName: "v"}}}, err
		},
		list: func(context.Context, *listRequest, ...grpc.CallOption) (*listResponse, error) {
			return &listResponse{Status: st}, err
		},
	}
}
