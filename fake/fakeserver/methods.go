package fakeserver

import (
	"context"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// method is an RPC served by the server.
type method struct {
	desc  grpc.MethodDesc
	blank func() proto.Message // returns an empty response
}

// serve returns the RPC m with answer as its implementation.
func serve[Req, Resp any, Message interface {
	*Resp
	proto.Message
}](m wire.Method[Req, Resp], answer func(context.Context, *Req) (*Resp, error)) method {
	return method{desc: m.Serve(answer), blank: func() proto.Message { return Message(new(Resp)) }}
}

// methods returns the RPCs of v, by name.
func methods(v *service) map[string]method {
	all := map[string]method{}
	for _, m := range []method{
		serve(wire.AllocTimestamp, v.AllocTimestamp),
		serve(wire.CheckHealth, v.CheckHealth),
		serve(wire.Connect, v.Connect),
		serve(wire.CreateCollection, v.CreateCollection),
		serve(wire.CreateDatabase, v.CreateDatabase),
		serve(wire.CreateIndex, v.CreateIndex),
		serve(wire.CreatePartition, v.CreatePartition),
		serve(wire.DescribeCollection, v.DescribeCollection),
		serve(wire.DescribeIndex, v.DescribeIndex),
		serve(wire.DropCollection, v.DropCollection),
		serve(wire.DropIndex, v.DropIndex),
		serve(wire.DropPartition, v.DropPartition),
		serve(wire.Flush, v.Flush),
		serve(wire.GetCollectionStatistics, v.GetCollectionStatistics),
		serve(wire.GetCompactionState, v.GetCompactionState),
		serve(wire.GetComponentStates, v.GetComponentStates),
		serve(wire.GetFlushState, v.GetFlushState),
		serve(wire.GetImportState, v.GetImportState),
		serve(wire.GetIndexBuildProgress, v.GetIndexBuildProgress),
		serve(wire.GetIndexState, v.GetIndexState),
		serve(wire.GetIndexStatistics, v.GetIndexStatistics),
		serve(wire.GetLoadState, v.GetLoadState),
		serve(wire.GetLoadingProgress, v.GetLoadingProgress),
		serve(wire.GetPersistentSegmentInfo, v.GetPersistentSegmentInfo),
		serve(wire.GetVersion, v.GetVersion),
		serve(wire.HasCollection, v.HasCollection),
		serve(wire.HasPartition, v.HasPartition),
		serve(wire.Import, v.Import),
		serve(wire.Insert, v.Insert),
		serve(wire.ListDatabases, v.ListDatabases),
		serve(wire.LoadCollection, v.LoadCollection),
		serve(wire.LoadPartitions, v.LoadPartitions),
		serve(wire.ManualCompaction, v.ManualCompaction),
		serve(wire.Query, v.Query),
		serve(wire.ReleaseCollection, v.ReleaseCollection),
		serve(wire.ReleasePartitions, v.ReleasePartitions),
		serve(wire.ShowCollections, v.ShowCollections),
		serve(wire.ShowPartitions, v.ShowPartitions),
	} {
		all[m.desc.MethodName] = m
	}
	return all
}

// unserved lists the other unary RPCs of Milvus 3.0 (milvus-proto v3.0.1). The server
// counts them and can refuse them, so that a test can check the calls of a client.
var unserved = strings.Fields(`
	AddCollectionField AddCollectionFunction AddCollectionStructField AddFileResource AddUserTags AlterAlias
	AlterCollection AlterCollectionField AlterCollectionFunction AlterCollectionSchema AlterDatabase
	AlterIndex AlterRole BackupRBAC BatchDescribeCollection BatchUpdateManifest CalcDistance
	ComputePhraseMatchSlop CreateAlias CreateCredential CreateNamespace CreatePrivilegeGroup
	CreateResourceGroup CreateRole CreateRowPolicy CreateSnapshot Delete DeleteCredential DeleteUserTags
	DescribeAlias DescribeDatabase DescribeNamespace DescribePrewarmTask DescribeResourceGroup
	DescribeSegmentIndexData DescribeSnapshot DropAlias DropCollectionFunction DropDatabase DropNamespace
	DropPrivilegeGroup DropResourceGroup DropRole DropRowPolicy DropSnapshot Dummy ExportSnapshot FlushAll
	GetCompactionStateWithPlans GetExportSnapshotState GetFlushAllState GetMetrics GetNamespaceStats
	GetPartitionStatistics GetQuerySegmentInfo GetRefreshExternalCollectionProgress GetReplicas
	GetReplicateConfiguration GetReplicateInfo GetRestoreSnapshotState GetUserTags HasNamespace HybridSearch
	ListAliases ListCredUsers ListFileResources ListImportTasks ListIndexedSegment ListNamespaces
	ListPrivilegeGroups ListRefreshExternalCollectionJobs ListResourceGroups ListRestoreSnapshotJobs
	ListRowPolicies ListSnapshots ListUsersWithTag LoadBalance OperatePrivilege OperatePrivilegeGroup
	OperatePrivilegeV2 OperateUserRole PinSnapshotData Prewarm RefreshExternalCollection RegisterLink
	RemoveFileResource RenameCollection ReplicateMessage RestoreExternalSnapshot RestoreRBAC RestoreSnapshot
	RunAnalyzer Search SelectGrant SelectRole SelectUser TransferNode TransferReplica TruncateCollection
	UnpinSnapshotData UpdateCredential UpdateReplicateConfiguration UpdateResourceGroups Upsert
`)

// streams lists the streaming RPCs of Milvus 3.0.
var streams = []string{"CreateReplicateStream", "DumpMessages"}
