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

	segmentsRequest    = wire.GetPersistentSegmentInfoRequest
	segmentsResponse   = wire.GetPersistentSegmentInfoResponse
	flushRequest       = wire.GetFlushStateRequest
	flushResponse      = wire.GetFlushStateResponse
	importRequest      = wire.GetImportStateRequest
	importResponse     = wire.GetImportStateResponse
	compactionRequest  = wire.GetCompactionStateRequest
	compactionResponse = wire.GetCompactionStateResponse
	queryRequest       = wire.QueryRequest
	queryResponse      = wire.QueryResults

	statusBody = wire.Status
)

const (
	loadingCall = "GetLoadingProgress"
	stateCall   = "GetLoadState"
	indexCall   = "DescribeIndex"
	listCall    = "ShowCollections"

	segmentsCall   = "GetPersistentSegmentInfo"
	flushCall      = "GetFlushState"
	importCall     = "GetImportState"
	compactionCall = "GetCompactionState"
	queryCall      = "Query"

	notExist = wire.LoadState_LoadStateNotExist
	notLoad  = wire.LoadState_LoadStateNotLoad
	loading  = wire.LoadState_LoadStateLoading
	loaded   = wire.LoadState_LoadStateLoaded
)

var (
	connect      = milvustest.Connect
	requireClass = milvustest.RequireClass
	errTransient = milvustest.ErrTransient
	errPermanent = milvustest.ErrPermanent
)

// stub is a generated client without a server.
type stub struct {
	loading func(context.Context, *loadingRequest, ...grpc.CallOption) (*loadingResponse, error)
	state   func(context.Context, *stateRequest, ...grpc.CallOption) (*stateResponse, error)
	index   func(context.Context, *indexRequest, ...grpc.CallOption) (*indexResponse, error)
	list    func(context.Context, *listRequest, ...grpc.CallOption) (*listResponse, error)

	segments   func(context.Context, *segmentsRequest, ...grpc.CallOption) (*segmentsResponse, error)
	flush      func(context.Context, *flushRequest, ...grpc.CallOption) (*flushResponse, error)
	imports    func(context.Context, *importRequest, ...grpc.CallOption) (*importResponse, error)
	compaction func(context.Context, *compactionRequest, ...grpc.CallOption) (*compactionResponse, error)
	query      func(context.Context, *queryRequest, ...grpc.CallOption) (*queryResponse, error)
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

func (s *stub) GetPersistentSegmentInfo(ctx context.Context, req *segmentsRequest, opts ...grpc.CallOption) (*segmentsResponse, error) {
	return s.segments(ctx, req, opts...)
}

func (s *stub) GetFlushState(ctx context.Context, req *flushRequest, opts ...grpc.CallOption) (*flushResponse, error) {
	return s.flush(ctx, req, opts...)
}

func (s *stub) GetImportState(ctx context.Context, req *importRequest, opts ...grpc.CallOption) (*importResponse, error) {
	return s.imports(ctx, req, opts...)
}

func (s *stub) GetCompactionState(ctx context.Context, req *compactionRequest, opts ...grpc.CallOption) (*compactionResponse, error) {
	return s.compaction(ctx, req, opts...)
}

func (s *stub) Query(ctx context.Context, req *queryRequest, opts ...grpc.CallOption) (*queryResponse, error) {
	return s.query(ctx, req, opts...)
}

// failing returns a server that answers each call but GetVersion with the error of f.
func failing(f func(context.Context) error) *server {
	return &server{
		Loading: func(ctx context.Context, _ *loadingRequest) (*loadingResponse, error) { return nil, f(ctx) },
		State:   func(ctx context.Context, _ *stateRequest) (*stateResponse, error) { return nil, f(ctx) },
		Index:   func(ctx context.Context, _ *indexRequest) (*indexResponse, error) { return nil, f(ctx) },
		List:    func(ctx context.Context, _ *listRequest) (*listResponse, error) { return nil, f(ctx) },

		Segments:   func(ctx context.Context, _ *segmentsRequest) (*segmentsResponse, error) { return nil, f(ctx) },
		Flush:      func(ctx context.Context, _ *flushRequest) (*flushResponse, error) { return nil, f(ctx) },
		Import:     func(ctx context.Context, _ *importRequest) (*importResponse, error) { return nil, f(ctx) },
		Compaction: func(ctx context.Context, _ *compactionRequest) (*compactionResponse, error) { return nil, f(ctx) },
		Query:      func(ctx context.Context, _ *queryRequest) (*queryResponse, error) { return nil, f(ctx) },
	}
}

// always returns a call of a stub with the same result each time.
func always[Req, Resp any](resp *Resp, err error) func(context.Context, *Req, ...grpc.CallOption) (*Resp, error) {
	return func(context.Context, *Req, ...grpc.CallOption) (*Resp, error) { return resp, err }
}

// answering returns a stub that gives the same status or error to every call. If the
// status is a success, GetLoadState reports Loading.
func answering(st *statusBody, err error) *stub {
	return &stub{
		loading: always[loadingRequest](&loadingResponse{Status: st, Progress: 42}, err),
		state:   always[stateRequest](&stateResponse{Status: st, State: loading}, err),
		index:   always[indexRequest](&indexResponse{Status: st, IndexDescriptions: []*description{{IndexName: "v"}}}, err),
		list:    always[listRequest](&listResponse{Status: st}, err),

		segments:   always[segmentsRequest](&segmentsResponse{Status: st}, err),
		flush:      always[flushRequest](&flushResponse{Status: st}, err),
		imports:    always[importRequest](&importResponse{Status: st}, err),
		compaction: always[compactionRequest](&compactionResponse{Status: st}, err),
		query:      always[queryRequest](&queryResponse{Status: st, FieldsData: []*wire.FieldData{int64s("id", 7)}}, err),
	}
}

// int64s returns the values of a field in a result.
func int64s(field string, values ...int64) *wire.FieldData {
	return &wire.FieldData{Type: wire.DataType_Int64, FieldName: field, Field: &wire.FieldData_Scalars{
		Scalars: &wire.ScalarField{Data: &wire.ScalarField_LongData{LongData: &wire.LongArray{Data: values}}},
	}}
}
