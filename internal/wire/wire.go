// Package wire holds the protobuf messages of Milvus' gRPC interface, and its RPCs.
//
// Milvus' own Go packages, go-api/v2 and go-api/v3, register the same protobuf names:
// a program that links both panics at start. The messages here have Milvus' field
// numbers but names of their own, so that every package which uses them can be linked
// together with any client of Milvus.
package wire

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

//go:generate go run -C ../../tools ./protogen .. internal/wire/wire.proto

// Service is the gRPC service of Milvus.
const Service = "milvus.proto.milvus.MilvusService"

const prefix = "/" + Service + "/"

// Method is the full name of an RPC with a *Req and a *Resp.
type Method[Req, Resp any] string

// The RPCs that this module calls or serves.
const (
	GetLoadingProgress Method[GetLoadingProgressRequest, GetLoadingProgressResponse] = prefix + "GetLoadingProgress"
	GetLoadState       Method[GetLoadStateRequest, GetLoadStateResponse]             = prefix + "GetLoadState"
	ShowCollections    Method[ShowCollectionsRequest, ShowCollectionsResponse]       = prefix + "ShowCollections"
	ShowPartitions     Method[ShowPartitionsRequest, ShowPartitionsResponse]         = prefix + "ShowPartitions"
	LoadCollection     Method[LoadCollectionRequest, Status]                         = prefix + "LoadCollection"
	ReleaseCollection  Method[ReleaseCollectionRequest, Status]                      = prefix + "ReleaseCollection"
	LoadPartitions     Method[LoadPartitionsRequest, Status]                         = prefix + "LoadPartitions"
	ReleasePartitions  Method[ReleasePartitionsRequest, Status]                      = prefix + "ReleasePartitions"

	DescribeIndex         Method[DescribeIndexRequest, DescribeIndexResponse]                 = prefix + "DescribeIndex"
	CreateIndex           Method[CreateIndexRequest, Status]                                  = prefix + "CreateIndex"
	DropIndex             Method[DropIndexRequest, Status]                                    = prefix + "DropIndex"
	GetIndexStatistics    Method[GetIndexStatisticsRequest, GetIndexStatisticsResponse]       = prefix + "GetIndexStatistics"
	GetIndexState         Method[GetIndexStateRequest, GetIndexStateResponse]                 = prefix + "GetIndexState"
	GetIndexBuildProgress Method[GetIndexBuildProgressRequest, GetIndexBuildProgressResponse] = prefix + "GetIndexBuildProgress"

	Flush                    Method[FlushRequest, FlushResponse]                                       = prefix + "Flush"
	GetFlushState            Method[GetFlushStateRequest, GetFlushStateResponse]                       = prefix + "GetFlushState"
	GetPersistentSegmentInfo Method[GetPersistentSegmentInfoRequest, GetPersistentSegmentInfoResponse] = prefix + "GetPersistentSegmentInfo"

	Import             Method[ImportRequest, ImportResponse]                         = prefix + "Import"
	GetImportState     Method[GetImportStateRequest, GetImportStateResponse]         = prefix + "GetImportState"
	ManualCompaction   Method[ManualCompactionRequest, ManualCompactionResponse]     = prefix + "ManualCompaction"
	GetCompactionState Method[GetCompactionStateRequest, GetCompactionStateResponse] = prefix + "GetCompactionState"

	CreateCollection        Method[CreateCollectionRequest, Status]                                 = prefix + "CreateCollection"
	DescribeCollection      Method[DescribeCollectionRequest, DescribeCollectionResponse]           = prefix + "DescribeCollection"
	HasCollection           Method[HasCollectionRequest, BoolResponse]                              = prefix + "HasCollection"
	DropCollection          Method[DropCollectionRequest, Status]                                   = prefix + "DropCollection"
	CreatePartition         Method[CreatePartitionRequest, Status]                                  = prefix + "CreatePartition"
	DropPartition           Method[DropPartitionRequest, Status]                                    = prefix + "DropPartition"
	HasPartition            Method[HasPartitionRequest, BoolResponse]                               = prefix + "HasPartition"
	GetCollectionStatistics Method[GetCollectionStatisticsRequest, GetCollectionStatisticsResponse] = prefix + "GetCollectionStatistics"
	CreateDatabase          Method[CreateDatabaseRequest, Status]                                   = prefix + "CreateDatabase"
	ListDatabases           Method[ListDatabasesRequest, ListDatabasesResponse]                     = prefix + "ListDatabases"

	Insert Method[InsertRequest, MutationResult] = prefix + "Insert"
	Query  Method[QueryRequest, QueryResults]    = prefix + "Query"

	Connect            Method[ConnectRequest, ConnectResponse]               = prefix + "Connect"
	GetVersion         Method[GetVersionRequest, GetVersionResponse]         = prefix + "GetVersion"
	CheckHealth        Method[CheckHealthRequest, CheckHealthResponse]       = prefix + "CheckHealth"
	GetComponentStates Method[GetComponentStatesRequest, ComponentStates]    = prefix + "GetComponentStates"
	AllocTimestamp     Method[AllocTimestampRequest, AllocTimestampResponse] = prefix + "AllocTimestamp"
)

// Conn makes unary calls, as every grpc.ClientConnInterface does.
type Conn interface {
	Invoke(ctx context.Context, method string, req, resp any, opts ...grpc.CallOption) error
}

// Call calls the RPC over conn. The response is nil if and only if the error is not.
func (m Method[Req, Resp]) Call(ctx context.Context, conn Conn, req *Req, opts ...grpc.CallOption) (*Resp, error) {
	resp := new(Resp)
	if err := conn.Invoke(ctx, string(m), req, resp, opts...); err != nil {
		return nil, err
	}
	return resp, nil
}

// databaseHeader is the header by which Milvus' clients name their database.
const databaseHeader = "dbname"

// WithDatabase returns a context whose calls have the dbname header with the given name. It
// returns ctx if the name is empty, if ctx has the header already, or if the name cannot be
// in a header. No database has a name of the last kind; the server reports it if the request
// has it.
func WithDatabase(ctx context.Context, name string) context.Context {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
		return ctx
	}

	if header, _ := metadata.FromOutgoingContext(ctx); len(header.Get(databaseHeader)) > 0 {
		return ctx
	}

	return metadata.AppendToOutgoingContext(ctx, databaseHeader, name)
}
