package wiretest

import (
	"path"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/milvuswait/milvuswait/internal/wire"
)

// method is a wire.Method without its types.
type method struct {
	name              protoreflect.Name
	request, response protoreflect.MessageDescriptor
}

// methods lists every wire.Method.
var methods = []method{
	of(wire.GetLoadingProgress),
	of(wire.GetLoadState),
	of(wire.ShowCollections),
	of(wire.ShowPartitions),
	of(wire.LoadCollection),
	of(wire.ReleaseCollection),
	of(wire.LoadPartitions),
	of(wire.ReleasePartitions),

	of(wire.DescribeIndex),
	of(wire.CreateIndex),
	of(wire.DropIndex),
	of(wire.GetIndexStatistics),
	of(wire.GetIndexState),
	of(wire.GetIndexBuildProgress),

	of(wire.Flush),
	of(wire.GetFlushState),
	of(wire.GetPersistentSegmentInfo),

	of(wire.Import),
	of(wire.GetImportState),
	of(wire.ManualCompaction),
	of(wire.GetCompactionState),

	of(wire.CreateCollection),
	of(wire.DescribeCollection),
	of(wire.HasCollection),
	of(wire.DropCollection),
	of(wire.CreatePartition),
	of(wire.DropPartition),
	of(wire.HasPartition),
	of(wire.GetCollectionStatistics),
	of(wire.CreateDatabase),
	of(wire.ListDatabases),

	of(wire.Insert),
	of(wire.Query),

	of(wire.Connect),
	of(wire.GetVersion),
	of(wire.CheckHealth),
	of(wire.GetComponentStates),
	of(wire.AllocTimestamp),
}

func of[Req, Resp any, Request interface {
	*Req
	proto.Message
}, Response interface {
	*Resp
	proto.Message
}](m wire.Method[Req, Resp]) method {
	return method{
		name:     protoreflect.Name(path.Base(string(m))),
		request:  Request(nil).ProtoReflect().Descriptor(),
		response: Response(nil).ProtoReflect().Descriptor(),
	}
}
